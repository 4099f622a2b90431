#include "libs/ledger/store/batch.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/match.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/store/account_memory.h"
#include "libs/ledger/store/allowances.h"
#include "libs/ledger/store/batch_sql.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/postgres/status.h"

namespace guilder::ledger {
namespace {

constexpr char kClaimTaken[] = "a claim is taken";
// As PostgreSQL names it in the violation's message, in whatever language.
constexpr char kClaimsConstraint[] = "claims_pk";

// A batch on its way through steps 2 to 4.
class Run {
 public:
  Run(postgres::Transaction& tx, const std::vector<Command*>& commands,
      const std::set<Allowances::Key>& locked, Claims claims, LaneState& lane, BatchState& batch)
      : tx_(tx),
        commands_(commands),
        claims_(claims),
        configuration_(lane.configuration),
        memory_(*lane.memory),
        batch_(batch),
        allowances_(locked),
        outcomes_(commands.size(), absl::UnknownError("not decided")) {}

  absl::StatusOr<Outcomes> Finish(const postgres::Rows& rows) {
    for (Command* command : commands_) {
      command->needed_allowance.reset();
      command->comes_after_waiting = false;
    }
    GUILDER_RETURN_IF_ERROR(Load(rows));
    for (size_t i = 0; i < commands_.size(); ++i) {
      if (!settled_[i]) Decide(i);
    }
    GUILDER_RETURN_IF_ERROR(Write());
    return std::move(outcomes_);
  }

 private:
  absl::Status Load(const postgres::Rows& rows) {
    GUILDER_ASSIGN_OR_RETURN(loaded_, ReadLoaded(rows, commands_, batch_, allowances_));
    memory_.ForgetChanged(batch_.books);
    if (configuration_->version() != loaded_.config_version) {
      const ProgrammeId programme = configuration_->programme().id;
      GUILDER_ASSIGN_OR_RETURN(configuration_, LoadConfiguration(tx_, programme));
    }
    for (const auto& [id, book] : batch_.books) {
      AddSeals(book);
    }
    settled_.assign(commands_.size(), false);
    if (claims_ == Claims::kLookedUp) AnswerFromClaims();
    LoadDeeply();
    LoadRows();
    LoadAllowances();
    return absl::OkStatus();
  }

  void AddSeals(const BookState& book) {
    // Before the programme there are no windows.
    const Timestamp from = std::max(book.last_posted_at, configuration_->programme().started_at);
    std::vector<Seal> seals =
        SealsBetween(configuration_->calendar(), book.id, book.frontier, from, batch_.posted_at);
    std::move(seals.begin(), seals.end(), std::back_inserter(batch_.seals));
  }

  static void AddClaims(const Command& command, std::vector<Uuid>& keys) {
    keys.push_back(command.request_claim);
    if (command.natural_key) keys.push_back(*command.natural_key);
  }

  // Answers repeats, and receipts that are taken, without deciding them again.
  void AnswerFromClaims() {
    std::vector<Uuid> keys;
    for (const Command* command : commands_) AddClaims(*command, keys);
    std::map<Uuid, TakenClaim> taken;
    for (TakenClaim& claim : FindClaims(tx_, keys)) taken.emplace(claim.key, std::move(claim));
    if (taken.empty()) return;
    for (size_t i = 0; i < commands_.size(); ++i) {
      Command& command = *commands_[i];
      const auto request = taken.find(command.request_claim);
      if (request != taken.end()) {
        const bool same = request->second.fingerprint == command.fingerprint;
        Settle(i, same ? absl::StatusOr<Answer>(request->second.answer)
                       : Refuse(Reason::kRequestIdReused));
        continue;
      }
      if (!command.natural_key) continue;
      const auto natural = taken.find(*command.natural_key);
      if (natural == taken.end()) continue;
      if (natural->second.fingerprint == command.fingerprint) {
        Settle(i, natural->second.answer);
      } else {
        const Answer& winner = natural->second.answer;
        Park(i, command.OnNaturalKeyTaken(winner.place, winner.kind));
      }
    }
  }

  // What is needed of an account besides its balances.
  struct Depth {
    LotId first_lot;
    std::vector<RecordNumber> holds;
  };

  // Gets lots and holds of the accounts where something is due, owed, or decided over: from memory,
  // or from the tables.
  void LoadDeeply() {
    std::map<AccountId, Depth> depths;
    for (size_t i = 0; i < commands_.size(); ++i) {
      const Command& command = *commands_[i];
      const auto found = batch_.accounts.find(command.account);
      if (settled_[i] || found == batch_.accounts.end()) continue;
      const AccountState& account = found->second.state;
      const bool due = account.next_due_at <= batch_.posted_at;
      const bool deep = due || account.debt > Points(0) || command.needs_lots ||
                        command.needs_lot || command.hold;
      if (!deep) continue;
      Depth& depth = depths.try_emplace(command.account, account.first_open_lot).first->second;
      if (command.needs_lot) depth.first_lot = std::min(depth.first_lot, *command.needs_lot);
      if (command.hold) depth.holds.push_back(command.hold);
    }
    std::map<AccountId, LotId> from;
    std::set<RecordNumber> holds;
    for (const auto& [id, depth] : depths) {
      if (Recall(id, depth)) continue;
      from.emplace(id, depth.first_lot);
      holds.insert(depth.holds.begin(), depth.holds.end());
    }
    LoadLotsAndHolds(tx_, from, holds, batch_);
  }

