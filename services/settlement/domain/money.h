// The money ledger: what a transaction is, which accounts there are, and what proves it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/netting/netting.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// 1, 2, 3 … without gaps.
using MoneyNumber = StrongId<struct MoneyNumberTag, int64_t>;

// What a transaction is for. Names are those of settlement.money_transactions.kind.
enum class MoneyKind {
  kSettlement,  // An approved settlement.
  kPayment,     // The bank says so.
  kReturn,      // The bank took a payment back.
  kSuspense,    // Money that nobody could match moves to or from suspense.
  kWriteOff,
  kDefault,
  kAdjustment,
};
std::string_view MoneyKindName(MoneyKind kind);

// "PARTNER_RECEIVABLE", …; tax accounts name their code: "TAX:S19".
std::string AccountName(const netting::MoneyAccount& account);
// "ISSUANCE", "SET_OFF" …
std::string_view CauseName(netting::EntryCause cause);

// The part of a balance sheet that an account stands in.
enum class Section { kAssets, kLiabilities, kIncome, kExpenses };
// "ASSETS" …
std::string_view SectionName(Section section);
// By the name that AccountName gave; nothing for another text.
std::optional<Section> SectionOfAccount(std::string_view account_name);

// What is posted together or not at all.
struct MoneyTransaction {
  MoneyKind kind = MoneyKind::kSettlement;
  Currency currency{};
  // The name of what it is posted for, as in "settlements/12".
  std::string reference;
  // Who posts twice under one key posts once, as in "settlements/12/approval".
  std::string idempotency_key;
  std::string posted_by;
  SettlementId settlement;  // None where it has to do with none.
  std::vector<netting::MoneyEntry> entries;
};

// Errors: INTERNAL, the transaction is not one, and why. All of these are our mistakes: no entries,
// an amount that is not above zero, an account on both sides, a partner's account without a
// partner, another's account with one, a tax without a code, or text with control characters.
absl::Status CheckMoney(const MoneyTransaction& transaction);

// The leaf of a transaction in the Merkle tree (RFC 9162) of the money ledger: over the number, the
// posted time and everything that the transaction says. The form is that of
// deploy/migrations/0009_money_ledger, and is proved by `guilder ledger verify` from the rows.
Digest LeafOf(const MoneyTransaction& transaction, MoneyNumber number, Timestamp posted_at);

}  // namespace guilder::settlement
