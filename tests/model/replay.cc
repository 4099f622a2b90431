#include "tests/model/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/claims.h"

namespace guilder::model {
namespace {

using ledger::Record;
using ledger::StoredRecord;

constexpr int64_t kDay = kMicrosPerDay;

// Points by way and contract.
using Moved = std::map<std::tuple<Place, Place, ContractId>, Points>;

std::string Name(const Record& record) {
  return absl::StrCat("record ", record.book.value(), "-", record.number.value());
}

Place PlaceOf(const ledger::Side& side) {
  if (!ledger::IsControl(side.bucket)) return {side.bucket, ledger::RecordOf(side.lot), {}};
  return {side.bucket, {}, ledger::ControlAccountOf(side.account).partner};
}

std::string Text(const Moved& moved) {
  std::string text;
  const auto place = [](const Place& p) {
    return absl::StrCat(std::string(ledger::BucketName(p.bucket)), "(",
                        p.lot ? p.lot.value() : p.partner.value(), ")");
  };
  for (const auto& [way, points] : moved) {
    absl::StrAppend(&text, "\n    ", points.value(), " ", place(std::get<0>(way)), " -> ",
                    place(std::get<1>(way)), " contract ", std::get<2>(way).value());
  }
  return text;
}

bool IsAboutClaims(const absl::Status& refusal) {
  const auto reason = ReasonOf(refusal);
  return reason == Reason::kRequestIdReused || reason == Reason::kReceiptConflict;
}

class Replayer {
 public:
  Replayer(const std::set<Timestamp>& boundaries, const std::vector<Played>& played,
           Replayed& replayed)
      : boundaries_(boundaries), played_(played), replayed_(replayed) {}

  std::optional<Failure> Run(const std::vector<StoredRecord>& records) {
    for (size_t history = 0; history < played_.size(); ++history) {
      for (const Sent& sent : played_[history].sent) {
        if (sent.wave > 0) steps_[sent.request_id].push_back({&sent, history});
      }
    }
    for (const StoredRecord& stored : records) {
      if (!Acknowledged(stored)) return failure_;
    }
    for (size_t history = 0; history < played_.size(); ++history) {
      if (!CheckAnswers(history)) return failure_;
    }
    for (const StoredRecord& stored : records) {
      if (!Apply(stored.record)) return failure_;
    }
    for (auto& [id, account] : replayed_.accounts) {
      if (!ExplainRefusals(account, std::nullopt)) return failure_;
    }
    return std::nullopt;
  }

 private:
  struct StepOf {
    const Sent* sent;
    size_t history;
  };

  bool Fail(std::optional<size_t> history, std::string what) {
    failure_ = Failure{history, std::move(what)};
    return false;
  }

  // Finds the step that posted a record: whoever was told of it, and asked first.
  bool Acknowledged(const StoredRecord& stored) {
    const Record& record = stored.record;
    const StepOf* posted = nullptr;
    for (const StepOf& step : steps_[record.request_id]) {
      const auto& answer = step.sent->answer;
      if (step.sent->fingerprint != record.fingerprint || !answer.ok()) continue;
      if (posted == nullptr || step.sent->wave < posted->sent->wave) posted = &step;
    }
    if (posted == nullptr) return Fail({}, Name(record) + " was acknowledged to nobody");
    const ClaimOwner owner{{record.book, record.number, record.posted_at, stored.leaf},
                           record.fingerprint,
                           posted->sent->wave};
    if (!Claim(ledger::RequestClaimKey(record.partner, record.request_id), owner)) {
      return Fail(posted->history, Name(record) + " repeats a request");
    }
    if (posted->sent->natural_key && !Claim(*posted->sent->natural_key, owner)) {
      return Fail(posted->history, Name(record) + " repeats a receipt");
    }
    if (posted->sent->answer->response != record.response) {
      return Fail(posted->history, Name(record) + " was answered otherwise than it says");
    }
    posted_[{record.book, record.number}] = *posted;
    replayed_.posted[record.book].push_back(record.posted_at);
    return true;
  }

  bool Claim(const Uuid& key, const ClaimOwner& owner) {
    return replayed_.claims.emplace(key, owner).second;
  }

