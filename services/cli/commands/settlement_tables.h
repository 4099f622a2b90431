// Tables that settlements and statements have in common.
#pragma once

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/cli/output/format.h"
#include "services/cli/output/table.h"

namespace guilder::cli {

inline Table NetTable() {
  return Table({{"PARTNER"},
                {"ISSUED", Align::kRight},
                {"REVERSED", Align::kRight},
                {"REDEEMED", Align::kRight},
                {"PAYS FOR POINTS", Align::kRight},
                {"AND FOR BLOCKS", Align::kRight},
                {"AND IN RESERVE", Align::kRight},
                {"FEE", Align::kRight},
                {"TAX", Align::kRight},
                {"IS REIMBURSED", Align::kRight},
                {"AND FOR BREAKAGE", Align::kRight},
                {"NET", Align::kRight},
                {"CARRIED IN", Align::kRight},
                {"CARRIED OUT", Align::kRight},
                {"IS DUE", Align::kRight}});
}

inline void AddNet(Table& table, const settlement::v1::PartnerNet& net,
                   const std::string& currency) {
  table.AddRow(
      {net.partner(), WithThousands(net.points_issued()), WithThousands(net.points_reversed()),
       WithThousands(net.points_redeemed()), MoneyText(net.issuance_minor_units(), currency),
       MoneyText(net.point_blocks_minor_units(), currency),
       MoneyText(net.reserve_minor_units(), currency), MoneyText(net.fee_minor_units(), currency),
       MoneyText(net.tax_minor_units(), currency),
       MoneyText(net.reimbursement_minor_units(), currency),
       MoneyText(net.breakage_minor_units(), currency), MoneyText(net.net_minor_units(), currency),
       MoneyText(net.carried_in_minor_units(), currency),
       MoneyText(net.carried_out_minor_units(), currency),
       MoneyText(net.due_minor_units(), currency)});
}

// What a fee is made of: "by point 0.50 EUR, by window 5.00 EUR"; nothing for other lines.
inline std::string FeeText(const settlement::v1::SettlementLine& line,
                           const std::string& currency) {
  if (!line.has_fee_parts()) return "";
  const settlement::v1::FeeParts& parts = line.fee_parts();
  std::string text;
  const auto add = [&](const char* what, int64_t amount) {
    if (amount == 0) return;
    text += (text.empty() ? "" : ", ") + std::string(what) + " " + MoneyText(amount, currency);
  };
  add("by point", parts.per_point_minor_units());
  add("by amount", parts.percentage_minor_units());
  add("by window", parts.fixed_minor_units());
  return text;
}

template <typename Lines>
Table LineTable(const Lines& lines, const std::string& currency) {
  Table table({{"LINE"},
               {"PARTNER"},
               {"CONTRACT"},
               {"FOR"},
               {"POINTS", Align::kRight},
               {"POINTS SO FAR", Align::kRight},
               {"AMOUNT", Align::kRight},
               {"TAX CODE"},
               {"TAX", Align::kRight},
               {"FEE IS"},
               {"DOCUMENT"}});
  for (const settlement::v1::SettlementLine& line : lines) {
    constexpr size_t kPrefix = sizeof("SETTLEMENT_LEG_") - 1;
    std::string leg =
        absl::AsciiStrToLower(settlement::v1::SettlementLeg_Name(line.leg()).substr(kPrefix));
    std::replace(leg.begin(), leg.end(), '_', ' ');
    table.AddRow({line.name(), line.partner(), line.contract(), leg, WithThousands(line.points()),
                  WithThousands(line.cumulative_points()),
                  MoneyText(line.amount_minor_units(), currency), line.tax_code(),
                  MoneyText(line.tax_minor_units(), currency), FeeText(line, currency),
                  line.invoice()});
  }
  return table;
}

}  // namespace guilder::cli
