// Work that several threads share.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace guilder::cli::demo {

// Calls `work` for 0, 1 … count − 1 from at most so many threads. After an error nothing more is
// begun; gives the first one.
inline absl::Status InParallel(size_t count, size_t threads,
                               absl::FunctionRef<absl::Status(size_t)> work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  absl::Status first;
  const auto take = [&] {
    while (!failed) {
      const size_t index = next++;
      if (index >= count) return;
      const absl::Status status = work(index);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) first = status;
    }
  };
  std::vector<std::thread> workers;
  for (size_t i = 0; i < std::min(threads, count); ++i) workers.emplace_back(take);
  for (std::thread& worker : workers) worker.join();
  return first;
}

}  // namespace guilder::cli::demo
