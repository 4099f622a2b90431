#include "libs/ledger/store/batch.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/moves.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/store/account_memory.h"
#include "libs/ledger/store/activities.h"
#include "libs/ledger/store/allowances.h"
#include "libs/ledger/store/batch_sql.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/load_configuration.h"

namespace guilder::ledger {
namespace {

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
      command->account_merged = false;
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
    for (const auto& [id, book] : batch_.books) AddSeals(book);
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
      if (settled_[i]) continue;
      if (Depth* const depth = DepthFor(command, command.account, depths)) {
        if (command.needs_lot) depth->first_lot = std::min(depth->first_lot, *command.needs_lot);
        if (command.hold) depth->holds.push_back(command.hold);
      }
      for (const AccountId other : command.others) {
        Depth* const depth = DepthFor(command, other, depths);
        // What came from the merged account may be closed there, and still be taken back.
        if (depth != nullptr && command.survivor) depth->first_lot = LotId();
      }
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

  // What the command needs of one of its accounts; nullptr when its balances will do.
  Depth* DepthFor(const Command& command, AccountId id, std::map<AccountId, Depth>& depths) {
    const auto found = batch_.accounts.find(id);
    if (found == batch_.accounts.end()) return nullptr;
    const AccountState& account = found->second.state;
    const bool due = account.next_due_at <= batch_.posted_at;
    const bool deep = due || account.debt > Points(0) || command.needs_lots || command.needs_lot ||
                      command.hold || !command.others.empty();
    if (!deep) return nullptr;
    return &depths.try_emplace(id, account.first_open_lot).first->second;
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
      keys.merge(Allowances::KeysOf({commands_[i]}, configuration()));
      for (const LimitId limit : command.limits) add(limit, command.book);
    }
    for (const auto& [id, account] : batch_.accounts) {
      for (const Lot& lot : account.loaded_lots) {
        const PointLimit* const limit = configuration_->LimitOf(lot.contract);
        if (limit != nullptr) add(limit->limit, BookOf(id));
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
    if (!command.others.empty()) return DecideTogether(i);
    BookState& book = batch_.books.at(command.book);
    const bool opens = !command.account;
    AccountState before;
    before.id = opens ? MakeAccountId(book.last_serial + 1, book.id) : command.account;
    // A new account has no lots to load.
    before.lots_loaded = opens;
    const auto loaded = batch_.accounts.find(before.id);
    const bool found = loaded != batch_.accounts.end();
    if (found) before = loaded->second.state;
    if (before.status == AccountStatus::kMerged) return LeaveMerged(command);

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
        CountActivity(tx_, configuration(), command, batch_.records, posting);
        Accept(i, *std::move(response), posting);
        Keep(std::move(posting));
        return;
      }
      const Points needed = -changes.at(*lacking);
      const Points left = LeftOf(*lacking);
      if (needed <= left) return Wait(command, {*lacking, book.id, needed});
      if (context.IsExhausted(*lacking)) {
        return RefuseCommand(i, Exhausted(*lacking, left));
      }
      context.exhausted.push_back({*lacking, left});
    }
  }

  // What all books have left of it. Those that it may not cover may repeat what it did, so their
  // claims are looked up with it.
  Points LeftOf(LimitId limit) {
    ClaimsToFind claims;
    if (claims_ != Claims::kLookedUp) {
      for (size_t i = 0; i < commands_.size(); ++i) {
        const Command& command = *commands_[i];
        const auto& named = command.limits;
        const bool may_spend = LimitsOf(command, *configuration_).contains(limit) ||
                               std::find(named.begin(), named.end(), limit) != named.end();
        if (!settled_[i] && may_spend) AddClaims(command, claims.keys);
      }
    }
    const Points left = allowances_.Total(tx_, configuration_->programme().id, limit, claims);
    if (claims.taken) {
      claim_taken_ = claim_taken_ || *claims.taken;
      found_claims_.insert(claims.keys.begin(), claims.keys.end());
    }
    return left;
  }

