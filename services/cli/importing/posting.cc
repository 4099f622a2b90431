#include "services/cli/importing/posting.h"

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "libs/clients/item_stream.h"
#include "libs/rpc/status.h"
#include "services/cli/demo/parallel.h"
#include "services/cli/importing/stream.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::importing {
namespace {

namespace v1 = accrual::v1;

constexpr size_t kThreads = 16;

absl::Status IssueCards(const Destination& destination, const std::vector<Item>& items,
                        AnswerLog& log) {
  std::set<std::string> wanted;
  for (const Item& item : items) {
    const bool lacks = !item.customer.empty() && item.refusal.reason.empty();
    if (lacks && !log.cards().contains(item.customer)) wanted.insert(item.customer);
  }
  const std::vector<std::string> customers(wanted.begin(), wanted.end());
  const clients::Client<member::v1::MemberService> members(destination.member);
  return demo::InParallel(customers.size(), kThreads, [&](size_t i) -> absl::Status {
    member::v1::EnrolMemberRequest request;
    request.set_request_id(RequestIdFor(absl::StrCat("import/", destination.partner),
                                        absl::StrCat("customer/", customers[i])));
    GUILDER_ASSIGN_OR_RETURN(const member::v1::EnrolMemberResponse enrolled,
                             Ask(members, &member::v1::MemberService::Stub::EnrolMember, request));
    log.AddCard(customers[i], enrolled.card_number());
    return absl::OkStatus();
  });
}

absl::Status PostReceipts(const Destination& destination, const std::vector<Item>& items,
                          AnswerLog& log, const std::function<void(int64_t)>& on_rows) {
  using Request = v1::RecordPurchasesRequest;
  using Response = v1::RecordPurchasesResponse;
  const clients::Client<v1::AccrualService> accrual(destination.accrual);
  StreamedItems<Request, Response> streamed;
  streamed.count = items.size();
  streamed.is_sent = [&](size_t i) { return !items[i].is_return; };
  streamed.rows = [&](size_t i) { return static_cast<int64_t>(items[i].rows.size()); };
  streamed.request = [&](size_t i) {
    Request request;
    *request.mutable_purchase() = items[i].purchase;
    return request;
  };
  streamed.open = [&](auto* context, auto* reactor) {
    accrual.stub().async()->RecordPurchases(context, reactor);
  };
  streamed.id_of_request = [](const Request& item) -> const std::string& {
    return item.purchase().request_id();
  };
  streamed.id_of_answer = [](const Response& answer) -> const std::string& {
    return answer.request_id();
  };
  streamed.answer = [](const Response& response) -> absl::StatusOr<ItemAnswer> {
    if (response.has_error()) return rpc::FromRpcStatus(response.error());
    return ItemAnswer{Outcome::kRecorded, response.purchase().points(), "", ""};
  };
  return AnsweredStream<Request, Response>(std::move(streamed), log, on_rows)
      .Run(destination.accrual);
}

absl::Status PostReturns(const Destination& destination, const std::vector<Item>& items,
                         AnswerLog& log, const std::function<void(int64_t)>& on_rows) {
  // Returns of one sale add up exactly, but which of them takes the odd point depends on their
  // order.
  absl::flat_hash_map<std::string, size_t> chain_of_sale;
  std::vector<std::vector<size_t>> chains;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_return || log.of(i).outcome != Outcome::kNone) continue;
    const v1::RecordReturnRequest& request = items[i].returned;
    const std::string sale =
        request.has_receipt() ? request.receipt().SerializeAsString() : absl::StrCat(i);
    const auto [chain, is_new] = chain_of_sale.try_emplace(sale, chains.size());
    if (is_new) chains.emplace_back();
    chains[chain->second].push_back(i);
  }
  const clients::Client<v1::AccrualService> accrual(destination.accrual);
  return demo::InParallel(chains.size(), kThreads, [&](size_t chain) -> absl::Status {
    for (const size_t i : chains[chain]) {
      const auto response =
          Ask(accrual, &v1::AccrualService::Stub::RecordReturn, items[i].returned);
      ItemAnswer answer{Outcome::kReturned, 0, "", ""};
      if (response.ok()) {
        answer.points = response->points_reversed();
      } else {
        const auto refused = AnswerOf(response.status());
        if (!refused) return response.status();
        answer = *refused;
      }
      log.AddAnswer(i, std::move(answer));
      on_rows(static_cast<int64_t>(items[i].rows.size()));
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status PostItems(const Destination& destination, std::vector<Item>& items, AnswerLog& log,
                       const std::function<void(int64_t)>& on_rows) {
  GUILDER_RETURN_IF_ERROR(IssueCards(destination, items, log));
  for (size_t i = 0; i < items.size(); ++i) {
    Item& item = items[i];
    if (!item.refusal.reason.empty() && log.of(i).outcome == Outcome::kNone) {
      log.AddAnswer(i, {Outcome::kRejected, 0, item.refusal.reason, item.refusal.detail});
      on_rows(static_cast<int64_t>(item.rows.size()));
    }
    const std::string id = RequestIdOf(destination.partner, item);
    item.is_return ? item.returned.set_request_id(id) : item.purchase.set_request_id(id);
    const auto card = log.cards().find(item.customer);
    if (item.customer.empty() || card == log.cards().end()) continue;
    if (!item.is_return) {
      item.purchase.set_card_number(card->second);
    } else if (!item.returned.has_receipt()) {
      item.returned.set_card_number(card->second);
    }
  }
  GUILDER_RETURN_IF_ERROR(PostReceipts(destination, items, log, on_rows));
  GUILDER_RETURN_IF_ERROR(log.Flush());
  const absl::Status returned = PostReturns(destination, items, log, on_rows);
  GUILDER_RETURN_IF_ERROR(log.Flush());
  return returned;
}

}  // namespace guilder::cli::importing
