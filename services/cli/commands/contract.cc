#include "guilder/partner/v1/partner_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

std::vector<Field> ContractFields() {
  return {{"Name", "name"},
          {"State", "state"},
          {"From", "effective_from", Show::kTime},
          {"Until", "effective_until", Show::kTime},
          {"Issuance price, millionths", "issuance.rate_micros", Show::kNumber},
          {"Currency", "issuance.currency_code"},
          {"Tax", "issuance.tax.code"},
          {"Tax rate", "issuance.tax.rate_ppm", Show::kRate},
          {"Billed at", "issuance.billed_at"},
          {"Available after days", "issuance.activation.after_days"},
          {"Without confirmation", "issuance.activation.default_outcome"},
          {"Life of points, days", "issuance.lot_life_days"},
          {"Funding", "issuance.funding"},
          {"When blocks are exhausted", "issuance.when_exhausted"},
          {"Points are spent", "issuance.points_use"},
          {"Reserve", "issuance.reserve_ppm", Show::kRate},
          {"Share in what expires", "issuance.breakage_ppm", Show::kRate},
          {"Fee", "issuance.fee_ppm", Show::kRate},
          {"Fee a point, millionths", "issuance.fee_micros_per_point", Show::kNumber},
          {"Fee a window", "issuance.fee_per_window_minor_units", Show::kMoney},
          {"Reimbursement, millionths", "redemption.rate_micros", Show::kNumber},
          {"Currency", "redemption.currency_code"},
          {"Tax", "redemption.tax.code"},
          {"Tax rate", "redemption.tax.rate_ppm", Show::kRate},
          {"Fee", "redemption.fee_ppm", Show::kRate},
          {"Fee a point, millionths", "redemption.fee_micros_per_point", Show::kNumber},
          {"Fee a window", "redemption.fee_per_window_minor_units", Show::kMoney},
          {"Least payout", "redemption.minimum_payout_minor_units", Show::kMoney},
          {"Fewest points", "redemption.minimum_points", Show::kNumber},
          {"In steps of", "redemption.step_points", Show::kNumber},
          {"Of a basket, per mille", "redemption.maximum_share_per_mille", Show::kNumber},
          {"Not paid: categories", "redemption.excluded_categories"},
          {"Not paid: articles", "redemption.excluded_skus"},
          {"Tax on the fee", "redemption.fee_tax.code"},
          {"Tax rate on the fee", "redemption.fee_tax.rate_ppm", Show::kRate},
          {"Notice, days", "notice_days", Show::kNumber},
          {"Etag", "etag"},
          {"To be approved until", "approval_deadline", Show::kTime},
          {"Proposed by", "proposed_by"},
          {"Approved by", "approved_by"}};
}

Verb& AddPropose(CLI::App& noun, Context& context, const char* name, const char* help) {
  return AddVerb<v1::ProposeContractRequest, v1::ProposeContractResponse>(noun, context, name, help)
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Option("--from", "contract.effective_from", "When it begins to price, as in 2026-01-31")
      .Required()
      .Option("--until", "contract.effective_until", "When it ends; without, at its successor")
      .Option("--notice-days", "contract.notice_days", "Days from a notice to the end of it")
      .As("submitter")
      .ShowRecord("contract", ContractFields());
}

