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

// A return without a receipt, and what operators do with it.
struct UnnamedReturn {
  explicit UnnamedReturn(const ReturnsWorld& of) : world(of) {
    sale = world.Buy(world.APurchase(30)).name();
    auto request = world.AReturn("", "", 1);
    request.mutable_lines(0)->set_sku("milk");
    request.set_card_number(world.card);
    const absl::Status parked = world.AsPartner(&Stub::RecordReturn, request).status();
    REQUIRE(ReasonOf(parked) == Reason::kReturnParked);
    item = DetailsOf(parked)["parked_item"];
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> As(const std::string& who,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::AccrualService>(world.coalition.network().AsOperator(who))
        .Invoke(method, request, once);
  }
  absl::StatusOr<v1::ResolveParkedItemResponse> Propose(const std::string& purchase) const {
    v1::ResolveParkedItemRequest request;
    request.set_name(item);
    request.set_resolution("the member had the milk, not the receipt");
    request.set_action(v1::PARKED_ITEM_ACTION_POST);
    request.set_purchase(purchase);
    return As("anna", &Stub::ResolveParkedItem, request);
  }
  absl::StatusOr<v1::ApproveParkedReturnResponse> Approve(const std::string& who,
                                                          const std::string& etag) const {
    v1::ApproveParkedReturnRequest request;
    request.set_name(item);
    request.set_etag(etag);
    return As(who, &Stub::ApproveParkedReturn, request);
  }

  const ReturnsWorld& world;
  std::string sale;
  std::string item;
};

TEST_CASE("RecordReturn: one without a receipt is posted by two people, with a reason, once",
          "[service][accrual][inv-49]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  CHECK(ReasonOf(back.Propose("").status()) == Reason::kPurchaseNotFound);
  CHECK(ReasonOf(back.Approve("bert", "").status()) == Reason::kWrongState);

  const auto proposed = back.Propose(back.sale);
  REQUIRE(proposed.ok());
  CHECK_FALSE(proposed->parked_item().resolved());
  CHECK(proposed->parked_item().proposed_by() == "operators/anna");
  CHECK(world.Balance("pending") == 30);
  const std::string etag = proposed->parked_item().etag();
  CHECK(ReasonOf(back.Approve("anna", etag).status()) == Reason::kSamePerson);
  CHECK(ReasonOf(back.Approve("bert", "another").status()) == Reason::kChangeDiffers);
  const auto approved = back.Approve("bert", etag);
  INFO(approved.status().ToString());
  REQUIRE(approved.ok());

  CHECK(approved->parked_item().resolved());
  CHECK(approved->parked_item().resolution() == "the member had the milk, not the receipt");
  CHECK(approved->posted().starts_with("returns/"));
  CHECK(world.Balance("pending") == 0);
  // Who approved it and lost the answer gets it again; nobody else does.
  const auto again = back.Approve("bert", etag);
  REQUIRE(again.ok());
  CHECK(again->posted() == approved->posted());
  CHECK(ReasonOf(back.Approve("anna", etag).status()) == Reason::kWrongState);
  CHECK(ReasonOf(back.Propose(back.sale).status()) == Reason::kWrongState);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 1);
}

TEST_CASE("ApproveParkedReturn: refusals in their order, and what was approved is what was seen",
          "[service][accrual][inv-97]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  v1::ApproveParkedReturnRequest unknown;
  unknown.set_name("parkedItems/1-00000000-0000-4000-8000-000000000000");
  CHECK(ReasonOf(back.As("bert", &Stub::ApproveParkedReturn, unknown).status()) ==
        Reason::kParkedItemNotFound);
  CHECK(ReasonOf(back.Propose("purchases/1-999").status()) == Reason::kPurchaseNotFound);
  v1::ResolveParkedItemRequest obeyed;
  obeyed.set_name(back.item);
  obeyed.set_resolution("seen\x1b[2K");
  CHECK(ReasonOf(back.As("anna", &Stub::ResolveParkedItem, obeyed).status()) ==
        Reason::kRequestMalformed);
  const auto first = back.Propose(back.sale);
  REQUIRE(first.ok());
  const std::string other = world.Buy(world.APurchase(5)).name();
  REQUIRE(back.Propose(other).ok());

  CHECK(ReasonOf(back.Approve("bert", first->parked_item().etag()).status()) ==
        Reason::kChangeDiffers);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 0);
}

