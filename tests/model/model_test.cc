// Random histories through real lanes and through the reference model. See README.md.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/base/text.h"
#include "tests/model/check.h"
#include "tests/model/history.h"
#include "tests/model/player.h"
#include "tests/model/shrink.h"
#include "tests/model/world.h"
#include "tests/support/catch2.h"

namespace guilder::model {
namespace {

constexpr int kCommandsPerHistory = 200;
// What a sanitizer watches takes many times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kHistoriesPerWorld = 60;
constexpr int kEnoughHistories = 180;
#else
constexpr int kHistoriesPerWorld = 350;
constexpr int kEnoughHistories = 2'000;
#endif
// So that one is checked, or waits for a lock, while others go on.
constexpr int kWorldsAtOnce = 3;
// At most; GUILDER_MODEL_SECONDS plays for so long instead, however many there were.
constexpr int kMostSeconds = 200;
constexpr absl::Duration kShrinkTime = absl::Minutes(2);

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : ParseInt(value).value_or(otherwise);
}

std::vector<History> Generate(uint64_t seed, int histories) {
  std::vector<History> generated;
  for (int i = 0; i < histories; ++i) {
    generated.push_back(
        GenerateHistory(seed * 1'000'003 + static_cast<uint64_t>(i), kCommandsPerHistory));
  }
  return generated;
}

std::optional<Failure> PlayAndCheck(const std::vector<History>& histories,
                                    const PlayOptions& options, Weather* weather = nullptr) {
  World world(options.lanes);
  const std::vector<Played> played = Play(world, histories, options);
  world.Stop();
  if (weather != nullptr) *weather = world.weather();
  return Check(world, played);
}

// How a history fails when it is played alone: step by step, or else, trying a few times, as in
// the run that found it.
std::optional<PlayOptions> HowItFailsAlone(const History& history, uint64_t seed) {
  PlayOptions options;
  options.seed = seed;
  options.clients = 1;
  options.most_in_a_wave = 1;
  options.stormy = false;
  if (PlayAndCheck({history}, options)) return options;
  options.most_in_a_wave = 8;
  options.stormy = true;
  for (int i = 0; i < 10; ++i) {
    ++options.seed;
    if (PlayAndCheck({history}, options)) return options;
  }
  return std::nullopt;
}

// Worlds one after the other, each with the next seed, until there were enough histories, time is
// up or one failed. Thread safe.
class Worlds {
 public:
  struct Failed {
    uint64_t seed;
    Failure failure;
  };

  Worlds(uint64_t first_seed, int histories, int64_t enough, absl::Time end)
      : histories_(histories), enough_(enough), end_(end), next_seed_(first_seed) {}

  void Run() {
    absl::Duration longest;
    while (begun_.fetch_add(histories_) < enough_ && absl::Now() + longest < end_) {
      const absl::Time start = absl::Now();
      PlayOptions options;
      options.seed = next_seed_++;
      // Few lanes make large batches, many make many small ones.
      options.lanes = options.seed % 4 == 0 ? 3 : 1;
      Weather weather;
      const auto failure = PlayAndCheck(Generate(options.seed, histories_), options, &weather);
      played_ += histories_;
      longest = std::max(longest, absl::Now() - start);
      const std::lock_guard lock(mutex_);
      for (const auto part : {&Weather::clock_steps, &Weather::seals, &Weather::boundaries,
                              &Weather::sessions_ended, &Weather::restarts, &Weather::kills}) {
        weather_.*part += weather.*part;
      }
      if (failure && !failed_) failed_ = Failed{options.seed, *failure};
      if (failed_) return;
    }
  }

  // When no thread runs any more.
  const std::optional<Failed>& failed() const { return failed_; }
  int64_t played() const { return played_; }
  const Weather& weather() const { return weather_; }

 private:
  const int histories_;
  const int64_t enough_;
  const absl::Time end_;
  std::atomic<uint64_t> next_seed_;
  std::atomic<int64_t> begun_ = 0;
  std::atomic<int64_t> played_ = 0;
  std::mutex mutex_;
  std::optional<Failed> failed_;
  Weather weather_;
};

std::string Explain(const Failure& failure, const std::vector<History>& histories, uint64_t seed) {
  std::string text = absl::StrCat(failure.what, "\n");
  if (!failure.history) return text;
  const History& whole = histories[*failure.history];
  const auto alone = HowItFailsAlone(whole, seed);
  if (!alone) {
    return absl::StrCat(text, "history ", *failure.history, ", which does not fail alone:\n",
                        whole.ToString());
  }
  const History shortest = Shrink(
      whole, [&](const History& history) { return PlayAndCheck({history}, *alone).has_value(); },
      absl::Now() + kShrinkTime);
  const auto again = PlayAndCheck({shortest}, *alone);
  return absl::StrCat(text, "a short history that fails, ",
                      alone->stormy ? "in a storm" : "step by step", ":\n", shortest.ToString(),
                      again ? again->what : "(not every time)");
}

TEST_CASE("Ledger: many members' random histories end as the reference model says",
          "[model][ledger][inv-1][inv-2][inv-3][inv-5][inv-6][inv-8][inv-11][inv-12][inv-13]"
          "[inv-14][inv-105]") {
  const absl::Time start = absl::Now();
  const int64_t seconds_given = FromEnvironment("GUILDER_MODEL_SECONDS", 0);
  const int64_t given = FromEnvironment("GUILDER_MODEL_SEED", 0);
  const int histories =
      static_cast<int>(FromEnvironment("GUILDER_MODEL_HISTORIES", kHistoriesPerWorld));
  const uint64_t first_seed = given != 0 ? static_cast<uint64_t>(given) : std::random_device()();

  Worlds worlds(first_seed, histories, seconds_given > 0 ? INT64_MAX : kEnoughHistories,
                start + absl::Seconds(seconds_given > 0 ? seconds_given : kMostSeconds));
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorldsAtOnce; ++i) threads.emplace_back([&] { worlds.Run(); });
  for (std::thread& thread : threads) thread.join();

  if (const auto& failed = worlds.failed()) {
    FAIL("GUILDER_MODEL_SEED=" << failed->seed << " GUILDER_MODEL_HISTORIES=" << histories << ": "
                               << Explain(failed->failure, Generate(failed->seed, histories),
                                          failed->seed));
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  std::cout << worlds.played() << " histories of " << kCommandsPerHistory << " commands, "
            << static_cast<double>(worlds.played()) / seconds << " a second, from seed "
            << first_seed << "; " << worlds.weather().kills << " processes killed, "
            << worlds.weather().restarts << " restarted, " << worlds.weather().sessions_ended
            << " sessions ended, " << worlds.weather().clock_steps << " clock steps, "
            << worlds.weather().seals << " times sealed, " << worlds.weather().boundaries
            << " windows ended on demand\n";
  SUCCEED();
}

}  // namespace
}  // namespace guilder::model
