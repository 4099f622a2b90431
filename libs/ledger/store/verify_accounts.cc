#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {
namespace {

// Compares one account with the model.
class Comparison {
 public:
  Comparison(const Replayed& replayed, StoredTotals& totals, Findings& findings)
      : book_(replayed.book),
        number_(replayed.number),
        model_(replayed.model),
        totals_(totals),
        findings_(findings) {}

  void Run(const StoredAccount& stored) {
    CompareAccount(stored);
    for (const StoredLot& lot : stored.lots) CompareLot(stored, lot);
    for (const StoredHold& hold : stored.holds) CompareHold(hold);
  }

 private:
  void CompareAccount(const StoredAccount& stored) {
    findings_.Examined(CheckId::kBalances);
    AccountSums& expected = model_.accounts[stored.id];
    expected.seen_at = number_;
    const AccountSums& sums = stored.sums;
    if (BookOf(stored.id) != book_ || sums.pending != expected.pending ||
        sums.available != expected.available || sums.held != expected.held ||
        sums.debt != expected.debt) {
      findings_.Fail(CheckId::kBalances, NameOf(stored.id));
    }
    if (sums.opened_by != expected.opened_by) {
      findings_.Fail(CheckId::kDates,
                     absl::StrCat(NameOf(stored.id), " was opened by record ", book_.value(), "-",
                                  expected.opened_by.value(), ", not by ", sums.opened_by.value()));
    }
    if (sums.merged_into != expected.merged_into) {
      findings_.Fail(CheckId::kDates, NameOf(stored.id) + " was not merged as a record says");
    }
    if (sums.closed != expected.closed) {
      findings_.Fail(CheckId::kDates, NameOf(stored.id) + " was not closed by a record");
    }
    if (sums.active_until != expected.active_until) {
      findings_.Fail(CheckId::kDates, NameOf(stored.id) + " was not active as its records say");
    }
    if (sums.spared_from != expected.spared_from || sums.spared_until != expected.spared_until) {
      findings_.Fail(CheckId::kDates, NameOf(stored.id) + " is not spared as its records say");
    }
    if (sums.captured != expected.captured || sums.refunded != expected.refunded) {
      findings_.Fail(CheckId::kHolds, "the holds of " + NameOf(stored.id));
    }
    totals_.accounts_off += sums.pending + sums.available + sums.held - sums.debt;
    totals_.accounts_off -= expected.pending + expected.available + expected.held - expected.debt;
  }

  void CompareLot(const StoredAccount& stored, const StoredLot& lot) {
    const auto found = model_.lots.find(lot.id);
    const LotSums& sums = lot.sums;
    IssuerTotals& off = totals_.issuers_off[sums.issuer];
    off.Add(sums);
    if (found == model_.lots.end()) {
      findings_.Fail(CheckId::kLots, NameOfLot(book_, lot.id) + " has no entries");
      return;
    }
    LotSums& expected = found->second;
    if (std::exchange(expected.seen, true)) {
      findings_.Fail(CheckId::kLots, NameOfLot(book_, lot.id) + " is there twice");
    }
    off.Subtract(expected);
    if (sums.account != expected.account || sums.issued != expected.issued ||
        sums.pending != expected.pending || sums.available != expected.available ||
        sums.held != expected.held || sums.redeemed != expected.redeemed ||
        sums.reversed != expected.reversed || sums.expired != expected.expired ||
        sums.forfeited != expected.forfeited || sums.debt != expected.debt ||
        sums.moved != expected.moved || sums.origin != expected.origin ||
        sums.restored_until != expected.restored_until) {
      findings_.Fail(CheckId::kLots, NameOfLot(book_, lot.id));
    }
    const Points captured = stored.holds.empty() ? Points(0) : stored.CapturedOf(lot.id);
    if (captured != expected.captured) {
      findings_.Fail(CheckId::kHolds, "the holds of " + NameOfLot(book_, lot.id));
    }
  }

  void CompareHold(const StoredHold& stored) {
    const Hold& hold = stored.hold;
    const auto found = model_.holds.find(hold.number);
    if (found == model_.holds.end()) {
      findings_.Fail(CheckId::kHolds, NameOfHold(book_, hold.number) + " has no entries");
      return;
    }
    HoldSums& expected = found->second;
    if (std::exchange(expected.seen, true)) {
      findings_.Fail(CheckId::kHolds, NameOfHold(book_, hold.number) + " is there twice");
    }
    const bool voided = hold.state == HoldState::kVoided;
    const bool expired = hold.state == HoldState::kExpired;
    bool same = expected.account == stored.account && expected.authorized == hold.authorized &&
                expected.parts.size() == hold.parts.size() && !(voided && !expected.voided) &&
                !(expired && expected.voided) &&
                (hold.state == HoldState::kInReview) ==
                    (hold.open() && expected.reviewed && !expected.released);
    for (size_t i = 0; same && i < hold.parts.size(); ++i) {
      const HoldPart& part = hold.parts[i];
      same = part.lot == expected.parts[i].lot &&
             part.held + part.captured <= expected.parts[i].points;
    }
    if (!same) findings_.Fail(CheckId::kHolds, NameOfHold(book_, hold.number));
  }

  const BookId book_;
  const RecordNumber number_;
  BookModel& model_;
  StoredTotals& totals_;
  Findings& findings_;
};

}  // namespace

void IssuerTotals::Add(const LotSums& lot) {
  issued += lot.issued;
  remaining += lot.remaining();
  redeemed += lot.redeemed;
  expired += lot.expired;
  reversed += lot.reversed;
  debt += lot.debt;
  moved += lot.moved;
  arrived += lot.arrived();
}

void IssuerTotals::Subtract(const LotSums& lot) {
  issued -= lot.issued;
  remaining -= lot.remaining();
  redeemed -= lot.redeemed;
  expired -= lot.expired;
  reversed -= lot.reversed;
  debt -= lot.debt;
  moved -= lot.moved;
  arrived -= lot.arrived();
}

std::optional<AccountId> CompareAccounts(postgres::Transaction& transaction,
                                         const Replayed& replayed, AccountId after, int limit,
                                         StoredTotals& totals, Findings& findings) {
  const std::vector<StoredAccount> accounts =
      ReadAccounts(transaction, replayed.book, after, AccountId(INT64_MAX), limit, findings);
  Comparison comparison(replayed, totals, findings);
  for (const StoredAccount& account : accounts) {
    CheckAgreement(replayed.book, account, findings);
    comparison.Run(account);
  }
  return static_cast<int>(accounts.size()) < limit ? std::nullopt
                                                   : std::optional(accounts.back().id);
}

void FindMissing(const Replayed& replayed, Findings& findings) {
  const BookModel& model = replayed.model;
  for (const auto& [id, account] : model.accounts) {
    if (!account.seen_at) findings.Fail(CheckId::kBalances, NameOf(id) + " is missing");
  }
  // What was created after its account had been compared could not be seen with it.
  const auto missing = [&](AccountId account, RecordNumber created_by, bool seen) {
    const auto found = model.accounts.find(account);
    return !seen && (found == model.accounts.end() || created_by <= found->second.seen_at);
  };
  for (const auto& [id, lot] : model.lots) {
    if (missing(lot.account, RecordOf(id), lot.seen)) {
      findings.Fail(CheckId::kLots, NameOfLot(replayed.book, id) + " is missing");
    }
  }
  for (const auto& [number, hold] : model.holds) {
    if (missing(hold.account, number, hold.seen)) {
      findings.Fail(CheckId::kHolds, NameOfHold(replayed.book, number) + " is missing");
    }
  }
}

}  // namespace guilder::ledger
