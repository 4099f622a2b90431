#include <future>
#include <thread>
#include <vector>

#include "libs/base/reason.h"
#include "tests/service/accrual_world.h"

namespace guilder::accrual {
namespace {

TEST_CASE("RecordPurchase: points are awarded by line and wait until their date",
          "[service][accrual][inv-15][inv-23][inv-25]") {
  const World world;
  const auto bought = world.Buy(world.APurchase("1"));
  REQUIRE(bought.ok());
  CHECK(bought->points() == 35);
  CHECK(bought->line_points(0) + bought->line_points(1) == 35);
  CHECK(bought->journal_receipt().leaf_hash().size() == 32);
  CHECK(world.Sum("pending") == 35);
  CHECK(world.Sum("available") == 0);
}

TEST_CASE("RecordPurchase: a repeat gets the first answer byte for byte",
          "[service][accrual][inv-11]") {
  const World world;
  const auto request = world.APurchase("1");
  clients::Answered first;
  clients::Answered second;
  const auto once = world.Buy(request, &first);
  const auto twice = world.Buy(request, &second);
  REQUIRE(once.ok());
  REQUIRE(twice.ok());
  CHECK(once->SerializeAsString() == twice->SerializeAsString());
  CHECK_FALSE(first.replayed);
  CHECK(second.replayed);
  CHECK(world.Sum("pending") == 35);
}

TEST_CASE("RecordPurchase: a request id is not used for other content",
          "[service][accrual][inv-12]") {
  const World world;
  auto request = world.APurchase("1");
  REQUIRE(world.Buy(request).ok());
  request.mutable_receipt()->set_receipt_number("2");
  CHECK(ReasonOf(world.Buy(request).status()) == Reason::kRequestIdReused);
  CHECK(world.Sum("pending") == 35);
}

TEST_CASE(
    "RecordPurchase: a receipt posts once whatever the request ids, and its number on another day "
    "is another receipt",
    "[service][accrual][inv-14][inv-16]") {
  const World world;
  auto request = world.APurchase("1");
  const auto first = world.Buy(request);
  request.set_request_id(clients::NewRequestId());
  const auto again = world.Buy(request);
  REQUIRE(again.ok());
  CHECK(again->name() == first->name());
  request.set_request_id(clients::NewRequestId());
  request.mutable_receipt()->set_business_date("2026-03-02");
  const auto next_day = world.Buy(request);
  REQUIRE(next_day.ok());
  CHECK(next_day->name() != first->name());
  CHECK(world.Sum("pending") == 70);
}

TEST_CASE("RecordPurchase: other content under a receipt's number is parked",
          "[service][accrual][inv-16]") {
  const World world;
  REQUIRE(world.Buy(world.APurchase("1")).ok());
  auto other = world.APurchase("1");
  other.mutable_lines(0)->set_amount_minor_units(9900);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto conflict = world.Buy(other);
    CHECK(ReasonOf(conflict.status()) == Reason::kReceiptConflict);
    CHECK(DetailsOf(conflict.status())["parked_item"].rfind("parkedItems/", 0) == 0);
  }
  const auto parked = world.Call("fresh", &Stub::ListParkedItems, [] {
    v1::ListParkedItemsRequest request;
    request.set_parent("partners/fresh");
    return request;
  }());
  REQUIRE(parked.ok());
  REQUIRE(parked->parked_items_size() == 1);
  CHECK(parked->parked_items(0).reason() == "RECEIPT_CONFLICT");
  CHECK(world.Sum("pending") == 35);
}

// Goal: callers that send one receipt at once, with the same and with other request ids and cards,
// post it once. Method: threads only collect answers.
TEST_CASE("RecordPurchase: a receipt sent twenty times at once posts once",
          "[service][accrual][inv-13][inv-14]") {
  World world;
  const auto request = world.APurchase("1");
  std::vector<std::future<absl::StatusOr<v1::RecordPurchaseResponse>>> answers;
  for (int i = 0; i < 20; ++i) {
    auto copy = request;
    if (i % 2 == 1) copy.set_request_id(clients::NewRequestId());
    answers.push_back(std::async(std::launch::async, [&world, copy] { return world.Buy(copy); }));
  }
  std::set<std::string> names;
  for (auto& answer : answers) {
    const auto bought = answer.get();
    REQUIRE(bought.ok());
    names.insert(bought->name());
  }
  CHECK(names.size() == 1);
  CHECK(world.Sum("pending") == 35);
}

TEST_CASE("RecordPurchase: refusals come in the documented order", "[service][accrual]") {
  const World world;
  struct Case {
    Reason reason;
    std::function<void(v1::RecordPurchaseRequest&)> spoil;
  };
  const std::string other_card = world.coalition.AMember();
  world.coalition.database().Query("update member.cards set state = 1 where card_number = " +
                                   other_card);
  // Each spoils one thing more from the end, so that the earlier refusal must win over the later.
  const std::vector<Case> cases = {
      {Reason::kCardBlocked, [&](auto& r) { r.set_card_number(other_card); }},
      {Reason::kOccurredTooLongAgo,
       [&](auto& r) {
         *r.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() - Timestamp(401 * kDay));
       }},
      {Reason::kOccurredAtInFuture,
       [&](auto& r) {
         *r.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() + Timestamp(kDay));
       }},
      {Reason::kCurrencyNotSupported, [](auto& r) { r.set_currency_code("USD"); }},
      {Reason::kTerminalNotFound, [](auto& r) { r.mutable_receipt()->set_terminal("t9"); }},
      {Reason::kStoreNotFound,
       [](auto& r) { r.mutable_receipt()->set_store("partners/fresh/stores/s9"); }},
      {Reason::kCardNotFound, [](auto& r) { r.set_card_number("4242424242424242"); }},
      {Reason::kCardNumberMistyped, [](auto& r) { r.set_card_number("4242424242424243"); }},
      {Reason::kCardMissing, [](auto& r) { r.clear_card_number(); }},
      {Reason::kAmountOutOfRange, [](auto& r) { r.mutable_lines(1)->set_amount_minor_units(0); }},
      {Reason::kRequestMalformed, [](auto& r) { r.mutable_receipt()->clear_receipt_number(); }},
      {Reason::kNotYours,
       [](auto& r) { r.mutable_receipt()->set_store("partners/books/stores/s1"); }},
      {Reason::kRequestIdMalformed, [](auto& r) { r.set_request_id("one"); }},
  };
  auto request = world.APurchase("1");
  for (const Case& spoilt : cases) {
    spoilt.spoil(request);
    const auto answer = world.Buy(request);
    CAPTURE(answer.status().ToString());
    CHECK(ReasonOf(answer.status()) == spoilt.reason);
  }
  CHECK(world.Sum("pending") == 0);
}