  // The same for a command that names several accounts. None of them is opened by it.
  void DecideTogether(size_t i) {
    Command& command = *commands_[i];
    std::vector<AccountId> ids = command.others;
    ids.insert(ids.begin(), command.account);
    std::vector<Posting> postings;
    std::map<BookId, int64_t> numbers;
    for (const AccountId id : ids) {
      const auto loaded = batch_.accounts.find(id);
      if (loaded == batch_.accounts.end() || !loaded->second.found) {
        return Settle(i, Refuse(Reason::kMemberNotFound));
      }
      const BookState& book = batch_.books.at(BookOf(id));
      int64_t& number = numbers.try_emplace(book.id, book.frontier.size()).first->second;
      postings.emplace_back(loaded->second.state, RecordNumber(++number), batch_.posted_at);
    }
    // Meanwhile its survivor was merged as well.
    if (command.survivor && postings[1].account().status == AccountStatus::kMerged) {
      return LeaveMerged(command);
    }

    SpareWhatMoves(configuration(), static_cast<bool>(command.survivor), postings);
    if (command.survivor) BringHome(postings[0], postings[1], command.refers_to);
    for (Posting& posting : postings) posting.BringUpToNow();
    DecisionContext context{configuration(), loaded_.cards[i], /*account_found=*/true};
    // Once; again for each limit that is found to be exhausted.
    while (true) {
      std::vector<Posting> decided = postings;
      command.spends.clear();
      command.keep_refused = false;
      absl::StatusOr<std::string> response = command.DecideTogether(context, decided);
      if (!response.ok()) return RefuseCommand(i, response.status());
      if (command.survivor) {
        MoveAll(decided[0], decided[1]);
        CountActivityOfSurvivor(configuration(), command, decided[0], decided[1]);
      }
      const auto changes = ChangesOf(command, decided, configuration());
      const absl::StatusOr<NeededAllowance> lacking = FindShort(changes);
      if (!lacking.ok()) return Settle(i, lacking.status());
      const LimitId limit = lacking->limit;
      if (!limit) return AcceptTogether(i, *std::move(response), std::move(decided), changes);
      const Points left = LeftOf(limit);
      if (NeedOf(limit, changes) <= left) return Wait(command, *lacking);
      if (context.IsExhausted(limit)) return RefuseCommand(i, Exhausted(limit, left));
      context.exhausted.push_back({limit, left});
    }
  }

  // What the first book that has too little needs; of no limit when all have enough.
  absl::StatusOr<NeededAllowance> FindShort(const std::map<BookId, AllowanceChanges>& books) const {
    for (const auto& [book, of_book] : books) {
      GUILDER_ASSIGN_OR_RETURN(const LimitId lacking, allowances_.FindShort(book, of_book));
      if (lacking) return NeededAllowance{lacking, book, -of_book.at(lacking)};
    }
    return NeededAllowance();
  }

  // All of its books have enough, so none is left without what another one has applied.
  void AcceptTogether(size_t i, std::string response, std::vector<Posting> postings,
                      const std::map<BookId, AllowanceChanges>& changes) {
    Command& command = *commands_[i];
    for (const auto& [book, of_book] : changes) allowances_.Apply(book, of_book);
    if (postings[0].account().status == AccountStatus::kMerged && !command.survivor) {
      batch_.forwards.push_back({command.account, command.others[0]});
    }
    Accept(i, std::move(response), postings[0]);
    const Part part{command.kind, command.account, command.place.book, command.place.number};
    for (size_t p = 1; p < postings.size(); ++p) {
      Record record = MakeRecord(command, postings[p]);
      record.kind = RecordKind::kPart;
      record.request_id = PartRequestId(command.request_id, static_cast<int>(p));
      record.content = EncodePart(part);
      Append(std::move(record), RequestClaimKey(command.partner, record.request_id));
    }
    for (Posting& posting : postings) Keep(std::move(posting));
  }

