#include "tests/model/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/moves.h"
#include "libs/ledger/store/claims.h"
#include "tests/model/posted_commands.h"

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
  if (!ledger::IsControl(side.bucket)) return {side.bucket, side.lot, {}};
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
      : boundaries_(boundaries), played_(played), replayed_(replayed), refusals_(played.size()) {}

  std::optional<Failure> Run(const std::vector<StoredRecord>& records) {
    for (size_t history = 0; history < played_.size(); ++history) {
      for (const Sent& sent : played_[history].sent) {
        if (sent.wave > 0) steps_[sent.request_id].push_back({&sent, history});
      }
    }
    size_t in_order = 0;
    const std::vector<PostedCommand> commands = InOrder(records);
    for (const PostedCommand& command : commands) {
      if (!Acknowledged(*command.record) || !ClaimParts(command)) return failure_;
      in_order += 1 + command.parts.size();
    }
    if (in_order != records.size()) return Failure{{}, "records of several books have no order"};
    for (size_t history = 0; history < played_.size(); ++history) {
      if (!CheckAnswers(history)) return failure_;
      CollectRefusals(history);
    }
    for (const PostedCommand& command : commands) {
      if (!Apply(command)) return failure_;
    }
    for (size_t history = 0; history < played_.size(); ++history) {
      if (!ExplainRefusals(history, std::nullopt, {})) return failure_;
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

  // The records of a command's other accounts have its time, and ids that follow from its own.
  bool ClaimParts(const PostedCommand& command) {
    const Record& whole = command.record->record;
    for (size_t i = 0; i < command.parts.size(); ++i) {
      const Record& part = command.parts[i]->record;
      const Uuid id = ledger::PartRequestId(whole.request_id, static_cast<int>(i) + 1);
      const ClaimOwner owner{{part.book, part.number, part.posted_at, command.parts[i]->leaf},
                             part.fingerprint,
                             /*wave=*/0};
      const bool fits = part.request_id == id && part.partner == whole.partner &&
                        part.posted_at == whole.posted_at &&
                        Claim(ledger::RequestClaimKey(part.partner, id), owner);
      if (!fits) return Fail({}, Name(part) + " does not fit " + Name(whole));
      replayed_.posted[part.book].push_back(part.posted_at);
    }
    return true;
  }

  void CollectRefusals(size_t history) {
    for (const Sent& sent : played_[history].sent) {
      const bool refused =
          sent.wave > 0 && !sent.answer.ok() && !IsAboutClaims(sent.answer.status());
      if (refused) refusals_[history].push_back(&sent);
    }
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

  // The accounts that a request is decided over: its own, or who goes on for it, and another one,
  // if any. None where they do not exist.
  struct Accounts {
    ReplayedAccount* first = nullptr;
    ReplayedAccount* second = nullptr;
  };

  ReplayedAccount* Find(AccountId id) {
    const auto found = replayed_.accounts.find(id);
    return found == replayed_.accounts.end() ? nullptr : &found->second;
  }

  Accounts FindAccounts(const Request& request) {
    ReplayedAccount* const asked = Find(request.account);
    if (asked == nullptr) return {};
    if (NamesTwo(request.verb)) {
      ReplayedAccount* const other = Find(request.other);
      return other == nullptr ? Accounts{} : Accounts{asked, other};
    }
    ReplayedAccount* survivor = asked;
    while (survivor->model.merged_into()) survivor = Find(survivor->model.merged_into());
    if (survivor == asked) return {asked, nullptr};
    // What is new goes on to the survivor. What acts on an earlier record is decided over both.
    return ActsOnRecord(request.verb) ? Accounts{asked, survivor} : Accounts{survivor, nullptr};
  }

  bool Apply(const PostedCommand& command) {
    const Record& record = command.record->record;
    const StepOf& step = posted_.at({record.book, record.number});
    const std::string what = VerbName(step.sent->request.verb) + ", " + Name(record);
    const bool opens = step.sent->request.verb == Verb::kOpen;
    if (opens && !Open(record, step)) return false;
    const Accounts accounts =
        opens ? Accounts{Find(record.account), nullptr} : FindAccounts(step.sent->request);
    if (!ExplainRefusals(step.history, step.sent->wave, accounts)) return false;
    std::vector<ReplayedAccount*> them;
    if (accounts.first != nullptr) them.push_back(accounts.first);
    if (accounts.second != nullptr) them.push_back(accounts.second);
    std::vector<const Record*> records = {&record};
    for (const StoredRecord* part : command.parts) records.push_back(&part->record);
    if (them.size() != records.size()) {
      return Fail(step.history, what + " is of other accounts than was asked");
    }
    for (size_t i = 0; i < them.size(); ++i) {
      if (!Begin(*records[i], *them[i], what, step.history)) return false;
    }
    const auto response =
        DecideOver(step.sent->request, them[0]->model, them.size() > 1 ? &them[1]->model : nullptr);
    if (!response.ok()) {
      return Fail(step.history,
                  what + " should have been refused: " + response.status().ToString());
    }
    if (*response != record.response) {
      return Fail(step.history,
                  what + " was answered " + record.response + " rather than " + *response);
    }
    for (size_t i = 0; i < them.size(); ++i) {
      if (!CompareMoves(*records[i], them[i]->model.moves(), what, step.history)) return false;
    }
    return true;
  }

  bool Open(const Record& record, const StepOf& step) {
    const bool is_new =
        replayed_.accounts
            .emplace(record.account,
                     ReplayedAccount{
                         Account(record.account), step.history, record.book, record.number, {}})
            .second;
    return is_new || Fail(step.history, Name(record) + " opens an account that is open");
  }

  bool Begin(const Record& record, ReplayedAccount& account, const std::string& what,
             size_t history) {
    if (record.account != account.model.id() || record.book != account.book) {
      return Fail(history, what + " is of another account than was asked");
    }
    if (record.posted_at < account.posted_at) {
      return Fail(history, what + " is earlier than the one before");
    }
    account.posted_at = record.posted_at;
    account.model.Begin(record.number, record.posted_at);
    return true;
  }

  // Looks for refusals of the history that its accounts' state of now explains, before a command of
  // these accounts changes it. All records of earlier waves are applied: so refusals of those waves
  // must be explained by now.
  bool ExplainRefusals(size_t history, std::optional<int> next_wave, const Accounts& changing) {
    std::vector<const Sent*>& refusals = refusals_[history];
    auto refusal = refusals.begin();
    while (refusal != refusals.end()) {
      const int wave = (*refusal)->wave;
      if (next_wave && wave > *next_wave) break;
      const bool must_be = !next_wave || wave < *next_wave;
      const Accounts accounts = FindAccounts((*refusal)->request);
      if ((must_be || Meet(accounts, changing)) && IsExplained(**refusal, accounts)) {
        refusal = refusals.erase(refusal);
        continue;
      }
      if (must_be) {
        return Fail(history, absl::StrCat(VerbName((*refusal)->request.verb), " in wave ", wave,
                                          " should not have been refused so: ",
                                          (*refusal)->answer.status().ToString()));
      }
      ++refusal;
    }
    return true;
  }

  static bool Meet(const Accounts& some, const Accounts& others) {
    const auto is_among = [&](const ReplayedAccount* account) {
      return account != nullptr && (account == others.first || account == others.second);
    };
    return is_among(some.first) || is_among(some.second);
  }

  // It was decided at some instant between two that are known; what the accounts are changes only
  // when something falls due.
  static bool IsExplained(const Sent& refusal, const Accounts& accounts) {
    if (accounts.first == nullptr) return false;
    Account first = accounts.first->model;
    std::optional<Account> second;
    Timestamp at = std::max(accounts.first->posted_at, refusal.earliest);
    if (accounts.second != nullptr) {
      second = accounts.second->model;
      at = std::max(at, accounts.second->posted_at);
    }
    const Timestamp latest = std::max(at, refusal.latest);
    while (at <= latest) {
      Live(first, at);
      if (second) Live(*second, at);
      if (IsRefusedSo(refusal, accounts, at)) return true;
      if (at == latest) return false;
      // The last instant, too: a transfer may have been reversible until shortly before.
      at = std::min(latest, first.NextDue());
      if (second) at = std::min(at, second->NextDue());
    }
    return false;
  }

  static void Live(Account& account, Timestamp at) {
    account.Begin(RecordNumber(), at);
    account.LiveUntilNow();
  }

  // What a merged account left is taken home before anything falls due, so the accounts are as
  // their last records left them.
  static bool IsRefusedSo(const Sent& refusal, const Accounts& accounts, Timestamp at) {
    Account first = accounts.first->model;
    first.Begin(RecordNumber(), at);
    std::optional<Account> second;
    if (accounts.second != nullptr) {
      second = accounts.second->model;
      second->Begin(RecordNumber(), at);
    }
    const absl::Status answered = refusal.answer.status();
    const absl::Status status =
        DecideOver(refusal.request, first, second ? &*second : nullptr).status();
    return ReasonOf(status) == ReasonOf(answered) && DetailsOf(status) == DetailsOf(answered);
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
  // By history, those that have not been explained yet, by wave.
  std::vector<std::vector<const Sent*>> refusals_;
  std::optional<Failure> failure_;
};

}  // namespace

std::optional<Failure> Replay(const std::vector<StoredRecord>& records,
                              const std::set<Timestamp>& boundaries,
                              const std::vector<Played>& played, Replayed& replayed) {
  return Replayer(boundaries, played, replayed).Run(records);
}

}  // namespace guilder::model
