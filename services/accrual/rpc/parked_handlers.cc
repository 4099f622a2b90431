// What was parked: listed, closed, and posted after all.
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_handlers.h"
#include "services/accrual/rpc/purchase_proto.h"

namespace guilder::accrual {
namespace {

// How long a return waits for its sale.
constexpr int64_t kWaitDays = 30;
constexpr int kReturnsAtOnce = 100;
constexpr absl::Duration kTimeToPost = absl::Seconds(10);

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
  if (request.resolution().empty() || request.resolution().size() > 500) {
    return Refuse(Reason::kRequestMalformed, "resolution has 1 to 500 characters");
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
    GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, PostParked(item, call.deadline()));
    response.set_posted(ledger::RecordName(answer.kind, answer.place.book, answer.place.number));
  }
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "AccrualService/ResolveParkedItem", request.name(), &request,
      [&](postgres::Transaction& tx) -> absl::Status {
        const Timestamp now = ledger::ReadProgrammeClock(tx, programme);
        // A return that was posted has closed its item in its own transaction.
        if (!response.posted().empty()) ReopenPosted(tx, id->partner, id->request_id);
        GUILDER_ASSIGN_OR_RETURN(
            const ParkedItem item,
            accrual::ResolveParkedItem(tx, id->partner, id->request_id, request.resolution(), now));
        *response.mutable_parked_item() = ToProto(item);
        return absl::OkStatus();
      }));
  return response;
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
      return MakePurchaseCommand(rows_, item.partner, item.request_id, account, std::move(purchase),
                                 std::nullopt);
    }
    case ParkedKind::kReturn: {
      v1::RecordReturnRequest request;
      if (!request.ParseFromString(item.request)) return absl::InternalError("a parked return");
      if (!request.has_receipt()) return Refuse(Reason::kPurchaseNotFound, "it names no sale");
      const std::string slug = SlugOf(item.partner);
      GUILDER_ASSIGN_OR_RETURN(Return returned, FromProto(request, slug));
      GUILDER_ASSIGN_OR_RETURN(const ReceiptKey receipt, FromProto(request.receipt(), slug));
      GUILDER_ASSIGN_OR_RETURN(Sale sale, pool_.Read([&](postgres::Transaction& tx) {
        return FindSaleByReceipt(tx, item.partner, receipt);
      }));
      return MakeReturnCommand(rows_, item.partner, item.request_id, std::move(sale),
                               std::move(returned));
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
    if (passes || (waits && item.created_at >= too_long_ago)) continue;
    const std::string resolution =
        waits ? absl::StrCat("rejected: no sale came within ", kWaitDays, " days")
              : absl::StrCat("rejected: ", std::string(ReasonName(*reason)));
    GUILDER_RETURN_IF_ERROR(pool_.Run([&](postgres::Transaction& tx) -> absl::Status {
      return accrual::ResolveParkedItem(tx, item.partner, item.request_id, resolution, now)
          .status();
    }));
  }
  return pool_.Read(
      [](postgres::Transaction& tx) -> absl::StatusOr<bool> { return AnyReturnWaits(tx); });
}

}  // namespace guilder::accrual