  // The command leaves the batch: where its account's points are now is found out before it is
  // decided again. Those that come after it of its account leave it for the same reason.
  static void LeaveMerged(Command& command) { command.account_merged = true; }

  const Configuration& configuration() const { return *configuration_; }

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

  Record MakeRecord(const Command& command, const Posting& posting) const {
    Record record;
    record.book = BookOf(posting.account().id);
    record.number = posting.number();
    record.posted_at = batch_.posted_at;
    record.kind = command.kind;
    record.partner = command.partner;
    record.account = posting.account().id;
    record.config_version = configuration_->version();
    record.request_id = command.request_id;
    record.fingerprint = command.fingerprint;
    record.entries = posting.entries();
    record.new_lots = posting.new_lots();
    record.new_hold = posting.new_hold();
    record.restored_until = posting.restored_until();
    record.active_until = posting.active_until();
    return record;
  }

  // Adds the record to its book, and gives its leaf.
  Digest Append(Record record, const Uuid& request_claim) {
    BookState& book = batch_.books.at(record.book);
    const Digest leaf = LeafOf(record, book.secret);
    book.frontier.Append(leaf);
    book.changed = true;
    batch_.leaves.push_back(leaf);
    batch_.request_claims.push_back(request_claim);
    batch_.records.push_back(std::move(record));
    return leaf;
  }

  // The account as an accepted posting leaves it.
  void Keep(Posting posting) {
    AccountEntry& entry = batch_.accounts[posting.account().id];
    if (!entry.found && !entry.opened_by) entry.opened_by = posting.number();
    const bool closed = posting.account().status != entry.state.status;
    const bool moved = !posting.entries().empty();
    AccountState after = std::move(posting).TakeAccount();
    // A hold may be released from its review without an entry.
    const bool released = entry.state.holds != after.holds;
    const bool active = entry.state.active_until != after.active_until;
    entry.newly_spared |= !after.IsSparedAs(entry.state);
    // Where nothing was due after all, nobody looks in vain again.
    const bool looked_in_vain = entry.state.next_due_at != after.next_due_at;
    entry.changed = entry.changed || !entry.found || moved || closed || released || active ||
                    entry.newly_spared || looked_in_vain;
    entry.state = std::move(after);
  }

  void Accept(size_t i, std::string response, const Posting& posting) {
    Command& command = *commands_[i];
    Record record = MakeRecord(command, posting);
    record.refers_to = command.refers_to;
    record.content = command.content;
    record.natural_key = command.natural_key;
    record.response = response;
    command.place = {record.book, record.number, record.posted_at, {}};
    command.place.leaf = Append(std::move(record), command.request_claim);
    command.parked = false;
    outcomes_[i] = Answer{std::move(response), command.place, command.kind, /*replayed=*/false};
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
    if (claims_ == Claims::kLookedUp || claim_taken_) return claim_taken_;
    std::vector<Uuid> keys;
    for (const LoggedRefusal& refusal : refusals_) AddClaims(*refusal.command, keys);
    std::erase_if(keys, [this](const Uuid& key) { return found_claims_.contains(key); });
    return !keys.empty() && !FindClaims(tx_, keys).empty();
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
  // Claims that were looked up before the write, and whether one of them was taken.
  std::set<Uuid> found_claims_;
  bool claim_taken_ = false;
  // Accepted and parked commands, for their RowStores.
  std::vector<Command*> to_write_;
};

}  // namespace

absl::StatusOr<Outcomes> RunBatch(postgres::Transaction& tx, const postgres::Rows& loaded,
                                  const std::vector<Command*>& commands,
                                  const std::set<Allowances::Key>& locked, Claims claims,
                                  LaneState& lane, BatchState& left) {
  return Run(tx, commands, locked, claims, lane, left).Finish(loaded);
}

}  // namespace guilder::ledger
