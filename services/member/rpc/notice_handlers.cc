#include "services/member/rpc/notice_handlers.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/due.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/store/notices.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

constexpr int kUsualDays = 14;
constexpr int kMostDays = 366;
constexpr int kUsualAccounts = 10'000;
constexpr int kMostAccounts = 100'000;
constexpr int kMostNamesAtOnce = 1'000;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

// What of the account expires at that very instant, as of now.
Points ExpiringAt(Transaction& transaction, AccountId account, Timestamp at) {
  Points points;
  for (const ledger::ExpectedExpiry& expiry :
       ledger::ExpectExpiriesOf(transaction, account, at + Timestamp(1))) {
    if (expiry.at == at) points += expiry.points;
  }
  return points;
}

}  // namespace

NoticeHandlers::NoticeHandlers(const MemberServiceDependencies& dependencies, const MemberView&)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::PrepareNoticesResponse> NoticeHandlers::PrepareNotices(
    const rpc::Call& call, const v1::PrepareNoticesRequest& request) {
  if (request.days() < 0 || request.days() > kMostDays) return Malformed("days");
  if (request.page_size() < 0) return Malformed("page_size");
  const int days = request.days() == 0 ? kUsualDays : request.days();
  const int size =
      request.page_size() == 0 ? kUsualAccounts : std::min(request.page_size(), kMostAccounts);
  const std::string list = absl::StrCat("notices-of/", days);
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  ledger::AccountCursor from;
  if (!position.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(position, '-');
    from = {BookId(std::stoi(parts.at(0))), AccountId(std::stoll(parts.at(1)))};
  }
  Timestamp now;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        now = ledger::ReadProgrammeClock(tx, programme());
        return absl::OkStatus();
      },
      call.deadline()));
  GUILDER_ASSIGN_OR_RETURN(const ledger::ExpectedExpiries expected,
                           ledger::ExpectExpiries(pool_, programme(), from,
                                                  now + Timestamp(days * kMicrosPerDay), size));
  // Of several issuers' points that expire together the member hears once. What is due already
  // expires before anybody could be told.
  std::set<std::pair<AccountId, Timestamp>> expiries;
  for (const ledger::ExpectedExpiry& expiry : expected.expiries) {
    if (expiry.at > now) expiries.emplace(expiry.account, expiry.at);
  }
  v1::PrepareNoticesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& tx) {
        response.set_notices(AddNotices(tx, {expiries.begin(), expiries.end()}, now));
        return absl::OkStatus();
      },
      call.deadline()));
  if (expected.next) {
    response.set_next_page_token(page_tokens_.Make(
        list, absl::StrCat(expected.next->book.value(), "-", expected.next->after.value())));
  }
  return response;
}

absl::StatusOr<v1::ListNoticesResponse> NoticeHandlers::ListNotices(
    const rpc::Call& call, const v1::ListNoticesRequest& request) {
  constexpr char kList[] = "notices-by-expiry";
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  NoticePlace after;
  if (!position.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(position, '-');
    after = {Timestamp(std::stoll(parts.at(0))), std::stoll(parts.at(1))};
  }
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::ListNoticesResponse> {
        v1::ListNoticesResponse response;
        const std::vector<NoticeRow> rows =
            ReadNotices(tx, after, ledger::ReadProgrammeClock(tx, programme()), page_size);
        for (const NoticeRow& row : rows) {
          const Points points = ExpiringAt(tx, row.account, row.expires_at);
          if (points == Points(0)) continue;
          v1::Notice& notice = *response.add_notices();
          notice.set_name(absl::StrCat("notices/", row.id));
          notice.set_member(MemberName(row.account));
          *notice.mutable_expire_time() = rpc::ToProto(row.expires_at);
          notice.set_points(points.value());
        }
        if (rows.size() == static_cast<size_t>(page_size)) {
          response.set_next_page_token(page_tokens_.Make(
              kList, absl::StrCat(rows.back().expires_at.value(), "-", rows.back().id)));
        }
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::AcknowledgeNoticesResponse> NoticeHandlers::AcknowledgeNotices(
    const rpc::Call& call, const v1::AcknowledgeNoticesRequest& request) {
  if (request.names().empty() || request.names_size() > kMostNamesAtOnce) return Malformed("names");
  std::vector<int64_t> notices;
  for (const std::string& name : request.names()) {
    const auto parts = rpc::ParseNumberedName("notices/{}", name);
    if (!parts) return Refuse(Reason::kNameNotFound);
    notices.push_back((*parts)[0]);
  }
  return rpc::RunAudited(
      pool_, call, "NoticeService/AcknowledgeNotices", "notices", nullptr,
      [&](Transaction& tx) -> absl::StatusOr<v1::AcknowledgeNoticesResponse> {
        if (!MarkSent(tx, notices, ledger::ReadProgrammeClock(tx, programme()))) {
          return Refuse(Reason::kNameNotFound);
        }
        return v1::AcknowledgeNoticesResponse();
      });
}

}  // namespace guilder::member