TEST_CASE("RecordPurchase: a suspended partner issues nothing, and its old sales can be returned",
          "[service][accrual][inv-33][inv-88]") {
  const World world;
  const auto bought = world.Buy(world.APurchase("1"));
  REQUIRE(bought.ok());
  world.coalition.database().Query(
      "update partner.partners set state = 'SUSPENDED' where slug = 'fresh';"
      "update ledger.configuration set version = version + 1");
  CHECK(ReasonOf(world.Buy(world.APurchase("2")).status()) == Reason::kPartnerNotActive);
  CHECK(world.Return(world.AReturn(bought->name(), "1", 3)).ok());
}

TEST_CASE("RecordPurchase: what rules exclude earns nothing and is explained",
          "[service][accrual][inv-24]") {
  const World world;
  auto request = world.APurchase("1");
  World::AddLine(request, "POST", 1, 1800, "not-goods");
  const auto bought = world.Buy(request);
  REQUIRE(bought.ok());
  CHECK(bought->points() == 35);
  v1::ExplainPurchaseRequest why;
  why.set_name(bought->name());
  const auto explained = world.Call("fresh", &Stub::ExplainPurchase, why);
  REQUIRE(explained.ok());
  CHECK(explained->lines(2).rule() == "not-goods");
  CHECK(explained->lines(0).rule() == "base");
  CHECK(explained->contract() == "partners/fresh/contracts/1");
}

