// Plays many histories at once through the lanes of a world.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "tests/model/history.h"
#include "tests/model/world.h"

namespace guilder::model {

// What became of a step.
struct Sent {
  // No wave when it was not sent. The steps of one history that are under way together are a wave;
  // all of a wave are answered before the next one.
  int wave = 0;
  int attempts = 0;
  Request request;
  Uuid request_id{};
  Digest fingerprint{};
  std::optional<Uuid> natural_key;
  // When it was decided, by the programme's clock, if it was refused.
  Timestamp earliest;
  Timestamp latest;
  // The last answer, which is either an answer or a refusal by the ledger: whatever says that the
  // outcome is unknown has been repeated.
  absl::StatusOr<ledger::Answer> answer = absl::UnknownError("not sent");
};

struct Played {
  // Parallel to the steps.
  std::vector<Sent> sent;
};

struct PlayOptions {
  uint64_t seed = 1;
  // Threads, each with its share of the histories.
  int clients = 2;
  // Of each process.
  int lanes = 2;
  // Of one history. With 1, its commands follow each other.
  int most_in_a_wave = 8;
  // Lost answers, missed deadlines, killed sessions, restarted processes, seals, and a clock that
  // moves on its own.
  bool stormy = true;
};

// Parallel to the histories.
std::vector<Played> Play(World& world, const std::vector<History>& histories,
                         const PlayOptions& options);

}  // namespace guilder::model