  const ClaimOwner* FindClaim(const Uuid& key) const {
    const auto found = replayed_.claims.find(key);
    return found == replayed_.claims.end() ? nullptr : &found->second;
  }

  // Whether every answer agrees with who holds the claims of the request.
  bool CheckAnswers(size_t history) {
    for (const Sent& sent : played_[history].sent) {
      if (sent.wave == 0) continue;
      const std::string wrong = WhatIsWrong(sent);
      if (!wrong.empty()) {
        return Fail(history, absl::StrCat(VerbName(sent.request.verb), " in wave ", sent.wave, ": ",
                                          wrong, "; answered ", sent.answer.status().ToString()));
      }
    }
    return true;
  }

  std::string WhatIsWrong(const Sent& sent) const {
    const ClaimOwner* by_id =
        FindClaim(ledger::RequestClaimKey(sent.request.partner, sent.request_id));
    const ClaimOwner* by_receipt = sent.natural_key ? FindClaim(*sent.natural_key) : nullptr;
    const auto is_same = [&](const ClaimOwner* owner) {
      return owner != nullptr && owner->fingerprint == sent.fingerprint;
    };
    const absl::Status& status = sent.answer.status();
    if (status.ok()) {
      const ClaimOwner* owner = is_same(by_id) ? by_id : by_receipt;
      if (!is_same(owner)) return "it is not in the journal";
      const ledger::JournalPlace& place = sent.answer->place;
      const bool same = place.book == owner->place.book && place.number == owner->place.number &&
                        place.posted_at == owner->place.posted_at &&
                        place.leaf == owner->place.leaf;
      return same ? "" : "its receipt names another record";
    }
    const auto reason = ReasonOf(status);
    if (!reason || *reason == Reason::kInternal) return "that is no refusal";
    const bool id_taken = by_id != nullptr && by_id->wave < sent.wave;
    if (id_taken) {
      if (is_same(by_id)) return "a repeat was not recognised";
      return reason == Reason::kRequestIdReused ? "" : "its request id was taken";
    }
    if (reason == Reason::kRequestIdReused) {
      const bool met = by_id != nullptr && !is_same(by_id) && by_id->wave == sent.wave;
      return met ? "" : "its request id was free";
    }
    if (by_receipt != nullptr && by_receipt->wave < sent.wave) {
      if (is_same(by_receipt)) return "a receipt sent again was not recognised";
      return reason == Reason::kReceiptConflict ? "" : "its receipt was taken";
    }
    if (reason == Reason::kReceiptConflict) {
      const bool met =
          by_receipt != nullptr && !is_same(by_receipt) && by_receipt->wave == sent.wave;
      return met ? "" : "its receipt was free";
    }
    return "";
  }

  bool Apply(const Record& record) {
    const StepOf& step = posted_.at({record.book, record.number});
    ReplayedAccount* account = Find(record, step);
    if (account == nullptr) return false;
    if (!ExplainRefusals(*account, step.sent->wave)) return false;
    if (record.posted_at < account->posted_at) {
      return Fail(step.history, Name(record) + " is earlier than the one before");
    }
    account->posted_at = record.posted_at;
    const auto response = account->model.Apply(step.sent->request, record.number, record.posted_at);
    const std::string what = VerbName(step.sent->request.verb) + ", " + Name(record);
    if (!response.ok()) {
      return Fail(step.history,
                  what + " should have been refused: " + response.status().ToString());
    }
    if (*response != record.response) {
      return Fail(step.history,
                  what + " was answered " + record.response + " rather than " + *response);
    }
    return CompareMoves(record, account->model.moves(), what, step.history);
  }

  ReplayedAccount* Find(const Record& record, const StepOf& step) {
    if (step.sent->request.verb == Verb::kOpen) {
      const auto [opened, is_new] = replayed_.accounts.emplace(
          record.account,
          ReplayedAccount{
              Account(record.account), step.history, record.book, record.number, {}, {}});
      if (!is_new) {
        Fail(step.history, Name(record) + " opens an account that is open");
        return nullptr;
      }
      AddRefusals(record.account, opened->second);
      return &opened->second;
    }
    const auto found = replayed_.accounts.find(step.sent->request.account);
    if (found != replayed_.accounts.end() && record.account == found->first &&
        record.book == found->second.book) {
      return &found->second;
    }
    Fail(step.history, Name(record) + " is of another account than was asked");
    return nullptr;
  }

