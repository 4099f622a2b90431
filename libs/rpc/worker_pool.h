// A fixed number of threads for handlers that block, and a queue that is never longer than its
// limit.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace guilder::rpc {

// Thread safe.
class WorkerPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  WorkerPool(int threads, size_t queue_limit);
  // Runs what is queued, then stops.
  ~WorkerPool();

  // False, and the task is dropped, when the queue is full or the pool stops.
  bool TrySubmit(Task task);

 private:
  void Work();

  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;  // guarded by mutex_, as is what follows
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace guilder::rpc
