#include "services/settlement/domain/money.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/merkle.h"

namespace guilder::settlement {
namespace {

using netting::AccountKind;
using netting::EntryCause;
using netting::MoneyAccount;
using netting::MoneyEntry;

struct KindText {
  MoneyKind kind;
  std::string_view name;
};
constexpr KindText kKinds[] = {
    {MoneyKind::kSettlement, "SETTLEMENT"}, {MoneyKind::kPayment, "PAYMENT"},
    {MoneyKind::kReturn, "RETURN"},         {MoneyKind::kSuspense, "SUSPENSE"},
    {MoneyKind::kWriteOff, "WRITE_OFF"},    {MoneyKind::kDefault, "DEFAULT"},
    {MoneyKind::kAdjustment, "ADJUSTMENT"},
};

struct AccountText {
  AccountKind kind;
  std::string_view name;
  Section section;
  bool by_partner;
};
constexpr AccountText kAccounts[] = {
    {AccountKind::kPartnerReceivable, "PARTNER_RECEIVABLE", Section::kAssets, true},
    {AccountKind::kPartnerPayable, "PARTNER_PAYABLE", Section::kLiabilities, true},
    {AccountKind::kPrepaidDeposit, "PREPAID_DEPOSIT", Section::kLiabilities, true},
    {AccountKind::kReserve, "RESERVE", Section::kLiabilities, true},
    {AccountKind::kCollateral, "COLLATERAL", Section::kLiabilities, true},
    {AccountKind::kPointsLiability, "POINTS_LIABILITY", Section::kLiabilities, false},
    {AccountKind::kIssuanceRevenue, "ISSUANCE_REVENUE", Section::kIncome, false},
    {AccountKind::kRedemptionCost, "REDEMPTION_COST", Section::kExpenses, false},
    {AccountKind::kFees, "FEES", Section::kIncome, false},
    {AccountKind::kBreakage, "BREAKAGE", Section::kIncome, false},
    {AccountKind::kTax, "TAX", Section::kLiabilities, false},
    {AccountKind::kBank, "BANK", Section::kAssets, false},
    {AccountKind::kSuspense, "SUSPENSE", Section::kLiabilities, false},
    {AccountKind::kLosses, "LOSSES", Section::kExpenses, false},
};

struct CauseText {
  EntryCause cause;
  std::string_view name;
};
constexpr CauseText kCauses[] = {
    {EntryCause::kIssuance, "ISSUANCE"},
    {EntryCause::kReimbursement, "REIMBURSEMENT"},
    {EntryCause::kFee, "FEE"},
    {EntryCause::kSetOff, "SET_OFF"},
    {EntryCause::kReserve, "RESERVE"},
    {EntryCause::kBreakage, "BREAKAGE"},
    {EntryCause::kPointBlock, "POINT_BLOCK"},
    {EntryCause::kConsumption, "CONSUMPTION"},
    {EntryCause::kRelease, "RELEASE"},
    {EntryCause::kPayment, "PAYMENT"},
    {EntryCause::kWriteOff, "WRITE_OFF"},
    {EntryCause::kDefault, "DEFAULT"},
};

constexpr std::string_view kTaxPrefix = "TAX:";

const AccountText* FindAccount(AccountKind kind) {
  for (const AccountText& text : kAccounts) {
    if (text.kind == kind) return &text;
  }
  return nullptr;
}

absl::Status Mistaken(const MoneyTransaction& transaction, std::string_view what) {
  return absl::InternalError(
      absl::StrCat("the money of ", transaction.reference, " cannot be posted: ", ToAbsl(what)));
}

bool HasControlCharacters(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

bool IsAccount(const MoneyAccount& account) {
  const AccountText* const text = FindAccount(account.kind);
  return text != nullptr && static_cast<bool>(account.partner) == text->by_partner &&
         (account.kind == AccountKind::kTax) == !account.tax_code.empty() &&
         !HasControlCharacters(account.tax_code);
}

template <typename Id>
std::string IdText(Id id) {
  return id ? absl::StrCat(id.value()) : "-";
}

}  // namespace

std::string_view MoneyKindName(MoneyKind kind) {
  for (const KindText& text : kKinds) {
    if (text.kind == kind) return text.name;
  }
  return "";
}

std::string AccountName(const MoneyAccount& account) {
  const AccountText* const text = FindAccount(account.kind);
  if (text == nullptr) return "";
  if (account.kind == AccountKind::kTax) return absl::StrCat(ToAbsl(kTaxPrefix), account.tax_code);
  return std::string(text->name);
}

std::string_view CauseName(EntryCause cause) {
  for (const CauseText& text : kCauses) {
    if (text.cause == cause) return text.name;
  }
  return "";
}

std::string_view SectionName(Section section) {
  switch (section) {
    case Section::kAssets:
      return "ASSETS";
    case Section::kLiabilities:
      return "LIABILITIES";
    case Section::kIncome:
      return "INCOME";
    case Section::kExpenses:
      return "EXPENSES";
  }
  return "";
}

std::optional<Section> SectionOfAccount(std::string_view account_name) {
  if (account_name.substr(0, kTaxPrefix.size()) == kTaxPrefix) return Section::kLiabilities;
  for (const AccountText& text : kAccounts) {
    if (text.name == account_name) return text.section;
  }
  return std::nullopt;
}

absl::Status CheckMoney(const MoneyTransaction& transaction) {
  if (transaction.entries.empty()) return Mistaken(transaction, "it has no entries");
  if (transaction.idempotency_key.empty()) return Mistaken(transaction, "it has no key");
  for (const std::string* text :
       {&transaction.reference, &transaction.idempotency_key, &transaction.posted_by}) {
    if (HasControlCharacters(*text)) return Mistaken(transaction, "text has control characters");
  }
  for (const MoneyEntry& entry : transaction.entries) {
    if (entry.amount <= MinorUnits()) return Mistaken(transaction, "an amount is not above zero");
    if (!IsAccount(entry.debit) || !IsAccount(entry.credit)) {
      return Mistaken(transaction, "an account is none");
    }
    if (entry.debit == entry.credit) return Mistaken(transaction, "an entry moves nothing");
  }
  return absl::OkStatus();
}

Digest LeafOf(const MoneyTransaction& transaction, MoneyNumber number, Timestamp posted_at) {
  std::string content = absl::StrCat("money/1\n", number.value(), "\n", posted_at.value(), "\n",
                                     ToAbsl(MoneyKindName(transaction.kind)), "\n",
                                     FormatCurrency(transaction.currency), "\n");
  absl::StrAppend(&content, transaction.reference, "\n", transaction.idempotency_key, "\n",
                  transaction.posted_by, "\n", IdText(transaction.settlement));
  int line = 0;
  for (const MoneyEntry& entry : transaction.entries) {
    absl::StrAppend(&content, "\n", ++line, "\t", AccountName(entry.debit), "\t",
                    IdText(entry.debit.partner), "\t", AccountName(entry.credit), "\t");
    absl::StrAppend(&content, IdText(entry.credit.partner), "\t", entry.amount.value(), "\t",
                    IdText(entry.partner), "\t", IdText(entry.contract), "\t",
                    ToAbsl(CauseName(entry.cause)));
  }
  return ledger::LeafHash(content);
}

}  // namespace guilder::settlement
