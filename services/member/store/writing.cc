#include "services/member/store/writing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// The advisory lock of the epoch has two keys, so that it is no phone number's, which have one.
#define GUILDER_EPOCH_LOCK_ "1735748708, 1"

constexpr Statement kShareEpoch{"member.share_epoch",
                                "select pg_advisory_xact_lock_shared(" GUILDER_EPOCH_LOCK_ ")"};

constexpr Statement kLockEpoch{"member.lock_epoch",
                               "select pg_advisory_xact_lock(" GUILDER_EPOCH_LOCK_ ")"};

#undef GUILDER_EPOCH_LOCK_

constexpr Statement kLockPhones{"member.lock_phones", R"sql(
  select pg_advisory_xact_lock(w.lock_key) from unnest($1::bigint[]) as w (lock_key)
)sql"};

constexpr Statement kReadEpoch{"member.read_epoch", R"sql(
  select max(epoch) from member.key_epochs
)sql"};

constexpr Statement kReadTakenCards{"member.read_taken_cards", R"sql(
  select card_number from member.cards where card_number = any($1::bigint[])
  union
  select card_number from member.stock_cards where card_number = any($1::bigint[])
)sql"};

constexpr Statement kReadTaken{"member.read_taken_phones", R"sql(
  select w.place, p.account_id
    from unnest($1::bigint[], $2::bytea[]) as w (place, phone_index)
    join lateral (
      (select m.account_id, m.enrolled_at_us as at_us from member.members m
        where m.phone_index = w.phone_index order by m.enrolled_at_us limit 1)
      union all
      (select m.account_id, m.added_at_us from member.people m
        where m.phone_index = w.phone_index order by m.added_at_us limit 1)
      order by at_us limit 1) p on true
)sql"};

}  // namespace

WritingGround LockForWriting(postgres::Transaction& transaction, const Vault& vault,
                             const std::vector<std::string>& phones,
                             const std::vector<CardNumber>& cards,
                             const std::vector<std::string>& others) {
  std::vector<int64_t> locks;
  for (const std::string& other : others) locks.push_back(vault.LockOf(other));
  for (const CardNumber card : cards) {
    locks.push_back(vault.LockOf(absl::StrCat("card/", card.value())));
  }
  for (const std::string& phone : phones) locks.push_back(vault.LockOf(phone));
  std::sort(locks.begin(), locks.end());
  transaction.ExecuteLater(kShareEpoch, {});
  transaction.Execute(kLockPhones, Params().IntArray(locks));
  // In statements of their own, which see what was committed while the locks were waited for.
  WritingGround ground;
  ground.epoch = transaction.Execute(kReadEpoch)[0].Int(0);
  if (!cards.empty()) {
    for (const Row row : transaction.Execute(kReadTakenCards, Params().IntArray(cards))) {
      ground.taken_cards.insert(row.Id<CardNumber>(0));
    }
  }
  if (phones.empty()) return ground;
  struct Index {
    size_t place = 0;
    Digest index{};
  };
  std::vector<Index> indexes;
  for (size_t i = 0; i < phones.size(); ++i) {
    for (const Digest& index : vault.PhoneIndexes(phones[i])) indexes.push_back({i, index});
  }
  const postgres::Rows rows = transaction.Execute(
      kReadTaken, Params().IntArray(indexes, &Index::place).BytesArray(indexes, &Index::index));
  for (const Row row : rows) {
    ground.taken.emplace(phones.at(static_cast<size_t>(row.Int(0))), row.Id<AccountId>(1));
  }
  return ground;
}

void LockEpochs(postgres::Transaction& transaction) {
  transaction.Execute(kLockEpoch);
}

}  // namespace guilder::member
