#include <algorithm>
#include <tuple>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "services/cli/demo/figures.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/plan.h"
#include "services/cli/demo/report.h"
#include "services/cli/messages.h"

namespace guilder::cli::demo {
namespace {

using Json = nlohmann::ordered_json;

Json ContractsJson(const PartnerPlan& plan) {
  Json contracts = Json::object();
  if (plan.issuance) {
    contracts["issuance"] = {{"rate_micros", plan.issuance->rate_micros},
                             {"tax_code", plan.issuance->tax.code},
                             {"tax_ppm", plan.issuance->tax.ppm},
                             {"prepaid_points", plan.issuance->prepaid_points}};
  }
  if (plan.redemption) {
    contracts["redemption"] = {{"rate_micros", plan.redemption->rate_micros},
                               {"tax_code", plan.redemption->tax.code},
                               {"tax_ppm", plan.redemption->tax.ppm},
                               {"fee_ppm", plan.redemption->fee_ppm},
                               {"fee_micros_per_point", plan.redemption->fee_micros_per_point},
                               {"fee_tax_code", plan.redemption->fee_tax.code},
                               {"fee_tax_ppm", plan.redemption->fee_tax.ppm}};
  }
  return contracts;
}

Json PartnerJson(const PartnerFigures& figures) {
  Json json = {{"name", absl::StrCat("partners/", figures.plan.id)},
               {"key", figures.plan.id},
               {"display_name", figures.plan.display_name},
               {"purchases", figures.insights.purchases},
               {"points_issued", figures.points_issued},
               {"points_reversed", figures.points_reversed},
               {"points_redeemed", figures.points_redeemed},
               {"issuance_minor_units", figures.issuance_minor_units},
               {"point_blocks_minor_units", figures.point_blocks_minor_units},
               {"reimbursement_minor_units", figures.reimbursement_minor_units},
               {"fee_minor_units", figures.fee_minor_units},
               {"tax_minor_units", figures.tax_minor_units},
               {"net_minor_units", figures.net_minor_units},
               {"revenue_minor_units", figures.insights.revenue_minor_units},
               {"members", figures.insights.members},
               {"members_from_others", figures.insights.members_from_others},
               {"members_again", figures.insights.members_again},
               {"top_fifth_revenue_minor_units", figures.insights.top_fifth_revenue_minor_units},
               {"contracts", ContractsJson(figures.plan)}};
  if (figures.earn) {
    json["earn"] = {{"points", figures.earn->points},
                    {"per_minor_units", figures.earn->per_minor_units}};
  }
  return json;
}

Json VerifyJson(const operator_::v1::VerifyLedgerResponse& verified) {
  Json checks = Json::array();
  for (const operator_::v1::LedgerCheck& check : verified.checks()) {
    checks.push_back({{"name", check.name()}, {"ok", check.ok()}, {"examined", check.examined()}});
    if (!check.ok()) checks.back()["first_failure"] = check.first_failure();
  }
  return {{"ok", verified.ok()}, {"checks", checks}};
}

int64_t EntriesExamined(const operator_::v1::VerifyLedgerResponse& verified) {
  for (const operator_::v1::LedgerCheck& check : verified.checks()) {
    if (check.name() == "every entry belongs to a record") return check.examined();
  }
  return 0;
}

Json WindowsJson(const Settled& settled) {
  Json windows = Json::array();
  for (const settlement::v1::Settlement& settlement : settled.settlements) {
    for (const std::string& window : settlement.windows()) windows.push_back(window);
  }
  return windows;
}

void AddSettlement(const Results& results, Json& json) {
  Json settlements = Json::array();
  for (const settlement::v1::Settlement& settlement : results.settled.settlements) {
    settlements.push_back(settlement.name());
  }
  json["settlements"] = settlements;
  json["windows"] = WindowsJson(results.settled);
  json["windows_sealed_while_posting"] = results.sealed_while_posting;
  json["invoices"] = results.settled.invoices;
  json["operator_net_minor_units"] = OperatorNet(results.settled);
  json["payment_file"] = results.payment_file;
  json["payment_file_check"] = results.payment_file_check;
  json["payments"] = results.settled.payments;
  json["payments_minor_units"] = results.settled.payments_minor_units;
}

}  // namespace

std::string RedemptionsCsv(const TillWork& work, const Outcome& outcome) {
  // Threads noted them in the order of their answers.
  std::vector<CapturedRedemption> sorted = outcome.redemptions;
  const auto key = [](const CapturedRedemption& one) {
    return std::tie(one.partner, one.member, one.kind, one.points, one.refunded_points);
  };
  std::sort(sorted.begin(), sorted.end(),
            [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::string csv = "partner,member,points,refunded_points,kind\n";
  for (const CapturedRedemption& one : sorted) {
    absl::StrAppend(&csv, std::string(DemoPartners()[one.partner].key), ",",
                    work.members[one.member], ",", one.points, ",", one.refunded_points, ",",
                    one.kind, "\n");
  }
  return csv;
}

Json ToJson(const Results& results) {
  const Outcome& outcome = results.outcome;
  const std::vector<PartnerFigures> figures = FiguresOf(results);
  Json json = {
      {"partners", figures.size()},
      {"members", outcome.members},
      {"lines_read", results.work.counts.lines_read},
      {"purchases", outcome.purchases},
      {"confirmations", outcome.confirmations},
      {"returns", outcome.returns},
      {"returns_without_points", outcome.returns_without_points},
      {"redemptions", outcome.redemptions.size()},
      {"redemptions_voided", outcome.voided_redemptions},
      {"redemptions_file", results.redemptions_file},
      {"rejected", outcome.rejected},
      {"parked", outcome.parked},
      {"journal_records", results.verified.records_total()},
      {"entries", EntriesExamined(results.verified)},
      {"welcome", {{"partner", kOperatorPartner}, {"points_per_member", outcome.welcome_points}}}};
  Json per_partner = Json::array();
  for (const PartnerFigures& partner : figures) per_partner.push_back(PartnerJson(partner));
  json["per_partner"] = per_partner;
  AddSettlement(results, json);
  json["trial_balance"] = cli::ToJson(results.trial_balance);
  json["verify"] = VerifyJson(results.verified);
  json["purchases_per_second"] = outcome.PurchasesPerSecond();
  json["seconds_of"] = outcome.seconds_of;
  json["seconds"] = results.seconds;
  return json;
}

}  // namespace guilder::cli::demo
