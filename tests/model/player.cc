#include "tests/model/player.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "tests/model/lane_command.h"

namespace guilder::model {
namespace {

// A record that no book reaches.
constexpr RecordNumber kNoSuchRecord(1'000'000'000);
constexpr std::chrono::seconds kPatience(60);
constexpr int kMostAttempts = 200;

struct StepOf {
  size_t history;
  size_t step;
};

// Answers, as they come in on the lanes' threads.
class Mailbox {
 public:
  void Put(StepOf of, absl::StatusOr<ledger::Answer> answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(of, std::move(answer));
    }
    arrived_.notify_one();
  }
  // Waits for so many answers, and gives those that came when patience ends.
  std::vector<std::pair<StepOf, absl::StatusOr<ledger::Answer>>> Take(size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kPatience, [&] { return answers_.size() >= count; });
    return std::exchange(answers_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::pair<StepOf, absl::StatusOr<ledger::Answer>>> answers_;
};

bool IsOutcomeUnknown(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  return reason == Reason::kStoreUnavailable || reason == Reason::kQueueFull ||
         reason == Reason::kDraining || reason == Reason::kDeadlineExceeded;
}

// A history on its way.
struct Progress {
  size_t next = 0;
  int wave = 0;
  // Steps of the wave that are not answered.
  int under_way = 0;
  // While it waits: what the clock had been moved when it began to.
  std::optional<Timestamp> waits_since;
};

// A thread that plays a share of the histories.
class Client {
 public:
  Client(World& world, const std::vector<History>& histories, std::vector<size_t> share,
         const PlayOptions& options, uint64_t seed, std::vector<Played>& played)
      : world_(world),
        histories_(histories),
        share_(std::move(share)),
        options_(options),
        random_(seed),
        played_(played),
        progress_(histories.size()) {}

  void Run() {
    while (!Finished() && world_.trouble().empty()) PlayRound();
  }

 private:
  bool Finished() const {
    return std::all_of(share_.begin(), share_.end(), [&](size_t history) {
      const Progress& progress = progress_[history];
      return progress.under_way == 0 && progress.next == histories_[history].steps.size();
    });
  }

  // Sends what can be sent, of all histories, and hears the answers.
  void PlayRound() {
    shortest_wait_ = kNever;
    waiting_ = 0;
    std::vector<StepOf> round = std::exchange(again_, {});
    for (const size_t history : share_) {
      if (progress_[history].under_way == 0) Collect(history, round);
    }
    if (!round.empty()) return SendAndHear(round);
    if (waiting_ > 0) world_.MoveClock(shortest_wait_);
  }

  // Adds the next wave of a history: steps that do not need to know each other's answers.
  void Collect(size_t history, std::vector<StepOf>& round) {
    const std::vector<Step>& steps = histories_[history].steps;
    Progress& progress = progress_[history];
    int left = Between(1, options_.most_in_a_wave);
    ++progress.wave;
    for (; progress.next < steps.size() && left > 0; ++progress.next) {
      const Step& step = steps[progress.next];
      if (step.removed) continue;
      // Without its account a step has nothing to be sent to.
      if (IsRemoved(steps, step.account) || IsRemoved(steps, step.other)) continue;
      if (!step.sends()) {
        if (!HasWaited(progress, step.wait)) return;
        continue;
      }
      if (IsUnderWay(history, step.account) || IsUnderWay(history, step.other) ||
          IsUnderWay(history, step.target)) {
        return;
      }
      Prepare(history, progress.next);
      round.push_back({history, progress.next});
      ++progress.under_way;
      --left;
    }
  }

  static bool IsRemoved(const std::vector<Step>& steps, int step) {
    return step != kNoStep && steps[static_cast<size_t>(step)].removed;
  }

  bool HasWaited(Progress& progress, Timestamp wait) {
    if (!progress.waits_since) progress.waits_since = world_.clock_moved();
    const Timestamp left = *progress.waits_since + wait - world_.clock_moved();
    if (left > Timestamp(0)) {
      shortest_wait_ = std::min(shortest_wait_, left);
      ++waiting_;
      return false;
    }
    progress.waits_since.reset();
    return true;
  }

  bool IsUnderWay(size_t history, int step) const {
    return step != kNoStep &&
           played_[history].sent[static_cast<size_t>(step)].wave == progress_[history].wave;
  }

  static CardNumber CardOf(const Uuid& open_request) {
    int64_t number = 0;
    for (size_t i = 0; i < 7; ++i) number = number << 8 | open_request[i];
    return CardNumber(number * 2 + 2);
  }

  CardNumber CardFor(const Step& step, const std::vector<Sent>& all) const {
    const CardNumber own = CardOf(all[static_cast<size_t>(step.account)].request_id);
    switch (step.card) {
      case Card::kNone:
        return CardNumber();
      case Card::kOwn:
        return own;
      case Card::kBlocked:
        return BlockedCard(own);
      case Card::kOthers:
        // The first steps open accounts, two at least.
        return CardOf(all[step.account == 0 ? 1 : 0].request_id);
      case Card::kUnknown:
        return CardNumber(own.value() + 1'000'000);
    }
    return CardNumber();
  }

  void Prepare(size_t history, size_t index) {
    const Step& step = histories_[history].steps[index];
    std::vector<Sent>& all = played_[history].sent;
    Sent& sent = all[index];
    sent.wave = progress_[history].wave;
    sent.request = step.request;
    if (step.account != kNoStep) {
      sent.request.account = AccountOpenedBy(all[static_cast<size_t>(step.account)]);
    }
    if (ActsOnRecord(step.request.verb)) {
      const Sent* target =
          step.target == kNoStep ? nullptr : &all[static_cast<size_t>(step.target)];
      const bool exists = target != nullptr && target->answer.ok();
      sent.request.target = exists ? target->answer->place.number : kNoSuchRecord;
      if (exists && step.request.verb == Verb::kReverseTransfer) {
        sent.request.transferred_at = target->answer->place.posted_at;
        sent.request.received_by = RecordNumber(NumberAfter("received by ", *target));
      }
    }
    if (step.other != kNoStep) {
      sent.request.other = AccountOpenedBy(all[static_cast<size_t>(step.other)]);
    }
    const Digest id = Sha256({absl::StrCat(options_.seed, "/", history, "/", step.id_of)});
    std::copy_n(id.begin(), sent.request_id.size(), sent.request_id.begin());
    if (step.request.verb == Verb::kOpen) {
      sent.request.card = CardOf(sent.request_id);
    } else {
      sent.request.card = CardFor(step, all);
    }
    const auto command =
        MakeLaneCommand(sent.request, sent.request_id, static_cast<int64_t>(history), BookId());
    sent.fingerprint = command->fingerprint;
    sent.natural_key = command->natural_key;
  }

  static AccountId AccountOpenedBy(const Sent& open) {
    return AccountId(NumberAfter("opened ", open));
  }
  // What a response says after these words; zero when it does not.
  static int64_t NumberAfter(std::string_view words, const Sent& sent) {
    int64_t number = 0;
    if (!sent.answer.ok()) return number;
    const size_t at = sent.answer->response.find(words);
    if (at == std::string::npos) return number;
    (void)absl::SimpleAtoi(sent.answer->response.substr(at + words.size()), &number);
    return number;
  }

  void SendAndHear(const std::vector<StepOf>& round) {
    for (const StepOf& of : round) Send(of);
    if (options_.stormy) MakeWeather(round.size());
    auto answers = mailbox_->Take(round.size());
    if (answers.size() != round.size()) {
      return world_.AddTrouble(
          absl::StrCat(round.size(), " commands got ", answers.size(), " answers"));
    }
    for (auto& [of, answer] : answers) {
      const bool lost = options_.stormy && Between(1, 100) <= 3;
      if (lost || IsOutcomeUnknown(answer.status())) {
        again_.push_back(of);
        continue;
      }
      Sent& sent = played_[of.history].sent[of.step];
      sent.latest = world_.ClockAtMost();
      sent.answer = std::move(answer);
      --progress_[of.history].under_way;
    }
  }

  void Send(StepOf of) {
    Sent& sent = played_[of.history].sent[of.step];
    Order order;
    order.request = sent.request;
    order.request_id = sent.request_id;
    order.history = static_cast<int64_t>(of.history);
    order.book = world_.BookForNewAccount(sent.request_id);
    sent.earliest = world_.ClockAtLeast();
    if (++sent.attempts > kMostAttempts) world_.AddTrouble("a command is never answered");
    if (options_.stormy && sent.attempts == 1 && Between(1, 200) == 1) {
      order.patience = absl::Milliseconds(3);
    }
    const int process = options_.stormy ? Between(0, kProcesses - 1) : 0;
    world_.Submit(process, order, [mailbox = mailbox_, of](absl::StatusOr<ledger::Answer> answer) {
      mailbox->Put(of, std::move(answer));
    });
  }

  // While commands are under way. The clock moves rarely and far, so that most commands find the
  // time of those before them; sooner when few are left that do not wait for it.
  void MakeWeather(size_t under_way) {
    if (waiting_ > under_way || Between(1, 8) == 1) {
      world_.MoveClock(Timestamp(Between(1, 72) * 3'600 * kMicrosPerSecond));
    }
    if (Between(1, 20) == 1) world_.SealEndedWindows();
    if (Between(1, 150) == 1) world_.CloseOpenWindow();
    if (Between(1, 300) == 1) world_.Verify();
    if (Between(1, 15) == 1) world_.KillSomeLane();
    if (Between(1, 40) == 1) world_.TakeAllowancesBack();
    if (Between(1, 80) == 1) world_.RestartProcess(Between(0, kProcesses - 1));
    if (Between(1, 60) == 1) world_.KillProcess();
  }

  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  World& world_;
  const std::vector<History>& histories_;
  const std::vector<size_t> share_;
  const PlayOptions& options_;
  std::mt19937_64 random_;
  // Only the histories of this client's share are touched.
  std::vector<Played>& played_;
  std::vector<Progress> progress_;
  // Outlives this client where an answer comes too late.
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  // What is to be sent again.
  std::vector<StepOf> again_;
  // Of the histories that wait for the clock in this round.
  Timestamp shortest_wait_ = kNever;
  size_t waiting_ = 0;
};

}  // namespace

std::vector<Played> Play(World& world, const std::vector<History>& histories,
                         const PlayOptions& options) {
  std::vector<Played> played(histories.size());
  for (size_t i = 0; i < histories.size(); ++i) played[i].sent.resize(histories[i].steps.size());
  std::vector<std::thread> threads;
  for (int c = 0; c < options.clients; ++c) {
    std::vector<size_t> share;
    for (size_t i = static_cast<size_t>(c); i < histories.size();
         i += static_cast<size_t>(options.clients)) {
      share.push_back(i);
    }
    threads.emplace_back([&, share, c] {
      Client(world, histories, share, options, options.seed * 1'000 + static_cast<uint64_t>(c),
             played)
          .Run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return played;
}

}  // namespace guilder::model
