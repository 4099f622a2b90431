#include "services/cli/bench/calls.h"

#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/bench/purchase_streams.h"
#include "services/cli/demo/plan.h"

namespace guilder::cli::bench {
namespace {

constexpr size_t kConnections = 4;
constexpr int kLines = 3;
constexpr int64_t kRedeemedPoints = 10;
constexpr size_t kEnrolmentsInFlight = 128;

using accrual::v1::AccrualService;
using member::v1::MemberService;
using redemption::v1::RedemptionService;

std::string NewUuid() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  Uuid uuid;
  for (size_t i = 0; i < uuid.size(); i += 8) {
    const uint64_t bits = random();
    for (size_t j = 0; j < 8; ++j) uuid[i + j] = static_cast<uint8_t>(bits >> (8 * j));
  }
  return FormatUuid(uuid);
}

// Of the so many-th member that is enrolled.
std::string PhoneOf(size_t member) {
  constexpr int64_t kFirst = 4'930'000'000'000;
  return absl::StrCat("+", kFirst + static_cast<int64_t>(member));
}

// A call of one method, over and over.
template <typename Service, typename Request, typename Response>
class RpcCaller final : public Caller {
 public:
  using Async = typename Service::StubInterface::async_interface;
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);
  // Fills the next request, and gives the authorization; empty for none.
  using Fill = std::function<std::string(Request&)>;
  using OnAnswer = std::function<void(const Response&)>;

  RpcCaller(const std::shared_ptr<grpc::Channel>& channel, Method method, Fill fill,
            OnAnswer on_answer = {})
      : stub_(Service::NewStub(channel)),
        method_(method),
        fill_(std::move(fill)),
        on_answer_(std::move(on_answer)) {}

  void Begin(Done done) override {
    context_.emplace();
    const std::string authorization = fill_(request_);
    if (!authorization.empty()) context_->AddMetadata("authorization", authorization);
    (stub_->async()->*method_)(&*context_, &request_, &response_,
                               [this, done = std::move(done)](const grpc::Status& status) {
                                 if (status.ok() && on_answer_) on_answer_(response_);
                                 done(status);
                               });
  }

 private:
  const std::unique_ptr<typename Service::Stub> stub_;
  const Method method_;
  const Fill fill_;
  const OnAnswer on_answer_;
  std::optional<grpc::ClientContext> context_;
  Request request_;
  Response response_;
};

template <typename Service, typename Request, typename Response>
std::unique_ptr<Caller> MakeCaller(const std::shared_ptr<grpc::Channel>& channel,
                                   void (Service::StubInterface::async_interface::*method)(
                                       grpc::ClientContext*, const Request*, Response*,
                                       std::function<void(grpc::Status)>),
                                   std::function<std::string(Request&)> fill,
                                   std::function<void(const Response&)> on_answer = {}) {
  return std::make_unique<RpcCaller<Service, Request, Response>>(channel, method, std::move(fill),
                                                                 std::move(on_answer));
}

// An authorization, and its capture.
class PairCaller final : public Caller {
 public:
  PairCaller(const std::shared_ptr<grpc::Channel>& channel, Calls& calls, size_t shops)
      : calls_(calls), shops_(shops) {
    using Async = RedemptionService::StubInterface::async_interface;
    namespace v1 = redemption::v1;
    authorize_ = MakeCaller<RedemptionService, v1::AuthorizeRedemptionRequest,
                            v1::AuthorizeRedemptionResponse>(
        channel, &Async::AuthorizeRedemption,
        [this](v1::AuthorizeRedemptionRequest& request) {
          shop_ = &calls_.NextShop(shops_);
          request.set_request_id(NewUuid());
          request.set_store(shop_->store);
          request.set_card_number(calls_.NextCard());
          request.set_points(kRedeemedPoints);
          return shop_->authorization;
        },
        [this](const v1::AuthorizeRedemptionResponse& held) { name_ = held.name(); });
    capture_ =
        MakeCaller<RedemptionService, v1::CaptureRedemptionRequest, v1::CaptureRedemptionResponse>(
            channel, &Async::CaptureRedemption, [this](v1::CaptureRedemptionRequest& request) {
              request.set_request_id(NewUuid());
              request.set_name(name_);
              request.set_points(kRedeemedPoints);
              request.set_final(true);
              return shop_->authorization;
            });
  }

