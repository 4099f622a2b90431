#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/due.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/rpc/points_handlers.h"

namespace guilder::member {
namespace {

constexpr int kUsualDays = 30;
constexpr int kUsualPreview = 10'000;
constexpr int kMostPreview = 100'000;
constexpr int kUsualSweep = 100'000;
constexpr int kMostSweep = 1'000'000;
// A sweep answers before its caller gives up, and says where to go on.
constexpr absl::Duration kTimeToAnswer = absl::Seconds(5);

absl::StatusOr<int> SizeOf(int asked, int usual, int most) {
  if (asked < 0) return Refuse(Reason::kRequestMalformed, "page_size", {{"field", "page_size"}});
  return asked == 0 ? usual : std::min(asked, most);
}

// "3-196611": a book, and the account that comes before the page.
std::string Position(const ledger::AccountCursor& cursor) {
  return absl::StrCat(cursor.book.value(), "-", cursor.after.value());
}

ledger::AccountCursor FromPosition(const std::string& position) {
  if (position.empty()) return {};
  const std::vector<std::string> parts = absl::StrSplit(position, '-');
  return {BookId(std::stoi(parts.at(0))), AccountId(std::stoll(parts.at(1)))};
}

}  // namespace

absl::StatusOr<v1::PreviewExpiryResponse> PointsHandlers::PreviewExpiry(
    const rpc::Call& call, const v1::PreviewExpiryRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int size,
                           SizeOf(request.page_size(), kUsualPreview, kMostPreview));
  Timestamp until;
  if (request.has_until()) {
    const auto asked = rpc::FromProto(request.until());
    if (!asked) return Refuse(Reason::kRequestMalformed, "until", {{"field", "until"}});
    until = *asked;
  } else {
    GUILDER_RETURN_IF_ERROR(pool_.Read(
        [&](postgres::Transaction& tx) {
          until =
              ledger::ReadProgrammeClock(tx, programme()) + Timestamp(kUsualDays * kMicrosPerDay);
          return absl::OkStatus();
        },
        call.deadline()));
  }
  const std::string list = absl::StrCat("expiries/", request.until().seconds());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(
      const ledger::ExpectedExpiries expected,
      ledger::ExpectExpiries(pool_, programme(), FromPosition(position), until, size));
  const auto configuration = lanes_.configuration();
  v1::PreviewExpiryResponse response;
  for (const ledger::ExpectedExpiry& expiry : expected.expiries) {
    const ledger::Partner* const issuer = configuration->FindPartner(expiry.issuer);
    v1::ExpectedExpiry& out = *response.add_expiries();
    out.set_member(MemberName(expiry.account));
    out.set_issuer("partners/" + (issuer == nullptr ? std::string() : issuer->slug));
    *out.mutable_expire_time() = rpc::ToProto(expiry.at);
    out.set_points(expiry.points.value());
  }
  if (expected.next) {
    response.set_next_page_token(page_tokens_.Make(list, Position(*expected.next)));
  }
  return response;
}

absl::StatusOr<v1::SweepExpiryResponse> PointsHandlers::SweepExpiry(
    const rpc::Call& call, const v1::SweepExpiryRequest& request) {
  constexpr char kList[] = "sweep";
  // Where the ledger is still to be told where members live: before the first book.
  const ledger::AccountCursor begin;
  ledger::SweepOptions options;
  GUILDER_ASSIGN_OR_RETURN(options.most_accounts,
                           SizeOf(request.page_size(), kUsualSweep, kMostSweep));
  options.deadline = call.deadline() - kTimeToAnswer;
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  v1::SweepExpiryResponse response;
  const ledger::AccountCursor from = FromPosition(position);
  if (from == begin) {
    GUILDER_ASSIGN_OR_RETURN(const bool all_told, residences_.TellAll(options.deadline));
    if (!all_told) {
      response.set_next_page_token(page_tokens_.Make(kList, Position(begin)));
      return response;
    }
  }
  GUILDER_ASSIGN_OR_RETURN(const ledger::SweepResult swept,
                           ledger::SweepDue(pool_, lanes_, from, options));
  response.set_accounts(swept.accounts_looked_at);
  response.set_accounts_brought_up(swept.accounts_brought_up);
  if (swept.next) response.set_next_page_token(page_tokens_.Make(kList, Position(*swept.next)));
  return response;
}

}  // namespace guilder::member
