// Brings partners into a programme the way operators do: each step by another person.
//
// Every function may be repeated after any interruption: it does what is still missing. Errors are
// those of the calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

#include "libs/base/types.h"
#include "services/cli/network.h"

namespace guilder::cli {

struct TaxPlan {
  std::string code;
  int32_t ppm = 0;
};

// An issuance contract, billed at posting.
struct IssuancePlan {
  int64_t rate_micros = 0;
  TaxPlan tax;
  int32_t activation_days = 0;
  // More than zero makes the contract prepaid, and is the block that the partner buys.
  int64_t prepaid_points = 0;
};

struct RedemptionPlan {
  int64_t rate_micros = 0;
  TaxPlan tax;
  int32_t fee_ppm = 0;
  int64_t fee_micros_per_point = 0;
  TaxPlan fee_tax;
};

struct PartnerPlan {
  std::string id;
  std::string display_name;
  std::string legal_name;
  std::string registration_number;
  std::string tax_id;
  std::string iban;
  std::string merchant_category_code;
  bool programme_operator = false;
  std::vector<std::string> stores;
  std::vector<std::string> terminals;  // Of each store.
  std::optional<IssuancePlan> issuance;
  std::optional<RedemptionPlan> redemption;
};

// A German VAT number of those eight digits, the first of which is not 0: its check digit is right
// (ISO 7064, MOD 11,10).
std::string MadeUpGermanTaxId(int64_t serial);

// What the contracts and rules of a programme have in common.
struct Terms {
  std::string currency = "EUR";
  std::string time_zone;  // Of the stores.
  Timestamp effective_from;
};

// Creates, submits, reviews and approves the partner, with its stores, terminals and contracts, and
// sells it its block of points.
absl::Status Onboard(const Network& network, const PartnerPlan& plan, const Terms& terms);

// A new API key.
absl::StatusOr<std::string> IssueKey(const Network& network, const std::string& partner_id);

// Points for each full amount at one partner.
struct EarnPlan {
  std::string partner_id;
  int64_t points = 1;
  int64_t per_minor_units = 100;
};

// Puts a rule for each partner in force, and one that excludes a category. Does nothing when the
// last approved rule set has these rules.
absl::Status PutRulesInForce(const Network& network, const std::vector<EarnPlan>& plans,
                             const std::string& excluded_category, Timestamp effective_from);

}  // namespace guilder::cli
