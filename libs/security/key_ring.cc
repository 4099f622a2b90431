#include "libs/security/key_ring.h"

#include <utility>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/security/keys.h"
#include "libs/security/private_file.h"

namespace guilder::security {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr char kPrefix[] = "epoch.";
constexpr absl::Duration kLookAgainAfter = absl::Seconds(1);

absl::Status NotThere(int64_t epoch) {
  return absl::FailedPreconditionError(
      absl::StrCat("the members' keys of epoch ", epoch, " are not in the key file"));
}

}  // namespace

absl::Status KeyRing::Load() {
  if (path_.empty() || access(path_.c_str(), F_OK) != 0) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(const std::string text, ReadPrivateFile(path_));
  std::map<int64_t, std::string> epochs;
  for (const auto line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (!absl::StartsWith(pair.first, kPrefix)) continue;
    const auto number = ParseInt(std::string_view(pair.first).substr(sizeof kPrefix - 1));
    auto key = FromHex(pair.second);
    if (!number || !key || key->size() != kKeyBytes) {
      return absl::FailedPreconditionError(absl::StrCat(path_, " has a malformed epoch"));
    }
    epochs[*number] = *std::move(key);
  }
  if (epochs.empty()) return absl::FailedPreconditionError(absl::StrCat(path_, " has no epoch"));
  epochs_ = std::move(epochs);
  return absl::OkStatus();
}

absl::Status KeyRing::Store(const std::map<int64_t, std::string>& epochs) {
  if (!path_.empty()) {
    std::string text =
        "# The keys of members' data. Keep no copy that outlives this file (deploy/privacy.md).\n";
    for (const auto& [number, key] : epochs) {
      absl::StrAppend(&text, kPrefix, number, "=", ToHex(key), "\n");
    }
    GUILDER_RETURN_IF_ERROR(ReplacePrivateFile(path_, text));
  }
  epochs_ = epochs;
  return absl::OkStatus();
}

void KeyRing::Refresh(bool now) {
  const absl::Time at = absl::Now();
  if (!now && at - looked_at_ < kLookAgainAfter) return;
  looked_at_ = at;
  // What cannot be read leaves what is known: who needs a key that is missing is told so.
  Load().IgnoreError();
}

absl::StatusOr<std::string> KeyRing::Find(int64_t epoch) {
  const std::lock_guard lock(mutex_);
  Refresh(/*now=*/!epochs_.contains(epoch));
  const auto found = epochs_.find(epoch);
  if (found == epochs_.end()) return NotThere(epoch);
  return found->second;
}

std::vector<KeyRing::Epoch> KeyRing::All() {
  const std::lock_guard lock(mutex_);
  Refresh(/*now=*/false);
  std::vector<Epoch> all;
  for (auto epoch = epochs_.rbegin(); epoch != epochs_.rend(); ++epoch) {
    all.push_back({epoch->first, epoch->second});
  }
  return all;
}

absl::StatusOr<KeyRing::Epoch> KeyRing::Add() {
  const std::lock_guard lock(mutex_);
  GUILDER_RETURN_IF_ERROR(Load());
  Epoch added{epochs_.rbegin()->first + 1, RandomBytes(kKeyBytes)};
  std::map<int64_t, std::string> epochs = epochs_;
  epochs[added.number] = added.key;
  GUILDER_RETURN_IF_ERROR(Store(epochs));
  return added;
}

absl::Status KeyRing::KeepOnly(int64_t epoch) {
  const std::lock_guard lock(mutex_);
  GUILDER_RETURN_IF_ERROR(Load());
  const auto kept = epochs_.find(epoch);
  if (kept == epochs_.end()) return NotThere(epoch);
  return Store({*kept});
}

}  // namespace guilder::security
