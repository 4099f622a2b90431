#include "services/cli/certify/duties.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/item_stream.h"
#include "libs/rpc/status.h"

namespace guilder::cli::certify {
namespace {

namespace v1 = accrual::v1;
namespace redemption_v1 = redemption::v1;
using Redemptions = redemption_v1::RedemptionService::Stub;

constexpr int kOfflineSales = 20;
constexpr int64_t kMorePiecesThanSold = 5;

absl::Status Instead(std::string_view wanted, const absl::Status& got) {
  return absl::AbortedError(
      absl::StrCat("expected ", ToAbsl(wanted), ", got ", got.ok() ? "an answer" : got.ToString()));
}

absl::Status Expect(bool held, std::string_view what) {
  return held ? absl::OkStatus() : absl::AbortedError(ToAbsl(what));
}

absl::Status ExpectReason(const absl::Status& got, Reason wanted) {
  return ReasonOf(got) == wanted ? absl::OkStatus() : Instead(ReasonName(wanted), got);
}

// Repeats have the stored answer, byte for byte.
absl::Status Retry(Till& till) {
  const v1::RecordPurchaseRequest sale = till.ASale();
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse first, till.Send(sale));
  bool replayed = false;
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse second, till.Send(sale, &replayed));
  GUILDER_RETURN_IF_ERROR(Expect(first.SerializeAsString() == second.SerializeAsString(),
                                 "a repeat was answered otherwise"));
  return Expect(replayed, "a repeat was not said to be one");
}

absl::Status ReuseOfIds(Till& till) {
  v1::RecordPurchaseRequest sale = till.ASale();
  GUILDER_RETURN_IF_ERROR(till.Send(sale).status());
  sale.mutable_lines(0)->set_amount_minor_units(1);
  return ExpectReason(till.Send(sale).status(), Reason::kRequestIdReused);
}

absl::Status Duplicate(Till& till) {
  v1::RecordPurchaseRequest sale = till.ASale();
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse first, till.Send(sale));
  sale.set_request_id(clients::NewRequestId());
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse again, till.Send(sale));
  GUILDER_RETURN_IF_ERROR(Expect(first.name() == again.name(), "one receipt was recorded twice"));
  sale.set_request_id(clients::NewRequestId());
  sale.mutable_lines(0)->set_amount_minor_units(1);
  return ExpectReason(till.Send(sale).status(), Reason::kReceiptConflict);
}

absl::Status Returns(Till& till) {
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse sold, till.Send(till.ASale()));
  int64_t reversed = 0;
  for (const int64_t pieces : {1, 3}) {
    GUILDER_ASSIGN_OR_RETURN(const v1::RecordReturnResponse back, till.Return(sold.name(), pieces));
    reversed += back.points_reversed();
  }
  GUILDER_RETURN_IF_ERROR(Expect(reversed == sold.line_points(0),
                                 absl::StrCat("the line earned ", sold.line_points(0),
                                              " points, and its return took back ", reversed)));
  const absl::Status more = till.Return(sold.name(), kMorePiecesThanSold).status();
  return Expect(!more.ok() && ReasonOf(more).has_value(), "more came back than was sold");
}

// A day's sales come late, in another order, and some of them twice.
absl::Status OfflineBatch(Till& till) {
  std::vector<v1::RecordPurchasesRequest> items;
  for (int i = 0; i < kOfflineSales; ++i) {
    *items.emplace_back().mutable_purchase() = till.ASale(24 * 60 + i);
  }
  std::reverse(items.begin(), items.end());
  for (int i = 0; i < kOfflineSales / 4; ++i) {
    v1::RecordPurchasesRequest twice = items[static_cast<size_t>(i)];
    twice.mutable_purchase()->set_request_id(clients::NewRequestId());
    items.push_back(std::move(twice));
  }
  std::map<std::string, std::string> recorded;  // Purchases by order id.
  absl::Status wrong;
  size_t next = 0;
  clients::ItemStreamCalls<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse> calls;
  calls.open = [&](auto* context, auto* reactor) {
    till.accrual().stub().async()->RecordPurchases(context, reactor);
  };
  calls.next = [&]() -> std::optional<v1::RecordPurchasesRequest> {
    if (next == items.size()) return std::nullopt;
    return items[next++];
  };
  calls.id_of_item = [](const v1::RecordPurchasesRequest& item) -> const std::string& {
    return item.purchase().request_id();
  };
  calls.id_of_answer = [](const v1::RecordPurchasesResponse& answer) -> const std::string& {
    return answer.request_id();
  };
  calls.on_answer = [&](const v1::RecordPurchasesRequest& item,
                        const v1::RecordPurchasesResponse& answer) {
    if (answer.has_error()) wrong.Update(rpc::FromRpcStatus(answer.error()));
    const auto [known, is_new] =
        recorded.try_emplace(item.purchase().receipt().order_id(), answer.purchase().name());
    if (known->second != answer.purchase().name()) {
      wrong.Update(absl::AbortedError("one receipt was recorded twice"));
    }
    return clients::Verdict::kDone;
  };
  GUILDER_RETURN_IF_ERROR(
      (clients::StreamItems<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse>(
          till.accrual().channel(), std::move(calls), {})));
  GUILDER_RETURN_IF_ERROR(wrong);
  return Expect(recorded.size() == kOfflineSales, "not all sales were answered");
}