  // Takes the account from memory, if all that is needed is there.
  bool Recall(AccountId id, const Depth& depth) {
    const AccountState* const known = memory_.Find(id);
    if (known == nullptr || depth.first_lot < known->first_open_lot) return false;
    for (const RecordNumber hold : depth.holds) {
      const auto is_it = [hold](const Hold& other) { return other.number == hold; };
      if (std::none_of(known->holds.begin(), known->holds.end(), is_it)) return false;
    }
    AccountEntry& entry = batch_.accounts.at(id);
    entry.state = *known;
    entry.loaded_lots = known->lots;
    entry.loaded_holds = known->holds;
    return true;
  }

  // Loads the allowances that loaded lots may give back to, those that a service's own rows name,
  // and those that commands may spend from since the configuration changed.
  void LoadAllowances() {
    std::set<Allowances::Key> keys;
    const auto add = [&](LimitId limit, BookId book) {
      if (limit) keys.emplace(limit, book);
    };
    for (size_t i = 0; i < commands_.size(); ++i) {
      if (settled_[i]) continue;
      const Command& command = *commands_[i];
      add(LimitOf(command, *configuration_), command.book);
      for (const LimitId limit : command.limits) add(limit, command.book);
    }
    for (const auto& [id, account] : batch_.accounts) {
      for (const Lot& lot : account.loaded_lots) {
        add(configuration_->LimitOf(lot.contract), BookOf(id));
      }
    }
    allowances_.Load(tx_, std::move(keys));
  }

  void LoadRows() {
    std::map<RowStore*, std::vector<Command*>> by_store;
    for (size_t i = 0; i < commands_.size(); ++i) {
      if (!settled_[i] && commands_[i]->rows) by_store[commands_[i]->rows].push_back(commands_[i]);
    }
    for (const auto& [rows, commands] : by_store) rows->Load(tx_, *configuration_, commands);
  }

  void Decide(size_t i) {
    Command& command = *commands_[i];
    if (command.account && waiting_accounts_.contains(command.account)) {
      command.comes_after_waiting = true;
      return;
    }
    BookState& book = batch_.books.at(command.book);
    const bool opens = !command.account;
    AccountState before;
    before.id = opens ? MakeAccountId(book.last_serial + 1, book.id) : command.account;
    // A new account has no lots to load.
    before.lots_loaded = opens;
    const auto loaded = batch_.accounts.find(before.id);
    const bool found = loaded != batch_.accounts.end();
    if (found) before = loaded->second.state;

    DecisionContext context{*configuration_, loaded_.cards[i], found};
    // Once; again for each limit that is found to be exhausted.
    while (true) {
      Posting posting(before, RecordNumber(book.frontier.size() + 1), batch_.posted_at);
      posting.BringUpToNow();
      command.spends.clear();
      command.keep_refused = false;
      absl::StatusOr<std::string> response = command.Decide(context, posting);
      if (!response.ok()) return RefuseCommand(i, response.status());
      if (!opens && !found) return Settle(i, Refuse(Reason::kMemberNotFound));
      AllowanceChanges changes = ChangesOf(posting.entries(), *configuration_);
      for (const auto& [limit, points] : command.spends) changes[limit] -= points;
      const absl::StatusOr<LimitId> lacking = allowances_.FindShort(book.id, changes);
      if (!lacking.ok()) return Settle(i, lacking.status());
      if (!*lacking) {
        if (opens) ++book.last_serial;
        allowances_.Apply(book.id, changes);
        return Accept(i, *std::move(response), std::move(posting), book);
      }
      const Points needed = -changes.at(*lacking);
      const Points left = allowances_.Total(tx_, configuration_->programme().id, *lacking);
      if (needed <= left) return Wait(command, {*lacking, needed});
      if (context.IsExhausted(*lacking)) {
        return RefuseCommand(i, Refuse(Reason::kPointBlockExhausted, {},
                                       {{"remaining_points", std::to_string(left.value())}}));
      }
      context.exhausted.push_back({*lacking, left});
    }
  }

  void RefuseCommand(size_t i, absl::Status refusal) {
    Command& command = *commands_[i];
    refusals_.push_back({&command, refusal, batch_.posted_at});
    if (command.keep_refused) return Park(i, std::move(refusal));
    Settle(i, std::move(refusal));
  }

