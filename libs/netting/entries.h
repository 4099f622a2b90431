// How the books show a settlement: its money entries.
//
// Internal to libs/netting. All functions add to `entries`; errors are `AMOUNT_OUT_OF_RANGE`.
#pragma once

#include <map>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/netting/sums.h"

namespace guilder::netting {

// What the partner owes is its receivable, what it is owed its payable.
void AddEntries(const Line& line, std::vector<MoneyEntry>& entries);

// Moves what points cost that were paid for in advance from the issuers' deposits to the liability,
// so that a deposit is what unused points were sold for.
absl::Status AddDeposits(const Input& input, const Contracts& contracts,
                         const std::map<PartnerId, PartnerTerms>& brought,
                         std::vector<MoneyEntry>& entries);

// Lowers the liability to the price of what is outstanding. What expired is breakage, and the rest,
// which was spent, revenue.
absl::Status AddRelease(const Contract& contract, int exponent, std::vector<MoneyEntry>& entries);

// Sets the smaller side off against the other, so that only the obligation stays open, and what is
// carried forward.
absl::Status AddSetOff(const PartnerTotal& total, std::vector<MoneyEntry>& entries);

// What the accounts besides partners' receivables and payables were debited on balance: what the
// operator pays to its partners.
absl::StatusOr<MinorUnits> OperatorNet(const std::vector<MoneyEntry>& entries);

}  // namespace guilder::netting