TEST_CASE("RecordReturn: any splitting takes back what the line earned, and no more",
          "[service][accrual][inv-37][inv-38][inv-41]") {
  const World world;
  const auto bought = world.Buy(world.APurchase("1"));
  REQUIRE(bought.ok());
  int64_t reversed = 0;
  for (int i = 0; i < 3; ++i) {
    const auto returned = world.Return(world.AReturn(bought->name(), "1", 1));
    REQUIRE(returned.ok());
    reversed += returned->points_reversed();
  }
  CHECK(reversed == bought->line_points(0));
  CHECK(ReasonOf(world.Return(world.AReturn(bought->name(), "1", 1)).status()) ==
        Reason::kReturnExceedsSale);
  CHECK(ReasonOf(world.Return(world.AReturn(bought->name(), "7", 1)).status()) ==
        Reason::kPurchaseLineNotFound);
  CHECK(world.Sum("pending") == 35 - reversed);
}

TEST_CASE("RecordReturn: two stores that return the last piece at once take it back once",
          "[service][accrual][inv-38]") {
  World world;
  const auto bought = world.Buy(world.APurchase("1"));
  REQUIRE(bought.ok());
  std::vector<std::future<absl::Status>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      return world.Return(world.AReturn(bought->name(), "2", 1)).status();
    }));
  }
  int taken = 0;
  for (auto& answer : answers) taken += answer.get().ok() ? 1 : 0;
  CHECK(taken == 1);
}

TEST_CASE("RecordReturn: a return that names no sale, or another's receipt, is parked",
          "[service][accrual][inv-17]") {
  const World world;
  auto request = world.AReturn("", "1", 1);
  request.clear_original();
  request.set_card_number(world.card);
  const auto parked = world.Return(request);
  CHECK(ReasonOf(parked.status()) == Reason::kReturnParked);

  auto by_receipt = world.AReturn("", "1", 1);
  *by_receipt.mutable_receipt() = world.APurchase("77").receipt();
  CHECK(ReasonOf(world.Return(by_receipt).status()) == Reason::kReturnParked);

  // Once the sale is there, the same request is posted, and waits no longer.
  REQUIRE(world.Buy(world.APurchase("77")).ok());
  CHECK(world.Return(by_receipt).ok());
  v1::ListParkedItemsRequest list;
  list.set_parent("partners/fresh");
  const auto waiting = world.Call("fresh", &Stub::ListParkedItems, list);
  REQUIRE(waiting.ok());
  CHECK(waiting->parked_items_size() == 1);
}

TEST_CASE("ResolveParkedItem: an operator closes an item once, with a note, and partners may not",
          "[service][accrual]") {
  const World world;
  REQUIRE(world.Buy(world.APurchase("1")).ok());
  auto other = world.APurchase("1");
  other.mutable_lines(0)->set_amount_minor_units(9900);
  v1::ResolveParkedItemRequest request;
  request.set_name(DetailsOf(world.Buy(other).status())["parked_item"]);
  CHECK(ReasonOf(world.Call("fresh", &Stub::ResolveParkedItem, request).status()) ==
        Reason::kPermissionDenied);

  const clients::Client<v1::AccrualService> support(world.coalition.network().AsOperator("anna"));
  const auto resolve = [&] { return support.Invoke(&Stub::ResolveParkedItem, request); };
  CHECK(ReasonOf(resolve().status()) == Reason::kRequestMalformed);
  request.set_resolution("the till was reset; posted under another number");
  const auto resolved = resolve();
  REQUIRE(resolved.ok());
  CHECK(resolved->parked_item().resolved());
  CHECK(ReasonOf(resolve().status()) == Reason::kWrongState);
  request.set_name("parkedItems/1-00000000-0000-4000-8000-000000000000");
  CHECK(ReasonOf(resolve().status()) == Reason::kParkedItemNotFound);
}

