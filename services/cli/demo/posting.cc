#include "services/cli/demo/posting.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/clients/item_stream.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "services/cli/demo/parallel.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/plan.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::demo {
namespace {

namespace v1 = accrual::v1;
using clients::Verdict;

constexpr size_t kThreads = 16;
constexpr size_t kConfirmedOneIn = 3;

void SetReceiptKey(const Run& run, const Receipt& receipt, v1::ReceiptKey& key) {
  key.set_store(StoreName(run, receipt.partner, receipt.store));
  key.set_terminal(receipt.terminal);
  if (receipt.is_order) {
    key.set_order_id(receipt.number);
  } else {
    key.set_receipt_number(receipt.number);
  }
  key.set_business_date(receipt.business_date);
}

std::string ReceiptId(const Run& run, const Receipt& receipt, const char* what) {
  return RequestIdFor(
      run.seed,
      absl::StrCat(what, "/", StoreName(run, receipt.partner, receipt.store), "/", receipt.number));
}

v1::RecordPurchasesRequest PurchaseRequest(const Run& run, const Receipt& receipt,
                                           const std::string& redemption) {
  v1::RecordPurchasesRequest item;
  v1::RecordPurchaseRequest& purchase = *item.mutable_purchase();
  purchase.set_request_id(ReceiptId(run, receipt, "purchase"));
  SetReceiptKey(run, receipt, *purchase.mutable_receipt());
  if (receipt.member) purchase.set_card_number(run.outcome.cards[*receipt.member]);
  *purchase.mutable_occurred_at() = rpc::ToProto(receipt.occurred_at);
  purchase.set_currency_code(kCurrency);
  purchase.set_redemption(redemption);
  for (const ReceiptLine& line : receipt.lines) {
    v1::PurchaseLine& out = *purchase.add_lines();
    out.set_line_id(line.line_id);
    out.set_sku(line.sku);
    out.set_quantity(line.quantity);
    out.set_amount_minor_units(line.amount.value());
    out.set_category(line.category);
  }
  return item;
}

// The reason that a receipt is refused for, if it is.
std::optional<Reason> ReasonFor(Expected expected) {
  switch (expected) {
    case Expected::kCardMissing:
      return Reason::kCardMissing;
    case Expected::kAmountOutOfRange:
      return Reason::kAmountOutOfRange;
    case Expected::kRecorded:
      break;
  }
  return std::nullopt;
}

// Items of one partner in one step, and which of them were answered.
template <typename Request>
struct Batch {
  std::vector<Request> items;
  std::vector<size_t> receipts;  // Of each item.
  absl::flat_hash_map<std::string, size_t> place;
  std::vector<char> answered;
  absl::Status unexpected;

  void Add(std::string id, Request item, size_t receipt) {
    place.emplace(std::move(id), items.size());
    items.push_back(std::move(item));
    receipts.push_back(receipt);
    answered.push_back(false);
  }
};

// Streams what is not answered yet, through outages. `judge` takes the answer to the item at a
// place.
template <typename Request, typename Response>
absl::Status StreamBatch(
    const clients::Channel& channel, Batch<Request>& batch,
    const std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*)>&
        open,
    const std::function<const std::string&(const Request&)>& id_of,
    const std::function<Verdict(size_t, const Response&)>& judge) {
  const absl::Status streamed = Patiently([&] {
    size_t next = 0;
    clients::ItemStreamCalls<Request, Response> calls;
    calls.open = open;
    calls.next = [&batch, next]() mutable -> std::optional<Request> {
      while (next < batch.items.size() && batch.answered[next]) ++next;
      if (next == batch.items.size()) return std::nullopt;
      return batch.items[next++];
    };
    calls.id_of_item = id_of;
    calls.id_of_answer = [](const Response& response) -> const std::string& {
      return response.request_id();
    };
    calls.on_answer = [&](const Request& item, const Response& response) {
      const size_t place = batch.place.at(id_of(item));
      const Verdict verdict = judge(place, response);
      if (verdict == Verdict::kDone) batch.answered[place] = true;
      return verdict;
    };
    return clients::StreamItems<Request, Response>(
        channel, std::move(calls), {.max_in_flight = 256, .policy = PatientPolicy()});
  });
  return streamed.ok() ? batch.unexpected : streamed;
}

void NoteRecorded(Run& run, size_t index, const v1::RecordPurchaseResponse& response) {
  PostedReceipt& posted = run.outcome.receipts[index];
  posted.recorded = true;
  posted.purchase = response.name();
  posted.points = response.points();
  posted.activates_at = rpc::FromProto(response.activates_at()).value_or(kNever);
  posted.captured_points = response.captured_points();
  int64_t not_goods = 0;
  for (const ReceiptLine& line : run.work.receipts[index].lines) {
    not_goods += line.category == kNotGoodsCategory;
  }
  const std::lock_guard lock(run.mutex);
  ++run.outcome.purchases;
  if (not_goods > 0) run.outcome.rejected["NOT_GOODS"] += not_goods;
}

