#include "libs/postgres/status.h"

#include <algorithm>
#include <array>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/errors.h"

namespace guilder::postgres {
namespace {

constexpr char kSqlStatePayload[] = "guilder/sqlstate";
constexpr char kTrue[] = "true";

// Another transaction was in the way: serialization failure, deadlock, lock not available.
constexpr std::array<std::string_view, 4> kRetryable = {"40000", "40001", "40P01", "55P03"};

// The server or its machine is in trouble, whatever the statement said: connection (08), resources
// (53), operator intervention and timeouts (57), input and output (58), timeouts within a
// transaction.
constexpr std::array<std::string_view, 4> kUnavailableClasses = {"08", "53", "57", "58"};
constexpr std::array<std::string_view, 2> kUnavailable = {"25P03", "25P04"};

template <size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool HasDetail(const absl::Status& status, const std::string& key) {
  const ReasonDetails details = DetailsOf(status);
  const auto found = details.find(key);
  return found != details.end() && found->second == kTrue;
}

}  // namespace

std::string SqlStateOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kSqlStatePayload);
  return payload ? std::string(*payload) : std::string();
}

bool IsUniqueViolation(const absl::Status& status) {
  return SqlStateOf(status) == "23505";
}

bool IsCausedByValues(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return absl::StartsWith(state, "22") || absl::StartsWith(state, "23");
}

bool IsRetryable(const absl::Status& status) {
  return HasDetail(status, "retryable");
}
bool IsOutcomeUnknown(const absl::Status& status) {
  return HasDetail(status, "outcome_unknown");
}

namespace internal {

absl::Status StatusOfSqlState(std::string_view sqlstate, std::string_view message) {
  const std::string text = WithoutDetail(message);
  // Citus reports a shard's failed commit with the state of an internal error.
  const bool shard = sqlstate == "XX000" &&
                     text.find("could not commit transaction for shard") != std::string::npos;
  const bool retryable = shard || Contains(kRetryable, sqlstate);
  ReasonDetails details;
  if (!sqlstate.empty()) details["sqlstate"] = std::string(sqlstate);

  absl::Status status;
  if (retryable) {
    details["retryable"] = kTrue;
    status = Refuse(Reason::kStoreUnavailable, text, std::move(details));
  } else if (Contains(kUnavailableClasses, sqlstate.substr(0, 2)) ||
             Contains(kUnavailable, sqlstate)) {
    status = Refuse(Reason::kStoreUnavailable, text, std::move(details));
  } else {
    status = absl::InternalError(text);
  }
  if (!sqlstate.empty()) status.SetPayload(kSqlStatePayload, absl::Cord(ToAbsl(sqlstate)));
  return status;
}

absl::Status ConnectionLost(std::string_view message) {
  return Refuse(Reason::kStoreUnavailable, WithoutDetail(message));
}

absl::Status OutcomeUnknown(std::string_view message) {
  return Refuse(Reason::kStoreUnavailable, WithoutDetail(message), {{"outcome_unknown", kTrue}});
}

std::string WithoutDetail(std::string_view message) {
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(message), '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "DETAIL:")) continue;
    absl::StrAppend(&kept, kept.empty() ? "" : "\n", line);
  }
  return kept;
}

}  // namespace internal
}  // namespace guilder::postgres
