#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
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
          {"Only at", "issuance.points_use_partners"},
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
              "Where the points may be spent: ANYWHERE, AT_ISSUER, GIFTS or AT_PARTNERS")
      .NameOption("--points-use-partner", "contract.issuance.points_use_partners",
                  "A partner where they may be spent, with AT_PARTNERS; once for each", "partners/")
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

// Micro-units as people write a price: 12500, "EUR" → "0.0125 EUR".
std::string PriceText(int64_t micros, const std::string& currency) {
  std::string text = FormatAmount(MinorUnits(micros), 6);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return absl::StrCat(text, " ", currency);
}

// "2.5 %, 0.0005 EUR a point, 5.00 EUR a window": of issuance or redemption terms.
template <typename Terms>
std::string FeesOf(const Terms& terms) {
  std::vector<std::string> fees;
  if (terms.fee_ppm() != 0) {
    fees.push_back(FieldText({{"rate", terms.fee_ppm()}}, {"", "rate", Show::kRate}));
  }
  if (terms.fee_micros_per_point() != 0) {
    fees.push_back(PriceText(terms.fee_micros_per_point(), terms.currency_code()) + " a point");
  }
  if (terms.fee_per_window_minor_units() != 0) {
    fees.push_back(MoneyText(terms.fee_per_window_minor_units(), terms.currency_code()) +
                   " a window");
  }
  return absl::StrJoin(fees, ", ");
}

absl::Status ListContracts(Context& context, const std::string& partner) {
  v1::ListContractsRequest request;
  request.set_parent(WithPrefix("partners/", partner));
  request.set_page_size(1'000);
  Table table({{"NAME"},
               {"STATE"},
               {"FROM"},
               {"UNTIL"},
               {"FOR"},
               {"A POINT", Align::kRight},
               {"FEES"},
               {"PROPOSED BY"},
               {"APPROVED BY"}});
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  do {
    v1::ListContractsResponse response;
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    for (const v1::Contract& contract : response.contracts()) {
      const nlohmann::ordered_json json = ToJson(contract);
      all.push_back(json);
      const bool issuance = contract.has_issuance();
      const std::string price = issuance ? PriceText(contract.issuance().rate_micros(),
                                                     contract.issuance().currency_code())
                                         : PriceText(contract.redemption().rate_micros(),
                                                     contract.redemption().currency_code());
      table.AddRow({contract.name(), FieldText(json, {"", "state"}),
                    FieldText(json, {"", "effective_from", Show::kTime}),
                    FieldText(json, {"", "effective_until", Show::kTime}),
                    issuance ? "issuance" : "reimbursement", price,
                    issuance ? FeesOf(contract.issuance()) : FeesOf(contract.redemption()),
                    contract.proposed_by(), contract.approved_by()});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  Output& output = context.output();
  if (output.json()) {
    output.Json(all);
  } else if (table.empty()) {
    output.Text("no contracts");
  } else {
    output.Print(table);
  }
  return absl::OkStatus();
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
  AddAction(noun, context, "list", "Lists a partner's contracts",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& partner = arguments.Text("PARTNER", "The partner", true);
              return [&context, &partner] { return ListContracts(context, partner); };
            });
}

}  // namespace guilder::cli
