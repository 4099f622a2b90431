#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/money.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_handlers.h"
#include "services/settlement/store/balances.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/windows.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

v1::BalanceSheetSection ToProto(Section section) {
  switch (section) {
    case Section::kAssets:
      return v1::BALANCE_SHEET_SECTION_ASSETS;
    case Section::kLiabilities:
      return v1::BALANCE_SHEET_SECTION_LIABILITIES;
    case Section::kIncome:
      return v1::BALANCE_SHEET_SECTION_INCOME;
    case Section::kExpenses:
      return v1::BALANCE_SHEET_SECTION_EXPENSES;
  }
  return v1::BALANCE_SHEET_SECTION_UNSPECIFIED;
}

void Add(Section section, int64_t balance, v1::BalanceSheetTotal& total) {
  switch (section) {
    case Section::kAssets:
      total.set_assets_minor_units(total.assets_minor_units() + balance);
      break;
    case Section::kLiabilities:
      total.set_liabilities_minor_units(total.liabilities_minor_units() + balance);
      break;
    case Section::kIncome:
      total.set_income_minor_units(total.income_minor_units() + balance);
      break;
    case Section::kExpenses:
      total.set_expenses_minor_units(total.expenses_minor_units() + balance);
      break;
  }
  total.set_result_minor_units(total.income_minor_units() - total.expenses_minor_units());
}

absl::Status AddSums(Transaction& transaction, const std::vector<AccountSums>& sums,
                     v1::GetBalanceSheetResponse& response) {
  std::vector<PartnerId> partners;
  for (const AccountSums& sum : sums) partners.push_back(sum.partner);
  const Directory directory = LoadDirectory(transaction, partners);
  std::map<std::string, v1::BalanceSheetTotal> totals;
  for (const AccountSums& sum : sums) {
    const std::optional<Section> section = SectionOfAccount(sum.account);
    if (!section) return absl::InternalError("no section has the account " + sum.account);
    const bool by_debit = *section == Section::kAssets || *section == Section::kExpenses;
    const MinorUnits balance = by_debit ? sum.debit - sum.credit : sum.credit - sum.debit;
    const std::string currency = FormatCurrency(sum.currency);
    v1::BalanceSheetAccount* const account = response.add_accounts();
    account->set_currency_code(currency);
    account->set_section(ToProto(*section));
    account->set_account(sum.account);
    if (sum.partner) account->set_partner(PartnerName(directory.SlugOf(sum.partner)));
    account->set_debit_minor_units(sum.debit.value());
    account->set_credit_minor_units(sum.credit.value());
    account->set_balance_minor_units(balance.value());
    Add(*section, balance.value(), totals[currency]);
  }
  for (auto& [currency, total] : totals) {
    total.set_currency_code(currency);
    *response.add_totals() = total;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::GetBalanceSheetResponse> LoadBalanceSheet(Transaction& transaction,
                                                             std::optional<Timestamp> window) {
  // Head and sums are of one instant.
  transaction.Script("set transaction isolation level repeatable read");
  v1::GetBalanceSheetResponse response;
  Timestamp until = kNever;
  if (window) {
    GUILDER_ASSIGN_OR_RETURN(const WindowFacts facts, FindWindow(transaction, *window));
    if (facts.state != WindowState::kSealed && facts.state != WindowState::kSettled) {
      return Refuse(Reason::kWindowNotSealed);
    }
    until = facts.window.end;
    *response.mutable_end_time() = rpc::ToProto(until);
  }
  const MoneyHead head = ReadMoneyHead(transaction, until);
  if (head.number) {
    response.set_last_number(head.number.value());
    response.set_root_hash(std::string(AsView(head.root)));
  }
  GUILDER_RETURN_IF_ERROR(AddSums(transaction, ReadAccountSums(transaction, until), response));
  return response;
}

}  // namespace

absl::StatusOr<v1::GetBalanceSheetResponse> SettlementHandlers::GetBalanceSheet(
    const rpc::Call& call, const v1::GetBalanceSheetRequest& request) {
  std::optional<Timestamp> window;
  if (!request.window().empty()) {
    window = ParseWindowName(request.window());
    if (!window) return Refuse(Reason::kWindowNotFound);
  }
  return pool_.Read([&](Transaction& transaction) { return LoadBalanceSheet(transaction, window); },
                    call.deadline());
}

}  // namespace guilder::settlement