  void Begin(Done done) override {
    authorize_->Begin([this, done = std::move(done)](const grpc::Status& status) {
      if (!status.ok()) return done(status);
      capture_->Begin(done);
    });
  }

 private:
  Calls& calls_;
  const size_t shops_;
  const Shop* shop_ = nullptr;
  std::string name_;
  std::unique_ptr<Caller> authorize_;
  std::unique_ptr<Caller> capture_;
};

// Connections of their own, which gRPC would otherwise share between channels to one address.
absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> Connect(const Network& network,
                                                                    const std::string& service) {
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint(service));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (size_t i = 0; i < kConnections; ++i) {
    channels.push_back(
        grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
  }
  return channels;
}

}  // namespace

Calls::Calls(std::vector<Shop> shops)
    : run_(NewUuid().substr(0, 8)),
      business_date_(absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone())) {
  world_.shops = std::move(shops);
}

absl::StatusOr<std::unique_ptr<Calls>> Calls::Open(const Network& network,
                                                   std::vector<Shop> shops) {
  std::unique_ptr<Calls> calls(new Calls(std::move(shops)));
  GUILDER_ASSIGN_OR_RETURN(calls->accrual_, Connect(network, "accrual"));
  GUILDER_ASSIGN_OR_RETURN(calls->member_, Connect(network, "member"));
  GUILDER_ASSIGN_OR_RETURN(calls->redemption_, Connect(network, "redemption"));
  return calls;
}

absl::Status Calls::EnrolMembers(size_t count) {
  namespace v1 = member::v1;
  std::mutex mutex;
  std::vector<std::string> cards;
  Callers callers;
  for (size_t i = 0; i < kEnrolmentsInFlight; ++i) {
    callers.push_back(MakeCaller<MemberService, v1::EnrolMemberRequest, v1::EnrolMemberResponse>(
        member_[i % kConnections], &MemberService::StubInterface::async_interface::EnrolMember,
        [this](v1::EnrolMemberRequest& request) {
          request.set_request_id(NewUuid());
          request.mutable_member()->set_phone(PhoneOf(next_phone_.fetch_add(1)));
          return NextShop(world_.shops.size()).authorization;
        },
        [&](const v1::EnrolMemberResponse& enrolled) {
          const std::lock_guard lock(mutex);
          cards.push_back(enrolled.card_number());
        }));
  }
  GUILDER_RETURN_IF_ERROR(Repeat(std::move(callers), static_cast<int64_t>(count)));
  world_.cards.insert(world_.cards.end(), cards.begin(), cards.end());
  return absl::OkStatus();
}

const Shop& Calls::NextShop(size_t shops) {
  return world_.shops[next_shop_.fetch_add(1, std::memory_order_relaxed) % shops];
}

std::string Calls::NextPhone() {
  return PhoneOf(next_card_.fetch_add(1, std::memory_order_relaxed) % world_.cards.size());
}

const std::string& Calls::NextCard() {
  return world_.cards[next_card_.fetch_add(1, std::memory_order_relaxed) % world_.cards.size()];
}

