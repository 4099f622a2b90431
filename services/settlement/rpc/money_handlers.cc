#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

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
#include "services/settlement/store/liability.h"
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
    if (!IsSealed(facts.state)) {
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

// A place in the list of entries: "12/7" is transaction 12, line 7.
struct EntryPosition {
  int64_t number = 0;
  int line = 0;
};

EntryPosition ParsePosition(const std::string& text, int64_t after_number) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return {after_number, INT32_MAX};
  return {ParseInt(std::string_view(text).substr(0, slash)).value_or(0),
          static_cast<int>(ParseInt(std::string_view(text).substr(slash + 1)).value_or(0))};
}

v1::MoneyEntry ToProto(const MoneyRow& row) {
  v1::MoneyEntry out;
  out.set_number(row.number);
  out.set_line(row.line);
  *out.mutable_post_time() = rpc::ToProto(row.posted_at);
  out.set_kind(row.kind);
  out.set_reference(row.reference);
  out.set_cause(row.cause);
  out.set_debit_account(row.debit_account);
  if (!row.debit_partner.empty()) out.set_debit_partner(PartnerName(row.debit_partner));
  out.set_credit_account(row.credit_account);
  if (!row.credit_partner.empty()) out.set_credit_partner(PartnerName(row.credit_partner));
  out.mutable_amount()->set_currency_code(FormatCurrency(row.currency));
  out.mutable_amount()->set_minor_units(row.amount.value());
  return out;
}

}  // namespace

absl::StatusOr<v1::ListMoneyEntriesResponse> SettlementHandlers::ListMoneyEntries(
    const rpc::Call& call, const v1::ListMoneyEntriesRequest& request) {
  const std::string list = absl::StrCat("money/", request.after_number());
  GUILDER_ASSIGN_OR_RETURN(const std::string token,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const EntryPosition after = ParsePosition(token, request.after_number());
  std::vector<MoneyRow> rows;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) {
        rows = ListMoneyRows(transaction, after.number, after.line, page_size + 1);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::ListMoneyEntriesResponse response;
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_entries() = ToProto(rows[i]);
  if (rows.size() > count) {
    response.set_next_page_token(
        page_tokens_.Make(list, absl::StrCat(rows[count - 1].number, "/", rows[count - 1].line)));
  }
  return response;
}

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
