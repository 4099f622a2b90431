// A command, as a lane sees it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/limit.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/record.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

class Command;

// Where a command stands in the journal.
struct JournalPlace {
  BookId book;
  RecordNumber number;
  Timestamp posted_at;
  Digest leaf{};
};

// What a caller gets for an accepted command.
struct Answer {
  // The bytes that Decide gave, now or the first time.
  std::string response;
  JournalPlace place;
  RecordKind kind{};
  // Whether it is the stored answer to an earlier request.
  bool replayed = false;
};

// Whose points a command may issue, and so which limit it may spend from.
enum class Issues { kNothing, kPartnersPoints, kOperatorPartnersPoints };

// What must be moved to a book of a command before it can be decided.
struct NeededAllowance {
  LimitId limit;
  BookId book;
  Points points;
};

// Reads and writes a service's own rows for its commands of a batch, in the lane's transaction. One
// object serves all lanes at once.
class RowStore {
 public:
  virtual ~RowStore() = default;
  // After the books are locked and before anything is decided. What it reads is current. It may
  // set the commands' `limits` and `payers`.
  virtual void Load(postgres::Transaction&, const Configuration&, const std::vector<Command*>&) {}
  // Before Write, with the same commands: takes what can be used once, as a quote. ClaimTaken
  // (batch.h) where another transaction was first: the batch is run again, and Load finds it taken.
  virtual absl::Status Take(postgres::Transaction&, const std::vector<Command*>&) {
    return absl::OkStatus();
  }
  // After everything was decided: the accepted commands, and those refused ones that asked to be
  // kept.
  virtual void Write(postgres::Transaction&, const std::vector<Command*>&) {}
};

// Something that a service asks of one account, or of several. Made by an rpc handler, decided and
// written by a lane.
class Command {
 public:
  virtual ~Command() = default;

  // ---- Set by the service, and constant from then on.

  RecordKind kind{};
  // Who asks: the partner whose request id it is, and that shares the lane fairly with others.
  PartnerId partner;
  Uuid request_id{};
  // SHA-256 over all that is asked but the request id, in a versioned encoding.
  Digest fingerprint{};
  // What the record keeps for the service. Decide may set it anew, from what it found out.
  std::string content;
  // The book, and so the lane. The account's, or the book in which to open one.
  BookId book;
  // None when the command opens an account.
  AccountId account;
  // Other accounts that it decides over, in whatever books; no account twice. It then goes by a
  // path of its own (lanes.h), and each account gets a record.
  std::vector<AccountId> others;
  // The card that was shown. None when the command does not depend on one.
  CardNumber card;
  // A key besides the request id that must be unique over all books, such as a receipt's.
  std::optional<Uuid> natural_key;
  // The record in the same book that the command acts on. Two commands on the same one never share
  // a batch, so that a RowStore finds what the first one left.
  RecordNumber refers_to;
  // The redemption that it captures, voids or refunds.
  RecordNumber hold;
  // Whose points Decide may issue. Its partner's, or the operator-partner's.
  Issues issues = Issues::kNothing;
  // Partners besides whose points Decide may issue.
  std::vector<PartnerId> payers;
  // Limits besides those of whose points it issues that Decide may spend from.
  std::vector<LimitId> limits;
  // When what it tells of happened; none for now.
  std::optional<Timestamp> occurred_at;
  // Whether it decides over lots. Lots are then loaded, from this one at the latest.
  bool needs_lots = false;
  std::optional<LotId> needs_lot;
  // After this nobody waits for an answer; it is dropped if it is not written yet.
  absl::Time deadline = absl::InfiniteFuture();
  // The service's own rows, or nullptr.
  RowStore* rows = nullptr;

  // ---- Asked by the lane.

  // Decides and gives the response to store, or refuses. Pure: called again when a batch is
  // repeated.
  virtual absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) = 0;

  // Decides a command that names others: the first posting is of its own account, the others come
  // in their order.
  virtual absl::StatusOr<std::string> DecideTogether(const DecisionContext& context,
                                                     std::vector<Posting>& postings) {
    return Decide(context, postings.front());
  }

  // What Decide decided is taken into the batch: the commands after it are decided over what it
  // left. Called once in each run of a batch, at most.
  virtual void OnAccepted() {}

  // The natural key belongs to a record with other content: gives the refusal to answer. The
  // command is then given to its RowStore to be kept, with `parked` set.
  virtual absl::Status OnNaturalKeyTaken(const JournalPlace& winner, RecordKind kind);

  // ---- Set by Decide.

  // What it spends of `limits`, besides what its entries do; below zero, what it gives back. Empty
  // when it is called.
  std::map<LimitId, Points> spends;
  // What it refused is to be kept: `parked` is set, and its RowStore is given it. False when it is
  // called.
  bool keep_refused = false;

  // ---- Set by the lane.

  // The claim of its request id.
  Uuid request_claim{};
  // It was not decided: its book lacks this, or it comes after a command of its account that waits.
  // It is to be decided again.
  std::optional<NeededAllowance> needed_allowance;
  bool comes_after_waiting = false;

  // It was not decided, because its account was merged into another one.
  bool account_merged = false;
  // It acts on an earlier record of a merged account: where that account's points are now.
  AccountId survivor;

  // ---- Set by the lane before RowStore::Write.

  // Where it was posted; no number for a parked one.
  JournalPlace place;
  // It was refused and is to be kept by its RowStore.
  bool parked = false;
};

}  // namespace guilder::ledger