TEST_CASE("RejectParkedReturn: the sale that was named is approved no more, and why is noted",
          "[service][accrual][inv-49][inv-97]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  const auto reject = [&](const std::string& who, const std::string& etag,
                          const std::string& note) {
    v1::RejectParkedReturnRequest request;
    request.set_name(back.item);
    request.set_etag(etag);
    request.set_note(note);
    return back.As(who, &Stub::RejectParkedReturn, request);
  };
  CHECK(ReasonOf(reject("bert", "", "").status()) == Reason::kWrongState);
  const auto proposed = back.Propose(back.sale);
  REQUIRE(proposed.ok());
  const std::string etag = proposed->parked_item().etag();
  CHECK(ReasonOf(reject("bert", etag, std::string(501, 'x')).status()) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(reject("bert", "another", "").status()) == Reason::kChangeDiffers);
  CHECK(ReasonOf(reject("auditor", etag, "").status()) == Reason::kPermissionDenied);

  const auto rejected = reject("bert", etag, "another member's milk");

  REQUIRE(rejected.ok());
  CHECK_FALSE(rejected->parked_item().resolved());
  CHECK(rejected->parked_item().proposed_purchase().empty());
  CHECK(ReasonOf(back.Approve("bert", etag).status()) == Reason::kWrongState);
  CHECK(ReasonOf(reject("bert", etag, "").status()) == Reason::kWrongState);
  CHECK(world.Count("select count(*) from operator.audit_log "
                    "where action = 'AccrualService/RejectParkedReturn' "
                    "and before like '%purchases/%' and after like '%another member%'") == 1);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 0);
  // It may be named anew, and then be approved.
  const auto again = back.Propose(back.sale);
  REQUIRE(again.ok());
  CHECK(back.Approve("bert", again->parked_item().etag()).ok());
  CHECK(ReasonOf(reject("bert", "", "").status()) == Reason::kWrongState);
}

TEST_CASE("ResolveParkedItem: what is approved and not posted yet is not closed",
          "[service][accrual][inv-49][inv-97]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  const auto close = [&] {
    v1::ResolveParkedItemRequest request;
    request.set_name(back.item);
    request.set_resolution("fraud");
    request.set_action(v1::PARKED_ITEM_ACTION_CLOSE);
    return back.As("anna", &Stub::ResolveParkedItem, request);
  };
  // Its goods went back by another way, so that what is approved cannot be posted.
  world.Return(back.sale, "1", 1);
  const auto proposed = back.Propose(back.sale);
  REQUIRE(proposed.ok());
  const std::string etag = proposed->parked_item().etag();
  CHECK(ReasonOf(back.Approve("bert", etag).status()) == Reason::kReturnExceedsSale);

  CHECK(ReasonOf(close().status()) == Reason::kWrongState);
  CHECK_FALSE(world.Parked()[0].resolved());
  // Of another sale it has to be approved anew, and may be closed until then.
  const std::string other = world.Buy(world.APurchase(5)).name();
  REQUIRE(back.Propose(other).ok());
  const auto closed = close();
  REQUIRE(closed.ok());
  CHECK(closed->parked_item().resolution() == "fraud");
  CHECK(ReasonOf(back.Approve("bert", etag).status()) == Reason::kWrongState);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 1);
}

TEST_CASE("ApproveParkedReturn: what was closed is not posted, whoever had approved it, and when",
          "[service][accrual][inv-49][inv-97]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  const auto proposed = back.Propose(back.sale);
  REQUIRE(proposed.ok());
  const std::string etag = proposed->parked_item().etag();
  // Closed after the approval, and before it is posted.
  world.coalition.database().Query(
      "create function accrual.close_approved() returns trigger language plpgsql as $$ begin "
      "new.resolved_at_us = 1; new.resolution = 'fraud'; return new; end $$");
  world.coalition.database().Query(
      "create trigger close_approved before update of approved_by on accrual.parked_items "
      "for each row execute function accrual.close_approved()");
  CHECK(ReasonOf(back.Approve("bert", etag).status()) == Reason::kWrongState);
  world.coalition.database().Query("drop trigger close_approved on accrual.parked_items");

  CHECK(ReasonOf(back.Approve("bert", etag).status()) == Reason::kWrongState);
  CHECK(world.Parked()[0].resolution() == "fraud");
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 0);
  CHECK(world.Balance("pending") == 30);
}

