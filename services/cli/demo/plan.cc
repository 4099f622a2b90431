#include "services/cli/demo/plan.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "libs/base/text.h"
#include "services/cli/demo/partners.h"

namespace guilder::cli::demo {
namespace {

struct Tax {
  const char* code;
  int32_t ppm;
};
constexpr Tax kStandard{"DE-S19", 190'000};
constexpr Tax kReduced{"DE-S07", 70'000};
constexpr Tax kOutside{"OUTSIDE", 0};

// The web shop pays in advance: more points than it gives in a year.
constexpr int64_t kPrepaidPoints = 20'000'000;

struct Agreement {
  const char* merchant_category_code;
  int64_t earn_points;
  int64_t earn_per_minor_units;
  int64_t issuance_micros;
  Tax issuance_tax;
  int32_t activation_days;
  int64_t reimbursement_micros;
  Tax reimbursement_tax;
  int32_t fee_ppm;
  int64_t fee_micros_per_point;
};

// In the order of DemoPartners(). Shops of daily needs issue many points, shops of treats take
// them.
constexpr std::array kAgreements = {
    Agreement{"5411", 1, 100, 10'000, kOutside, 14, 8'000, kOutside, 20'000, 0},     // grocery
    Agreement{"5912", 1, 100, 9'500, kOutside, 14, 8'000, kOutside, 20'000, 0},      // drugstore
    Agreement{"5499", 1, 100, 9'000, kReduced, 7, 7'500, kOutside, 15'000, 0},       // greengrocer
    Agreement{"5422", 1, 100, 9'000, kOutside, 7, 7'500, kOutside, 15'000, 0},       // butcher
    Agreement{"5451", 1, 100, 8'750, kOutside, 7, 7'500, kReduced, 15'000, 50},      // deli
    Agreement{"5462", 2, 100, 7'000, kReduced, 0, 6'000, kOutside, 10'000, 0},       // bakery
    Agreement{"5499", 2, 100, 8'000, kOutside, 14, 7'000, kOutside, 20'000, 0},      // health-food
    Agreement{"5541", 1, 200, 12'000, kStandard, 0, 9'000, kStandard, 30'000, 0},    // fuel
    Agreement{"5422", 1, 100, 9'000, kOutside, 7, 7'500, kOutside, 15'000, 100},     // fishmonger
    Agreement{"5812", 3, 100, 8'500, kOutside, 0, 10'000, kOutside, 20'000, 0},      // restaurant
    Agreement{"5977", 2, 100, 9'999, kStandard, 21, 8'500, kStandard, 25'000, 0},    // cosmetics
    Agreement{"5992", 3, 100, 8'250, kOutside, 3, 9'500, kOutside, 17'500, 0},       // florist
    Agreement{"5921", 1, 100, 11'000, kOutside, 14, 8'333, kOutside, 22'500, 0},     // spirits
    Agreement{"4722", 2, 100, 11'500, kStandard, 30, 9'750, kStandard, 30'000, 25},  // travel
    Agreement{"5331", 1, 150, 9'250, kOutside, 14, 7'750, kOutside, 12'500, 0},  // general-store
    Agreement{"5947", 1, 100, 9'000, kOutside, 30, 8'000, kOutside, 20'000, 0},  // web-shop
};

TaxPlan ToPlan(const Tax& tax) {
  return {tax.code, tax.ppm};
}

// A German IBAN of the country's example bank, with the check digits of ISO 7064 (mod 97-10).
std::string IbanOf(int account) {
  const std::string basic = absl::StrFormat("37040044%010d", account);
  int remainder = 0;
  for (const char digit : basic + "131400") remainder = (remainder * 10 + (digit - '0')) % 97;
  return absl::StrFormat("DE%02d%s", 98 - remainder, basic);
}

void FillRegister(PartnerPlan& plan, int number) {
  plan.legal_name = absl::StrCat(plan.display_name, " GmbH");
  plan.registration_number = absl::StrFormat("HRB %d", 100'100 + number);
  plan.tax_id = MadeUpGermanTaxId(30'000'010 + number);
  plan.iban = IbanOf(532'013'000 + number);
}

}  // namespace

PartnerPlan PlanOf(size_t partner) {
  const Agreement& agreement = kAgreements.at(partner);
  PartnerPlan plan;
  plan.id = DemoPartners()[partner].key;
  plan.display_name = DemoPartners()[partner].display_name;
  FillRegister(plan, static_cast<int>(partner) + 1);
  plan.merchant_category_code = agreement.merchant_category_code;
  if (partner == WebShopPartner()) {
    plan.terminals = {"shop"};
  } else {
    plan.terminals = {"till-1", "till-2"};
  }
  plan.issuance =
      IssuancePlan{agreement.issuance_micros, ToPlan(agreement.issuance_tax),
                   agreement.activation_days, partner == WebShopPartner() ? kPrepaidPoints : 0};
  plan.redemption =
      RedemptionPlan{agreement.reimbursement_micros, ToPlan(agreement.reimbursement_tax),
                     agreement.fee_ppm, agreement.fee_micros_per_point, ToPlan(kStandard)};
  return plan;
}

PartnerPlan PlanOfOperator() {
  PartnerPlan plan;
  plan.id = kOperatorPartner;
  plan.display_name = "Guilder Programme";
  FillRegister(plan, 0);
  plan.merchant_category_code = "7311";
  plan.programme_operator = true;
  plan.issuance = IssuancePlan{8'000, ToPlan(kOutside)};
  return plan;
}

EarnPlan EarnPlanOf(size_t partner) {
  const Agreement& agreement = kAgreements.at(partner);
  return {std::string(DemoPartners()[partner].key), agreement.earn_points,
          agreement.earn_per_minor_units};
}

}  // namespace guilder::cli::demo
