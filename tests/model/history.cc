#include "tests/model/history.h"

#include <algorithm>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace guilder::model {
namespace {

constexpr int kMinAccounts = 3;
constexpr int kMaxAccounts = 5;

Timestamp Hours(int64_t hours) {
  return Timestamp(hours * 3'600 * kMicrosPerSecond);
}

std::string Text(Timestamp duration) {
  return duration == kNever ? "never" : absl::FormatDuration(absl::Microseconds(duration.value()));
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  History Generate(int commands) {
    const int accounts = Between(kMinAccounts, kMaxAccounts);
    for (int i = 0; i < accounts; ++i) AddOpen();
    for (int sent = accounts; sent < commands;) {
      if (Chance(4)) {
        AddWait();
      } else {
        const int before = Last();
        AddCommand();
        sent += Last() - before;
      }
    }
    return std::move(history_);
  }

 private:
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Between(1, 100) <= percent; }

  int Last() const { return static_cast<int>(history_.steps.size()) - 1; }

  void Add(Step step) {
    history_.steps.push_back(step);
    if (step.id_of == kNoStep) history_.steps.back().id_of = Last();
  }

  void AddOpen() {
    Add({});
    opens_.push_back(Last());
  }

  void AddWait() {
    Step step;
    step.wait = Hours(Chance(80) ? Between(1, 48) : Between(48, 240));
    Add(step);
  }

  void AddCommand() {
    const int dice = Between(1, 100);
    if (dice <= 4) return AddRepeat();
    if (dice <= 6) return AddReuseOfId();
    if (dice <= 8 && !receipts_.empty()) return AddReceiptAgain();
    Add(NewCommand());
    Remember(Last());
  }

  // A repeat of an earlier request, because its answer was not heard.
  void AddRepeat() { Add(history_.steps[AnyCommand()]); }

  // Another request under an id that was used before.
  void AddReuseOfId() {
    const int earlier = AnyCommand();
    // Accounts are opened by the programme, whose ids no partner can meet.
    if (!history_.steps[earlier].request.partner) return;
    Step step = NewCommand();
    step.id_of = history_.steps[earlier].id_of;
    // Only ids of one partner can meet.
    Request& request = step.request;
    request.partner = history_.steps[step.id_of].request.partner;
    if (request.verb == Verb::kEarn || request.verb == Verb::kPay) {
      request.contract = IssuanceContract(request.partner, Between(1, 2));
    } else if (request.contract) {
      request.contract = RedemptionContract(request.partner);
    }
    Add(step);
  }

  // The same receipt: sent anew with an id of its own, or for another card.
  void AddReceiptAgain() {
    Step step = history_.steps[receipts_[Below(receipts_.size())]];
    step.id_of = kNoStep;
    if (Chance(60)) step.account = AnyAccount();
    Add(step);
  }

  Step NewCommand() {
    if (Chance(9)) return BetweenAccounts();
    const int dice = Between(1, 100);
    if (dice <= 34) return Earn();
    if (dice <= 39) return OnLot(Verb::kConfirm);
    if (dice <= 42) return OnLot(Verb::kCancel);
    if (dice <= 56) return OnLot(Verb::kReverse);
    if (dice <= 76) return Hold();
    if (dice <= 84) return OnHold(Verb::kCapture);
    if (dice <= 86) return OnHold(Verb::kUse);
    if (dice <= 87) return OnHold(Verb::kReleaseReview);
    if (dice <= 90) return Pay();
    if (dice <= 94) return OnHold(Verb::kRelease);
    return OnHold(Chance(75) ? Verb::kRefund : Verb::kUnuse);
  }

  Step Earn() {
    Step step;
    step.account = AnyAccount();
    Request& request = step.request;
    request.verb = Verb::kEarn;
    request.partner = PartnerId(Between(1, 4));
    request.contract = IssuanceContract(request.partner, Between(1, 2));
    request.points = Points(Chance(2) ? Between(-1, 0) : Between(1, 100));
    if (Chance(35)) request.activates_after = Hours(Between(1, 300));
    // Sometimes before it is activated, and at the same instant.
    if (Chance(70)) request.expires_after = Hours(Between(1, 900));
    if (Chance(5)) request.expires_after = request.activates_after + Hours(Between(0, 1));
    request.cancel_on_due = Chance(20);
    if (Chance(12)) request.restricted_to = Chance(30) ? PartnerId(-1) : AnyTaker();
    if (Chance(15)) {
      request.funder = PartnerId(Between(1, 4));
      request.funder_contract = IssuanceContract(request.funder, Between(1, 2));
      request.funder_points = Points(Between(1, 50));
    }
    if (Chance(25)) request.receipt = Last() + 2;
    if (Chance(40)) step.card = AnyCard();
    return step;
  }

  Step Hold() {
    Step step;
    step.account = AnyAccount();
    step.request.verb = Verb::kHold;
    step.request.partner = AnyTaker();
    step.request.contract = RedemptionContract(step.request.partner);
    step.request.points = Points(Chance(2) ? 0 : Between(1, Chance(75) ? 40 : 200));
    step.request.expires_after = Hours(Between(1, 200));
    step.request.gift = Chance(20);
    step.request.first_in = Chance(20);
    step.request.at_once = Chance(15);
    step.request.reviewed = !step.request.at_once && Chance(15);
    return step;
  }

  Step OnLot(Verb verb) {
    Step step;
    step.request.verb = verb;
    step.request.partner = PartnerId(Between(1, 4));
    PickTarget(lots_, step);
    if (verb == Verb::kReverse) {
      // All of a lot, which is often spent or held by then, makes debts.
      const bool all = step.target != kNoStep && Chance(40);
      step.request.points =
          all ? history_.steps[step.target].request.points : Points(Between(0, 60));
    }
    return step;
  }

  Step OnHold(Verb verb) {
    Step step;
    step.request.verb = verb;
    const bool refunds = verb == Verb::kRefund || verb == Verb::kUnuse;
    PickTarget(refunds && Chance(90) ? captured_ : holds_, step);
    const bool anybodys = verb == Verb::kUse || verb == Verb::kUnuse;
    const bool stranger = step.target == kNoStep || Chance(anybodys ? 70 : 3);
    step.request.partner = stranger ? AnyTaker() : history_.steps[step.target].request.partner;
    if (step.target != kNoStep) step.request.gift = history_.steps[step.target].request.gift;
    if (anybodys) {
      step.request.contract = RedemptionContract(step.request.partner);
      step.request.points = Points(Between(0, 50));
    }
    if (verb == Verb::kCapture) {
      step.request.points = Points(Chance(40) ? 0 : Between(1, 50));
      step.request.final = Chance(50);
    }
    if (refunds) {
      step.request.points = Points(Between(1, 40));
      if (Chance(50)) step.request.grace = Hours(Between(1, 100));
    }
    return step;
  }

  Step Pay() {
    Step step = OnHold(Verb::kPay);
    step.request.contract = IssuanceContract(step.request.partner, 1);
    step.request.points = Points(Between(0, 80));
    step.request.activates_after = Hours(Chance(50) ? 0 : Between(1, 100));
    step.request.expires_after = Hours(Between(1, 900));
    return step;
  }

  Step BetweenAccounts() {
    const int dice = Between(1, 100);
    if (dice > 65 && dice <= 92 && !transfers_.empty()) return ReverseTransfer();
    Step step;
    step.request.verb = dice <= 92 ? Verb::kTransfer : Verb::kMerge;
    step.account = AnyAccount();
    do step.other = AnyAccount();
    while (step.other == step.account);
    if (step.request.verb == Verb::kTransfer) {
      step.request.points = Points(Chance(2) ? 0 : Between(1, Chance(75) ? 40 : 150));
    }
    return step;
  }

  Step ReverseTransfer() {
    Step step;
    step.target = transfers_[transfers_.size() - 1 - Below(std::min<size_t>(transfers_.size(), 3))];
    const Step& transfer = history_.steps[static_cast<size_t>(step.target)];
    step.account = transfer.account;
    step.other = transfer.other;
    step.request.verb = Verb::kReverseTransfer;
    step.request.points = transfer.request.points;
    return step;
  }

  // One of the latest, mostly: the others are finished.
  void PickTarget(const std::vector<int>& candidates, Step& step) {
    if (candidates.empty() || Chance(1)) {
      step.account = AnyAccount();
      return;
    }
    const size_t recent = std::min<size_t>(candidates.size(), Chance(70) ? 4 : 30);
    step.target = candidates[candidates.size() - 1 - Below(recent)];
    step.account = Chance(2) ? AnyAccount() : history_.steps[step.target].account;
  }

  void Remember(int index) {
    const Request& request = history_.steps[index].request;
    if (request.verb == Verb::kEarn || request.verb == Verb::kPay) lots_.push_back(index);
    if (request.verb == Verb::kHold) holds_.push_back(index);
    if (request.verb == Verb::kTransfer) transfers_.push_back(index);
    if (request.verb == Verb::kMerge) merged_.insert(history_.steps[index].account);
    const int target = history_.steps[index].target;
    const bool captures =
        request.verb == Verb::kCapture || request.verb == Verb::kPay || request.verb == Verb::kUse;
    if (captures && target != kNoStep) captured_.push_back(target);
    if (request.verb == Verb::kHold && request.at_once) captured_.push_back(index);
    if (request.receipt != 0) receipts_.push_back(index);
  }

  Card AnyCard() {
    const int dice = Between(1, 10);
    if (dice <= 7) return Card::kOwn;
    return dice == 8 ? Card::kBlocked : dice == 9 ? Card::kOthers : Card::kUnknown;
  }
  size_t Below(size_t size) { return static_cast<size_t>(Between(0, static_cast<int>(size) - 1)); }
  // Rarely one that was merged.
  int AnyAccount() {
    const int any = opens_[Below(opens_.size())];
    return merged_.contains(any) && Chance(85) ? opens_[Below(opens_.size())] : any;
  }
  PartnerId AnyTaker() { return PartnerId(Between(kFirstTaker, kPartners)); }
  int AnyCommand() {
    for (;;) {
      const int index = Between(0, Last());
      if (history_.steps[index].sends()) return index;
    }
  }

  std::mt19937_64 random_;
  History history_;
  std::vector<int> opens_;
  std::vector<int> lots_;
  std::vector<int> holds_;
  std::vector<int> captured_;
  std::vector<int> receipts_;
  std::vector<int> transfers_;
  std::set<int> merged_;
};

const char* NameOf(Card card) {
  switch (card) {
    case Card::kNone:
      break;
    case Card::kOwn:
      return " with a card";
    case Card::kBlocked:
      return " with a blocked card";
    case Card::kOthers:
      return " with another account's card";
    case Card::kUnknown:
      return " with an unknown card";
  }
  return "";
}

std::string Describe(const Step& step, int index) {
  std::string line = absl::StrCat("#", index, " ");
  if (!step.sends()) return line + "wait " + Text(step.wait);
  const Request& request = step.request;
  absl::StrAppend(&line, VerbName(request.verb));
  if (step.account != kNoStep) absl::StrAppend(&line, " account #", step.account);
  if (step.other != kNoStep) absl::StrAppend(&line, " and #", step.other);
  if (request.partner) absl::StrAppend(&line, " partner ", request.partner.value());
  if (request.points != Points(0)) absl::StrAppend(&line, " points ", request.points.value());
  const bool earns = request.verb == Verb::kEarn || request.verb == Verb::kPay;
  if (earns) {
    absl::StrAppend(&line, request.cancel_on_due ? " cancelled after " : " available after ",
                    Text(request.activates_after));
  }
  if (earns || request.verb == Verb::kHold) {
    absl::StrAppend(&line, " expires after ", Text(request.expires_after));
  }
  if (step.target != kNoStep) absl::StrAppend(&line, " of #", step.target);
  if (request.final) absl::StrAppend(&line, " final");
  if (request.restricted_to) {
    absl::StrAppend(&line, " restricted to ", request.restricted_to.value());
  }
  if (request.funder) {
    absl::StrAppend(&line, " and ", request.funder_points.value(), " of partner ",
                    request.funder.value());
  }
  if (request.gift) absl::StrAppend(&line, " for a gift");
  if (request.first_in) absl::StrAppend(&line, " older first");
  if (request.at_once) absl::StrAppend(&line, " at once");
  if (request.reviewed) absl::StrAppend(&line, " reviewed");
  if (request.grace > Timestamp()) absl::StrAppend(&line, " grace ", Text(request.grace));
  if (request.receipt != 0) absl::StrAppend(&line, " receipt ", request.receipt);
  absl::StrAppend(&line, NameOf(step.card));
  if (step.id_of != index) absl::StrAppend(&line, " with the request id of #", step.id_of);
  return line;
}

}  // namespace

int History::commands() const {
  return static_cast<int>(std::count_if(
      steps.begin(), steps.end(), [](const Step& step) { return step.sends() && !step.removed; }));
}

std::string History::ToString() const {
  std::string text;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].removed) absl::StrAppend(&text, Describe(steps[i], static_cast<int>(i)), "\n");
  }
  return text;
}

History GenerateHistory(uint64_t seed, int commands) {
  return Generator(seed).Generate(commands);
}

}  // namespace guilder::model