TEST_CASE("ApproveParkedReturn: the proposer's note closes the item as the return is posted",
          "[service][accrual][inv-49]") {
  const ReturnsWorld world(ASet());
  const UnnamedReturn back(world);
  const auto proposed = back.Propose(back.sale);
  REQUIRE(proposed.ok());
  // Nothing is written once it is posted, as when the service stops there.
  world.coalition.database().Query(
      "create function accrual.stop_here() returns trigger language plpgsql as $$ begin "
      "if old.resolved_at_us is not null then raise 'stopped'; end if; return new; end $$");
  world.coalition.database().Query(
      "create trigger stop_here before update on accrual.parked_items "
      "for each row execute function accrual.stop_here()");

  const std::string etag = proposed->parked_item().etag();
  const auto approved = back.Approve("bert", etag);
  const auto again = back.Approve("bert", etag);

  CHECK(world.Parked()[0].resolution() == "the member had the milk, not the receipt");
  REQUIRE((approved.ok() && again.ok()));
  CHECK(again->posted() == approved->posted());
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 1);
}

TEST_CASE(
    "RecordReturn: one return posts once under whatever request ids, and conflicts are parked",
    "[service][accrual][inv-14]") {
  const ReturnsWorld world(ASet());
  v1::RecordPurchaseRequest purchase = world.APurchase(30);
  purchase.mutable_lines(0)->set_quantity(3);
  const std::string sale = world.Buy(purchase).name();
  auto request = world.AReturn(sale, "1", 1);
  request.set_return_number("R-7");
  const auto first = world.AsPartner(&Stub::RecordReturn, request);
  REQUIRE(first.ok());

  request.set_request_id(clients::NewRequestId());
  const auto repeated = world.AsPartner(&Stub::RecordReturn, request);
  REQUIRE(repeated.ok());
  CHECK(repeated->name() == first->name());
  request.set_request_id(clients::NewRequestId());
  request.mutable_lines(0)->set_quantity(2);
  const absl::Status conflict = world.AsPartner(&Stub::RecordReturn, request).status();
  CHECK(ReasonOf(conflict) == Reason::kReceiptConflict);
  CHECK(DetailsOf(conflict)["return"] == first->name());
  CHECK(world.Balance("pending") == 20);
  // Another store's number, another day's, or none, is another return.
  request.set_request_id(clients::NewRequestId());
  request.mutable_lines(0)->set_quantity(1);
  *request.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() - Timestamp(2 * kDay));
  CHECK(world.AsPartner(&Stub::RecordReturn, request).ok());
  CHECK(world.Balance("pending") == 10);
  // An operator sees that the parked one was another return after all.
  const auto item = DetailsOf(conflict)["parked_item"];
  CHECK(ReasonOf(world.Post(item).status()) == Reason::kReturnExceedsSale);
  CHECK(world.Parked().size() == 1);
  CHECK(world.Parked()[0].reason() == "RECEIPT_CONFLICT");
}

TEST_CASE("RecordReturn: one that waits twice for its sale is posted once",
          "[service][accrual][inv-17]") {
  const ReturnsWorld world(ASet());
  const v1::RecordPurchaseRequest purchase = world.APurchase(30);
  auto request = world.AReturn("", "", 1);
  request.mutable_lines(0)->set_sku("milk");
  request.set_return_number("R-8");
  *request.mutable_receipt() = purchase.receipt();
  for (int i = 0; i < 2; ++i) {
    request.set_request_id(clients::NewRequestId());
    CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, request).status()) ==
          Reason::kReturnParked);
  }

  world.Buy(purchase);
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  const auto all_resolved = [&] {
    const auto items = world.Parked();
    return std::all_of(items.begin(), items.end(), [](const auto& i) { return i.resolved(); });
  };
  while (!all_resolved() && absl::Now() < give_up) {
  }

  CHECK(all_resolved());
  CHECK(world.Count("select count(*) from ledger.journal where kind = 2") == 1);
  CHECK(world.Balance("pending") == 0);
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

