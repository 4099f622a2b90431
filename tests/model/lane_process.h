// A set of lanes, in this process or in one of its own.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"

#include "libs/ledger/store/lanes.h"
#include "tests/model/request.h"

namespace guilder::model {

// What a client sends: a request and what its service adds.
struct Order {
  Request request;
  Uuid request_id{};
  // Keeps receipts of histories apart.
  int64_t history = 0;
  // Where an account is opened; others are in the book of their account.
  BookId book;
  // After so long nobody waits for the answer.
  absl::Duration patience = absl::InfiniteDuration();
};

// Thread safe.
class LaneProcess {
 public:
  virtual ~LaneProcess() = default;
  // `done` is called exactly once. Orders under way when a process dies are answered
  // kStoreUnavailable: their outcome is unknown.
  virtual void Submit(const Order& order, ledger::Lanes::Done done) = 0;
  // Answers what was submitted, and ends. Nothing may be submitted any more.
  virtual void Drain() = 0;
  // Ends it with SIGKILL, whatever it is doing; drains one that is a part of this process.
  virtual void Kill() = 0;
};

// Lanes of this process. Throws when they cannot be started.
std::unique_ptr<LaneProcess> LanesInThisProcess(const ledger::LanesOptions& options);

// Lanes of a process of their own: the program guilder-model-lanes, which takes orders from a
// socket. Throws when it cannot be started.
std::unique_ptr<LaneProcess> LanesInAProcess(const ledger::LanesOptions& options);

// What that program does: serves orders from its standard input, a socket, until it is closed.
int ServeOrders(const ledger::LanesOptions& options);

}  // namespace guilder::model
