// What is parked, and what becomes of it; and what purchases say about tills.
#include <string>

#include "tests/service/returns_world.h"

namespace guilder::accrual {
namespace {

TEST_CASE("RecordReturn: one that came before its sale is posted by itself when the sale comes",
          "[service][accrual][inv-17]") {
  const ReturnsWorld world(ASet());
  auto sale = world.APurchase(30);
  sale.mutable_receipt()->set_order_id("late-sale");
  auto request = world.AReturn("", "", 1);
  request.mutable_lines(0)->set_sku("milk");
  *request.mutable_receipt() = sale.receipt();
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, request).status()) == Reason::kReturnParked);

  const auto bought = world.Buy(sale);
  // Each turn asks the service; nothing else makes it go on.
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  while (world.Get(bought.name()).points_reversed() == 0 && absl::Now() < give_up) {
  }
  CHECK(world.Get(bought.name()).points_reversed() == 30);
  const auto parked = world.Parked();
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].resolved());
  CHECK(world.Balance("pending") == 0);
}

TEST_CASE("RecordReturn: one whose sale does not come within 30 days is rejected with the reason",
          "[service][accrual][inv-17]") {
  const ReturnsWorld world(ASet());
  auto request = world.AReturn("", "1", 1);
  request.mutable_receipt()->set_store("partners/fresh/stores/s1");
  request.mutable_receipt()->set_order_id("never");
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, request).status()) == Reason::kReturnParked);

  world.coalition.AdvanceDays(31);
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  while (!world.Parked()[0].resolved() && absl::Now() < give_up) {
  }
  CHECK(world.Parked()[0].resolution() == "rejected: no sale came within 30 days");
}

TEST_CASE("RecordReturn: one without a receipt is never posted, whoever asks",
          "[service][accrual][inv-49]") {
  const ReturnsWorld world(ASet());
  world.Buy(world.APurchase(30));
  auto request = world.AReturn("", "", 1);
  request.mutable_lines(0)->set_sku("milk");
  request.set_card_number(world.card);

  const absl::Status parked = world.AsPartner(&Stub::RecordReturn, request).status();
  CHECK(ReasonOf(parked) == Reason::kReturnParked);
  CHECK(ReasonOf(world.Post(DetailsOf(parked)["parked_item"]).status()) ==
        Reason::kPurchaseNotFound);
  CHECK(world.Balance("pending") == 30);
}

TEST_CASE("RecordPurchase: an unknown terminal and the future are parked where the rules say so",
          "[service][accrual][inv-33][inv-104]") {
  v1::RuleSet set = ASet();
  set.mutable_policies()->set_unknown_terminal(v1::INTAKE_PARKED);
  set.mutable_policies()->set_future_date(v1::INTAKE_PARKED);
  const ReturnsWorld world(set);
  auto unknown = world.APurchase(30);
  unknown.mutable_receipt()->set_terminal("t9");
  auto future = world.APurchase(40);
  *future.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() + Timestamp(kDay));

  const absl::Status no_terminal = world.AsPartner(&Stub::RecordPurchase, unknown).status();
  const absl::Status too_early = world.AsPartner(&Stub::RecordPurchase, future).status();
  CHECK(ReasonOf(no_terminal) == Reason::kTerminalNotFound);
  CHECK(ReasonOf(too_early) == Reason::kOccurredAtInFuture);
  const std::string first = DetailsOf(no_terminal)["parked_item"];
  const std::string second = DetailsOf(too_early)["parked_item"];
  REQUIRE(world.Parked().size() == 2);
  CHECK(world.Parked()[0].reason() == "TERMINAL_NOT_FOUND");

  CHECK(ReasonOf(world.Post(first).status()) == Reason::kTerminalNotFound);
  world.coalition.database().Query(
      "with t as (insert into partner.terminals (store_id, code) select store_id, 't9' from "
      "partner.stores returning 1) update ledger.configuration set version = version + 1");
  world.coalition.AdvanceDays(1);
  const auto posted = world.Post(first);
  REQUIRE(posted.ok());
  CHECK(posted->parked_item().resolved());
  CHECK(world.Get(posted->posted()).points() == 30);
  REQUIRE(world.Post(second).ok());
  CHECK(ReasonOf(world.Post(second).status()) == Reason::kWrongState);
  CHECK(world.Balance("pending") == 70);
}

TEST_CASE("ListSequenceGaps: numbers that are missing or came twice, whatever the order",
          "[service][accrual][inv-16]") {
  const ReturnsWorld world(ASet());
  for (const int64_t number : {7, 3, 4, 9, 4}) {
    auto purchase = world.APurchase(10);
    purchase.mutable_receipt()->set_terminal("t1");
    purchase.set_sequence_number(number);
    world.Buy(purchase);
  }
  world.Buy(world.APurchase(10));
  v1::ListSequenceGapsRequest request;
  request.set_parent("partners/fresh");
  CHECK(ReasonOf(world.AsPartner(&Stub::ListSequenceGaps, request).status()) ==
        Reason::kRequestMalformed);
  *request.mutable_from() = rpc::ToProto(world.coalition.Now() - Timestamp(kDay));

  const auto gaps = world.AsPartner(&Stub::ListSequenceGaps, request);
  REQUIRE(gaps.ok());
  REQUIRE(gaps->terminals_size() == 1);
  const v1::TerminalSequence& terminal = gaps->terminals(0);
  CHECK(terminal.store() == "partners/fresh/stores/s1");
  CHECK(terminal.first() == 3);
  CHECK(terminal.last() == 9);
  REQUIRE(terminal.gaps_size() == 2);
  CHECK(terminal.gaps(0).first() == 5);
  CHECK(terminal.gaps(0).last() == 6);
  CHECK(terminal.gaps(1).first() == 8);
  REQUIRE(terminal.repeated_numbers_size() == 1);
  CHECK(terminal.repeated_numbers(0) == 4);
}

TEST_CASE("ListTopCards: a card that a cashier shows again and again comes first",
          "[service][accrual][inv-103]") {
  const ReturnsWorld world(ASet());
  const std::string other = world.coalition.AMember();
  const auto buy = [&](const std::string& card, const std::string& cashier) {
    auto purchase = world.APurchase(10, card);
    purchase.mutable_receipt()->set_terminal("t1");
    purchase.set_cashier(cashier);
    world.Buy(purchase);
  };
  for (int i = 0; i < 3; ++i) buy(world.card, "carl");
  buy(other, "carl");
  buy(other, "dora");
  v1::ListTopCardsRequest request;
  request.set_parent("partners/fresh");
  *request.mutable_from() = rpc::ToProto(world.coalition.Now() - Timestamp(kDay));
  CHECK(ReasonOf(world.AsPartner(&Stub::ListTopCards, request).status()) ==
        Reason::kPermissionDenied);

  const clients::Client<v1::AccrualService> support(world.coalition.network().AsOperator("anna"));
  const auto top = support.Invoke(&Stub::ListTopCards, request);
  REQUIRE(top.ok());
  REQUIRE(top->cards_size() == 1);
  CHECK(top->cards(0).card_number() == world.card);
  CHECK(top->cards(0).cashier() == "carl");
  CHECK(top->cards(0).purchases() == 3);
  CHECK(top->cards(0).points() == 30);
  CHECK(top->cards(0).share_ppm() == 750'000);
  request.set_cards(101);
  CHECK(ReasonOf(support.Invoke(&Stub::ListTopCards, request).status()) ==
        Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::accrual
