#include "services/member/rpc/standing_handlers.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/forwards.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/store/standing.h"

namespace guilder::member {
namespace {

constexpr size_t kMaxReasonBytes = 200;

absl::Status Malformed(const char* field, const char* problem) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", problem), {{"field", field}});
}

absl::Status CheckReason(const std::string& text) {
  if (text.size() > kMaxReasonBytes) return Malformed("reason", "is too long");
  const bool plain =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return plain ? absl::OkStatus() : Malformed("reason", "has control characters");
}

// An instant of a request: none when it is absent.
absl::StatusOr<std::optional<Timestamp>> TimeIn(bool there, const google::protobuf::Timestamp& at,
                                                const char* field) {
  if (!there) return std::optional<Timestamp>();
  const auto parsed = rpc::FromProto(at);
  if (!parsed) return Malformed(field, "is no time");
  return parsed;
}

// Where a row stands in its list.
using Place = std::tuple<std::string, Timestamp, int64_t>;

Place PlaceOf(const TierChange& row) {
  return {"", row.from, row.number};
}
Place PlaceOf(const SegmentTime& row) {
  return {row.segment, row.from, row.number};
}

// Adds one page of rows, those after a token's position; gives the position of the next page, empty
// for none.
template <typename Row, typename Add>
std::string AddPage(const std::vector<Row>& rows, const std::string& position, int page_size,
                    const Add& add) {
  Decoder in(position);
  Place last;
  if (!position.empty()) {
    std::string name(in.Bytes());
    const auto from = in.ReadQuantity<Timestamp>();
    last = {std::move(name), from, in.Signed()};
  }
  int added = 0;
  for (const Row& row : rows) {
    if (!position.empty() && PlaceOf(row) <= last) continue;
    if (added == page_size) {
      const auto& [name, from, number] = last;
      return Encoder().Bytes(name).Quantity(from).Signed(number).Take();
    }
    add(row);
    ++added;
    last = PlaceOf(row);
  }
  return "";
}

}  // namespace

v1::TierChange ToProto(const TierChange& change) {
  v1::TierChange out;
  out.set_tier(change.tier);
  *out.mutable_from_time() = rpc::ToProto(change.from);
  *out.mutable_change_time() = rpc::ToProto(change.changed_at);
  out.set_changed_by(change.changed_by);
  out.set_reason(change.reason);
  return out;
}

v1::SegmentMembership ToProto(const SegmentTime& time) {
  v1::SegmentMembership out;
  out.set_segment(time.segment);
  *out.mutable_from_time() = rpc::ToProto(time.from);
  if (time.until != kNever) *out.mutable_until_time() = rpc::ToProto(time.until);
  out.set_changed_by(time.changed_by);
  return out;
}

StandingHandlers::StandingHandlers(const MemberServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      view_(dependencies.pool, dependencies.secrets),
      residences_(dependencies.pool, dependencies.lanes, view_.vault()),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<AccountId> StandingHandlers::Resolve(const rpc::Call& call,
                                                    postgres::Transaction& transaction,
                                                    std::string_view name) const {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, view_.names().Parse(call.principal(), name));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  return ledger::SurvivorOf(transaction, account);
}

Timestamp StandingHandlers::ReadClock(postgres::Transaction& transaction) const {
  return ledger::ReadProgrammeClock(transaction, lanes_.configuration()->programme().id);
}

absl::StatusOr<v1::SetTierResponse> StandingHandlers::SetTier(const rpc::Call& call,
                                                              const v1::SetTierRequest& request) {
  if (!request.tier().empty()) GUILDER_RETURN_IF_ERROR(CheckStandingName("tier", request.tier()));
  GUILDER_RETURN_IF_ERROR(CheckReason(request.reason()));
  GUILDER_ASSIGN_OR_RETURN(const auto from,
                           TimeIn(request.has_from_time(), request.from_time(), "from_time"));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::SetTierResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.member()));
        GUILDER_RETURN_IF_ERROR(LockStanding(tx, account));
        const std::vector<TierChange> known = ReadTierChanges(tx, account);
        TierChange change;
        change.changed_at = ReadClock(tx);
        change.from = from.value_or(change.changed_at);
        change.tier = request.tier();
        change.changed_by = rpc::ActorOf(call.principal());
        change.reason = request.reason();
        v1::SetTierResponse response;
        const TierChange* const so = TierAt(known, change.from);
        const bool is_so = so == nullptr ? change.tier.empty() : so->tier == change.tier;
        if (is_so) {
          *response.mutable_change() = ToProto(so == nullptr ? change : *so);
          return response;
        }
        if (known.size() >= kMostTierChanges) return Refuse(Reason::kLimitExceeded);
        change.number = static_cast<int>(known.size()) + 1;
        InsertTierChange(tx, account, change);
        *response.mutable_change() = ToProto(change);
        // Not what it is: the log outlives the erasure of a member.
        rpc::Audit(tx, call, "StandingService/SetTier", MemberName(account), nullptr, nullptr);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListTierChangesResponse> StandingHandlers::ListTierChanges(
    const rpc::Call& call, const v1::ListTierChangesRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("ListTierChanges ", request.parent());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  return view_.Inspect(
      call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::ListTierChangesResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.parent()));
        if (!ReadMember(tx, account)) return Refuse(Reason::kMemberNotFound);
        v1::ListTierChangesResponse response;
        const std::string next =
            AddPage(ReadTierChanges(tx, account), position, page_size,
                    [&](const TierChange& row) { *response.add_changes() = ToProto(row); });
        if (!next.empty()) response.set_next_page_token(page_tokens_.Make(list, next));
        if (call.principal().IsOperator()) {
          rpc::AuditReading(tx, call, "StandingService/ListTierChanges", MemberName(account));
        }
        return response;
      });
}