  void AddRefusals(AccountId id, ReplayedAccount& account) {
    for (const Sent& sent : played_[account.history].sent) {
      if (sent.wave > 0 && sent.request.account == id && !sent.answer.ok() &&
          !IsAboutClaims(sent.answer.status())) {
        account.refusals.push_back(&sent);
      }
    }
  }

  // Looks for refusals that the account's state of now explains. Before a record of a wave, all
  // records of earlier waves are applied: so refusals of those waves must be explained by now.
  bool ExplainRefusals(ReplayedAccount& account, std::optional<int> next_wave) {
    auto refusal = account.refusals.begin();
    while (refusal != account.refusals.end()) {
      const int wave = (*refusal)->wave;
      if (next_wave && wave > *next_wave) break;
      if (IsExplained(account, **refusal)) {
        refusal = account.refusals.erase(refusal);
        continue;
      }
      if (!next_wave || wave < *next_wave) {
        return Fail(account.history, absl::StrCat(VerbName((*refusal)->request.verb), " in wave ",
                                                  wave, " should not have been refused so: ",
                                                  (*refusal)->answer.status().ToString()));
      }
      ++refusal;
    }
    return true;
  }

  // It was decided at some instant between two that are known; what the account is changes only
  // when something falls due.
  static bool IsExplained(const ReplayedAccount& account, const Sent& refusal) {
    Account model = account.model;
    Timestamp at = std::max(account.posted_at, refusal.earliest);
    const Timestamp latest = std::max(at, refusal.latest);
    while (at <= latest) {
      model.LiveUntil(at);
      Account attempt = model;
      const auto response = attempt.Apply(refusal.request, RecordNumber(), at);
      const absl::Status& answered = refusal.answer.status();
      if (ReasonOf(response.status()) == ReasonOf(answered) &&
          DetailsOf(response.status()) == DetailsOf(answered)) {
        return true;
      }
      if (model.NextDue() == kNever) return false;
      at = model.NextDue();
    }
    return false;
  }

  bool CompareMoves(const Record& record, const std::vector<Move>& moves, const std::string& what,
                    size_t history) {
    Moved expected;
    for (const Move& move : moves) {
      expected[{move.from, move.to, move.contract}] += move.points;
      AddToControl(record.book, move.from, -move.points);
      AddToControl(record.book, move.to, move.points);
      if (move.movement == ledger::Movement::kNone) continue;
      replayed_
          .positions[{record.book, WindowOf(record.posted_at), move.contract, move.movement}] +=
          move.points;
    }
    Moved actual;
    for (const ledger::Entry& entry : record.entries) {
      actual[{PlaceOf(entry.debit), PlaceOf(entry.credit), entry.contract}] += entry.points;
    }
    if (expected == actual) return true;
    return Fail(history, what + " moved" + Text(actual) + "\n  rather than" + Text(expected));
  }

  // A window begins with a day or with a boundary on demand.
  Timestamp WindowOf(Timestamp posted_at) const {
    const Timestamp day(posted_at.value() / kDay * kDay);
    const auto after = boundaries_.upper_bound(posted_at);
    return after == boundaries_.begin() ? day : std::max(day, *std::prev(after));
  }

  void AddToControl(BookId book, const Place& place, Points points) {
    if (!ledger::IsControl(place.bucket)) return;
    replayed_.control_accounts[{book, place.bucket, place.partner}] += points;
  }

  const std::set<Timestamp>& boundaries_;
  const std::vector<Played>& played_;
  Replayed& replayed_;
  std::map<Uuid, std::vector<StepOf>> steps_;
  std::map<std::pair<BookId, RecordNumber>, StepOf> posted_;
  std::optional<Failure> failure_;
};

}  // namespace

std::optional<Failure> Replay(const std::vector<StoredRecord>& records,
                              const std::set<Timestamp>& boundaries,
                              const std::vector<Played>& played, Replayed& replayed) {
  return Replayer(boundaries, played, replayed).Run(records);
}

}  // namespace guilder::model
