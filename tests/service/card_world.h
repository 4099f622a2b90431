// A coalition whose cards are handed out in batches, for tests of these.
#pragma once

#include <string>
#include <vector>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/card_service.grpc.pb.h"

#include "tests/service/person_world.h"

namespace guilder::member {

using Cards = v1::CardService::Stub;
using Members = v1::MemberService::Stub;

struct CardWorld : PersonWorld {
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Cards::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                               const Request& request) const {
    return Call<v1::CardService>(Operator(), method, request);
  }

  static v1::CreateCardRangeRequest ARange(const std::string& prefix, int claim_days = 0) {
    v1::CreateCardRangeRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_range()->set_partner("partners/fresh");
    request.mutable_range()->set_prefix(prefix);
    request.mutable_range()->set_digits(13);
    request.mutable_range()->set_claim_days(claim_days);
    return request;
  }
  static v1::CreateCardBatchRequest ABatch(const std::string& range, int count) {
    v1::CreateCardBatchRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_batch()->set_range(range);
    request.mutable_batch()->set_store("partners/fresh/stores/s1");
    request.mutable_batch()->set_count(count);
    return request;
  }
  std::vector<std::string> Numbers(const std::string& batch) const {
    v1::ListBatchCardsRequest request;
    request.set_parent(batch);
    request.set_page_size(3);
    std::vector<std::string> numbers;
    do {
      const auto page = Ask(&Cards::ListBatchCards, request);
      REQUIRE(page.ok());
      for (const v1::BatchCard& card : page->cards()) numbers.push_back(card.number());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return numbers;
  }
  // Cards of a fresh range, to be handed out.
  std::vector<std::string> Print(int count, int claim_days = 0) const {
    const auto range = Ask(&Cards::CreateCardRange, ARange("4400", claim_days));
    INFO(range.status().ToString());
    REQUIRE(range.ok());
    const auto batch = Ask(&Cards::CreateCardBatch, ABatch(range->range().name(), count));
    INFO(batch.status().ToString());
    REQUIRE(batch.ok());
    return Numbers(batch->batch().name());
  }

  v1::GetCardResponse Show(const std::string& number) const {
    v1::GetCardRequest request;
    request.set_name("cards/" + number);
    const auto shown = Ask(&Cards::GetCard, request);
    INFO(shown.status().ToString());
    REQUIRE(shown.ok());
    return *shown;
  }
  static std::vector<std::string> EventsOf(const v1::GetCardResponse& card) {
    std::vector<std::string> events;
    for (const v1::CardEvent& event : card.events()) events.push_back(event.event());
    return events;
  }
  absl::StatusOr<v1::ActivateCardResponse> Activate(const std::string& number,
                                                    const std::string& member = "") const {
    v1::ActivateCardRequest request;
    request.set_name("cards/" + number);
    request.set_member(member);
    return Ask(&Cards::ActivateCard, request);
  }
  static v1::ReplaceCardRequest AReplacement(const std::string& number,
                                             const std::string& by = "") {
    v1::ReplaceCardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name("cards/" + number);
    request.set_new_card_number(by);
    request.set_reason("lost");
    return request;
  }
  absl::StatusOr<v1::BlockCardResponse> Block(const std::string& number) const {
    v1::BlockCardRequest request;
    request.set_name("cards/" + number);
    request.set_reason("found in the street");
    return Call<v1::MemberService>(Operator(), &Members::BlockCard, request);
  }
  v1::EnrolMemberRequest AnEnrolment(const std::string& card,
                                     const v1::Member& member = Ada()) const {
    v1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    *request.mutable_member() = member;
    request.set_card_number(card);
    return request;
  }
  absl::StatusOr<v1::EnrolMemberResponse> EnrolWith(const v1::EnrolMemberRequest& request) const {
    return Call<v1::MemberService>(Partner(), &Members::EnrolMember, request);
  }

  // Buys something for 100.00 with the card.
  absl::StatusOr<accrual::v1::RecordPurchaseResponse> Buy(const std::string& card) const {
    accrual::v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    auto& receipt = *request.mutable_receipt();
    receipt.set_store("partners/fresh/stores/s1");
    receipt.set_terminal("t1");
    receipt.set_receipt_number("r" + std::to_string(++receipts_));
    receipt.set_business_date("2026-03-01");
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_card_number(card);
    request.set_currency_code("EUR");
    auto& line = *request.add_lines();
    line.set_sku("milk");
    line.set_quantity(1);
    line.set_amount_minor_units(10'000);
    return Call<accrual::v1::AccrualService>(
        Partner(), &accrual::v1::AccrualService::Stub::RecordPurchase, request);
  }
  int64_t PointsOn(const std::string& card) const {
    v1::GetBalanceRequest request;
    request.set_card_number(card);
    const auto balance = Call<v1::MemberService>(Operator(), &Members::GetBalance, request);
    INFO(balance.status().ToString());
    REQUIRE(balance.ok());
    return balance->available_points() + balance->pending_points();
  }
  mutable int receipts_ = 0;
};

}  // namespace guilder::member
