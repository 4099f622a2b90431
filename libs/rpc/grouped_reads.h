// Reads that arrive together, made together.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/base/reason.h"
#include "libs/rpc/worker_pool.h"

namespace guilder::rpc {

// Answers many askers with one set-based statement. What is asked while a group is being read waits
// for the next one, so groups grow with the load, and a lone asker waits for nobody.
//
// Thread safe. Outlived by its worker pool; nothing is asked any more when it goes.
template <typename Key, typename Value>
class GroupedReads {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Value>)>;
  // Reads what belongs to each key, in their order; blocks. An error is everybody's answer.
  using Read =
      std::function<absl::StatusOr<std::vector<absl::StatusOr<Value>>>(const std::vector<Key>&)>;

  GroupedReads(WorkerPool& workers, Read read) : workers_(workers), read_(std::move(read)) {}
  // Waits until everybody is answered.
  ~GroupedReads() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return readers_ == 0; });
  }

  // `done` is called once, on a worker or, when too many wait (kQueueFull), on this thread. An
  // asker whose deadline passes while it waits is not read for: kDeadlineExceeded.
  void Ask(Key key, absl::Time deadline, Done done) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() < kMaxWaiting) {
        waiting_.push_back({std::move(key), deadline, std::move(done)});
        if (readers_ == kMaxReaders) return;
        // A second reader pays only when there is enough for both.
        if (readers_ > 0 && waiting_.size() < kMaxTogether / 2) return;
        if (workers_.TrySubmit([this] { ReadWhileAsked(); })) {
          ++readers_;
          return;
        }
        if (readers_ > 0) return;
        done = std::move(waiting_.back().done);
        waiting_.pop_back();
      }
    }
    done(Refuse(Reason::kQueueFull));
  }

 private:
  // Of workers, which others need too.
  static constexpr int kMaxReaders = 2;
  static constexpr size_t kMaxTogether = 128;
  static constexpr size_t kMaxWaiting = 4'096;

  struct Asker {
    Key key;
    absl::Time deadline;
    Done done;
  };

  void ReadWhileAsked() {
    for (;;) {
      std::vector<Asker> group;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) {
          if (--readers_ == 0) idle_.notify_all();
          return;
        }
        const size_t count = std::min(waiting_.size(), kMaxTogether);
        group.assign(std::make_move_iterator(waiting_.begin()),
                     std::make_move_iterator(waiting_.begin() + static_cast<ptrdiff_t>(count)));
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
      }
      Answer(std::move(group));
    }
  }

  void Answer(std::vector<Asker> group) {
    const absl::Time now = absl::Now();
    std::erase_if(group, [&](Asker& asker) {
      if (now < asker.deadline) return false;
      asker.done(Refuse(Reason::kDeadlineExceeded));
      return true;
    });
    if (group.empty()) return;
    std::vector<Key> keys;
    keys.reserve(group.size());
    for (const Asker& asker : group) keys.push_back(asker.key);
    auto values = read_(keys);
    for (size_t i = 0; i < group.size(); ++i) {
      if (values.ok()) {
        group[i].done(std::move((*values)[i]));
      } else {
        group[i].done(values.status());
      }
    }
  }

  WorkerPool& workers_;
  const Read read_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<Asker> waiting_;  // guarded by mutex_
  int readers_ = 0;             // guarded by mutex_
};

}  // namespace guilder::rpc
