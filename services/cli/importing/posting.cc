#include "services/cli/importing/posting.h"

#include <optional>
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
#include "services/cli/demo/parallel.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::importing {
namespace {

namespace v1 = accrual::v1;
using clients::Verdict;

constexpr size_t kThreads = 16;

// What a final refusal means for an item; nothing when the import cannot go on.
std::optional<ItemAnswer> AnswerOf(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  if (!reason || status.code() == absl::StatusCode::kUnauthenticated ||
      status.code() == absl::StatusCode::kPermissionDenied) {
    return std::nullopt;
  }
  ItemAnswer answer;
  answer.outcome = Outcome::kRejected;
  answer.reason = ReasonName(*reason);
  answer.detail = std::string(status.message());
  for (const auto& [name, value] : DetailsOf(status)) {
    if (name != "parked_item") continue;
    answer.outcome = Outcome::kParked;
    answer.detail = value;
  }
  return answer;
}

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

// Receipts of one stream.
class ReceiptStream {
 public:
  ReceiptStream(const std::vector<Item>& items, AnswerLog& log,
                const std::function<void(int64_t)>& on_rows)
      : items_(items), log_(log), on_rows_(on_rows) {}

  absl::Status Run(const clients::Channel& channel) {
    const clients::Client<v1::AccrualService> accrual(channel);
    const absl::Status streamed = Patiently([&] {
      next_ = 0;
      clients::ItemStreamCalls<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse> calls;
      calls.open = [&](auto* context, auto* reactor) {
        accrual.stub().async()->RecordPurchases(context, reactor);
      };
      calls.next = [this] { return Next(); };
      calls.id_of_item = [](const v1::RecordPurchasesRequest& item) -> const std::string& {
        return item.purchase().request_id();
      };
      calls.id_of_answer = [](const v1::RecordPurchasesResponse& answer) -> const std::string& {
        return answer.request_id();
      };
      calls.on_answer = [this](const auto& item, const auto& answer) {
        return Take(item.purchase().request_id(), answer);
      };
      return clients::StreamItems<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse>(
          channel, std::move(calls), {.max_in_flight = 512, .policy = PatientPolicy()});
    });
    return streamed.ok() ? ended_by_ : streamed;
  }

 private:
  // The next one without an answer. No two say the same, so ids are distinct.
  std::optional<v1::RecordPurchasesRequest> Next() {
    for (; next_ < items_.size(); ++next_) {
      const Item& item = items_[next_];
      if (item.is_return || log_.of(next_).outcome != Outcome::kNone) continue;
      const std::lock_guard lock(mutex_);
      if (!ended_by_.ok()) return std::nullopt;
      item_of_id_[item.purchase.request_id()] = next_;
      v1::RecordPurchasesRequest request;
      *request.mutable_purchase() = item.purchase;
      ++next_;
      return request;
    }
    return std::nullopt;
  }

  Verdict Take(const std::string& id, const v1::RecordPurchasesResponse& response) {
    ItemAnswer answer;
    if (response.has_error()) {
      const absl::Status status = rpc::FromRpcStatus(response.error());
      if (MayPass(status)) return Verdict::kRepeat;
      const auto refused = AnswerOf(status);
      if (!refused) {
        const std::lock_guard lock(mutex_);
        ended_by_ = status;
        return Verdict::kDone;
      }
      answer = *refused;
    } else {
      answer.outcome = Outcome::kRecorded;
      answer.points = response.purchase().points();
    }
    size_t place = 0;
    {
      const std::lock_guard lock(mutex_);
      place = item_of_id_.at(id);
    }
    log_.AddAnswer(place, std::move(answer));
    on_rows_(static_cast<int64_t>(items_[place].rows.size()));
    return Verdict::kDone;
  }

  const std::vector<Item>& items_;
  AnswerLog& log_;
  const std::function<void(int64_t)>& on_rows_;
  size_t next_ = 0;  // the sender's

  std::mutex mutex_;  // guards what follows
  absl::flat_hash_map<std::string, size_t> item_of_id_;
  absl::Status ended_by_;
};

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
  GUILDER_RETURN_IF_ERROR(ReceiptStream(items, log, on_rows).Run(destination.accrual));
  GUILDER_RETURN_IF_ERROR(log.Flush());
  const absl::Status returned = PostReturns(destination, items, log, on_rows);
  GUILDER_RETURN_IF_ERROR(log.Flush());
  return returned;
}

}  // namespace guilder::cli::importing