Verdict JudgePurchase(Run& run, Batch<v1::RecordPurchasesRequest>& batch, size_t place,
                      const v1::RecordPurchasesResponse& response) {
  const size_t index = batch.receipts[place];
  const std::optional<Reason> expected = ReasonFor(run.work.receipts[index].expected);
  const absl::Status status = rpc::FromRpcStatus(response.error());
  if (MayPass(status)) return Verdict::kRepeat;
  if (ReasonOf(status) != expected || status.ok() == expected.has_value()) {
    batch.unexpected =
        Unexpected(absl::StrCat("receipt ", run.work.receipts[index].number), status);
  } else if (status.ok()) {
    NoteRecorded(run, index, response.purchase());
  } else {
    const std::lock_guard lock(run.mutex);
    ++run.outcome.rejected[std::string(ReasonName(*expected))];
  }
  run.on_progress(1);
  return Verdict::kDone;
}

std::vector<std::vector<size_t>> ByPartner(const Run& run, const std::vector<size_t>& receipts) {
  std::vector<std::vector<size_t>> by_partner(run.shops.size());
  for (const size_t index : receipts) {
    by_partner[run.work.receipts[index].partner].push_back(index);
  }
  return by_partner;
}

absl::Status PostAt(Run& run, const Shop& shop, const std::vector<size_t>& receipts,
                    const std::map<size_t, std::string>& carried) {
  Batch<v1::RecordPurchasesRequest> batch;
  for (const size_t index : receipts) {
    const auto redemption = carried.find(index);
    auto item = PurchaseRequest(run, run.work.receipts[index],
                                redemption == carried.end() ? "" : redemption->second);
    std::string id = item.purchase().request_id();
    batch.Add(std::move(id), std::move(item), index);
  }
  return StreamBatch<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse>(
      shop.purchases.channel(), batch,
      [&](auto* context, auto* reactor) {
        shop.purchases.stub().async()->RecordPurchases(context, reactor);
      },
      [](const auto& item) -> const std::string& { return item.purchase().request_id(); },
      [&](size_t place, const auto& response) {
        return JudgePurchase(run, batch, place, response);
      });
}

bool IsConfirmed(const Run& run, size_t index, Timestamp at) {
  const PostedReceipt& posted = run.outcome.receipts[index];
  return posted.recorded && posted.points > 0 && index % kConfirmedOneIn == 0 &&
         posted.activates_at > at + Timestamp(kMicrosPerDay);
}

absl::Status ConfirmAt(Run& run, const Shop& shop, const std::vector<size_t>& receipts,
                       Timestamp at) {
  Batch<v1::ConfirmPurchasesRequest> batch;
  for (const size_t index : receipts) {
    if (!IsConfirmed(run, index, at)) continue;
    v1::ConfirmPurchasesRequest item;
    item.set_request_id(ReceiptId(run, run.work.receipts[index], "confirmation"));
    item.set_purchase(run.outcome.receipts[index].purchase);
    item.set_outcome(v1::PURCHASE_OUTCOME_CONFIRMED);
    batch.Add(item.request_id(), item, index);
  }
  if (batch.items.empty()) return absl::OkStatus();
  return StreamBatch<v1::ConfirmPurchasesRequest, v1::ConfirmPurchasesResponse>(
      shop.purchases.channel(), batch,
      [&](auto* context, auto* reactor) {
        shop.purchases.stub().async()->ConfirmPurchases(context, reactor);
      },
      [](const auto& item) -> const std::string& { return item.request_id(); },
      [&](size_t place, const v1::ConfirmPurchasesResponse& response) {
        const absl::Status status = rpc::FromRpcStatus(response.error());
        if (MayPass(status)) return Verdict::kRepeat;
        // Where the clock is ahead of the data, a date came first.
        if (status.ok()) {
          const std::lock_guard lock(run.mutex);
          ++run.outcome.confirmations;
        } else if (ReasonOf(status) != Reason::kAlreadyConfirmed) {
          batch.unexpected = Unexpected("a confirmation", status);
        }
        run.outcome.receipts[batch.receipts[place]].activates_at = at;
        return Verdict::kDone;
      });
}

v1::RecordReturnRequest ReturnRequest(const Run& run, const Return& one) {
  v1::RecordReturnRequest request;
  request.set_request_id(RequestIdFor(run.seed, absl::StrCat("return/", one.number)));
  request.set_store(StoreName(run, one.partner, one.store));
  request.set_return_number(one.number);
  *request.mutable_occurred_at() = rpc::ToProto(one.occurred_at);
  if (one.receipt) {
    SetReceiptKey(run, run.work.receipts[*one.receipt], *request.mutable_receipt());
  } else if (one.member) {
    request.set_card_number(run.outcome.cards[*one.member]);
  }
  for (const ReturnLine& line : one.lines) {
    v1::ReturnLine& out = *request.add_lines();
    out.set_line_id(line.line_id);
    out.set_quantity(line.quantity);
    out.set_sku(line.sku);
  }
  return request;
}

