// A partner's statement of a settlement, for spreadsheets and for paper. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// How a partner's account with the operator moved: above zero the operator owes the partner.
// opening + payments + credits + losses + net = closing.
struct StatementBalance {
  MinorUnits opening;   // After the settlement before; zero for the first.
  MinorUnits payments;  // Of the partner since, less what it was paid and what banks took back.
  MinorUnits net;       // Of this settlement.
  MinorUnits closing;
  MinorUnits credits;  // By credit notes since.
  // What it owed and is a loss since, less what it paid of losses.
  MinorUnits losses;
};

struct StatementLine {
  Line line;
  std::string contract;  // "partners/grocer/contracts/1"
  std::string text;      // "12345 points issued at 0.01 EUR"
};

struct StatementInvoice {
  std::string number;
  std::string kind;     // "INVOICE"
  std::string credits;  // Of a credit note: the document that it credits.
  MinorUnits net;
  MinorUnits tax;
};

struct Statement {
  Settlement settlement;
  int currency_exponent = 2;
  absl::TimeZone time_zone;
  std::string partner_slug;
  std::string partner_name;
  std::string operator_name;
  Net net;
  // Once the settlement is approved.
  std::optional<StatementBalance> balance;
  std::vector<StatementLine> lines;
  std::vector<StatementInvoice> invoices;
};

// Amounts are decimals of the major unit. One table: the column `row` tells what a row is.
std::string StatementCsv(const Statement& statement);
// One page that prints as it is.
std::string StatementHtml(const Statement& statement);

}  // namespace guilder::settlement
