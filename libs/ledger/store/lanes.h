// Lanes: the threads that write the ledger.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/store/command.h"

namespace guilder::ledger {

struct LanesOptions {
  std::string dsn;
  // The programme whose books are written.
  ProgrammeId programme{1};
  int lanes = 4;
  // Commands that may wait for one lane; more are refused at once with kQueueFull.
  int max_queued_per_lane = 2'048;
  // Of these, how many one partner may have.
  int max_queued_per_partner = 1'024;
  int max_batch = 512;
  // A batch that held its locks longer makes the next one smaller.
  absl::Duration batch_time_limit = absl::Milliseconds(20);
};

// Writes commands to books. Each lane is a thread with a connection and a share of the books;
// whatever arrived for them while it was busy is its next batch.
//
// Commands that name several accounts have a lane of their own, which locks whatever books these
// are in. A command whose account was merged is sent there, too: to the account that goes on or,
// where it acts on an earlier record, over both.
//
// Thread safe. Several processes may serve the same books.
class Lanes {
 public:
  using Done = std::function<void(absl::StatusOr<Answer>)>;

  // Connects and reads the books and the configuration. Errors: kStoreUnavailable, or one sentence
  // that says what is missing.
  static absl::StatusOr<std::unique_ptr<Lanes>> Start(LanesOptions options);
  // Stops as Drain does.
  ~Lanes();

  // Queues a command. `done` is called exactly once, after the commit, on the lane's thread or, for
  // a refusal at once, on the caller's.
  //
  // Refuses, besides what deciders refuse: kQueueFull, kDraining, kDeadlineExceeded,
  // kStoreUnavailable, kRequestIdReused.
  void Submit(std::unique_ptr<Command> command, Done done);

  // The book in which a new account with that request id is opened: always the same.
  BookId BookForNewAccount(const Uuid& request_id) const;

  // The configuration that some lane read last. It may be behind; lanes always decide on the
  // current one.
  std::shared_ptr<const Configuration> configuration() const;

  // Answers what is queued, and refuses what still comes.
  void Drain();

 private:
  class Impl;
  explicit Lanes(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::ledger
