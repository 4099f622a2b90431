// What was parked: listed, closed, and posted after all.
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_handlers.h"
#include "services/accrual/rpc/purchase_proto.h"

namespace guilder::accrual {
namespace {

// How long a return waits for its sale.
constexpr int64_t kWaitDays = 30;
constexpr int kReturnsAtOnce = 100;
constexpr absl::Duration kTimeToPost = absl::Seconds(10);

// Whether it is a return that says neither which sale nor which receipt its goods are from.
bool NamesNoSale(const ParkedItem& item) {
  v1::RecordReturnRequest request;
  return item.kind == ParkedKind::kReturn && request.ParseFromString(item.request) &&
         !request.has_receipt() && !request.has_purchase();
}

// Error: kWrongState, who approved it may be posting it now.
absl::Status CheckMayClose(postgres::Transaction& tx, const ParkedItemId& id) {
  GUILDER_ASSIGN_OR_RETURN(const ParkedItem item, LockParkedItem(tx, id.partner, id.request_id));
  if (item.resolved || item.approved_by.empty()) return absl::OkStatus();
  return Refuse(Reason::kWrongState,
                "it is approved and being posted: repeat the approval, or propose its sale anew");
}

// A sale of the item's partner. Error: kPurchaseNotFound.
absl::StatusOr<Sale> FindSaleNamed(postgres::Transaction& tx, const ParkedItem& item,
                                   const std::string& name) {
  const std::optional<RecordId> id = ParseRecordName("purchases", name);
  if (!id) return Refuse(Reason::kPurchaseNotFound, name.empty() ? "it names no sale" : "");
  GUILDER_ASSIGN_OR_RETURN(Sale sale, FindSale(tx, id->book, id->number));
  if (sale.partner != item.partner) return Refuse(Reason::kPurchaseNotFound);
  return sale;
}

}  // namespace

absl::StatusOr<v1::ListParkedItemsResponse> AccrualHandlers::ListParkedItems(
    const rpc::Call& call, const v1::ListParkedItemsRequest& request) {
  PartnerId partner;
  if (!request.parent().empty()) {
    GUILDER_ASSIGN_OR_RETURN(partner, PartnerNamed(call, request.parent()));
  } else {
    // All partners' items are for operators.
    GUILDER_RETURN_IF_ERROR(call.CheckActsFor(PartnerId()));
  }
  GUILDER_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("parked ", partner.value(), request.include_resolved());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  Decoder in(position);
  ParkedPosition after;
  if (!position.empty()) {
    after.created_at = in.ReadQuantity<Timestamp>();
    after.partner = in.ReadId<PartnerId>();
    after.request_id = ParseUuid(in.Bytes()).value_or(Uuid{});
  }
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::ListParkedItemsResponse> {
    auto items = accrual::ListParkedItems(tx, partner, request.include_resolved(), after, size + 1);
    const bool more = items.size() > static_cast<size_t>(size);
    if (more) items.pop_back();
    v1::ListParkedItemsResponse response;
    for (const ParkedItem& item : items) *response.add_parked_items() = ToProto(item);
    if (more) {
      const ParkedItem& last = items.back();
      response.set_next_page_token(page_tokens_.Make(list, Encoder()
                                                               .Quantity(last.created_at)
                                                               .Id(last.partner)
                                                               .Bytes(FormatUuid(last.request_id))
                                                               .str()));
    }
    return response;
  });
}