absl::StatusOr<v1::AddSegmentResponse> StandingHandlers::AddSegment(
    const rpc::Call& call, const v1::AddSegmentRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckStandingName("segment", request.segment()));
  GUILDER_ASSIGN_OR_RETURN(const auto from,
                           TimeIn(request.has_from_time(), request.from_time(), "from_time"));
  GUILDER_ASSIGN_OR_RETURN(const auto until,
                           TimeIn(request.has_until_time(), request.until_time(), "until_time"));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::AddSegmentResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.member()));
        GUILDER_RETURN_IF_ERROR(LockStanding(tx, account));
        const Timestamp now = ReadClock(tx);
        SegmentTime asked;
        asked.segment = request.segment();
        asked.from = from.value_or(now);
        asked.until = until.value_or(kNever);
        asked.changed_by = rpc::ActorOf(call.principal());
        if (asked.until <= asked.from) return Malformed("until_time", "is not after from_time");
        const std::vector<SegmentTime> known = ReadSegments(tx, account);
        v1::AddSegmentResponse response;
        for (const SegmentTime& time : known) {
          const bool covered =
              time.segment == asked.segment && time.from <= asked.from && time.until >= asked.until;
          if (!covered) continue;
          *response.mutable_membership() = ToProto(time);
          return response;
        }
        const auto open = std::count_if(known.begin(), known.end(),
                                        [&](const SegmentTime& time) { return time.until > now; });
        if (static_cast<size_t>(open) >= kMostSegments) return Refuse(Reason::kLimitExceeded);
        asked.number = static_cast<int>(known.size()) + 1;
        InsertSegment(tx, account, asked);
        *response.mutable_membership() = ToProto(asked);
        rpc::Audit(tx, call, "StandingService/AddSegment", MemberName(account), nullptr, nullptr);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RemoveSegmentResponse> StandingHandlers::RemoveSegment(
    const rpc::Call& call, const v1::RemoveSegmentRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckStandingName("segment", request.segment()));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::RemoveSegmentResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.member()));
        GUILDER_RETURN_IF_ERROR(LockStanding(tx, account));
        EndSegment(tx, account, request.segment(), ReadClock(tx));
        rpc::Audit(tx, call, "StandingService/RemoveSegment", MemberName(account), nullptr,
                   nullptr);
        return v1::RemoveSegmentResponse();
      },
      call.deadline());
}

absl::StatusOr<v1::ListSegmentsResponse> StandingHandlers::ListSegments(
    const rpc::Call& call, const v1::ListSegmentsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("ListSegments ", request.parent(), request.history());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  return view_.Inspect(
      call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::ListSegmentsResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.parent()));
        if (!ReadMember(tx, account)) return Refuse(Reason::kMemberNotFound);
        const Timestamp now = ReadClock(tx);
        std::vector<SegmentTime> times = ReadSegments(tx, account);
        if (!request.history()) {
          std::erase_if(times, [&](const SegmentTime& time) { return !time.Covers(now); });
        }
        v1::ListSegmentsResponse response;
        const std::string next = AddPage(times, position, page_size, [&](const SegmentTime& row) {
          *response.add_segments() = ToProto(row);
        });
        if (!next.empty()) response.set_next_page_token(page_tokens_.Make(list, next));
        if (call.principal().IsOperator()) {
          rpc::AuditReading(tx, call, "StandingService/ListSegments", MemberName(account));
        }
        return response;
      });
}

}  // namespace guilder::member
