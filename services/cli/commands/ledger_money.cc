#include "services/cli/commands/ledger_money.h"

#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/text.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

constexpr struct {
  v1::BalanceSheetSection section;
  const char* name;
} kSections[] = {
    {v1::BALANCE_SHEET_SECTION_ASSETS, "Assets"},
    {v1::BALANCE_SHEET_SECTION_LIABILITIES, "Liabilities"},
    {v1::BALANCE_SHEET_SECTION_INCOME, "Income"},
    {v1::BALANCE_SHEET_SECTION_EXPENSES, "Expenses"},
};

int64_t SumOf(const v1::BalanceSheetTotal& total, v1::BalanceSheetSection section) {
  switch (section) {
    case v1::BALANCE_SHEET_SECTION_ASSETS:
      return total.assets_minor_units();
    case v1::BALANCE_SHEET_SECTION_LIABILITIES:
      return total.liabilities_minor_units();
    case v1::BALANCE_SHEET_SECTION_INCOME:
      return total.income_minor_units();
    default:
      return total.expenses_minor_units();
  }
}

// One currency: each account with its sums and balance, each section with its sum.
Table SheetOf(const v1::GetBalanceSheetResponse& sheet, const v1::BalanceSheetTotal& total) {
  const std::string& currency = total.currency_code();
  Table table({{"ACCOUNT"},
               {"PARTNER"},
               {"DEBIT", Align::kRight},
               {"CREDIT", Align::kRight},
               {"BALANCE", Align::kRight}});
  int64_t debit = 0;
  int64_t credit = 0;
  for (const auto& [section, name] : kSections) {
    for (const v1::BalanceSheetAccount& account : sheet.accounts()) {
      if (account.currency_code() != currency || account.section() != section) continue;
      table.AddRow({account.account(), account.partner(),
                    MoneyText(account.debit_minor_units(), currency),
                    MoneyText(account.credit_minor_units(), currency),
                    MoneyText(account.balance_minor_units(), currency)});
      debit += account.debit_minor_units();
      credit += account.credit_minor_units();
    }
    table.AddRow({name, "", "", "", MoneyText(SumOf(total, section), currency)});
    table.AddRule();
  }
  table.AddRow({"Result", "", "", "", MoneyText(total.result_minor_units(), currency)});
  table.AddRow({"Trial balance", "", MoneyText(debit, currency), MoneyText(credit, currency), ""});
  return table;
}

absl::Status ShowSheet(Output& output, const v1::GetBalanceSheetResponse& sheet) {
  output.Json(ToJson(sheet));
  if (output.json()) return absl::OkStatus();
  output.Text(absl::StrCat("transactions ", WithThousands(sheet.last_number()), ", root ",
                           sheet.last_number() == 0 ? "none" : ToHex(sheet.root_hash())));
  for (const v1::BalanceSheetTotal& total : sheet.totals()) {
    output.Heading(total.currency_code());
    output.Print(SheetOf(sheet, total));
  }
  return absl::OkStatus();
}

}  // namespace

void AddBalanceSheetCommand(CLI::App& noun, Context& context) {
  AddVerb<v1::GetBalanceSheetRequest, v1::GetBalanceSheetResponse>(
      noun, context, "balance-sheet",
      "Shows the programme's trial balance and balance sheet in money, at a sealed window or now")
      .NameOption("--window", "window", "At the end of this window; without, now", "windows/")
      .As("auditor")
      .Show([&context](const Message& response) {
        return ShowSheet(context.output(),
                         static_cast<const v1::GetBalanceSheetResponse&>(response));
      });
}

}  // namespace guilder::cli
