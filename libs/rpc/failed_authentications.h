// What a made-up key costs whoever tries it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"

#include "libs/security/credential_use.h"

namespace guilder::rpc {

// Counts callers whose key memory does not know, by address. A key that memory knows is never
// counted, so whoever shares an address with an attacker calls on. Beyond a few a second, unknown
// keys from that address are refused before anything is looked for: an attacker pays a round trip
// for each guess, and the server one addition.
//
// Addresses share a fixed number of places, so that many addresses cost no memory. Thread safe.
class FailedAuthentications {
 public:
  static constexpr int64_t kFreePerSecond = 50;

  FailedAuthentications();

  // Notes a failure of "ipv4:10.0.0.7:51234", whose port does not matter. How long the caller must
  // wait, when there were too many; nothing when the key may be looked for.
  std::optional<absl::Duration> Note(std::string_view peer);

 private:
  static constexpr size_t kPlaces = 4'096;
  std::array<security::RateLimit, kPlaces> places_;
};

}  // namespace guilder::rpc
