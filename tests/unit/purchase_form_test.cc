// What partners write of purchases and returns, and what the journal gives back of them.
#include <cstdint>
#include <limits>
#include <string>

#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/operator/domain/purchase_content.h"
#include "tests/support/catch2.h"

namespace guilder::accrual {
namespace {

constexpr char kSlug[] = "fresh-market";

v1::RecordPurchaseRequest ARequest() {
  v1::RecordPurchaseRequest request;
  v1::ReceiptKey& receipt = *request.mutable_receipt();
  receipt.set_store("partners/fresh-market/stores/s1");
  receipt.set_receipt_number("1042");
  receipt.set_business_date("2026-01-31");
  request.set_card_number("9786180339887490");
  request.mutable_occurred_at()->set_seconds(1'769'860'800);
  request.set_currency_code("EUR");
  v1::PurchaseLine& line = *request.add_lines();
  line.set_sku("bread");
  line.set_quantity(1);
  line.set_amount_minor_units(249);
  return request;
}

v1::RecordReturnRequest AReturn() {
  v1::RecordReturnRequest request;
  request.set_store("partners/fresh-market/stores/s1");
  request.mutable_occurred_at()->set_seconds(1'769'860'800);
  v1::ReturnLine& line = *request.add_lines();
  line.set_line_id("1");
  line.set_quantity(1);
  return request;
}

bool IsMalformed(const absl::Status& status) {
  return ReasonOf(status) == Reason::kRequestMalformed;
}

std::string WithNul() {
  return std::string("a\0b", 3);
}

// The content of a purchase with one line.
std::string Content(MinorUnits amount, Points points) {
  Purchase purchase = FromProto(ARequest(), kSlug).value();
  purchase.lines[0].amount = amount;
  PurchaseOutcome outcome;
  outcome.line_points = {points};
  return EncodeRecorded(EncodePurchase(purchase), outcome);
}

TEST_CASE("Purchase: a business date has one spelling, so that a receipt is one receipt",
          "[unit][accrual][inv-14]") {
  REQUIRE(FromProto(ARequest(), kSlug).ok());
  for (const char* date : {" 2026-1-31", "02026-1-31", "+2026-1-31", "-2026-1-31", "2026-1-31 ",
                           "2026-02-30", "2026-1-31", ""}) {
    INFO(date);
    v1::RecordPurchaseRequest request = ARequest();
    request.mutable_receipt()->set_business_date(date);
    CHECK(IsMalformed(FromProto(request, kSlug).status()));
  }
}

TEST_CASE("Purchase: no text holds the character NUL, which a parked item could not keep",
          "[unit][accrual]") {
  using Change = void (*)(v1::RecordPurchaseRequest&);
  for (const Change change : std::initializer_list<Change>{
           [](v1::RecordPurchaseRequest& r) { r.mutable_receipt()->set_terminal(WithNul()); },
           [](v1::RecordPurchaseRequest& r) { r.mutable_receipt()->set_receipt_number(WithNul()); },
           [](v1::RecordPurchaseRequest& r) { r.mutable_lines(0)->set_line_id(WithNul()); },
           [](v1::RecordPurchaseRequest& r) { r.mutable_lines(0)->set_sku(WithNul()); },
           [](v1::RecordPurchaseRequest& r) { r.mutable_lines(0)->set_category(WithNul()); }}) {
    v1::RecordPurchaseRequest request = ARequest();
    change(request);
    CHECK(IsMalformed(FromProto(request, kSlug).status()));
  }
}

TEST_CASE("Return: no text holds the character NUL, which a parked item could not keep",
          "[unit][accrual]") {
  REQUIRE(FromProto(AReturn(), kSlug).ok());
  using Change = void (*)(v1::RecordReturnRequest&);
  for (const Change change : std::initializer_list<Change>{
           [](v1::RecordReturnRequest& r) { r.set_return_number(WithNul()); },
           [](v1::RecordReturnRequest& r) { r.mutable_lines(0)->set_line_id(WithNul()); },
           [](v1::RecordReturnRequest& r) { r.mutable_lines(0)->set_sku(WithNul()); }}) {
    v1::RecordReturnRequest request = AReturn();
    change(request);
    CHECK(IsMalformed(FromProto(request, kSlug).status()));
  }
}

TEST_CASE("Purchase: content with amounts or points out of range is not read",
          "[unit][accrual][operator]") {
  CHECK(DecodeRecorded(Content(MinorUnits(249), Points(2))).ok());
  CHECK(operator_::ReadPurchase(Content(MinorUnits(249), Points(2))).has_value());
  for (const int64_t beyond : {int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    INFO(beyond);
    CHECK_FALSE(DecodeRecorded(Content(MinorUnits(249), Points(beyond))).ok());
    CHECK_FALSE(DecodeRecorded(Content(MinorUnits(beyond), Points(2))).ok());
    CHECK_FALSE(operator_::ReadPurchase(Content(MinorUnits(beyond), Points(2))));
  }
}

TEST_CASE("Purchase: where its points may be spent is kept, and has to come to the lines' points",
          "[unit][accrual][operator][inv-54]") {
  const Purchase purchase = FromProto(ARequest(), kSlug).value();
  PurchaseOutcome outcome;
  outcome.points = Points(5);
  outcome.line_points = {Points(5)};
  outcome.base_rates_only = true;
  outcome.rule_set = 3;
  outcome.parts = {{{}, {Points(2)}},
                   {{false, {PartnerId(7), PartnerId(9)}}, {Points(2)}},
                   {{true, {}}, {Points(1)}}};
  const auto read = DecodeRecorded(EncodeRecorded(EncodePurchase(purchase), outcome));
  REQUIRE(read.ok());
  CHECK(read->outcome.base_rates_only);
  REQUIRE(read->outcome.parts.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(read->outcome.parts[i].spent_only == outcome.parts[i].spent_only);
    CHECK(read->outcome.parts[i].line_points == outcome.parts[i].line_points);
  }
  CHECK(operator_::ReadPurchase(EncodeRecorded(EncodePurchase(purchase), outcome))->rule_set == 3);

  outcome.parts[0].line_points = {Points(3)};
  CHECK_FALSE(DecodeRecorded(EncodeRecorded(EncodePurchase(purchase), outcome)).ok());
}

TEST_CASE("Purchase: who pays for its points is kept, and who should and does not",
          "[unit][accrual][operator][inv-96]") {
  const Purchase purchase = FromProto(ARequest(), kSlug).value();
  PurchaseOutcome outcome;
  outcome.points = Points(5);
  outcome.line_points = {Points(5)};
  outcome.rule_set = 3;
  outcome.parts = {{{}, {Points(2)}, PartnerId(4), ContractId(8), Timestamp(10), Timestamp(20)},
                   {{true, {}}, {Points(3)}, PartnerId(5), ContractId(9), Timestamp(11), kNever}};
  outcome.absent_funders = {{PartnerId(), WhyNotPaid::kNoContract},
                            {PartnerId(6), WhyNotPaid::kExhausted}};
  const std::string content = EncodeRecorded(EncodePurchase(purchase), outcome);
  const auto read = DecodeRecorded(content);
  REQUIRE(read.ok());
  REQUIRE(read->outcome.parts.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(read->outcome.parts[i].line_points == outcome.parts[i].line_points);
    CHECK(read->outcome.parts[i].issuer == outcome.parts[i].issuer);
    CHECK(read->outcome.parts[i].contract == outcome.parts[i].contract);
    CHECK(read->outcome.parts[i].activates_at == outcome.parts[i].activates_at);
    CHECK(read->outcome.parts[i].expires_at == outcome.parts[i].expires_at);
  }
  CHECK(read->outcome.absent_funders == outcome.absent_funders);
  CHECK(operator_::ReadPurchase(content)->rule_set == 3);
  for (size_t cut = 1; cut < 20; ++cut) {
    INFO(cut);
    CHECK_FALSE(DecodeRecorded(content.substr(0, content.size() - cut)).ok());
  }
}

TEST_CASE("Purchase: one of a terminal whose clock is off is kept with the offset, and is the same",
          "[unit][accrual][operator][inv-104]") {
  const Purchase stated = FromProto(ARequest(), kSlug).value();
  const Timestamp now(stated.occurred_at.value() + 5 * kMicrosPerDay);
  for (const int64_t offset : {-kMaxClockOffsetUs, -kClockToleranceUs - 1, kMaxClockOffsetUs}) {
    Purchase moved = stated;
    moved.sequence_number = offset > 0 ? 7 : 0;
    REQUIRE(NormaliseClock(moved, now - Timestamp(offset), now));
    CHECK(moved.occurred_at == stated.occurred_at + Timestamp(offset));
    PurchaseOutcome outcome;
    outcome.line_points = {Points(2)};
    outcome.rule_set = 3;
    const std::string content = EncodeRecorded(EncodePurchase(moved), outcome);
    const auto read = DecodeRecorded(content);
    REQUIRE(read.ok());
    CHECK(EncodePurchase(read->purchase) == EncodePurchase(moved));
    CHECK(read->purchase.clock_offset_us == offset);
    CHECK(EncodePurchase(AsStated(moved)) == EncodePurchase(stated));
    const auto facts = operator_::ReadPurchase(content);
    REQUIRE(facts.has_value());
    CHECK(facts->rule_set == 3);
  }
  Purchase kept = stated;
  CHECK(NormaliseClock(kept, now - Timestamp(kClockToleranceUs), now));
  CHECK(kept.clock_offset_us == 0);
  CHECK_FALSE(NormaliseClock(kept, now - Timestamp(kMaxClockOffsetUs + 1), now));
  CHECK(kept.occurred_at == stated.occurred_at);
}

TEST_CASE("ParseRecordName: a record's name has one spelling", "[unit][accrual]") {
  CHECK(ParseRecordName("purchases", "purchases/3-1042")->number == RecordNumber(1042));
  for (const char* name : {"purchases/03-1042", "purchases/3-01042", "purchases/3--1042",
                           "purchases/0-1", "purchases/65536-1", "purchases/3"}) {
    INFO(name);
    CHECK_FALSE(ParseRecordName("purchases", name));
  }
  CHECK_FALSE(ParseParkedItemName("parkedItems/03-018f3c3e-7b5a-7cc0-8000-0123456789ab"));
}

}  // namespace
}  // namespace guilder::accrual