absl::Status PostReturn(Run& run, const Return& one) {
  const auto answer = Ask(run.shops[one.partner].purchases, &v1::AccrualService::Stub::RecordReturn,
                          ReturnRequest(run, one));
  run.on_progress(1);
  const std::lock_guard lock(run.mutex);
  if (!one.receipt && ReasonOf(answer.status()) == Reason::kReturnParked) {
    ++run.outcome.parked;
    return absl::OkStatus();
  }
  if (!answer.ok() || !one.receipt) {
    return Unexpected(absl::StrCat("return ", one.number), answer.status());
  }
  ++(answer->points_reversed() > 0 ? run.outcome.returns : run.outcome.returns_without_points);
  if (one.member) run.wallets.TakeBack(*one.member, answer->points_reversed());
  return absl::OkStatus();
}

absl::Status Enrol(Run& run, size_t member, const Shop& shop) {
  member::v1::EnrolMemberRequest request;
  request.set_request_id(RequestIdFor(run.seed, absl::StrCat("member/", run.work.members[member])));
  GUILDER_ASSIGN_OR_RETURN(
      const member::v1::EnrolMemberResponse enrolled,
      Ask(shop.members, &member::v1::MemberService::Stub::EnrolMember, request));
  run.outcome.cards[member] = enrolled.card_number();
  const std::lock_guard lock(run.mutex);
  ++run.outcome.members;
  run.outcome.welcome_points = enrolled.welcome_points();
  run.wallets.Restore(member, enrolled.welcome_points());
  return absl::OkStatus();
}

}  // namespace

std::string StoreName(const Run& run, size_t partner, const std::string& store) {
  return absl::StrCat(run.shops[partner].name, "/stores/", store);
}

absl::Status Unexpected(const std::string& what, const absl::Status& status) {
  const auto reason = ReasonOf(status);
  return absl::InternalError(absl::StrCat(
      what, " was answered ", reason ? std::string(ReasonName(*reason)) : status.ToString(),
      ", which the data does not explain: ", std::string(status.message())));
}

absl::Status EnrolMembers(Run& run, const Step& step) {
  const Stopwatch watch(run, "enrolment");
  return InParallel(step.members.size(), kThreads, [&](size_t i) {
    return Enrol(run, step.members[i], run.shops[step.first_partner[i]]);
  });
}

absl::Status PostReceipts(Run& run, const Step& step,
                          const std::map<size_t, std::string>& carried) {
  const Stopwatch watch(run, kPostingPurchases);
  const auto by_partner = ByPartner(run, step.receipts);
  return InParallel(run.shops.size(), run.shops.size(), [&](size_t partner) {
    if (by_partner[partner].empty()) return absl::OkStatus();
    return PostAt(run, run.shops[partner], by_partner[partner], carried);
  });
}

absl::Status ConfirmReceipts(Run& run, const Step& step) {
  const Stopwatch watch(run, "confirmations");
  const auto by_partner = ByPartner(run, step.receipts);
  GUILDER_RETURN_IF_ERROR(InParallel(run.shops.size(), run.shops.size(), [&](size_t partner) {
    return ConfirmAt(run, run.shops[partner], by_partner[partner], step.end);
  }));
  for (const size_t index : step.receipts) {
    const Receipt& receipt = run.work.receipts[index];
    const PostedReceipt& posted = run.outcome.receipts[index];
    if (!posted.recorded || !receipt.member) continue;
    run.wallets.ShopAt(*receipt.member, receipt.partner);
    run.wallets.Earn(*receipt.member, posted.points, posted.activates_at);
  }
  return absl::OkStatus();
}

absl::Status PostReturns(Run& run, const Step& step) {
  const Stopwatch watch(run, "returns");
  // Reversals of one sale add up exactly, but which of them takes the odd point depends on their
  // order.
  std::map<size_t, std::vector<size_t>> by_sale;
  std::vector<std::vector<size_t>> chains;
  for (const size_t index : step.returns) {
    const Return& one = run.work.returns[index];
    if (one.receipt) {
      by_sale[*one.receipt].push_back(index);
    } else {
      chains.push_back({index});
    }
  }
  for (auto& [sale, chain] : by_sale) chains.push_back(std::move(chain));
  return InParallel(chains.size(), kThreads, [&](size_t i) -> absl::Status {
    for (const size_t index : chains[i]) {
      GUILDER_RETURN_IF_ERROR(PostReturn(run, run.work.returns[index]));
    }
    return absl::OkStatus();
  });
}

}  // namespace guilder::cli::demo
