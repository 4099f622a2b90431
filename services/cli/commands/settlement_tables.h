// Tables that settlements and statements have in common.
#pragma once

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
                {"IS REIMBURSED", Align::kRight},
                {"FEE", Align::kRight},
                {"TAX", Align::kRight},
                {"NET", Align::kRight},
                {"CARRIED IN", Align::kRight},
                {"CARRIED OUT", Align::kRight}});
}

inline void AddNet(Table& table, const settlement::v1::PartnerNet& net,
                   const std::string& currency) {
  table.AddRow(
      {net.partner(), WithThousands(net.points_issued()), WithThousands(net.points_reversed()),
       WithThousands(net.points_redeemed()), MoneyText(net.issuance_minor_units(), currency),
       MoneyText(net.point_blocks_minor_units(), currency),
       MoneyText(net.reimbursement_minor_units(), currency),
       MoneyText(net.fee_minor_units(), currency), MoneyText(net.tax_minor_units(), currency),
       MoneyText(net.net_minor_units(), currency),
       MoneyText(net.carried_in_minor_units(), currency),
       MoneyText(net.carried_out_minor_units(), currency)});
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
               {"TAX", Align::kRight}});
  for (const settlement::v1::SettlementLine& line : lines) {
    std::string leg = settlement::v1::SettlementLeg_Name(line.leg());
    leg = absl::AsciiStrToLower(leg.substr(leg.rfind('_') + 1));
    table.AddRow({line.name(), line.partner(), line.contract(), leg, WithThousands(line.points()),
                  WithThousands(line.cumulative_points()),
                  MoneyText(line.amount_minor_units(), currency), line.tax_code(),
                  MoneyText(line.tax_minor_units(), currency)});
  }
  return table;
}

}  // namespace guilder::cli
