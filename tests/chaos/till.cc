// guilder-test-till NETWORK_FILE LOG SEED CUSTOMERS
//
// A partner's till, with so many customers at once: they buy, bring back, pay with points and
// enrol, until SIGTERM. Each request is repeated with the same id until it is answered; what was
// answered is in LOG before anything else is done. Ends with 0 when everything was answered.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/prctl.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/clients/item_stream.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/network.h"
#include "tests/chaos/till_answers.h"
#include "tests/chaos/till_log.h"

namespace guilder::testing {
namespace {

using accrual::v1::AccrualService;
using member::v1::MemberService;
using redemption::v1::RedemptionService;

constexpr absl::Duration kAttempt = absl::Seconds(2);
constexpr absl::Duration kLongestBackoff = absl::Milliseconds(200);
// A customer does a few things without a pause, so that there are moments with much under way.
constexpr int kActsAtOnce = 5;
constexpr absl::Duration kPause = absl::Milliseconds(600);
constexpr absl::Duration kBeforeNextStream = absl::Milliseconds(50);
constexpr int kStreamed = 12;

std::atomic<bool> stopping = false;

// What all customers of a till share.
struct Till {
  Till(const cli::Network& network, const cli::NetworkPartner& at, const std::string& log_path)
      : partner(at),
        log(log_path),
        purchases(ChannelTo(network, "accrual")),
        members(ChannelTo(network, "member")),
        redemptions(ChannelTo(network, "redemption")) {}

  clients::Channel ChannelTo(const cli::Network& network, const std::string& service) const {
    return clients::Channel(network.endpoints.at(service), partner.api_key);
  }

  const cli::NetworkPartner partner;
  const TillLogWriter log;
  const clients::Client<AccrualService> purchases;
  const clients::Client<MemberService> members;
  const clients::Client<RedemptionService> redemptions;
};

class Customer {
 public:
  Customer(Till& till, unsigned seed) : till_(till), random_(seed) {
    cards_.push_back(till.partner.card);
  }

  void Live() {
    Enrol();
    while (!stopping) {
      for (int i = 0; i < kActsAtOnce && !stopping; ++i) Act();
      std::this_thread::sleep_for(
          absl::ToChronoMilliseconds(kPause * (0.5 + (random_() % 100) / 100.0)));
    }
  }

 private:
  struct Bought {
    accrual::v1::RecordPurchaseRequest request;
    std::string name;
    int returned = 0;
  };

  void Act() {
    switch (random_() % 20) {
      case 0:
        return Enrol();
      case 1:
      case 2:
      case 3:
        return Return();
      case 4:
      case 5:
      case 6:
      case 7:
        return Redeem();
      case 8:
        return BuyOverStream();
      case 9:
        return Confirm();
      default:
        return Buy();
    }
  }

  template <typename Request>
  void Intend(const char* kind, Request& request) {
    request.set_request_id(clients::NewRequestId());
    till_.log.Write(IntentLine(kind, request.request_id()));
  }

  void Problem(const char* kind, const std::string& id, const std::string& what) {
    till_.log.Write({.event = TillEvent::kProblem, .kind = kind, .request_id = id, .text = what});
  }

  // A refusal is an ordinary answer to some kinds of requests; to others it is a mistake.
  void Refuse(const char* kind, const std::string& id, const absl::Status& status,
              bool may_be_refused) {
    till_.log.Write({.event = may_be_refused ? TillEvent::kRefused : TillEvent::kProblem,
                     .kind = kind,
                     .request_id = id,
                     .text = status.ToString()});
  }

  // Sends the request until it is answered.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Ask(const clients::Client<Service>& client,
                               grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                               const Request& request) {
    clients::RetryPolicy policy;
    policy.per_attempt = kAttempt;
    policy.longest_backoff = kLongestBackoff;
    for (;;) {
      const auto answer = client.Invoke(method, request, policy);
      if (answer.ok() || !MayPass(answer.status())) return answer;
    }
  }

  // The whole life of a request; nothing when it was refused. One in ten answered requests is sent
  // again, and must be answered the same.
  template <typename Service, typename Request, typename Response>
  std::optional<Response> Make(const char* kind, const clients::Client<Service>& client,
                               grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                               Request request, bool may_be_refused) {
    Intend(kind, request);
    const auto answer = Ask(client, method, request);
    if (!answer.ok()) {
      Refuse(kind, request.request_id(), answer.status(), may_be_refused);
      return std::nullopt;
    }
    till_.log.Write(AcceptedLine(kind, request.request_id(), *answer));
    if (random_() % 10 == 0) {
      const auto again = Ask(client, method, request);
      if (!again.ok()) {
        Problem(kind, request.request_id(), absl::StrCat("repeated: ", again.status().ToString()));
      } else if (again->SerializeAsString() != answer->SerializeAsString()) {
        Problem(kind, request.request_id(), "repeated, it was answered otherwise");
      }
    }
    return *answer;
  }