TEST_CASE(
    "RecordPurchase: who comes to one till too often waits for somebody to look, and loses nothing",
    "[service][accrual][inv-103]") {
  v1::RuleSet set = ASet();
  set.mutable_policies()->set_purchases_of_member_at_till(2);
  const ReturnsWorld world(set);
  const std::string other = world.coalition.AMember();
  const auto purchase = [&](const std::string& card, const char* terminal, const char* cashier) {
    auto asked = world.APurchase(10, card);
    asked.mutable_receipt()->set_terminal(terminal);
    asked.set_cashier(cashier);
    return asked;
  };
  const auto buy = [&](const v1::RecordPurchaseRequest& asked) {
    return world.AsPartner(&Stub::RecordPurchase, asked).status();
  };
  CHECK(buy(purchase(world.card, "t1", "carl")).ok());
  CHECK(buy(purchase(world.card, "t1", "dora")).ok());
  // Somebody else at that till, and the member at another one.
  CHECK(buy(purchase(other, "t1", "carl")).ok());
  CHECK(buy(purchase(world.card, "", "emil")).ok());

  const auto third = purchase(world.card, "t1", "emil");
  const absl::Status parked = buy(third);
  CHECK(ReasonOf(parked) == Reason::kLimitExceeded);
  REQUIRE(world.Parked().size() == 1);
  CHECK(world.Parked()[0].reason() == "LIMIT_EXCEEDED");
  // Again and again: it is one item.
  CHECK(ReasonOf(buy(third)) == Reason::kLimitExceeded);
  CHECK(world.Parked().size() == 1);

  const auto posted = world.Post(DetailsOf(parked)["parked_item"]);
  REQUIRE(posted.ok());
  CHECK(world.Get(posted->posted()).points() == 10);
  CHECK(world.Get(posted->posted()).occurred_at().seconds() == third.occurred_at().seconds());
  CHECK(buy(third).ok());
  CHECK(world.Count("select count(*) from ledger.journal where kind = 1") == 5);
}

TEST_CASE("RecordPurchase: one that waits for somebody to look is not recorded by asking later",
          "[service][accrual][inv-103]") {
  v1::RuleSet set = ASet();
  set.mutable_policies()->set_purchases_of_member_at_till(1);
  const ReturnsWorld world(set);
  const auto buy = [&](const v1::RecordPurchaseRequest& asked) {
    return world.AsPartner(&Stub::RecordPurchase, asked).status();
  };
  const auto purchase = [&] {
    auto asked = world.APurchase(10);
    asked.mutable_receipt()->set_terminal("t1");
    return asked;
  };
  CHECK(buy(purchase()).ok());
  const auto second = purchase();
  const auto third = purchase();
  const absl::Status parked = buy(second);
  CHECK(ReasonOf(parked) == Reason::kLimitExceeded);
  CHECK(ReasonOf(buy(third)) == Reason::kLimitExceeded);

  world.coalition.AdvanceDays(9);
  CHECK(ReasonOf(buy(second)) == Reason::kLimitExceeded);
  v1::ResolveParkedItemRequest close;
  close.set_name(DetailsOf(parked)["parked_item"]);
  close.set_resolution("fraud");
  close.set_action(v1::PARKED_ITEM_ACTION_CLOSE);
  const clients::Client<v1::AccrualService> support(world.coalition.network().AsOperator("anna"));
  REQUIRE(support.Invoke(&Stub::ResolveParkedItem, close).ok());
  CHECK(ReasonOf(buy(second)) == Reason::kLimitExceeded);

  CHECK(world.Count("select count(*) from ledger.journal where kind = 1") == 1);
  // Somebody looks at the other one, and the member comes again: neither has to wait.
  CHECK(world.Post(DetailsOf(buy(third))["parked_item"]).ok());
  CHECK(buy(purchase()).ok());
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
