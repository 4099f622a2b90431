#include "libs/security/credential_use.h"

#include <algorithm>

namespace guilder::security {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSaveEveryUs = 60 * kMicrosPerSecond;

}  // namespace

RateLimit::Verdict RateLimit::Take(int64_t now_ns) {
  const int64_t calls = std::clamp<int64_t>(calls_per_second(), 1, kNanosPerSecond);
  const int64_t interval = kNanosPerSecond / calls;
  int64_t even_at = even_at_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t next = std::max(even_at, now_ns) + interval;
    const int64_t ahead = next - now_ns;
    if (ahead > std::max(kNanosPerSecond, interval)) {
      return {.admitted = false, .remaining = 0, .wait_ns = ahead - kNanosPerSecond};
    }
    if (even_at_ns_.compare_exchange_weak(even_at, next, std::memory_order_relaxed)) {
      return {
          .admitted = true, .remaining = (kNanosPerSecond - ahead) / interval, .wait_ns = ahead};
    }
  }
}

void CredentialUse::Used(int64_t now_us) {
  // A second's accuracy is enough, and keeps the line of memory from going to and fro.
  if (now_us - last_used_us() >= kMicrosPerSecond) {
    last_used_us_.store(now_us, std::memory_order_relaxed);
  }
}

std::optional<int64_t> CredentialUse::TakeUnsavedUse() {
  const int64_t used = last_used_us();
  if (used == 0 || used - saved_us_.load(std::memory_order_relaxed) < kSaveEveryUs) {
    return std::nullopt;
  }
  saved_us_.store(used, std::memory_order_relaxed);
  return used;
}

}  // namespace guilder::security
