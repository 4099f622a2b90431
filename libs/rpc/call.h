// What a handler may know of the call that it answers. No gRPC here: domain tests can make one.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/security/principal.h"

namespace guilder::rpc {

using security::Principal;
using security::Role;
using security::Roles;

// Immutable after the handler has it, but for the trailing metadata, which one thread at a time may
// add to, before the call is answered.
class Call {
 public:
  Call() = default;
  Call(Principal principal, absl::Time deadline, std::string peer)
      : principal_(std::move(principal)), deadline_(deadline), peer_(std::move(peer)) {}

  const Principal& principal() const { return principal_; }
  // When the caller stops waiting, or the server's own limit if that is earlier. Never infinite. Of
  // a stream of items, that of an item which comes now.
  absl::Time deadline() const {
    return item_limit_ ? std::min(deadline_, absl::Now() + *item_limit_) : deadline_;
  }
  // "ipv4:127.0.0.1:51234".
  const std::string& peer() const { return peer_; }

  // Sent after the answer, as in SetTrailingMetadata("guilder-replayed", "true").
  void SetTrailingMetadata(std::string key, std::string value) const {
    trailing_metadata_.emplace_back(std::move(key), std::move(value));
  }
  const std::vector<std::pair<std::string, std::string>>& trailing_metadata() const {
    return trailing_metadata_;
  }

  // OK when the caller is that partner or an operator; otherwise kNotYours. For every request that
  // names a partner.
  absl::Status CheckActsFor(PartnerId partner) const;
  // OK when the caller is that member, or no member at all; otherwise kMemberNotFound. For every
  // request that names a member and that members may make.
  absl::Status CheckActsForMember(AccountId account) const;
  // OK when the caller's credential is for all stores of its partner, or for that one; otherwise
  // kNotYours. For every request that posts in a store.
  absl::Status CheckActsIn(std::string_view store_code) const;

 private:
  friend class CallState;
  Principal principal_;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::optional<absl::Duration> item_limit_;
  std::string peer_;
  mutable std::vector<std::pair<std::string, std::string>> trailing_metadata_;
};

// The keys of trailing metadata about the rate of a credential's calls: how many a second, how many
// may follow at once, and in how many seconds all of them may. Sent when half of them are used.
inline constexpr char kRateLimitKey[] = "ratelimit-limit";
inline constexpr char kRateRemainingKey[] = "ratelimit-remaining";
inline constexpr char kRateResetKey[] = "ratelimit-reset";

// The key of the trailing metadata that says an answer is a stored one.
inline constexpr char kReplayedKey[] = "guilder-replayed";

}  // namespace guilder::rpc
