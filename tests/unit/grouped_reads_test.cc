// Reads that arrive together are made together.
#include "libs/rpc/grouped_reads.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/catch2.h"

namespace guilder::rpc {
namespace {

using Reads = GroupedReads<int, std::string>;
using Values = absl::StatusOr<std::vector<absl::StatusOr<std::string>>>;

// A read that stops at its first group until it is let go, so that askers can gather behind it.
class HeldRead {
 public:
  Values operator()(const std::vector<int>& keys) {
    std::unique_lock lock(mutex_);
    groups_.push_back(keys.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return free_; });
    std::vector<absl::StatusOr<std::string>> values;
    for (const int key : keys) values.emplace_back(std::to_string(key));
    return values;
  }
  void AwaitFirstGroup() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !groups_.empty(); });
  }
  void Free() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }
  std::vector<size_t> groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<size_t> groups_;
  bool free_ = false;
};

TEST_CASE("GroupedReads: what is asked while a group is read is the next group", "[unit][rpc]") {
  HeldRead read;
  std::mutex mutex;
  std::vector<std::string> answers;
  {
    WorkerPool workers(2, 16);
    Reads reads(workers, [&](const std::vector<int>& keys) { return read(keys); });
    const auto ask = [&](int key) {
      reads.Ask(key, absl::InfiniteFuture(), [&](absl::StatusOr<std::string> value) {
        const std::lock_guard lock(mutex);
        answers.push_back(value.value_or("nothing"));
      });
    };
    ask(1);
    read.AwaitFirstGroup();
    for (int key = 2; key <= 20; ++key) ask(key);
    read.Free();
  }

  CHECK(answers.size() == 20);
  CHECK(answers.front() == "1");
  CHECK(answers.back() == "20");
  CHECK(read.groups() == std::vector<size_t>{1, 19});
}

TEST_CASE("GroupedReads: an error of the read is everybody's answer", "[unit][rpc]") {
  std::atomic<int> refused{0};
  {
    WorkerPool workers(1, 16);
    Reads reads(workers, [](const std::vector<int>&) -> Values {
      return Refuse(Reason::kStoreUnavailable);
    });
    for (int key = 0; key < 3; ++key) {
      reads.Ask(key, absl::InfiniteFuture(), [&](absl::StatusOr<std::string> value) {
        refused += ReasonOf(value.status()) == Reason::kStoreUnavailable ? 1 : 0;
      });
    }
  }

  CHECK(refused == 3);
}

TEST_CASE("GroupedReads: nothing is read for an asker whose deadline has passed", "[unit][rpc]") {
  std::atomic<int> read_keys{0};
  absl::Status answer;
  {
    WorkerPool workers(1, 16);
    Reads reads(workers, [&](const std::vector<int>& keys) -> Values {
      read_keys += static_cast<int>(keys.size());
      return std::vector<absl::StatusOr<std::string>>(keys.size(), std::string());
    });
    reads.Ask(1, absl::InfinitePast(),
              [&](absl::StatusOr<std::string> value) { answer = value.status(); });
  }

  CHECK(ReasonOf(answer) == Reason::kDeadlineExceeded);
  CHECK(read_keys == 0);
}

TEST_CASE("GroupedReads: a pool without room refuses at once", "[unit][rpc]") {
  absl::Status answer;
  WorkerPool workers(1, 0);
  Reads reads(workers, [](const std::vector<int>&) -> Values {
    return std::vector<absl::StatusOr<std::string>>();
  });

  reads.Ask(1, absl::InfiniteFuture(),
            [&](absl::StatusOr<std::string> value) { answer = value.status(); });

  CHECK(ReasonOf(answer) == Reason::kQueueFull);
}

}  // namespace
}  // namespace guilder::rpc