absl::StatusOr<v1::ResolveParkedItemResponse> AccrualHandlers::ResolveParkedItem(
    const rpc::Call& call, const v1::ResolveParkedItemRequest& request) {
  if (request.resolution().empty() || !rpc::CheckNote(request.resolution()).ok()) {
    return Refuse(Reason::kRequestMalformed, "resolution is one line of 1 to 500 bytes");
  }
  if (request.action() > v1::PARKED_ITEM_ACTION_POST || request.action() < 0) {
    return Refuse(Reason::kRequestMalformed, "action");
  }
  const std::optional<ParkedItemId> id = ParseParkedItemName(request.name());
  if (!id) return Refuse(Reason::kParkedItemNotFound);
  v1::ResolveParkedItemResponse response;
  if (request.action() == v1::PARKED_ITEM_ACTION_POST) {
    GUILDER_ASSIGN_OR_RETURN(const ParkedItem item, pool_.Read([&](postgres::Transaction& tx) {
      return FindParkedItem(tx, id->partner, id->request_id);
    }));
    if (item.resolved) return Refuse(Reason::kWrongState, "it is resolved already");
    if (NamesNoSale(item)) return ProposeReturn(call, request, item);
    if (!request.purchase().empty()) {
      return Refuse(Reason::kRequestMalformed, "the item says itself what it is of");
    }
    GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, PostParked(item, call.deadline()));
    response.set_posted(ledger::RecordName(answer.kind, answer.place.book, answer.place.number));
  }
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "AccrualService/ResolveParkedItem", request.name(), &request,
      [&](postgres::Transaction& tx) -> absl::Status {
        const Timestamp now = ledger::ReadProgrammeClock(tx, programme);
        if (response.posted().empty()) {
          GUILDER_RETURN_IF_ERROR(CheckMayClose(tx, *id));
        } else {
          // A return that was posted has closed its item in its own transaction.
          ReopenPosted(tx, id->partner, id->request_id);
        }
        GUILDER_ASSIGN_OR_RETURN(
            const ParkedItem item,
            accrual::ResolveParkedItem(tx, id->partner, id->request_id, request.resolution(), now));
        *response.mutable_parked_item() = ToProto(item);
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::ResolveParkedItemResponse> AccrualHandlers::ProposeReturn(
    const rpc::Call& call, const v1::ResolveParkedItemRequest& request, const ParkedItem& item) {
  v1::ResolveParkedItemResponse response;
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "AccrualService/ResolveParkedItem", request.name(), &request,
      [&](postgres::Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(ParkedItem locked,
                                 LockParkedItem(tx, item.partner, item.request_id));
        if (locked.resolved) return Refuse(Reason::kWrongState, "it is resolved already");
        GUILDER_RETURN_IF_ERROR(FindSaleNamed(tx, locked, request.purchase()).status());
        locked.proposed_purchase = request.purchase();
        locked.proposed_by = rpc::ActorOf(call.principal());
        locked.resolution = request.resolution();
        ProposeParkedReturn(tx, locked);
        *response.mutable_parked_item() = ToProto(locked);
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::ApproveParkedReturnResponse> AccrualHandlers::ApproveParkedReturn(
    const rpc::Call& call, const v1::ApproveParkedReturnRequest& request) {
  const std::optional<ParkedItemId> id = ParseParkedItemName(request.name());
  if (!id) return Refuse(Reason::kParkedItemNotFound);
  const std::string actor = rpc::ActorOf(call.principal());
  ParkedItem item;
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "AccrualService/ApproveParkedReturn", request.name(), &request,
      [&](postgres::Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(item, LockParkedItem(tx, id->partner, id->request_id));
        // Who approved it and lost the answer asks again.
        const bool again = !item.approved_by.empty() && item.approved_by == actor;
        if ((item.resolved && !again) || item.proposed_purchase.empty()) {
          return Refuse(Reason::kWrongState);
        }
        if (item.proposed_by == actor) return Refuse(Reason::kSamePerson);
        if (!item.resolved && request.etag() != EtagOf(item)) {
          return Refuse(Reason::kChangeDiffers);
        }
        if (item.resolved) return absl::OkStatus();
        item.approved_by = actor;
        accrual::ApproveParkedReturn(tx, item);
        return absl::OkStatus();
      }));
  v1::ApproveParkedReturnResponse response;
  if (item.resolved) {
    GUILDER_ASSIGN_OR_RETURN(*response.mutable_posted(), FindPostedReturn(item, call.deadline()));
    *response.mutable_parked_item() = ToProto(item);
    return response;
  }
  GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, PostParked(item, call.deadline()));
  response.set_posted(ledger::RecordName(answer.kind, answer.place.book, answer.place.number));
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](postgres::Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(item, LockParkedItem(tx, id->partner, id->request_id));
        // The return has closed its item in its own transaction, unless it was posted before under
        // another request id.
        if (item.resolved) return absl::OkStatus();
        const Timestamp now =
            ledger::ReadProgrammeClock(tx, lanes_.configuration()->programme().id);
        GUILDER_ASSIGN_OR_RETURN(item, accrual::ResolveParkedItem(tx, id->partner, id->request_id,
                                                                  item.resolution, now));
        return absl::OkStatus();
      },
      call.deadline()));
  *response.mutable_parked_item() = ToProto(item);
  return response;
}

absl::StatusOr<v1::RejectParkedReturnResponse> AccrualHandlers::RejectParkedReturn(
    const rpc::Call& call, const v1::RejectParkedReturnRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  const std::optional<ParkedItemId> id = ParseParkedItemName(request.name());
  if (!id) return Refuse(Reason::kParkedItemNotFound);
  v1::RejectParkedReturnResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](postgres::Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(ParkedItem item, LockParkedItem(tx, id->partner, id->request_id));
        if (item.resolved || item.proposed_purchase.empty() || !item.approved_by.empty()) {
          return Refuse(Reason::kWrongState);
        }
        if (!request.etag().empty() && request.etag() != EtagOf(item)) {
          return Refuse(Reason::kChangeDiffers);
        }
        const v1::ParkedItem before = ToProto(item);
        item.proposed_purchase.clear();
        item.proposed_by.clear();
        item.resolution.clear();
        ProposeParkedReturn(tx, item);
        *response.mutable_parked_item() = ToProto(item);
        rpc::Audit(tx, call, "AccrualService/RejectParkedReturn", request.name(), &before,
                   &request);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<std::string> AccrualHandlers::FindPostedReturn(const ParkedItem& item,
                                                              absl::Time deadline) {
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<ledger::Command> command,
                           CommandOf(item, deadline));
  std::vector<Uuid> claims = {ledger::RequestClaimKey(item.partner, item.request_id)};
  if (command->natural_key) claims.push_back(*command->natural_key);
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
        const auto found = FindReturnByClaims(tx, claims, command->fingerprint);
        if (!found) return Refuse(Reason::kWrongState, "it is closed, and was not posted");
        return ledger::RecordName(ledger::RecordKind::kReturn, found->first, found->second);
      },
      deadline);
}

