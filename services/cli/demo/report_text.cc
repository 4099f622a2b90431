#include <cmath>

#include "absl/strings/str_cat.h"

#include "services/cli/demo/figures.h"
#include "services/cli/demo/plan.h"
#include "services/cli/demo/report.h"
#include "services/cli/output/format.h"

namespace guilder::cli::demo {
namespace {

std::string Cents(int64_t minor_units) {
  return MoneyText(minor_units, "");
}

std::string Percent(int64_t part, int64_t whole) {
  if (whole == 0) return "";
  return absl::StrCat((part * 100 + whole / 2) / whole, " %");
}

Table MoneyTable(const std::vector<PartnerFigures>& all) {
  Table table({{"PARTNER"},
               {"PURCHASES", Align::kRight},
               {"ISSUED", Align::kRight},
               {"REVERSED", Align::kRight},
               {"REDEEMED", Align::kRight},
               {"OWES", Align::kRight},
               {"IS OWED", Align::kRight},
               {"FEE", Align::kRight},
               {"TAX", Align::kRight},
               {"NET", Align::kRight}});
  PartnerFigures sum;
  for (const PartnerFigures& one : all) {
    table.AddRow({one.plan.display_name, WithThousands(one.insights.purchases),
                  WithThousands(one.points_issued), WithThousands(one.points_reversed),
                  WithThousands(one.points_redeemed),
                  Cents(one.issuance_minor_units + one.point_blocks_minor_units),
                  Cents(one.reimbursement_minor_units), Cents(one.fee_minor_units),
                  Cents(one.tax_minor_units), Cents(one.net_minor_units)});
    sum.insights.purchases += one.insights.purchases;
    sum.points_issued += one.points_issued;
    sum.points_reversed += one.points_reversed;
    sum.points_redeemed += one.points_redeemed;
    sum.issuance_minor_units += one.issuance_minor_units;
    sum.point_blocks_minor_units += one.point_blocks_minor_units;
    sum.reimbursement_minor_units += one.reimbursement_minor_units;
    sum.fee_minor_units += one.fee_minor_units;
    sum.tax_minor_units += one.tax_minor_units;
    sum.net_minor_units += one.net_minor_units;
  }
  table.AddRule();
  table.AddRow({"all", WithThousands(sum.insights.purchases), WithThousands(sum.points_issued),
                WithThousands(sum.points_reversed), WithThousands(sum.points_redeemed),
                Cents(sum.issuance_minor_units + sum.point_blocks_minor_units),
                Cents(sum.reimbursement_minor_units), Cents(sum.fee_minor_units),
                Cents(sum.tax_minor_units), Cents(sum.net_minor_units)});
  return table;
}

Table CustomTable(const std::vector<PartnerFigures>& all) {
  Table table({{"PARTNER"},
               {"REVENUE", Align::kRight},
               {"MEMBERS", Align::kRight},
               {"SENT BY OTHER PARTNERS", Align::kRight},
               {"CAME AGAIN", Align::kRight},
               {"TOP 20 % OF MEMBERS SPEND", Align::kRight}});
  for (const PartnerFigures& one : all) {
    if (!one.earn) continue;
    const PartnerInsights& insights = one.insights;
    table.AddRow({one.plan.display_name, Cents(insights.revenue_minor_units),
                  WithThousands(insights.members), WithThousands(insights.members_from_others),
                  Percent(insights.members_again, insights.members),
                  Percent(insights.top_fifth_revenue_minor_units, insights.revenue_minor_units)});
  }
  return table;
}

Table BalanceTable(const google::protobuf::RepeatedPtrField<operator_::v1::TrialBalanceLine>& lines,
                   std::string (*text)(int64_t)) {
  Table table({{"ACCOUNT"}, {"DEBIT", Align::kRight}, {"CREDIT", Align::kRight}});
  int64_t debit = 0;
  int64_t credit = 0;
  for (const operator_::v1::TrialBalanceLine& line : lines) {
    table.AddRow({line.account(), text(line.debit()), text(line.credit())});
    debit += line.debit();
    credit += line.credit();
  }
  table.AddRule();
  table.AddRow({"sum", text(debit), text(credit)});
  return table;
}

void ShowCounts(const Results& results, Output& output) {
  const Outcome& outcome = results.outcome;
  output.Heading("What the tills sent");
  Table table({{"WHAT"}, {"COUNT", Align::kRight}});
  const auto row = [&table](const std::string& what, int64_t count) {
    table.AddRow({what, WithThousands(count)});
  };
  row("lines read", results.work.counts.lines_read);
  row("members enrolled", outcome.members);
  row("purchases", outcome.purchases);
  row("purchases confirmed", outcome.confirmations);
  row("returns that took points back", outcome.returns);
  row("returns of what had no points", outcome.returns_without_points);
  row("returns parked, no sale was found", outcome.parked);
  row("redemptions captured", static_cast<int64_t>(outcome.redemptions.size()));
  row("redemptions voided", outcome.voided_redemptions);
  for (const auto& [reason, count] : outcome.rejected) {
    row(absl::StrCat(reason == "NOT_GOODS" ? "lines without points: " : "purchases refused: ",
                     reason),
        count);
  }
  output.Print(table);
}

void ShowChecks(const Results& results, Output& output) {
  output.Heading("Ledger verification");
  Table table({{"CHECK"}, {"OK"}, {"EXAMINED", Align::kRight}, {"FIRST FAILURE"}});
  for (const operator_::v1::LedgerCheck& check : results.verified.checks()) {
    table.AddRow({check.name(), check.ok() ? "yes" : "NO", WithThousands(check.examined()),
                  check.first_failure()});
  }
  output.Print(table);
}

void ShowSettlement(const Results& results, Output& output) {
  size_t windows = 0;
  for (const auto& settlement : results.settled.settlements) {
    windows += static_cast<size_t>(settlement.windows_size());
  }
  output.Text(absl::StrCat(windows, " windows settled, ", results.sealed_while_posting,
                           " of them sealed while posting went on; ",
                           results.settled.invoices.size(), " invoices; the operator's net is ",
                           MoneyText(OperatorNet(results.settled), kCurrency)));
  output.Text(absl::StrCat("Payments: ", results.settled.payments, " of ",
                           MoneyText(results.settled.payments_minor_units, kCurrency),
                           " in all, in ", results.payment_file, " (pain.001.001.09, ",
                           results.payment_file_check, ")"));
}

void ShowWhatNext(const Results& results, Output& output) {
  output.Heading("What to try next");
  if (results.network_file.empty()) {
    output.Text("  guilder demo --keep            the same, and the network's data stays");
    output.Text("  guilder dev                    a network of your own, until Ctrl-C");
    return;
  }
  if (!results.restart.empty()) output.Text(absl::StrCat("  ", results.restart));
  const auto suggest = [&](const std::string& command) {
    output.Text(absl::StrCat("  guilder ", command, " --network ", results.network_file));
  };
  if (!results.outcome.redemptions.empty()) {
    const size_t member = results.outcome.redemptions.front().member;
    suggest(absl::StrCat("member show ", results.outcome.cards[member]));
  }
  for (size_t i = 0; i < results.outcome.receipts.size(); ++i) {
    if (results.outcome.receipts[i].points == 0) continue;
    suggest(absl::StrCat("explain ", results.outcome.receipts[i].purchase));
    break;
  }
  suggest("partner list");
  suggest(absl::StrCat("settlement show ", results.settled.settlements.back().name()));
  suggest("ledger verify");
}

}  // namespace

void Show(const Results& results, Output& output) {
  const std::vector<PartnerFigures> figures = FiguresOf(results);
  ShowCounts(results, output);
  output.Heading("Partners: points and money (EUR; a positive net is paid to the partner)");
  output.Print(MoneyTable(figures));
  ShowSettlement(results, output);
  output.Heading("Partners: what the coalition brings");
  output.Print(CustomTable(figures));
  output.Heading("Trial balance of points");
  output.Print(BalanceTable(results.trial_balance.points(), WithThousands));
  output.Heading("Trial balance of money (EUR)");
  output.Print(BalanceTable(results.trial_balance.money(), Cents));
  ShowChecks(results, output);
  const double rate = results.outcome.PurchasesPerSecond();
  output.Text("");
  output.Text(absl::StrCat(WithThousands(results.verified.records_total()), " journal records; ",
                           WithThousands(std::lround(rate)),
                           " purchases a second while posting; all of it in ",
                           DurationText(results.seconds)));
  output.Text(results.verified.ok() ? "Everything holds." : "SOMETHING IS WRONG.");
  ShowWhatNext(results, output);
}

}  // namespace guilder::cli::demo