void AddProposeIssuance(CLI::App& noun, Context& context) {
  AddPropose(noun, context, "propose-issuance",
             "Proposes a contract for points that a partner gives")
      .Option("--rate", "contract.issuance.rate_micros", "Price of a point, as in 0.01",
              Kind::kMicros)
      .Required()
      .Option("--currency", "contract.issuance.currency_code", "As in EUR")
      .Required()
      .Option("--tax-code", "contract.issuance.tax.code", "As in DE-S19")
      .Option("--tax-percent", "contract.issuance.tax.rate_ppm", "As in 19", Kind::kPercent)
      .Option("--billed-at", "contract.issuance.billed_at", "When a point is billed")
      .Option("--available-after-days", "contract.issuance.activation.after_days",
              "Days until points become available")
      .Option("--without-confirmation", "contract.issuance.activation.default_outcome",
              "What becomes of points that nobody confirmed")
      .Option("--life-days", "contract.issuance.lot_life_days",
              "Days until they expire; 0 for never")
      .Option("--funding", "contract.issuance.funding", "How the partner pays for points")
      .Option("--when-exhausted", "contract.issuance.when_exhausted",
              "What becomes of a purchase that prepaid blocks do not cover")
      .Option("--reserve-percent", "contract.issuance.reserve_ppm",
              "Paid ahead of the price of outstanding points, with HYBRID", Kind::kPercent)
      .Option("--breakage-percent", "contract.issuance.breakage_ppm",
              "The partner's share in what expires", Kind::kPercent)
      .Option("--points-use", "contract.issuance.points_use",
              "Where the points may be spent: ANYWHERE, AT_ISSUER or GIFTS")
      .Option("--fee-percent", "contract.issuance.fee_ppm", "Fee on the price, as in 2.5",
              Kind::kPercent)
      .Option("--fee-per-point", "contract.issuance.fee_micros_per_point",
              "Fee for each point, as in 0.0005", Kind::kMicros)
      .Option("--fee-per-window", "contract.issuance.fee_per_window_minor_units",
              "Fee for each window, in minor units")
      .Option("--fee-tax-code", "contract.issuance.fee_tax.code", "As in DE-S19")
      .Option("--fee-tax-percent", "contract.issuance.fee_tax.rate_ppm", "As in 19",
              Kind::kPercent);
}

void AddProposeRedemption(CLI::App& noun, Context& context) {
  AddPropose(noun, context, "propose-redemption",
             "Proposes a contract for points that a partner takes")
      .Option("--rate", "contract.redemption.rate_micros", "What a point pays, as in 0.009",
              Kind::kMicros)
      .Required()
      .Option("--currency", "contract.redemption.currency_code", "As in EUR")
      .Required()
      .Option("--tax-code", "contract.redemption.tax.code", "As in DE-S19")
      .Option("--tax-percent", "contract.redemption.tax.rate_ppm", "As in 19", Kind::kPercent)
      .Option("--fee-percent", "contract.redemption.fee_ppm", "Fee on the reimbursement, as in 2.5",
              Kind::kPercent)
      .Option("--fee-per-point", "contract.redemption.fee_micros_per_point",
              "Fee for each point, as in 0.0005", Kind::kMicros)
      .Option("--fee-per-window", "contract.redemption.fee_per_window_minor_units",
              "Fee for each window, in minor units")
      .Option("--minimum-payout", "contract.redemption.minimum_payout_minor_units",
              "Less is carried forward, in minor units")
      .Option("--minimum-points", "contract.redemption.minimum_points", "Less is not taken")
      .Option("--step-points", "contract.redemption.step_points", "Only multiples of it are taken")
      .Option("--maximum-share-per-mille", "contract.redemption.maximum_share_per_mille",
              "Of a basket; 1000 without")
      .Option("--exclude-category", "contract.redemption.excluded_categories",
              "Goods that are not paid with points; once for each")
      .Option("--exclude-sku", "contract.redemption.excluded_skus", "The same by article")
      .Option("--fee-tax-code", "contract.redemption.fee_tax.code", "As in DE-S19")
      .Option("--fee-tax-percent", "contract.redemption.fee_tax.rate_ppm", "As in 19",
              Kind::kPercent);
}

}  // namespace

void AddContractCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "contract", "What points cost their issuer and pay their taker");
  AddProposeIssuance(noun, context);
  AddProposeRedemption(noun, context);
  AddVerb<v1::ApproveContractRequest, v1::ApproveContractResponse>(
      noun, context, "approve", "Approves a contract that somebody else proposed")
      .Argument("CONTRACT", "name", "The contract: PARTNER/contracts/NUMBER", "partners/")
      .Option("--etag", "etag", "Only if it is still what was read")
      .As("approver")
      .ShowRecord("contract", ContractFields());
  AddVerb<v1::ListContractsRequest, v1::ListContractsResponse>(noun, context, "list",
                                                               "Lists a partner's contracts")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .As("auditor")
      .ShowList("contracts",
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"FROM", "effective_from", Show::kTime},
                 {"UNTIL", "effective_until", Show::kTime},
                 {"ISSUANCE", "issuance.rate_micros", Show::kNumber},
                 {"REIMBURSEMENT", "redemption.rate_micros", Show::kNumber},
                 {"FEE", "redemption.fee_ppm", Show::kRate},
                 {"PROPOSED BY", "proposed_by"},
                 {"APPROVED BY", "approved_by"}},
                "no contracts");
}

}  // namespace guilder::cli