  void Enrol() {
    const auto enrolled = Make("enrol", till_.members, &MemberService::Stub::EnrolMember,
                               member::v1::EnrolMemberRequest(), false);
    if (enrolled) cards_.push_back(enrolled->card_number());
  }

  accrual::v1::RecordPurchaseRequest APurchase() {
    accrual::v1::RecordPurchaseRequest request;
    accrual::v1::ReceiptKey& receipt = *request.mutable_receipt();
    receipt.set_store(till_.partner.store);
    receipt.set_terminal(till_.partner.terminal);
    receipt.set_receipt_number(clients::NewRequestId());
    receipt.set_business_date(absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone()));
    request.set_card_number(cards_[random_() % cards_.size()]);
    *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
    request.set_currency_code("EUR");
    const int lines = 1 + static_cast<int>(random_() % 3);
    for (int line = 1; line <= lines; ++line) {
      accrual::v1::PurchaseLine& out = *request.add_lines();
      out.set_line_id(absl::StrCat(line));
      out.set_sku(absl::StrCat("sku-", line));
      out.set_quantity(1);
      out.set_amount_minor_units(1'000 + static_cast<int64_t>(random_() % 5'000));
      out.set_category("goods");
    }
    return request;
  }

  void Buy() {
    accrual::v1::RecordPurchaseRequest request = APurchase();
    const auto answer =
        Make("purchase", till_.purchases, &AccrualService::Stub::RecordPurchase, request, false);
    if (!answer) return;
    if (random_() % 10 == 0) SendReceiptAgain(request, *answer);
    bought_.push_back({std::move(request), answer->name()});
  }

  // The same receipt under another request id gets the answer of the first.
  void SendReceiptAgain(accrual::v1::RecordPurchaseRequest request,
                        const accrual::v1::RecordPurchaseResponse& first) {
    Intend("receipt", request);
    const auto again = Ask(till_.purchases, &AccrualService::Stub::RecordPurchase, request);
    if (!again.ok() || again->SerializeAsString() != first.SerializeAsString()) {
      return Problem("receipt", request.request_id(),
                     absl::StrCat("sent again: ", again.status().ToString()));
    }
    till_.log.Write(
        {.event = TillEvent::kDuplicate, .kind = "receipt", .request_id = request.request_id()});
  }

  void Return() {
    if (bought_.empty()) return Buy();
    const size_t place = random_() % bought_.size();
    Bought& bought = bought_[place];
    accrual::v1::RecordReturnRequest request;
    request.set_store(till_.partner.store);
    request.set_return_number(clients::NewRequestId());
    *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
    if (random_() % 2 == 0) {
      request.set_purchase(bought.name);
    } else {
      *request.mutable_receipt() = bought.request.receipt();
    }
    accrual::v1::ReturnLine& line = *request.add_lines();
    line.set_line_id(bought.request.lines(bought.returned).line_id());
    line.set_quantity(1);
    Make("return", till_.purchases, &AccrualService::Stub::RecordReturn, request, false);
    if (++bought.returned == bought.request.lines_size()) {
      bought_.erase(bought_.begin() + static_cast<std::ptrdiff_t>(place));
    }
  }

  void Redeem() {
    redemption::v1::AuthorizeRedemptionRequest authorize;
    authorize.set_store(till_.partner.store);
    authorize.set_card_number(cards_[random_() % cards_.size()]);
    authorize.set_points(1 + static_cast<int64_t>(random_() % 20));
    const auto held = Make("authorize", till_.redemptions,
                           &RedemptionService::Stub::AuthorizeRedemption, authorize, true);
    if (!held) return;
    if (random_() % 4 == 0) {
      redemption::v1::VoidRedemptionRequest request;
      request.set_name(held->name());
      Make("void", till_.redemptions, &RedemptionService::Stub::VoidRedemption, request, true);
      return;
    }
    redemption::v1::CaptureRedemptionRequest capture;
    capture.set_name(held->name());
    const auto captured = Make("capture", till_.redemptions,
                               &RedemptionService::Stub::CaptureRedemption, capture, true);
    if (!captured || random_() % 3 != 0) return;
    redemption::v1::RefundRedemptionRequest refund;
    refund.set_name(held->name());
    refund.set_points(1);
    Make("refund", till_.redemptions, &RedemptionService::Stub::RefundRedemption, refund, true);
  }

  // Streams items until each is answered. `result` is of an item's answer.
  template <typename Request, typename Response, typename Result>
  void Stream(const char* kind, std::vector<Request> items, bool may_be_refused,
              void (AccrualService::StubInterface::async_interface::*open)(
                  grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*),
              const std::string& (*id_of)(const Request&),
              const Result& (Response::*result)() const) {
    std::map<std::string, Response> answers;
    size_t next = 0;
    clients::ItemStreamCalls<Request, Response> calls;
    calls.open = [&](auto* context, auto* reactor) {
      (till_.purchases.stub().async()->*open)(context, reactor);
    };
    calls.next = [&]() -> std::optional<Request> {
      while (next < items.size() && answers.count(id_of(items[next])) > 0) ++next;
      if (next == items.size()) return std::nullopt;
      return items[next++];
    };
    calls.id_of_item = id_of;
    calls.id_of_answer = [](const Response& answer) -> const std::string& {
      return answer.request_id();
    };
    calls.on_answer = [&](const Request&, const Response& answer) {
      if (MayPass(rpc::FromRpcStatus(answer.error()))) return clients::Verdict::kRepeat;
      answers[answer.request_id()] = answer;
      return clients::Verdict::kDone;
    };
    for (;;) {
      next = 0;
      const absl::Status status = clients::StreamItems<Request, Response>(
          till_.purchases.channel(), calls, {.max_in_flight = kStreamed, .policy = {}});
      if (status.ok()) break;
      if (!MayPass(status)) Problem(kind, "", absl::StrCat("stream: ", status.ToString()));
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(kBeforeNextStream));
    }
    for (const auto& [id, answer] : answers) {
      const absl::Status status = rpc::FromRpcStatus(answer.error());
      if (status.ok()) {
        till_.log.Write(AcceptedLine(kind, id, (answer.*result)()));
      } else {
        Refuse(kind, id, status, may_be_refused);
      }
    }
  }

  void BuyOverStream() {
    namespace v1 = accrual::v1;
    std::vector<v1::RecordPurchasesRequest> items(kStreamed);
    for (v1::RecordPurchasesRequest& item : items) {
      *item.mutable_purchase() = APurchase();
      Intend("purchase", *item.mutable_purchase());
    }
    using Async = AccrualService::StubInterface::async_interface;
    Stream<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse, v1::RecordPurchaseResponse>(
        "purchase", std::move(items), false, &Async::RecordPurchases,
        [](const v1::RecordPurchasesRequest& item) -> const std::string& {
          return item.purchase().request_id();
        },
        &v1::RecordPurchasesResponse::purchase);
  }

  void Confirm() {
    namespace v1 = accrual::v1;
    if (bought_.empty()) return Buy();
    std::vector<v1::ConfirmPurchasesRequest> items(1);
    Intend("confirm", items[0]);
    items[0].set_purchase(bought_[random_() % bought_.size()].name);
    items[0].set_outcome(v1::PURCHASE_OUTCOME_CONFIRMED);
    using Async = AccrualService::StubInterface::async_interface;
    Stream<v1::ConfirmPurchasesRequest, v1::ConfirmPurchasesResponse, v1::Confirmation>(
        "confirm", std::move(items), true, &Async::ConfirmPurchases,
        [](const v1::ConfirmPurchasesRequest& item) -> const std::string& {
          return item.request_id();
        },
        &v1::ConfirmPurchasesResponse::confirmation);
  }

  Till& till_;
  std::minstd_rand random_;
  std::vector<std::string> cards_;
  std::vector<Bought> bought_;
};

int Run(char** argv) {
  const auto network = cli::ReadNetwork(argv[1]);
  const auto seed = static_cast<unsigned>(std::stoul(argv[3]));
  const int customers = std::stoi(argv[4]);
  if (!network.ok() || network->partners.empty()) {
    std::fprintf(stderr, "no network's file with partners: %s\n", argv[1]);
    return 2;
  }
  Till till(*network, network->partners[seed % network->partners.size()], argv[2]);
  std::vector<std::thread> threads;
  for (int i = 0; i < customers; ++i) {
    threads.emplace_back([&till, seed, i] { Customer(till, seed * 1'000 + i).Live(); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace guilder::testing

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: guilder-test-till NETWORK_FILE LOG SEED CUSTOMERS\n");
    return 2;
  }
  // Whoever started it asks for its log; without them it would go on for ever.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGTERM, [](int) { guilder::testing::stopping = true; });
  return guilder::testing::Run(argv);
}
