#include "libs/ledger/store/lane_queue.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/time/time.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/claims.h"

namespace guilder::ledger {
namespace {

// A lane whose last batch had so many commands is busy: it waits a moment for those that are on
// their way, since what a batch costs whatever its size is then shared by more. Its callers wait
// for each other anyhow.
constexpr int kBusyBatch = 8;
constexpr std::chrono::microseconds kGather(2'000);

}  // namespace

// What a batch has so far, and so what may join it.
class LaneQueue::Selection {
 public:
  explicit Selection(const std::multiset<AccountId>& stays_behind)
      : stays_behind_(stays_behind.begin(), stays_behind.end()) {}

  bool Admits(const Command& command) {
    if (command.account && stays_behind_.contains(command.account)) return false;
    const auto acts_on = std::pair(command.book, command.refers_to);
    const bool alone = !claims_.contains(command.request_claim) &&
                       !(command.natural_key && claims_.contains(*command.natural_key)) &&
                       !(command.refers_to && acts_on_.contains(acts_on));
    if (!alone) {
      if (command.account) stays_behind_.insert(command.account);
      return false;
    }
    claims_.insert(command.request_claim);
    if (command.natural_key) claims_.insert(*command.natural_key);
    if (command.refers_to) acts_on_.insert(acts_on);
    return true;
  }

 private:
  std::set<Uuid> claims_;
  std::set<std::pair<BookId, RecordNumber>> acts_on_;
  // Accounts with a command that must wait for the next batch: what comes after it waits too.
  std::set<AccountId> stays_behind_;
};

absl::Status LaneQueue::Push(PendingCommand& pending) {
  Command& command = *pending.command;
  command.request_claim = RequestClaimKey(command.partner, command.request_id);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Refuse(Reason::kDraining);
    const auto aside = aside_.find(command.partner);
    const int places_kept = aside == aside_.end() ? 0 : aside->second;
    if (queued_ + static_cast<int>(accounts_aside_.size()) >= max_queued_)
      return Refuse(Reason::kQueueFull);
    std::deque<PendingCommand>& of_partner = waiting_[command.partner];
    if (static_cast<int>(of_partner.size()) + places_kept >= max_queued_per_partner_) {
      return Refuse(Reason::kQueueFull);
    }
    of_partner.push_back(std::move(pending));
    ++queued_;
  }
  arrived_.notify_one();
  return absl::OkStatus();
}

std::vector<PendingCommand> LaneQueue::PopBatch(int max, absl::Duration patience) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, absl::ToChronoMilliseconds(patience),
                    [&] { return queued_ > 0 || (closed_ && aside_.empty()); });
  GatherMore(lock, max);
  std::vector<PendingCommand> batch = Select(max);
  if (batch.empty() && queued_ > 0) {
    // All that is here stays behind what was set aside.
    arrived_.wait_for(lock, absl::ToChronoMilliseconds(patience));
    batch = Select(max);
  }
  last_batch_ = static_cast<int>(batch.size());
  return batch;
}

void LaneQueue::GatherMore(std::unique_lock<std::mutex>& lock, int max) {
  if (last_batch_ < kBusyBatch || queued_ == 0 || queued_ >= std::min(2 * last_batch_, max)) return;
  closing_.wait_for(lock, kGather, [&] { return closed_; });
}

std::vector<PendingCommand> LaneQueue::Select(int max) {
  std::vector<PendingCommand> batch;
  Selection selection(accounts_aside_);
  // One pass gives each partner a command; passes go on until the batch is full or nothing more
  // fits.
  std::map<PartnerId, size_t> looked_at;
  bool progress = true;
  while (progress && static_cast<int>(batch.size()) < max) {
    progress = false;
    auto turn = waiting_.upper_bound(last_served_);
    for (size_t i = waiting_.size(); i > 0 && static_cast<int>(batch.size()) < max; --i, ++turn) {
      if (turn == waiting_.end()) turn = waiting_.begin();
      auto& [partner, commands] = *turn;
      size_t& next = looked_at[partner];
      while (next < commands.size()) {
        if (selection.Admits(*commands[next].command)) {
          batch.push_back(std::move(commands[next]));
          commands.erase(commands.begin() + static_cast<std::ptrdiff_t>(next));
          last_served_ = partner;
          progress = true;
          break;
        }
        ++next;
      }
    }
  }
  queued_ -= static_cast<int>(batch.size());
  std::erase_if(waiting_, [](const auto& of_partner) { return of_partner.second.empty(); });
  return batch;
}

void LaneQueue::SetAside(const Command& command) {
  const std::lock_guard lock(mutex_);
  accounts_aside_.insert(command.account);
  ++aside_[command.partner];
}

// Both signal under the mutex: once it is released, a closed queue may be empty, and gone.

void LaneQueue::PutBack(PendingCommand pending) {
  const std::lock_guard lock(mutex_);
  TakeFromAside(*pending.command);
  ToFront(std::move(pending));
  arrived_.notify_one();
}

void LaneQueue::Forget(const Command& command) {
  const std::lock_guard lock(mutex_);
  TakeFromAside(command);
  arrived_.notify_one();
}

void LaneQueue::Unpop(std::vector<PendingCommand> commands) {
  const std::lock_guard lock(mutex_);
  for (auto last = commands.rbegin(); last != commands.rend(); ++last) ToFront(std::move(*last));
}

void LaneQueue::ToFront(PendingCommand pending) {
  waiting_[pending.command->partner].push_front(std::move(pending));
  ++queued_;
}

void LaneQueue::TakeFromAside(const Command& command) {
  accounts_aside_.erase(accounts_aside_.find(command.account));
  const auto of_partner = aside_.find(command.partner);
  if (--of_partner->second == 0) aside_.erase(of_partner);
}

void LaneQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrived_.notify_all();
  closing_.notify_all();
}

bool LaneQueue::ClosedAndEmpty() const {
  const std::lock_guard lock(mutex_);
  return closed_ && queued_ == 0 && aside_.empty();
}

}  // namespace guilder::ledger
