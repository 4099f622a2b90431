#include "tests/model/lane_process.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "tests/model/frames.h"
#include "tests/model/lane_command.h"
#include "tests/support/child_process.h"

namespace guilder::model {
namespace {

constexpr int kMostStarts = 10;

// A session may be killed while it is being opened.
std::unique_ptr<ledger::Lanes> StartLanes(const ledger::LanesOptions& options) {
  for (int attempt = 1;; ++attempt) {
    auto lanes = ledger::Lanes::Start(options);
    if (lanes.ok()) return *std::move(lanes);
    if (attempt == kMostStarts) throw std::runtime_error(lanes.status().ToString());
  }
}

void SubmitTo(ledger::Lanes& lanes, const Order& order, ledger::Lanes::Done done) {
  auto command = MakeLaneCommand(order.request, order.request_id, order.history, order.book);
  if (order.patience != absl::InfiniteDuration()) command->deadline = absl::Now() + order.patience;
  lanes.Submit(std::move(command), std::move(done));
}

class InThisProcess final : public LaneProcess {
 public:
  explicit InThisProcess(const ledger::LanesOptions& options) : lanes_(StartLanes(options)) {}
  void Submit(const Order& order, ledger::Lanes::Done done) override {
    SubmitTo(*lanes_, order, std::move(done));
  }
  void Drain() override { lanes_->Drain(); }
  void Kill() override { Drain(); }

 private:
  const std::unique_ptr<ledger::Lanes> lanes_;
};

std::string ProgramBesideThis() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "guilder-model-lanes";
}

class InAProcess final : public LaneProcess {
 public:
  explicit InAProcess(const ledger::LanesOptions& options) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      throw std::runtime_error("cannot make a pair of sockets");
    }
    socket_.emplace(ends[0]);
    child_.emplace(
        std::vector<std::string>{ProgramBesideThis(), options.dsn, std::to_string(options.lanes),
                                 absl::FormatDuration(options.batch_time_limit)},
        "", ends[1]);
    close(ends[1]);
    reader_ = std::thread([this] { HearAnswers(); });
  }
  ~InAProcess() override {
    Drain();
    const std::lock_guard lock(ending_);
    if (reader_.joinable()) reader_.join();
    child_->Kill();
  }

  void Submit(const Order& order, ledger::Lanes::Done done) override {
    const uint64_t number = ++last_number_;
    bool gone = false;
    {
      const std::lock_guard lock(mutex_);
      gone = gone_;
      if (!gone) waiting_.emplace(number, std::move(done));
    }
    if (gone) return done(Gone());
    // If the other end is gone, the reader finds out and answers.
    (void)socket_->Write(EncodeOrder(number, order));
  }
  void Drain() override {
    socket_->CloseForWriting();
    const std::lock_guard lock(ending_);
    if (reader_.joinable()) reader_.join();
  }
  void Kill() override {
    const std::lock_guard lock(ending_);
    child_->Kill();
  }

 private:
  static absl::Status Gone() { return Refuse(Reason::kStoreUnavailable, "the process is gone"); }

  void HearAnswers() {
    while (const std::optional<std::string> frame = socket_->Read()) {
      auto [number, answer] = DecodeAnswer(*frame);
      Take(number)(std::move(answer));
    }
    std::map<uint64_t, ledger::Lanes::Done> left;
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      left.swap(waiting_);
    }
    for (auto& [number, done] : left) done(Gone());
  }

  ledger::Lanes::Done Take(uint64_t number) {
    const std::lock_guard lock(mutex_);
    return std::move(waiting_.extract(number).mapped());
  }

  std::optional<FrameSocket> socket_;
  std::optional<testing::ChildProcess> child_;
  std::atomic<uint64_t> last_number_ = 0;
  std::mutex mutex_;
  bool gone_ = false;
  std::map<uint64_t, ledger::Lanes::Done> waiting_;
  // The reader's end and the child's.
  std::mutex ending_;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<LaneProcess> LanesInThisProcess(const ledger::LanesOptions& options) {
  return std::make_unique<InThisProcess>(options);
}

std::unique_ptr<LaneProcess> LanesInAProcess(const ledger::LanesOptions& options) {
  return std::make_unique<InAProcess>(options);
}

int ServeOrders(const ledger::LanesOptions& options) {
  FrameSocket socket(STDIN_FILENO);
  const std::unique_ptr<ledger::Lanes> lanes = StartLanes(options);
  while (const std::optional<std::string> frame = socket.Read()) {
    const auto [number, order] = DecodeOrder(*frame);
    SubmitTo(*lanes, order, [&socket, number = number](Answered answer) {
      (void)socket.Write(EncodeAnswer(number, answer));
    });
  }
  lanes->Drain();
  return 0;
}

}  // namespace guilder::model