absl::StatusOr<ledger::Answer> AccrualHandlers::PostParked(const ParkedItem& item,
                                                           absl::Time deadline) {
  GUILDER_ASSIGN_OR_RETURN(std::unique_ptr<ledger::Command> command, CommandOf(item, deadline));
  command->deadline = deadline;
  std::promise<absl::StatusOr<ledger::Answer>> promise;
  auto answer = promise.get_future();
  lanes_.Submit(std::move(command), [&promise](absl::StatusOr<ledger::Answer> answered) {
    promise.set_value(std::move(answered));
  });
  return answer.get();
}

absl::StatusOr<std::unique_ptr<ledger::Command>> AccrualHandlers::CommandOf(const ParkedItem& item,
                                                                            absl::Time deadline) {
  switch (item.kind) {
    case ParkedKind::kPurchase: {
      GUILDER_ASSIGN_OR_RETURN(Purchase purchase, DecodePurchase(item.request));
      GUILDER_ASSIGN_OR_RETURN(const AccountId account, cards_.Find(purchase.card, deadline));
      return MakeParkedPurchaseCommand(rows_, item.partner, item.request_id, account,
                                       std::move(purchase),
                                       item.reason == ReasonName(Reason::kLimitExceeded));
    }
    case ParkedKind::kReturn: {
      v1::RecordReturnRequest request;
      if (!request.ParseFromString(item.request)) return absl::InternalError("a parked return");
      const std::string slug = SlugOf(item.partner);
      GUILDER_ASSIGN_OR_RETURN(Return returned, FromProto(request, slug));
      GUILDER_ASSIGN_OR_RETURN(
          Sale sale, pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<Sale> {
            if (request.has_receipt()) {
              GUILDER_ASSIGN_OR_RETURN(const ReceiptKey receipt,
                                       FromProto(request.receipt(), slug));
              return FindSaleByReceipt(tx, item.partner, receipt);
            }
            return FindSaleNamed(
                tx, item, request.has_purchase() ? request.purchase() : item.proposed_purchase);
          }));
      const absl::TimeZone zone = ZoneOf(item.partner, returned.store);
      // Whoever posts a return that was in conflict has seen that it is another one.
      std::optional<ParkedItem> asked;
      if (item.reason != ReasonName(Reason::kReceiptConflict)) asked = item;
      return MakeReturnCommand(rows_, item.partner, item.request_id, std::move(sale),
                               std::move(returned), zone, std::move(asked));
    }
    case ParkedKind::kUnknown:
      break;
  }
  return Refuse(Reason::kWrongState, "what it asked for was not kept");
}

absl::StatusOr<bool> AccrualHandlers::PostDueReturns() {
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  Timestamp now;
  Timestamp too_long_ago;
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<ParkedItem> due,
      pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<ParkedItem>> {
        now = ledger::ReadProgrammeClock(tx, programme);
        too_long_ago = Timestamp(now.value() - kWaitDays * kMicrosPerDay);
        return ReadDueReturns(tx, too_long_ago, kReturnsAtOnce);
      }));
  for (const ParkedItem& item : due) {
    const absl::StatusOr<ledger::Answer> posted = PostParked(item, absl::Now() + kTimeToPost);
    // A return that is posted closes its item. One that is refused for good is closed with the
    // reason; anything else may go better the next time.
    const auto reason = ReasonOf(posted.status());
    const bool waits = reason == Reason::kPurchaseNotFound;
    const bool passes = posted.ok() || !reason || reason == Reason::kQueueFull ||
                        reason == Reason::kStoreUnavailable || reason == Reason::kDeadlineExceeded;
    // One that was posted under another request id has closed nothing.
    const bool posted_before = posted.ok() && posted->replayed;
    if ((passes && !posted_before) || (waits && item.created_at >= too_long_ago)) continue;
    const std::string resolution =
        posted_before ? "posted before, under another request id"
        : waits       ? absl::StrCat("rejected: no sale came within ", kWaitDays, " days")
                      : absl::StrCat("rejected: ", std::string(ReasonName(*reason)));
    GUILDER_RETURN_IF_ERROR(pool_.Run([&](postgres::Transaction& tx) -> absl::Status {
      const absl::Status resolved =
          accrual::ResolveParkedItem(tx, item.partner, item.request_id, resolution, now).status();
      // Somebody else was first.
      return ReasonOf(resolved) == Reason::kWrongState ? absl::OkStatus() : resolved;
    }));
  }
  return pool_.Read(
      [](postgres::Transaction& tx) -> absl::StatusOr<bool> { return AnyReturnWaits(tx); });
}

}  // namespace guilder::accrual