// The line breaks before the answer is there. Whatever became of the first attempt, the repeat is
// answered, and the sale is recorded once.
absl::Status Timeout(Till& till) {
  const v1::RecordPurchaseRequest sale = till.ASale();
  clients::RetryPolicy hasty;
  hasty.max_attempts = 1;
  hasty.per_attempt = absl::Microseconds(200);
  (void)till.accrual().Invoke(&v1::AccrualService::Stub::RecordPurchase, sale, hasty);
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse answer, till.Send(sale));
  bool replayed = false;
  GUILDER_ASSIGN_OR_RETURN(const v1::RecordPurchaseResponse again, till.Send(sale, &replayed));
  return Expect(answer.name() == again.name() && replayed,
                "a sale whose answer was lost was recorded twice");
}

absl::Status WrongCard(Till& till) {
  v1::RecordPurchaseRequest sale = till.ASale();
  std::string& number = *sale.mutable_card_number();
  number.back() = number.back() == '9' ? '0' : static_cast<char>(number.back() + 1);
  const absl::Status refused = till.Send(sale).status();
  return Expect(absl::IsNotFound(refused) || absl::IsInvalidArgument(refused),
                absl::StrCat("a mistyped card got ", refused.ToString()));
}

absl::Status WrongStore(Till& till) {
  v1::RecordPurchaseRequest sale = till.ASale();
  sale.mutable_receipt()->mutable_store()->append("-not-there");
  return ExpectReason(till.Send(sale).status(), Reason::kStoreNotFound);
}

redemption_v1::AuthorizeRedemptionRequest AHold(const Till& till, int64_t points) {
  redemption_v1::AuthorizeRedemptionRequest hold;
  hold.set_request_id(clients::NewRequestId());
  hold.set_store(till.place().store);
  hold.set_card_number(till.place().card);
  hold.set_points(points);
  return hold;
}

// Nobody spends more than there is, and a hold that is not needed is given back.
absl::Status Redemption(Till& till) {
  constexpr int64_t kMoreThanAnyHas = 900'000'000;
  const absl::Status refused =
      till.redemption()
          .Invoke(&Redemptions::AuthorizeRedemption, AHold(till, kMoreThanAnyHas))
          .status();
  if (ReasonOf(refused) == Reason::kNoContract) {
    return absl::UnimplementedError("the partner has no redemption contract");
  }
  GUILDER_RETURN_IF_ERROR(ExpectReason(refused, Reason::kInsufficientPoints));
  const auto held = till.redemption().Invoke(&Redemptions::AuthorizeRedemption, AHold(till, 1));
  // New members may have nothing to spend yet.
  if (!held.ok()) return ExpectReason(held.status(), Reason::kInsufficientPoints);
  redemption_v1::GetRedemptionRequest read;
  read.set_name(held->name());
  GUILDER_ASSIGN_OR_RETURN(const redemption_v1::GetRedemptionResponse known,
                           till.redemption().Invoke(&Redemptions::GetRedemption, read));
  GUILDER_RETURN_IF_ERROR(
      Expect(known.redemption().name() == read.name(), "a hold that was answered is not known"));
  redemption_v1::VoidRedemptionRequest undo;
  undo.set_request_id(clients::NewRequestId());
  undo.set_name(read.name());
  return till.redemption().Invoke(&Redemptions::VoidRedemption, undo).status();
}

}  // namespace

const std::vector<Duty>& Duties() {
  static const std::vector<Duty> duties = {
      {"RETRY", "repeats a sale with its request id until it is answered", Retry},
      {"REQUEST_IDS", "does not use a request id for two sales", ReuseOfIds},
      {"DUPLICATE", "sends a receipt twice, and another under its number", Duplicate},
      {"RETURN", "takes goods back in parts, and not more than were sold", Returns},
      {"OFFLINE_BATCH", "sends a day's sales late, out of order, some of them twice", OfflineBatch},
      {"TIMEOUT", "loses the answer, and asks again", Timeout},
      {"WRONG_CARD", "mistypes a card", WrongCard},
      {"WRONG_STORE", "names a store that is not there", WrongStore},
      {"REDEMPTION", "takes points, asks what became of it, and gives them back", Redemption},
  };
  return duties;
}

}  // namespace guilder::cli::certify
