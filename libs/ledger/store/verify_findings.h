// What a verification has found so far. For libs/ledger/store/verify*.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "libs/ledger/store/verify.h"

namespace guilder::ledger {

// X(enumerator, the statement)
#define GUILDER_LEDGER_CHECKS(X)                                         \
  X(kBooks, "books are as their programme says")                         \
  X(kNumbers, "journal numbers have no gaps")                            \
  X(kPostedTime, "posted time never falls")                              \
  X(kLeaves, "leaves digest what is stored")                             \
  X(kHeads, "heads follow from leaves")                                  \
  X(kSeals, "seals are the heads at their boundaries")                   \
  X(kEntries, "every entry belongs to a record")                         \
  X(kRecordClaims, "every record has its claim")                         \
  X(kClaimRecords, "every claim has its record")                         \
  X(kZeroSum, "each book's accounts sum to zero")                        \
  X(kBalances, "balances are the sums of their entries")                 \
  X(kControlAccounts, "control accounts are the sums of their entries")  \
  X(kLots, "lots follow from their entries")                             \
  X(kLotBalances, "balances are what lots have left")                    \
  X(kDates, "accounts know what falls due, and who opened them")         \
  X(kHolds, "holds follow from their entries")                           \
  X(kPositions, "positions are the sums of their entries")               \
  X(kIssuers, "issued is outstanding, redeemed, expired or reversed")    \
  X(kLimits, "limits are in the pool, in allowances, or spent")          \
  X(kCatalogue, "orders and vouchers are as their holds say")            \
  X(kWindows, "each window is in at most one settlement")                \
  X(kSettledPoints, "settled points are the positions of their windows") \
  X(kNets, "nets are the sums of their lines")                           \
  X(kMoneyProof, "money transactions digest what is stored")             \
  X(kMoney, "money entries come to the nets")

enum class CheckId : size_t {
#define GUILDER_CHECK_ENUMERATOR_(enumerator, statement) enumerator,
  GUILDER_LEDGER_CHECKS(GUILDER_CHECK_ENUMERATOR_)
#undef GUILDER_CHECK_ENUMERATOR_
};

class Findings {
 public:
  void Examined(CheckId check, int64_t count = 1) { At(check).examined += count; }

  bool ok() const {
    return std::all_of(checks_.begin(), checks_.end(),
                       [](const VerifyCheck& check) { return check.ok; });
  }

  // Keeps the first failure of each check.
  void Fail(CheckId check, std::string what) {
    VerifyCheck& found = At(check);
    if (!found.ok) return;
    found.ok = false;
    found.first_failure = std::move(what);
  }

  // Adds what another part of the verification found after this one.
  void Append(Findings other) {
    for (size_t i = 0; i < checks_.size(); ++i) {
      VerifyCheck& found = other.checks_[i];
      checks_[i].examined += found.examined;
      if (!found.ok) Fail(static_cast<CheckId>(i), std::move(found.first_failure));
    }
  }

  VerifyReport Take() && {
    VerifyReport report;
    for (VerifyCheck& check : checks_) {
      report.ok = report.ok && check.ok;
      report.checks.push_back(std::move(check));
    }
    return report;
  }

 private:
  VerifyCheck& At(CheckId check) { return checks_[static_cast<size_t>(check)]; }

  std::array<VerifyCheck, static_cast<size_t>(CheckId::kMoney) + 1> checks_ = {{
#define GUILDER_CHECK_NAME_(enumerator, statement) {statement, true, 0, ""},
      GUILDER_LEDGER_CHECKS(GUILDER_CHECK_NAME_)
#undef GUILDER_CHECK_NAME_
  }};
};

}  // namespace guilder::ledger
