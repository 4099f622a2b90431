#include "services/cli/dev/samples.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/catalog_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/plan.h"
#include "services/cli/demo/purchases.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::dev {
namespace {

struct Sample {
  const char* partner;
  const char* store;
  const char* terminal;
};
constexpr Sample kSamples[] = {{"grocery", "branch-1", "till-1"},
                               {"fuel", "branch-1", "till-1"},
                               {"florist", "branch-1", "till-1"},
                               {"web-shop", "web", "shop"}};

// Contracts begin so long ago that purchases of the past year can be tried.
constexpr absl::Duration kContractsBefore = absl::Hours(24 * 400);

size_t PlaceOf(std::string_view key) {
  size_t place = 0;
  while (demo::DemoPartners()[place].key != key) ++place;
  return place;
}

absl::StatusOr<std::string> IssueCard(const cli::Network& network, const std::string& api_key,
                                      const std::string& partner) {
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("member"));
  const clients::Client<member::v1::MemberService> members(clients::Channel(endpoint, api_key));
  member::v1::EnrolMemberRequest request;
  request.set_request_id(RequestIdFor("sample members", partner));
  GUILDER_ASSIGN_OR_RETURN(const member::v1::EnrolMemberResponse enrolled,
                           Ask(members, &member::v1::MemberService::Stub::EnrolMember, request));
  return enrolled.card_number();
}

absl::StatusOr<NetworkPartner> AddSample(const cli::Network& network, const Sample& sample,
                                         const Terms& terms) {
  PartnerPlan plan = demo::PlanOf(PlaceOf(sample.partner));
  plan.stores = {sample.store};
  GUILDER_RETURN_IF_ERROR(Onboard(network, plan, terms));
  NetworkPartner partner;
  partner.name = plan.id;
  partner.display_name = plan.display_name;
  partner.store = absl::StrCat("partners/", plan.id, "/stores/", sample.store);
  partner.terminal = sample.terminal;
  GUILDER_ASSIGN_OR_RETURN(partner.api_key, IssueKey(network, plan.id));
  GUILDER_ASSIGN_OR_RETURN(partner.card, IssueCard(network, partner.api_key, plan.id));
  return partner;
}

// A gift of the florist, one of the grocery for points and money, and a voucher of two partners.
absl::Status AddSampleRewards(const cli::Network& network) {
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("redemption"));
  GUILDER_ASSIGN_OR_RETURN(const std::string token, network.Token("submitter"));
  const clients::Client<redemption::v1::CatalogService> catalogue(
      clients::Channel(endpoint, token));
  const auto add = [&](const char* id, int64_t stock, redemption::v1::Reward reward) {
    redemption::v1::CreateRewardRequest request;
    request.set_request_id(RequestIdFor("sample rewards", id));
    request.set_reward_id(id);
    reward.set_stock_limited(stock > 0);
    request.set_stock(stock);
    *request.mutable_reward() = std::move(reward);
    return Ask(catalogue, &redemption::v1::CatalogService::Stub::CreateReward, request).status();
  };
  const auto set_money = [](int64_t minor_units, type::v1::Money& money) {
    money.set_currency_code(demo::kCurrency);
    money.set_minor_units(minor_units);
  };

  redemption::v1::Reward bouquet;
  bouquet.set_kind(redemption::v1::REWARD_KIND_GIFT);
  bouquet.set_display_name("Bouquet of the season");
  bouquet.set_supplier_store("partners/florist/stores/branch-1");
  bouquet.set_price_points(800);
  GUILDER_RETURN_IF_ERROR(add("bouquet", 100, bouquet));

  redemption::v1::Reward hamper = bouquet;
  hamper.set_display_name("Picnic hamper");
  hamper.set_supplier_store("partners/grocery/stores/branch-1");
  hamper.set_price_points(1'500);
  set_money(990, *hamper.mutable_price_money());
  hamper.set_per_member_limit(2);
  GUILDER_RETURN_IF_ERROR(add("picnic-hamper", 20, hamper));

  redemption::v1::Reward voucher;
  voucher.set_kind(redemption::v1::REWARD_KIND_VOUCHER);
  voucher.set_display_name("Voucher");
  voucher.set_price_points(500);
  set_money(500, *voucher.mutable_voucher()->mutable_face_value());
  for (const char* partner : {"partners/florist", "partners/fuel"}) {
    voucher.mutable_voucher()->add_partners(partner);
  }
  voucher.mutable_voucher()->set_validity_days(180);
  return add("voucher-5", 0, voucher);
}

}  // namespace

absl::StatusOr<std::vector<NetworkPartner>> AddSamplePartners(const cli::Network& network) {
  Terms terms;
  terms.currency = demo::kCurrency;
  terms.time_zone = demo::kTimeZone;
  terms.effective_from = FromAbslTime(absl::Now() - kContractsBefore);
  GUILDER_RETURN_IF_ERROR(Onboard(network, demo::PlanOfOperator(), terms));
  std::vector<EarnPlan> rules;
  std::vector<NetworkPartner> partners;
  for (const Sample& sample : kSamples) {
    GUILDER_ASSIGN_OR_RETURN(NetworkPartner partner, AddSample(network, sample, terms));
    partners.push_back(std::move(partner));
    rules.push_back(demo::EarnPlanOf(PlaceOf(sample.partner)));
  }
  GUILDER_RETURN_IF_ERROR(
      PutRulesInForce(network, rules, demo::kNotGoodsCategory, terms.effective_from));
  GUILDER_RETURN_IF_ERROR(AddSampleRewards(network));
  return partners;
}

}  // namespace guilder::cli::dev
