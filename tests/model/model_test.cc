// Random histories through real lanes and through the reference model. See README.md.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
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
constexpr int kHistoriesPerWorld = 400;
constexpr int kDefaultSeconds = 45;
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
                                    const PlayOptions& options) {
  World world;
  const std::vector<Played> played = Play(world, histories, options);
  world.Stop();
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
  options.most_in_a_wave = 6;
  options.stormy = true;
  for (int i = 0; i < 10; ++i) {
    ++options.seed;
    if (PlayAndCheck({history}, options)) return options;
  }
  return std::nullopt;
}

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
          "[inv-14][inv-104][inv-106]") {
  const absl::Time start = absl::Now();
  const absl::Duration budget =
      absl::Seconds(FromEnvironment("GUILDER_MODEL_SECONDS", kDefaultSeconds));
  const int64_t given = FromEnvironment("GUILDER_MODEL_SEED", 0);
  uint64_t seed = given != 0 ? static_cast<uint64_t>(given) : std::random_device()();
  const int histories =
      static_cast<int>(FromEnvironment("GUILDER_MODEL_HISTORIES", kHistoriesPerWorld));

  int64_t played = 0;
  absl::Duration longest;
  do {
    const absl::Time round_start = absl::Now();
    const std::vector<History> generated = Generate(seed, histories);
    PlayOptions options;
    options.seed = seed;
    if (const auto failure = PlayAndCheck(generated, options)) {
      FAIL("GUILDER_MODEL_SEED=" << seed << " GUILDER_MODEL_HISTORIES=" << histories << ": "
                                 << Explain(*failure, generated, seed));
    }
    played += histories;
    ++seed;
    longest = std::max(longest, absl::Now() - round_start);
  } while (absl::Now() + longest < start + budget);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  std::cout << played << " histories of " << kCommandsPerHistory << " commands, "
            << static_cast<int64_t>(played / seconds) << " a second, up to seed " << seed - 1
            << "\n";
  SUCCEED();
}

}  // namespace
}  // namespace guilder::model
