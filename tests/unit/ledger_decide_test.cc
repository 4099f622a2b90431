#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

constexpr PartnerId kIssuer{7};
constexpr PartnerId kTaker{8};
constexpr PartnerId kStranger{9};
constexpr ContractId kIssuance{70};
constexpr ContractId kRedemption{80};
constexpr AccountId kAccount = MakeAccountId(1, BookId(3));
constexpr Timestamp kStart{1'000'000};

Timestamp Day(int days) {
  return kStart + Timestamp(days * kMicrosPerDay);
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  return guilder::ReasonOf(status);
}
template <typename T>
std::optional<Reason> ReasonOf(const absl::StatusOr<T>& result) {
  return guilder::ReasonOf(result.status());
}

// An account, the entries that made it, and a clock. Each step is a record of its own.
class Account {
 public:
  Account() {
    state_.id = kAccount;
    state_.lots_loaded = true;
  }

  // Runs a decider on the account brought up to now, and keeps what it did unless it refused.
  template <typename Decider>
  auto Do(Decider decider) {
    Posting posting(state_, RecordNumber(++number_), now_);
    posting.BringUpToNow();
    auto result = decider(posting);
    if (result.ok()) {
      entries_.insert(entries_.end(), posting.entries().begin(), posting.entries().end());
      state_ = std::move(posting).TakeAccount();
    }
    return result;
  }

  Account& At(Timestamp now) {
    now_ = now;
    return *this;
  }
  void Touch() {
    (void)Do([](Posting&) { return absl::OkStatus(); });
  }

