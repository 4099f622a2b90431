#include "services/member/store/notices.h"

#include <algorithm>
#include <limits>
#include <set>

#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using Expiry = std::pair<AccountId, Timestamp>;

constexpr Statement kAddNotices{"member.add_notices", R"sql(
  insert into member.notices (book, account_id, expires_at_us, prepared_at_us)
  select (account_id & 65535)::int, account_id, expires_at_us, $3
    from unnest($1::bigint[], $2::bigint[]) as w (account_id, expires_at_us)
   order by account_id, expires_at_us
      on conflict (book, account_id, expires_at_us) do nothing
  returning notice_id
)sql"};

constexpr Statement kReadNotices{"member.read_notices", R"sql(
  select notice_id, account_id, expires_at_us
    from member.notices
   where (expires_at_us, notice_id) > ($1, $2) and sent_at_us is null
   order by expires_at_us, notice_id
   limit $3
)sql"};

constexpr Statement kMarkSent{"member.mark_notices_sent", R"sql(
  update member.notices
     set sent_at_us = coalesce(sent_at_us, $2)
   where notice_id = any($1::bigint[])
  returning notice_id
)sql"};

}  // namespace

int64_t AddNotices(postgres::Transaction& transaction, const std::vector<Expiry>& expiries,
                   Timestamp now) {
  if (expiries.empty()) return 0;
  return transaction
      .Execute(
          kAddNotices,
          Params().IntArray(expiries, &Expiry::first).IntArray(expiries, &Expiry::second).Int(now))
      .size();
}

std::vector<NoticeRow> ReadNotices(postgres::Transaction& transaction, NoticePlace after,
                                   Timestamp now, int limit) {
  // What has expired is nobody's to be told; its row stays, so that nobody is told twice.
  const NoticePlace from = std::max(after, {now, std::numeric_limits<int64_t>::max()});
  std::vector<NoticeRow> notices;
  for (const Row row :
       transaction.Execute(kReadNotices, Params().Int(from.first).Int(from.second).Int(limit))) {
    notices.push_back({row.Int(0), row.Id<AccountId>(1), row.Id<Timestamp>(2)});
  }
  return notices;
}

bool MarkSent(postgres::Transaction& transaction, const std::vector<int64_t>& notices,
              Timestamp now) {
  const std::set<int64_t> each(notices.begin(), notices.end());
  const postgres::Rows marked = transaction.Execute(kMarkSent, Params().IntArray(each).Int(now));
  return marked.size() == static_cast<int>(each.size());
}

}  // namespace guilder::member