  // The command leaves the batch, and with it those of its account that come after it.
  void Wait(Command& command, NeededAllowance needed) {
    command.needed_allowance = needed;
    if (command.account) waiting_accounts_.insert(command.account);
  }

  void Accept(size_t i, std::string response, Posting posting, BookState& book) {
    Command& command = *commands_[i];
    Record record;
    record.book = book.id;
    record.number = posting.number();
    record.posted_at = batch_.posted_at;
    record.kind = command.kind;
    record.partner = command.partner;
    record.account = posting.account().id;
    record.refers_to = command.refers_to;
    record.config_version = configuration_->version();
    record.request_id = command.request_id;
    record.fingerprint = command.fingerprint;
    record.content = command.content;
    record.response = std::move(response);
    record.entries = posting.entries();
    record.new_lots = posting.new_lots();
    record.new_hold = posting.new_hold();
    record.natural_key = command.natural_key;
    const Digest leaf = LeafOf(record, book.secret);
    book.frontier.Append(leaf);
    book.changed = true;

    AccountEntry& entry = batch_.accounts[record.account];
    if (!entry.found && !entry.opened_by) entry.opened_by = record.number;
    entry.state = std::move(posting).TakeAccount();
    entry.changed = entry.changed || !entry.found || !record.entries.empty();

    command.place = {record.book, record.number, record.posted_at, leaf};
    command.parked = false;
    outcomes_[i] = Answer{record.response, command.place, record.kind, /*replayed=*/false};
    batch_.leaves.push_back(leaf);
    batch_.request_claims.push_back(command.request_claim);
    batch_.records.push_back(std::move(record));
    to_write_.push_back(&command);
    command.OnAccepted();
  }

  void Settle(size_t i, absl::StatusOr<Answer> outcome) {
    settled_[i] = true;
    outcomes_[i] = std::move(outcome);
  }

  void Park(size_t i, absl::Status refusal) {
    Command& command = *commands_[i];
    command.parked = true;
    command.place = {command.book, RecordNumber(), batch_.posted_at, {}};
    to_write_.push_back(&command);
    Settle(i, std::move(refusal));
  }

  // A refused command inserts no claim, so its insert finds none: it may repeat one that was
  // accepted.
  bool RefusedRepeat() {
    if (claims_ == Claims::kLookedUp || refusals_.empty()) return false;
    std::vector<Uuid> keys;
    for (const LoggedRefusal& refusal : refusals_) AddClaims(*refusal.command, keys);
    return !FindClaims(tx_, keys).empty();
  }

  absl::Status Write() {
    if (RefusedRepeat()) return ClaimTaken();
    std::map<RowStore*, std::vector<Command*>> by_store;
    for (Command* command : to_write_) {
      if (command->rows) by_store[command->rows].push_back(command);
    }
    for (const auto& [rows, commands] : by_store) {
      GUILDER_RETURN_IF_ERROR(rows->Take(tx_, commands));
    }
    if (!batch_.records.empty()) {
      GUILDER_ASSIGN_OR_RETURN(const auto changes, allowances_.Changes());
      WriteBatch(tx_, batch_, changes, *configuration_);
    }
    if (!refusals_.empty()) WriteRefusals(tx_, refusals_);
    for (const auto& [rows, commands] : by_store) rows->Write(tx_, commands);
    return absl::OkStatus();
  }

  postgres::Transaction& tx_;
  const std::vector<Command*>& commands_;
  const Claims claims_;
  std::shared_ptr<const Configuration>& configuration_;
  AccountMemory& memory_;
  BatchState& batch_;
  Loaded loaded_;
  Allowances allowances_;
  // Accounts with a command that left the batch.
  std::set<AccountId> waiting_accounts_;
  // Parallel to the commands: whether the outcome is known.
  std::vector<bool> settled_;
  Outcomes outcomes_;
  std::vector<LoggedRefusal> refusals_;
  // Accepted and parked commands, for their RowStores.
  std::vector<Command*> to_write_;
};

}  // namespace

absl::Status ClaimTaken() {
  return absl::AbortedError(kClaimTaken);
}

bool IsClaimTaken(const absl::Status& status) {
  if (postgres::IsUniqueViolation(status)) {
    return absl::StrContains(status.message(), kClaimsConstraint);
  }
  return absl::IsAborted(status) && status.message() == kClaimTaken;
}

absl::StatusOr<Outcomes> RunBatch(postgres::Transaction& tx, const postgres::Rows& loaded,
                                  const std::vector<Command*>& commands,
                                  const std::set<Allowances::Key>& locked, Claims claims,
                                  LaneState& lane, BatchState& left) {
  return Run(tx, commands, locked, claims, lane, left).Finish(loaded);
}

}  // namespace guilder::ledger