void Calls::Fill(accrual::v1::RecordPurchaseRequest& request, const Shop& shop) {
  const size_t number = next_receipt_.fetch_add(1, std::memory_order_relaxed);
  request.set_request_id(NewUuid());
  accrual::v1::ReceiptKey& receipt = *request.mutable_receipt();
  receipt.set_store(shop.store);
  receipt.set_terminal("till-1");
  receipt.set_receipt_number(absl::StrCat(run_, "-", number));
  receipt.set_business_date(business_date_);
  request.set_card_number(NextCard());
  *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
  if (request.lines_size() == kLines) return;
  request.set_currency_code(demo::kCurrency);
  for (int line = 1; line <= kLines; ++line) {
    accrual::v1::PurchaseLine& out = *request.add_lines();
    out.set_line_id(absl::StrCat(line));
    out.set_sku(absl::StrCat("40123", 4567 * line));
    out.set_quantity(line);
    out.set_amount_minor_units(799 * line);
    out.set_category("grocery");
  }
}

std::unique_ptr<Caller> Calls::Purchase(size_t shops) {
  namespace v1 = accrual::v1;
  return MakeCaller<AccrualService, v1::RecordPurchaseRequest, v1::RecordPurchaseResponse>(
      accrual_[next_connection_++ % kConnections],
      &AccrualService::StubInterface::async_interface::RecordPurchase,
      [this, shops](v1::RecordPurchaseRequest& request) {
        const Shop& shop = NextShop(shops);
        Fill(request, shop);
        return shop.authorization;
      });
}

std::unique_ptr<Caller> Calls::Pair() {
  return std::make_unique<PairCaller>(redemption_[next_connection_++ % kConnections], *this,
                                      world_.shops.size());
}

std::unique_ptr<Caller> Calls::Balance() {
  namespace v1 = member::v1;
  return MakeCaller<MemberService, v1::GetBalanceRequest, v1::GetBalanceResponse>(
      member_[next_connection_++ % kConnections],
      &MemberService::StubInterface::async_interface::GetBalance,
      [this](v1::GetBalanceRequest& request) {
        request.set_card_number(NextCard());
        return NextShop(world_.shops.size()).authorization;
      });
}

std::unique_ptr<Caller> Calls::FindByCard() {
  namespace v1 = member::v1;
  return MakeCaller<MemberService, v1::FindMemberRequest, v1::FindMemberResponse>(
      member_[next_connection_++ % kConnections],
      &MemberService::StubInterface::async_interface::FindMember,
      [this](v1::FindMemberRequest& request) {
        request.set_card_number(NextCard());
        return NextShop(world_.shops.size()).authorization;
      });
}

std::unique_ptr<Caller> Calls::FindByPhone() {
  namespace v1 = member::v1;
  return MakeCaller<MemberService, v1::FindMemberRequest, v1::FindMemberResponse>(
      member_[next_connection_++ % kConnections],
      &MemberService::StubInterface::async_interface::FindMember,
      [this](v1::FindMemberRequest& request) {
        request.set_phone(NextPhone());
        return NextShop(world_.shops.size()).authorization;
      });
}

std::unique_ptr<Caller> Calls::Empty() {
  namespace v1 = grpc::health::v1;
  return MakeCaller<v1::Health, v1::HealthCheckRequest, v1::HealthCheckResponse>(
      member_[next_connection_++ % kConnections],
      &v1::Health::StubInterface::async_interface::Check,
      [](v1::HealthCheckRequest&) { return std::string(); });
}

absl::Status Calls::ShopOnce(const Profile& profile) {
  Callers callers;
  for (int i = 0; i < profile.in_flight; ++i) callers.push_back(Purchase());
  return Repeat(std::move(callers), static_cast<int64_t>(world_.cards.size()));
}

std::unique_ptr<Load> Calls::PurchaseStreams(size_t streams, int in_flight_each, int64_t limit) {
  std::vector<PurchaseStreamPlan> plans;
  for (size_t i = 0; i < streams; ++i) {
    const Shop& shop = world_.shops[i % world_.shops.size()];
    plans.push_back(
        {accrual_[i % kConnections], shop.authorization,
         [this, &shop](accrual::v1::RecordPurchaseRequest& request) { Fill(request, shop); }});
  }
  return MakePurchaseStreams(std::move(plans), in_flight_each, limit);
}

}  // namespace guilder::cli::bench