TEST_CASE(
    "ConfirmPurchases: a confirmed purchase's points are available, a cancelled one's are gone",
    "[service][accrual]") {
  const World world;
  const auto kept = world.Buy(world.APurchase("1"));
  const auto dropped = world.Buy(world.APurchase("2"));
  REQUIRE(kept.ok());
  REQUIRE(dropped.ok());
  const auto confirmed = world.Confirm(kept->name(), v1::PURCHASE_OUTCOME_CONFIRMED);
  REQUIRE(confirmed.ok());
  CHECK(confirmed->confirmation().points() == 35);
  const auto cancelled = world.Confirm(dropped->name(), v1::PURCHASE_OUTCOME_CANCELLED);
  REQUIRE(cancelled.ok());
  CHECK(world.Sum("available") == 35);
  CHECK(world.Sum("pending") == 0);
  const auto again = world.Confirm(kept->name(), v1::PURCHASE_OUTCOME_CANCELLED);
  REQUIRE(again.ok());
  CHECK(ReasonOf(rpc::FromRpcStatus(again->error())) == Reason::kAlreadyConfirmed);
}

TEST_CASE("Purchases: pending points become available by date with the member's next purchase",
          "[service][accrual][inv-64]") {
  World world;
  REQUIRE(world.Buy(world.APurchase("1")).ok());
  world.coalition.AdvanceDays(15);
  REQUIRE(world.Buy(world.APurchase("2")).ok());
  CHECK(world.Sum("available") == 35);
  CHECK(world.Sum("pending") == 35);
}

TEST_CASE("ListPurchases: a partner sees its own purchases only, page by page",
          "[service][accrual][inv-89][inv-107]") {
  const World world;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    const auto bought = world.Buy(world.APurchase(std::to_string(i)));
    REQUIRE(bought.ok());
    names.push_back(bought->name());
  }
  v1::GetPurchaseRequest get;
  get.set_name(names[0]);
  CHECK(world.Call("fresh", &Stub::GetPurchase, get).ok());
  CHECK(ReasonOf(world.Call("books", &Stub::GetPurchase, get).status()) ==
        Reason::kPurchaseNotFound);

  v1::ListPurchasesRequest list;
  list.set_parent("partners/fresh");
  list.set_page_size(2);
  CHECK(ReasonOf(world.Call("books", &Stub::ListPurchases, list).status()) == Reason::kNotYours);
  std::vector<std::string> listed;
  do {
    const auto page = world.Call("fresh", &Stub::ListPurchases, list);
    REQUIRE(page.ok());
    for (const v1::Purchase& purchase : page->purchases()) listed.push_back(purchase.name());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  std::sort(listed.begin(), listed.end());
  std::sort(names.begin(), names.end());
  CHECK(listed == names);
  list.set_page_token("forged");
  CHECK(ReasonOf(world.Call("fresh", &Stub::ListPurchases, list).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("RecordPurchases: each item of a stream is answered by itself", "[service][accrual]") {
  const World world;
  const clients::Client<v1::AccrualService> client(world.coalition.AsPartner("fresh"));
  grpc::ClientContext context;
  client.channel().Prepare(context, absl::Now() + absl::Seconds(20));
  auto stream = client.stub().RecordPurchases(&context);
  constexpr int kItems = 200;
  for (int i = 0; i < kItems; ++i) {
    v1::RecordPurchasesRequest item;
    *item.mutable_purchase() = world.APurchase(std::to_string(i));
    if (i % 10 == 0) item.mutable_purchase()->clear_card_number();
    stream->Write(item);
  }
  stream->WritesDone();
  int recorded = 0;
  int refused = 0;
  v1::RecordPurchasesResponse response;
  while (stream->Read(&response)) {
    if (response.has_purchase()) ++recorded;
    if (response.has_error()) ++refused;
  }
  CHECK(stream->Finish().ok());
  CHECK(recorded == kItems - kItems / 10);
  CHECK(refused == kItems / 10);
  CHECK(world.Sum("pending") == 35 * recorded);
}

}  // namespace
}  // namespace guilder::accrual
