// The commands that wait for a lane.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/ledger/store/command.h"

namespace guilder::ledger {

struct PendingCommand {
  std::unique_ptr<Command> command;
  std::function<void(absl::StatusOr<Answer>)> done;
  // How often it left a batch to wait for an allowance.
  int waits = 0;
};

// Bounded, and fair: partners take turns, so that one that sends much waits for itself. Within a
// partner commands keep their order. Thread safe.
class LaneQueue {
 public:
  LaneQueue(int max_queued, int max_queued_per_partner)
      : max_queued_(max_queued), max_queued_per_partner_(max_queued_per_partner) {}

  // Takes the command, or leaves it with the caller and says why not: kQueueFull, kDraining.
  absl::Status Push(PendingCommand& pending);

  // Waits for a command, the end, or at most `patience`. Then gives up to `max` commands that can
  // share a batch: no two with the same claim or of the same earlier record, and none that would
  // overtake another of its account. Gives none when the wait was in vain. After a batch of eight
  // or more it waits two milliseconds longer for others, unless twice as many are there already.
  std::vector<PendingCommand> PopBatch(int max, absl::Duration patience);

  // A popped command waits elsewhere and comes back: until PutBack, or Forget when it never will,
  // its place is kept, and commands of its account stay behind it.
  void SetAside(const Command& command);
  void PutBack(PendingCommand pending);
  void Forget(const Command& command);

  // Puts popped commands to the front again, in their order, whatever the bounds.
  void Unpop(std::vector<PendingCommand> commands);

  // From now on nothing is taken, and PopBatch does not wait.
  void Close();
  // Whether it is closed, and nothing waits here or was set aside.
  bool ClosedAndEmpty() const;

 private:
  class Selection;

  void GatherMore(std::unique_lock<std::mutex>& lock, int max);
  std::vector<PendingCommand> Select(int max);
  void ToFront(PendingCommand pending);
  void TakeFromAside(const Command& command);

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable closing_;
  const int max_queued_;
  const int max_queued_per_partner_;
  std::map<PartnerId, std::deque<PendingCommand>> waiting_;
  // Whose turn comes next: the first partner after this one.
  PartnerId last_served_;
  int queued_ = 0;
  int last_batch_ = 0;
  // Commands that were set aside: the account of each, and how many each partner has.
  std::multiset<AccountId> accounts_aside_;
  std::map<PartnerId, int> aside_;
  bool closed_ = false;
};

}  // namespace guilder::ledger