  // Gives the new lot.
  LotId Earn(int64_t points, Timestamp activates_at, Timestamp expires_at = kNever,
             OnDue on_due = OnDue::kActivate) {
    const EarnTerms terms{kIssuer, kIssuance, Points(points), activates_at, expires_at, on_due};
    REQUIRE(Do([&](Posting& p) { return DecideEarn(p, terms); }).ok());
    return MakeLotId(RecordNumber(number_));
  }
  LotId EarnNow(int64_t points, Timestamp expires_at = kNever) {
    return Earn(points, now_, expires_at);
  }
  absl::StatusOr<RecordNumber> TryHold(int64_t points, Timestamp expires_at = Day(1'000)) {
    const HoldTerms terms{kTaker, StoreId(1), kRedemption, Points(points), expires_at};
    const absl::Status held = Do([&](Posting& p) { return DecideHold(p, terms); });
    if (!held.ok()) return held;
    return RecordNumber(number_);
  }
  RecordNumber Hold(int64_t points, Timestamp expires_at = Day(1'000)) {
    const auto hold = TryHold(points, expires_at);
    REQUIRE(hold.ok());
    return *hold;
  }
  absl::StatusOr<Points> Capture(RecordNumber hold, int64_t points = 0, bool final = false,
                                 PartnerId partner = kTaker) {
    return Do([&](Posting& p) { return DecideCapture(p, partner, hold, Points(points), final); });
  }
  RecordNumber Spend(int64_t points) {
    const RecordNumber hold = Hold(points);
    REQUIRE(Capture(hold).ok());
    return hold;
  }
  absl::StatusOr<Points> Release(RecordNumber hold, PartnerId partner = kTaker) {
    return Do([&](Posting& p) { return DecideRelease(p, partner, hold); });
  }
  absl::Status Refund(RecordNumber hold, int64_t points, PartnerId partner = kTaker,
                      Timestamp grace_until = Timestamp()) {
    return Do(
        [&](Posting& p) { return DecideRefund(p, partner, hold, Points(points), grace_until); });
  }
  LotId EarnRestricted(int64_t points, const Restriction& to, Timestamp expires_at = kNever) {
    EarnTerms terms{kIssuer, kIssuance, Points(points), now_, expires_at};
    terms.restricted_to = to;
    REQUIRE(Do([&](Posting& p) { return DecideEarn(p, terms); }).ok());
    return MakeLotId(RecordNumber(number_));
  }
  // A hold by its terms, from what every hold has.
  absl::Status HoldBy(const std::function<void(HoldTerms&)>& change) {
    HoldTerms terms{kTaker, StoreId(1), kRedemption, Points(1), Day(1'000)};
    change(terms);
    return Do([&](Posting& p) { return DecideHold(p, terms); });
  }
  RecordNumber last() const { return RecordNumber(number_); }
  absl::StatusOr<Points> Reverse(LotId lot, int64_t points) {
    return Do([&](Posting& p) { return DecideReverse(p, lot, Points(points)); });
  }
  absl::StatusOr<Points> Confirm(LotId lot) {
    return Do([&](Posting& p) { return DecideConfirm(p, lot); });
  }
  absl::StatusOr<Points> Cancel(LotId lot) {
    return Do([&](Posting& p) { return DecideCancel(p, lot); });
  }

  AccountState& state() { return state_; }
  const Lot& lot(LotId id) { return *state_.FindLot(id); }
  const guilder::ledger::Hold& hold(RecordNumber number) { return *state_.FindHold(number); }
  const std::vector<Entry>& entries() const { return entries_; }
  Timestamp now() const { return now_; }

  // {pending, available, held, debt}
  std::vector<int64_t> Balances() const {
    return {state_.pending.value(), state_.available.value(), state_.held.value(),
            state_.debt.value()};
  }
  // Points moved, by what it means to a position.
  int64_t Moved(Movement movement) const {
    int64_t sum = 0;
    for (const Entry& entry : entries_) {
      if (MovementOf(entry.debit.bucket, entry.credit.bucket) == movement) {
        sum += entry.points.value();
      }
    }
    return sum;
  }

 private:
  AccountState state_;
  Timestamp now_ = kStart;
  int64_t number_ = 0;
  std::vector<Entry> entries_;
};

using Balances = std::vector<int64_t>;

// Says what is wrong with an account; empty when all that must always hold does.
std::string WhatIsWrong(Account& account) {
  const AccountState& state = account.state();
  std::map<Bucket, int64_t> from_lots;
  for (const Lot& lot : state.lots) {
    const Points sum = lot.remaining + lot.redeemed + lot.reversed + lot.expired;
    if (lot.issued + lot.debt != sum) return "a lot's parts do not make what it issued";
    for (const Points part :
         {lot.remaining, lot.held, lot.redeemed, lot.reversed, lot.expired, lot.debt, lot.free()}) {
      if (part < Points(0)) return "a part of a lot is negative";
    }
    from_lots[lot.state == LotState::kPending ? Bucket::kPending : Bucket::kAvailable] +=
        lot.free().value();
    from_lots[Bucket::kHeld] += lot.held.value();
    from_lots[Bucket::kDebt] -= lot.debt.value();
  }
  std::map<Bucket, int64_t> from_entries;
  for (const Entry& entry : account.entries()) {
    if (entry.points <= Points(0)) return "an entry moves nothing";
    if (!IsControl(entry.debit.bucket)) from_entries[entry.debit.bucket] -= entry.points.value();
    if (!IsControl(entry.credit.bucket)) from_entries[entry.credit.bucket] += entry.points.value();
  }
  const std::map<Bucket, int64_t> balances = {{Bucket::kPending, state.pending.value()},
                                              {Bucket::kAvailable, state.available.value()},
                                              {Bucket::kHeld, state.held.value()},
                                              {Bucket::kDebt, -state.debt.value()}};
  for (const auto& [bucket, balance] : balances) {
    const std::string name(BucketName(bucket));
    if (from_entries[bucket] != balance) return name + " is not the sum of its entries";
    if (from_lots[bucket] != balance) return name + " is not what the lots say";
    if (bucket != Bucket::kDebt && balance < 0) return name + " is negative";
  }
  std::map<LotId, Points> held;
  Points spent;
  for (const Hold& hold : state.holds) {
    for (const HoldPart& part : hold.parts) held[part.lot] += part.held;
    spent += hold.captured() - hold.refunded();
    if (hold.held() + hold.captured() > hold.authorized) return "a hold grew";
    if ((hold.state == HoldState::kOpen) != (hold.held() > Points(0)))
      return "an open hold is empty";
  }
  Points redeemed;
  for (const Lot& lot : state.lots) {
    if (held[lot.id] != lot.held) return "a lot's held points are not those of its holds";
    redeemed += lot.redeemed;
  }
  if (redeemed != spent) return "lots redeemed other than what holds captured";
  return "";
}

TEST_CASE("DecideEarn: points wait until their date", "[unit][ledger]") {
  Account account;
  const LotId lot = account.Earn(100, Day(14));
  CHECK(account.Balances() == Balances{100, 0, 0, 0});
  CHECK(account.state().next_due_at == Day(14));

  account.At(Day(14)).Touch();

  CHECK(account.Balances() == Balances{0, 100, 0, 0});
  CHECK(account.lot(lot).state == LotState::kActive);
  CHECK(account.state().next_due_at == kNever);
}

TEST_CASE("DecideEarn: points that need not wait are available at once", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  CHECK(account.Balances() == Balances{0, 100, 0, 0});
  CHECK(account.Moved(Movement::kIssued) == 100);
  CHECK(account.Moved(Movement::kActivated) == 100);
}

TEST_CASE("DecideEarn: what is available at once leaves nothing due, even if lots were not loaded",
          "[unit][ledger]") {
  AccountState state;
  state.id = kAccount;
  Posting posting(state, RecordNumber(1), kStart);
  REQUIRE(DecideEarn(posting, {kIssuer, kIssuance, Points(5), kStart, Day(9)}).ok());
  CHECK(std::move(posting).TakeAccount().next_due_at == Day(9));
}

TEST_CASE("DecideEarn: no points make no lot", "[unit][ledger]") {
  Account account;
  account.Earn(0, Day(1));
  CHECK(account.state().lots.empty());
  CHECK(account.entries().empty());
}

TEST_CASE("DecideEarn: more points than a command or an account may have are refused",
          "[unit][ledger][inv-10]") {
  const auto earn = [](Account& account, Points points) {
    const EarnTerms terms{kIssuer, kIssuance, points, Day(14)};
    return account.Do([&](Posting& p) { return DecideEarn(p, terms); });
  };
  Account account;
  CHECK(ReasonOf(earn(account, kMaxPointsPerCommand + Points(1))) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(earn(account, Points(INT64_MAX))) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(earn(account, Points(-1))) == Reason::kAmountOutOfRange);

  for (Points sum; sum < kMaxPointsPerAccount; sum += kMaxPointsPerCommand) {
    REQUIRE(earn(account, kMaxPointsPerCommand).ok());
  }

  CHECK(ReasonOf(earn(account, Points(1))) == Reason::kAmountOutOfRange);
  CHECK(account.state().pending == kMaxPointsPerAccount);
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideEarn: a closed account is refused before the points are looked at",
          "[unit][ledger]") {
  Account account;
  EarnTerms terms{kIssuer, kIssuance, Points(-1), kStart};
  CHECK(ReasonOf(account.Do([&](Posting& p) { return DecideEarn(p, terms); })) ==
        Reason::kAmountOutOfRange);
  account.state().status = AccountStatus::kClosed;
  CHECK(ReasonOf(account.Do([&](Posting& p) { return DecideEarn(p, terms); })) ==
        Reason::kAccountClosed);
}

TEST_CASE("Lots: on its date an unconfirmed lot is cancelled when its contract says so",
          "[unit][ledger]") {
  Account account;
  const LotId lot = account.Earn(100, Day(14), kNever, OnDue::kCancel);
  account.At(Day(15)).Touch();
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.lot(lot).reversed == Points(100));
  CHECK(account.Moved(Movement::kReversedPending) == 100);
}

TEST_CASE("DecideConfirm and DecideCancel: a pending lot once, an available one never",
          "[unit][ledger]") {
  Account account;
  const LotId confirmed = account.Earn(100, Day(14));
  const LotId cancelled = account.Earn(50, Day(14));

  CHECK(account.Confirm(confirmed).value() == Points(100));
  CHECK(account.Cancel(cancelled).value() == Points(50));

  CHECK(account.Balances() == Balances{0, 100, 0, 0});
  CHECK(ReasonOf(account.Confirm(confirmed)) == Reason::kAlreadyConfirmed);
  CHECK(ReasonOf(account.Cancel(confirmed)) == Reason::kAlreadyConfirmed);
  CHECK(ReasonOf(account.Confirm(cancelled)) == Reason::kAlreadyConfirmed);
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideReverse: pending points go first to nobody's loss", "[unit][ledger]") {
  Account account;
  const LotId lot = account.Earn(100, Day(14));
  CHECK(account.Reverse(lot, 30).value() == Points(0));
  CHECK(account.Balances() == Balances{70, 0, 0, 0});
  account.At(Day(14)).Touch();
  CHECK(account.Reverse(lot, 70).value() == Points(0));
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.Moved(Movement::kReversedPending) == 30);
  CHECK(account.Moved(Movement::kReversed) == 70);
}

TEST_CASE("DecideReverse: no more than the lot gave and has not lost", "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100);
  CHECK(ReasonOf(account.Reverse(lot, 101)) == Reason::kReturnExceedsSale);
  REQUIRE(account.Reverse(lot, 60).ok());
  CHECK(ReasonOf(account.Reverse(lot, 41)) == Reason::kReturnExceedsSale);
  CHECK(ReasonOf(account.Reverse(LotId(1), 1)) == Reason::kReturnExceedsSale);
  CHECK(account.Reverse(lot, 0).ok());
}

TEST_CASE("DecideReverse: expired points are taken from what expired", "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100, Day(10));
  account.At(Day(11));
  CHECK(account.Reverse(lot, 100).value() == Points(0));
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.lot(lot).expired == Points(0));
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideReverse: spent points become a debt, which the next points repay",
          "[unit][ledger]") {
  Account account;
  const LotId first = account.EarnNow(100);
  account.Spend(80);

  CHECK(account.Reverse(first, 100).value() == Points(80));
  CHECK(account.Balances() == Balances{0, 0, 0, 80});
  CHECK(ReasonOf(account.TryHold(1)) == Reason::kAccountInDebt);

  const LotId second = account.EarnNow(50);
  CHECK(account.Balances() == Balances{0, 0, 0, 30});
  CHECK(account.lot(second).redeemed == Points(50));
  CHECK(account.lot(first).redeemed == Points(30));

  account.EarnNow(40);
  CHECK(account.Balances() == Balances{0, 10, 0, 0});
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideReverse: held points become a debt that the lot repays itself once they are free",
          "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100);
  const RecordNumber hold = account.Hold(100);

  CHECK(account.Reverse(lot, 60).value() == Points(60));
  CHECK(account.Balances() == Balances{0, 0, 100, 60});
  CHECK(account.Release(hold).value() == Points(100));

  CHECK(account.Balances() == Balances{0, 40, 0, 0});
  CHECK(account.lot(lot).redeemed == Points(0));
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideReverse: a debt for points held is repaid by others only after the capture",
          "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100);
  const RecordNumber hold = account.Hold(100);
  REQUIRE(account.Reverse(lot, 100).ok());
  account.EarnNow(100);
  CHECK(account.Balances() == Balances{0, 100, 100, 100});

  REQUIRE(account.Capture(hold).ok());

  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("Debts: a debt is repaid when points become available, however late that is noticed",
          "[unit][ledger]") {
  const auto make = [](bool touched_between) {
    Account account;
    const LotId first = account.EarnNow(50);
    account.Spend(50);
    account.Earn(80, Day(10), Day(20));
    REQUIRE(account.Reverse(first, 50).ok());
    if (touched_between) account.At(Day(15)).Touch();
    account.At(Day(25)).Touch();
    return account.Balances();
  };
  CHECK(make(true) == Balances{0, 0, 0, 0});
  CHECK(make(false) == make(true));
}

TEST_CASE("DecideHold: lots that expire first pay first, then the older ones", "[unit][ledger]") {
  Account account;
  const LotId never = account.EarnNow(100);
  const LotId late = account.EarnNow(100, Day(30));
  const LotId soon = account.EarnNow(100, Day(20));
  const RecordNumber hold = account.Hold(250);
  CHECK(account.lot(soon).held == Points(100));
  CHECK(account.lot(late).held == Points(100));
  CHECK(account.lot(never).held == Points(50));
  CHECK(account.hold(hold).parts.front().lot == soon);
}

TEST_CASE("DecideHold: refusals come in their order", "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100);
  account.Spend(100);
  REQUIRE(account.Reverse(lot, 100).ok());
  account.state().status = AccountStatus::kClosed;
  CHECK(ReasonOf(account.TryHold(0)) == Reason::kAccountClosed);
  account.state().status = AccountStatus::kOpen;
  CHECK(ReasonOf(account.TryHold(0)) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(account.TryHold(1)) == Reason::kAccountInDebt);
  account.EarnNow(150);
  const auto refused = account.TryHold(51);
  CHECK(ReasonOf(refused) == Reason::kInsufficientPoints);
  CHECK(DetailsOf(refused.status()).at("available_points") == "50");
  CHECK(account.TryHold(50).ok());
}

TEST_CASE("DecideHold: pending points cannot be held", "[unit][ledger]") {
  Account account;
  account.Earn(100, Day(14));
  CHECK(ReasonOf(account.TryHold(1)) == Reason::kInsufficientPoints);
  CHECK(account.At(Day(14)).TryHold(100).ok());
}

TEST_CASE("DecideCapture: several times, until nothing is held", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(100);
  CHECK(account.Capture(hold, 30).value() == Points(30));
  CHECK(account.Capture(hold, 50).value() == Points(50));
  CHECK(ReasonOf(account.Capture(hold, 21)) == Reason::kCaptureExceedsHold);
  CHECK(account.Capture(hold).value() == Points(20));
  CHECK(account.hold(hold).state == HoldState::kCaptured);
  CHECK(ReasonOf(account.Capture(hold, 1)) == Reason::kRedemptionClosed);
  CHECK(account.Moved(Movement::kRedeemed) == 100);
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
}

TEST_CASE("DecideCapture: the final one releases the rest", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(100);
  CHECK(account.Capture(hold, 30, /*final=*/true).value() == Points(30));
  CHECK(account.hold(hold).state == HoldState::kCaptured);
  CHECK(account.Balances() == Balances{0, 70, 0, 0});
  CHECK(ReasonOf(account.Release(hold)) == Reason::kRedemptionClosed);
}

TEST_CASE("Holds: a hold is found by its partner alone", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(50);
  CHECK(ReasonOf(account.Capture(hold, 10, false, kStranger)) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(account.Release(hold, kStranger)) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(account.Refund(hold, 1, kStranger)) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(account.Capture(RecordNumber(77))) == Reason::kRedemptionNotFound);
}

TEST_CASE("DecideCaptureFor: another partner takes of a hold, and gives back, by its own contract",
          "[unit][ledger]") {
  constexpr ContractId kStrangers{90};
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(50);
  const auto take = [&](int64_t points, RecordNumber from) {
    return ReasonOf(account.Do([&](Posting& posting) {
      return DecideCaptureFor(posting, from, Points(points), kStranger, kStrangers);
    }));
  };
  const auto give_back = [&](int64_t points) {
    return ReasonOf(account.Do([&](Posting& posting) {
      return DecideRefundFrom(posting, hold, Points(points), kStranger, kStrangers);
    }));
  };

  CHECK(take(51, hold) == Reason::kCaptureExceedsHold);
  CHECK(take(1, RecordNumber(77)) == Reason::kRedemptionNotFound);
  CHECK_FALSE(take(20, hold));
  CHECK(account.entries().back().credit.account ==
        ControlAccountId(Bucket::kRedeemed, kStranger, BookId(3)));
  CHECK(account.entries().back().contract == kStrangers);
  CHECK(account.Balances() == Balances{0, 50, 30, 0});
  CHECK(give_back(21) == Reason::kRefundExceedsCapture);
  CHECK_FALSE(give_back(20));
  CHECK(account.entries().back().debit.account ==
        ControlAccountId(Bucket::kRedeemed, kStranger, BookId(3)));
  REQUIRE(account.Release(hold).ok());
  CHECK(take(1, hold) == Reason::kRedemptionClosed);
  CHECK(account.Balances() == Balances{0, 100, 0, 0});
}

TEST_CASE("Holds: a hold that ran out gives its points back and is closed", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(60, Day(1));
  account.At(Day(1));
  CHECK(ReasonOf(account.Capture(hold)) == Reason::kRedemptionClosed);
  account.Touch();
  CHECK(account.hold(hold).state == HoldState::kExpired);
  CHECK(account.Balances() == Balances{0, 100, 0, 0});
}

TEST_CASE("Holds: a hold that ran out after a capture counts as captured", "[unit][ledger]") {
  Account account;
  account.EarnNow(100);
  const RecordNumber hold = account.Hold(60, Day(1));
  REQUIRE(account.Capture(hold, 10).ok());
  account.At(Day(2)).Touch();
  CHECK(account.hold(hold).state == HoldState::kCaptured);
  CHECK(account.Balances() == Balances{0, 90, 0, 0});
}

TEST_CASE("Lots: held points do not expire until they are released", "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100, Day(10));
  const RecordNumber hold = account.Hold(60);
  account.At(Day(11)).Touch();
  CHECK(account.Balances() == Balances{0, 0, 60, 0});
  REQUIRE(account.Capture(hold, 20).ok());

  CHECK(account.Release(hold).value() == Points(40));

  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.lot(lot).expired == Points(80));
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("Lots: an expired lot does not repay a debt when its hold runs out", "[unit][ledger]") {
  Account account;
  const LotId debtor = account.EarnNow(50);
  account.Spend(50);
  account.EarnNow(40, Day(10));
  account.Hold(40, Day(12));
  REQUIRE(account.Reverse(debtor, 50).ok());
  account.At(Day(13)).Touch();
  CHECK(account.Balances() == Balances{0, 0, 0, 50});
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("Lots: what comes back after its day pays its own lot's debt, and only then expires",
          "[unit][ledger]") {
  Account held;
  const LotId goods = held.EarnNow(100, Day(10));
  held.Hold(100, Day(12));
  REQUIRE(held.Reverse(goods, 70).ok());
  held.At(Day(13)).Touch();
  CHECK(held.Balances() == Balances{0, 0, 0, 0});
  CHECK(held.lot(goods).expired == Points(30));
  CHECK(WhatIsWrong(held) == "");

  Account spent;
  const LotId other = spent.EarnNow(100, Day(10));
  const RecordNumber hold = spent.Spend(100);
  REQUIRE(spent.At(Day(11)).Reverse(other, 70).ok());
  REQUIRE(spent.Refund(hold, 100).ok());
  CHECK(spent.Balances() == Balances{0, 0, 0, 0});
  CHECK(spent.lot(other).expired == Points(30));
  CHECK(WhatIsWrong(spent) == "");
}

TEST_CASE("DecideRefund: the lots that paid get back theirs, the last first", "[unit][ledger]") {
  Account account;
  const LotId soon = account.EarnNow(100, Day(10));
  const LotId never = account.EarnNow(100);
  const RecordNumber hold = account.Spend(150);

  REQUIRE(account.Refund(hold, 70).ok());

  CHECK(account.lot(never).remaining == Points(100));
  CHECK(account.lot(soon).remaining == Points(20));
  CHECK(account.lot(soon).expires_at == Day(10));
  CHECK(ReasonOf(account.Refund(hold, 81)) == Reason::kRefundExceedsCapture);
  CHECK(ReasonOf(account.Refund(hold, 0)) == Reason::kRefundExceedsCapture);
  CHECK(account.Refund(hold, 80).ok());
  CHECK(account.Moved(Movement::kRefunded) == 150);
}

TEST_CASE("DecideRefund: points whose day has passed expire at once", "[unit][ledger]") {
  Account account;
  account.EarnNow(100, Day(10));
  const RecordNumber hold = account.Spend(100);
  REQUIRE(account.At(Day(20)).Refund(hold, 100).ok());
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.Moved(Movement::kExpired) == 100);
}

TEST_CASE("DecideRefund: repays the debt of a lot that had been returned", "[unit][ledger]") {
  Account account;
  const LotId lot = account.EarnNow(100);
  const RecordNumber hold = account.Spend(100);
  REQUIRE(account.Reverse(lot, 100).ok());
  REQUIRE(account.Refund(hold, 100).ok());
  CHECK(account.Balances() == Balances{0, 0, 0, 0});
  CHECK(account.lot(lot).closed());
  CHECK(WhatIsWrong(account) == "");
}

TEST_CASE("DecideRefund: where another lot took over the redemption, it gets the points back",
          "[unit][ledger]") {
  Account account;
  const LotId first = account.EarnNow(100);
  const RecordNumber hold = account.Spend(100);
  REQUIRE(account.Reverse(first, 100).ok());
  const LotId second = account.EarnNow(60);
  CHECK(account.Balances() == Balances{0, 0, 0, 40});

  REQUIRE(account.Refund(hold, 100).ok());

  CHECK(account.Balances() == Balances{0, 60, 0, 0});
  CHECK(account.lot(second).remaining == Points(60));
  CHECK(account.lot(first).closed());
  CHECK(WhatIsWrong(account) == "");
}

// A random life of one account.
void Live(Account& account, std::mt19937& random) {
  const auto upto = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(random);
  };
  const auto any_lot = [&]() -> LotId {
    const auto& lots = account.state().lots;
    return lots.empty() ? LotId(1) : lots[static_cast<size_t>(upto(lots.size() - 1))].id;
  };
  const auto any_hold = [&]() -> RecordNumber {
    const auto& holds = account.state().holds;
    return holds.empty() ? RecordNumber(1)
                         : holds[static_cast<size_t>(upto(holds.size() - 1))].number;
  };
  const auto later = [&](int64_t hours) {
    return account.now() + Timestamp(upto(hours) * 3'600 * kMicrosPerSecond);
  };
  switch (upto(9)) {
    case 0:
    case 1:
      account.Earn(upto(100), later(100), upto(1) ? kNever : later(400),
                   upto(4) ? OnDue::kActivate : OnDue::kCancel);
      break;
    case 2:
      (void)account.TryHold(upto(120), later(72));
      break;
    case 3:
      (void)account.Capture(any_hold(), upto(60), upto(3) == 0);
      break;
    case 4:
      (void)account.Release(any_hold());
      break;
    case 5:
      (void)account.Refund(any_hold(), upto(60));
      break;
    case 6:
      (void)account.Reverse(any_lot(), upto(80));
      break;
    case 7:
      (void)account.Confirm(any_lot());
      break;
    case 8:
      (void)account.Cancel(any_lot());
      break;
    default:
      account.At(later(48)).Touch();
  }
}

TEST_CASE("Accounts: whatever happens to an account, lots, balances and entries agree",
          "[unit][ledger][inv-18]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int life = 0; life < 300; ++life) {
    Account account;
    for (int step = 0; step < 120; ++step) {
      Live(account, random);
      const std::string wrong = WhatIsWrong(account);
      if (wrong.empty()) continue;
      FAIL(wrong << " in step " << step << " of life " << life);
    }
  }
}

// Lets everything fall due, pays what is owed and spends what is left.
void End(Account& account) {
  account.At(account.now() + Timestamp(1'000 * kMicrosPerDay)).Touch();
  if (account.state().debt > Points(0)) account.EarnNow(account.state().debt.value());
  if (account.state().available == Points(0)) return;
  const RecordNumber hold = account.Hold(account.state().available.value(), kNever);
  REQUIRE(account.Capture(hold).ok());
}

TEST_CASE("Accounts: points that are given or taken name their lots, and each lot closes to zero",
          "[unit][ledger][inv-6]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int life = 0; life < 300; ++life) {
    INFO("life " << life);
    Account account;
    for (int step = 0; step < 60; ++step) Live(account, random);
    End(account);

    std::map<LotId, int64_t> left;
    bool all_named = true;
    for (const Entry& entry : account.entries()) {
      for (const Side& side : {entry.debit, entry.credit}) {
        if (!IsControl(side.bucket)) all_named = all_named && side.lot;
      }
      all_named = all_named && (entry.debit.lot || entry.credit.lot);
      if (!IsControl(entry.debit.bucket)) left[entry.debit.lot] -= entry.points.value();
      if (!IsControl(entry.credit.bucket)) left[entry.credit.lot] += entry.points.value();
    }
    CHECK(all_named);
    CHECK(account.Balances() == Balances{0, 0, 0, 0});
    CHECK(std::all_of(left.begin(), left.end(), [](const auto& lot) { return lot.second == 0; }));
    for (const Lot& lot : account.state().lots) {
      if (!lot.closed()) FAIL("lot " << lot.id.value() << " is open");
    }
  }
}

TEST_CASE("Accounts: how often an account is brought up changes nothing", "[unit][ledger]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int life = 0; life < 300; ++life) {
    Account lived;
    for (int step = 0; step < 30; ++step) Live(lived, random);
    Account at_once = lived;
    Account in_steps = lived;
    for (int hours = 1; hours <= 24 * 25; hours += 7) {
      in_steps.At(lived.now() + Timestamp(hours * 3'600 * kMicrosPerSecond)).Touch();
    }
    at_once.At(in_steps.now()).Touch();
    if (at_once.state() == in_steps.state()) continue;
    FAIL("in life " << life);
  }
}

TEST_CASE("DecideHold: restricted lots pay first where they may, and nowhere else",
          "[unit][ledger][inv-54]") {
  Account account;
  account.EarnNow(100, Day(10));
  const LotId here = account.EarnRestricted(30, kTaker, Day(20));
  const LotId there = account.EarnRestricted(30, kStranger);
  const LotId gifts = account.EarnRestricted(30, kOnlyGifts);

  REQUIRE(account.HoldBy([](HoldTerms& terms) { terms.points = Points(40); }).ok());
  CHECK(account.lot(here).held == Points(30));
  CHECK(account.lot(there).held == Points(0));
  CHECK(account.lot(gifts).held == Points(0));
  const absl::Status too_many = account.HoldBy([](HoldTerms& terms) { terms.points = Points(91); });
  CHECK(ReasonOf(too_many) == Reason::kInsufficientPoints);
  CHECK(DetailsOf(too_many).at("available_points") == "90");

  REQUIRE(account
              .HoldBy([](HoldTerms& terms) {
                terms.points = Points(31);
                terms.gift = true;
              })
              .ok());
  CHECK(account.lot(gifts).held == Points(30));
}

TEST_CASE("DecideHold: points that name several partners are spent at each of them alone",
          "[unit][ledger][inv-54]") {
  Account account;
  account.EarnNow(100, Day(10));
  const LotId listed = account.EarnRestricted(30, Restriction::OnlyAt({kTaker, kIssuer, kTaker}));
  const LotId others = account.EarnRestricted(30, Restriction::OnlyAt({kStranger, kIssuer}));
  const LotId nobody = account.EarnRestricted(30, Restriction(kOnlyListed, {}));

  REQUIRE(account.HoldBy([](HoldTerms& terms) { terms.points = Points(40); }).ok());
  CHECK(account.lot(listed).held == Points(30));
  CHECK(account.lot(others).held == Points(0));
  CHECK(account.lot(nobody).held == Points(0));
  for (const bool gift : {false, true}) {
    const absl::Status too_many = account.HoldBy([&](HoldTerms& terms) {
      terms.points = Points(91);
      terms.gift = gift;
    });
    CHECK(DetailsOf(too_many).at("available_points") == "90");
  }
  CHECK(Restriction::OnlyAt({kTaker, kTaker}) == Restriction(kTaker));
  CHECK(Restriction::OnlyAt({}) == Restriction());
}

TEST_CASE("DecideHold: the policy's order of consumption is kept, and gives the same again",
          "[unit][ledger][inv-54]") {
  for (const auto order : {ConsumptionOrder::kFirstExpiring, ConsumptionOrder::kFirstIn}) {
    for (int again = 0; again < 2; ++again) {
      Account account;
      const LotId older = account.EarnNow(50, Day(30));
      const LotId sooner = account.EarnNow(50, Day(10));
      REQUIRE(account
                  .HoldBy([&](HoldTerms& terms) {
                    terms.points = Points(50);
                    terms.order = order;
                  })
                  .ok());
      const bool first_in = order == ConsumptionOrder::kFirstIn;
      CHECK(account.lot(older).held == Points(first_in ? 50 : 0));
      CHECK(account.lot(sooner).held == Points(first_in ? 0 : 50));
    }
  }
}

TEST_CASE("DecideReverse: points that may only be spent somewhere repay no other lot's debt",
          "[unit][ledger][inv-54]") {
  Account account;
  const LotId sale = account.EarnNow(50);
  account.Spend(50);
  account.EarnRestricted(30, kStranger);
  REQUIRE(account.Reverse(sale, 20).ok());

  CHECK(account.state().debt == Points(20));
  CHECK(account.state().available == Points(30));
  account.EarnNow(25);
  CHECK(account.state().debt == Points(0));
  CHECK(account.state().available == Points(35));
}

TEST_CASE("DecideCapture: nothing is taken of a hold in review before it is released",
          "[unit][ledger][inv-103]") {
  Account account;
  account.EarnNow(50);
  REQUIRE(account.HoldBy([](HoldTerms& terms) { terms.reviewed = true; }).ok());
  const RecordNumber hold = account.last();
  const auto release = [&](PartnerId partner) {
    return account.Do([&](Posting& p) { return DecideReviewRelease(p, partner, hold); });
  };

  CHECK(account.hold(hold).state == HoldState::kInReview);
  CHECK(ReasonOf(account.Capture(hold)) == Reason::kRedemptionInReview);
  CHECK(ReasonOf(release(kStranger)) == Reason::kRedemptionNotFound);
  REQUIRE(release(kTaker).ok());
  CHECK(ReasonOf(release(kTaker)) == Reason::kRedemptionClosed);
  CHECK(account.Capture(hold).ok());
}

TEST_CASE("Posting: a hold in review that runs out gives its points back",
          "[unit][ledger][inv-103]") {
  Account account;
  account.EarnNow(50);
  REQUIRE(account
              .HoldBy([](HoldTerms& terms) {
                terms.reviewed = true;
                terms.expires_at = Day(2);
              })
              .ok());
  const RecordNumber hold = account.last();

  account.At(Day(2)).Touch();

  CHECK(account.hold(hold).state == HoldState::kExpired);
  CHECK(account.state().available == Points(50));
}

TEST_CASE("DecideRefund: what comes back after its lot has expired lives for the days of grace",
          "[unit][ledger][inv-44]") {
  Account account;
  const LotId lot = account.EarnNow(50, Day(10));
  const RecordNumber hold = account.Spend(50);

  REQUIRE(account.At(Day(20)).Refund(hold, 20, kTaker, Day(25)).ok());

  CHECK(account.state().available == Points(20));
  CHECK(account.lot(lot).restored_until == Day(25));
  CHECK(account.lot(lot).issued == Points(50));
  CHECK(account.state().next_due_at == Day(25));
  account.At(Day(25)).Touch();
  CHECK(account.state().available == Points(0));
  CHECK(account.lot(lot).expired == Points(20));
  // Without grace they expire at once.
  REQUIRE(account.Refund(hold, 30).ok());
  CHECK(account.lot(lot).expired == Points(50));
}

TEST_CASE("DecideRefund: a lot that lives keeps its own end, whatever the grace",
          "[unit][ledger][inv-44]") {
  Account account;
  const LotId lot = account.EarnNow(50, Day(10));
  const RecordNumber hold = account.Spend(50);

  REQUIRE(account.At(Day(5)).Refund(hold, 50, kTaker, Day(30)).ok());

  CHECK(account.lot(lot).restored_until == Timestamp());
  account.At(Day(10)).Touch();
  CHECK(account.state().available == Points(0));
}

}  // namespace
}  // namespace guilder::ledger
