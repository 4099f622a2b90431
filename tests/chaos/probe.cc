#include "tests/chaos/probe.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "tests/chaos/service_processes.h"
#include "tests/chaos/till_answers.h"

namespace guilder::testing {
namespace {

using accrual::v1::AccrualService;
using grpc::health::v1::Health;
using member::v1::MemberService;
using redemption::v1::RedemptionService;

clients::RetryPolicy Until(absl::Time give_up_at) {
  clients::RetryPolicy policy;
  policy.total = give_up_at - absl::Now();
  policy.per_attempt = absl::Seconds(1);
  policy.first_backoff = absl::Milliseconds(10);
  policy.longest_backoff = absl::Milliseconds(100);
  return policy;
}

}  // namespace

class Probe::Impl {
 public:
  Impl(const cli::Network& network, const std::string& log_path)
      : partner_(network.partners.front()), log_(log_path) {
    for (const std::string& service : ServiceNames()) {
      health_.emplace_back(service,
                           clients::Channel(network.endpoints.at(service), partner_.api_key));
    }
  }

  // Until the time has come; gives what is in the way still.
  std::string Recover(absl::Time give_up_at) {
    for (const auto& [service, channel] : health_) {
      const auto health = clients::Client<Health>(channel).Invoke(
          &Health::Stub::Check, grpc::health::v1::HealthCheckRequest(), Until(give_up_at));
      if (!health.ok()) {
        return absl::StrCat("health of guilder-", service, ": ", health.status().ToString());
      }
    }
    std::string failure = Make("purchase", clients::Client<AccrualService>(Of("accrual")),
                               &AccrualService::Stub::RecordPurchase, APurchase(), give_up_at);
    if (!failure.empty()) return failure;
    failure = Make("enrol", clients::Client<MemberService>(Of("member")),
                   &MemberService::Stub::EnrolMember, member::v1::EnrolMemberRequest(), give_up_at);
    if (!failure.empty()) return failure;
    redemption::v1::AuthorizeRedemptionRequest authorize;
    authorize.set_store(partner_.store);
    authorize.set_card_number(partner_.card);
    authorize.set_points(1);
    authorize.set_time_to_live_seconds(1);
    return Make("authorize", clients::Client<RedemptionService>(Of("redemption")),
                &RedemptionService::Stub::AuthorizeRedemption, authorize, give_up_at);
  }

 private:
  const clients::Channel& Of(const std::string& service) const {
    for (const auto& [name, channel] : health_) {
      if (name == service) return channel;
    }
    return health_.front().second;
  }

  // A refusal is an answer, too.
  template <typename Client, typename Method, typename Request>
  std::string Make(const char* kind, const Client& client, Method method, Request request,
                   absl::Time give_up_at) {
    request.set_request_id(clients::NewRequestId());
    log_.Write(IntentLine(kind, request.request_id()));
    const auto answer = client.Invoke(method, request, Until(give_up_at));
    if (!answer.ok() && MayPass(answer.status())) {
      return absl::StrCat(kind, ": ", answer.status().ToString());
    }
    log_.Write(answer.ok() ? AcceptedLine(kind, request.request_id(), *answer)
                           : TillLine{.event = TillEvent::kRefused,
                                      .kind = kind,
                                      .request_id = request.request_id()});
    return "";
  }

  accrual::v1::RecordPurchaseRequest APurchase() const {
    accrual::v1::RecordPurchaseRequest request;
    accrual::v1::ReceiptKey& receipt = *request.mutable_receipt();
    receipt.set_store(partner_.store);
    receipt.set_terminal(partner_.terminal);
    receipt.set_receipt_number(clients::NewRequestId());
    receipt.set_business_date("2026-01-31");
    request.set_card_number(partner_.card);
    *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
    request.set_currency_code("EUR");
    accrual::v1::PurchaseLine& line = *request.add_lines();
    line.set_quantity(1);
    line.set_amount_minor_units(1'000);
    return request;
  }

  const cli::NetworkPartner partner_;
  const TillLogWriter log_;
  std::vector<std::pair<std::string, clients::Channel>> health_;
};

Probe::Probe(const cli::Network& network, const std::string& log_path)
    : impl_(std::make_unique<Impl>(network, log_path)) {}
Probe::~Probe() = default;

absl::Duration Probe::TimeToRecover(absl::Duration most) {
  const absl::Time began = absl::Now();
  last_failure_ = impl_->Recover(began + most);
  const absl::Duration took = absl::Now() - began;
  return last_failure_.empty() ? took : std::max(took, most + absl::Milliseconds(1));
}

}  // namespace guilder::testing
