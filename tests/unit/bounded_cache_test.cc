#include "libs/base/bounded_cache.h"

#include "libs/base/types.h"
#include "tests/support/catch2.h"

namespace guilder {
namespace {

using Cache = BoundedCache<CardNumber, AccountId>;

TEST_CASE("BoundedCache: finds what was added, and nothing else", "[unit][base]") {
  Cache cache(1'000);
  cache.Add(CardNumber(1), AccountId(7));
  CHECK(cache.Find(CardNumber(1)) == AccountId(7));
  CHECK_FALSE(cache.Find(CardNumber(2)));
}

TEST_CASE("BoundedCache: keeps what is asked for, and never more than its capacity",
          "[unit][base]") {
  constexpr int64_t kCapacity = 6'400;
  Cache cache(kCapacity);
  constexpr CardNumber kWanted(-1);
  cache.Add(kWanted, AccountId(7));
  for (int64_t i = 1; i <= 20 * kCapacity; ++i) {
    cache.Add(CardNumber(i), AccountId(i));
    if (cache.Find(kWanted) != AccountId(7)) FAIL("forgotten after " << i);
  }
  int64_t kept = 0;
  for (int64_t i = 20 * kCapacity; i > 0; --i) {
    // Asking for one moves it among the younger, which may make the shard forget its older ones.
    kept += cache.Find(CardNumber(i)).has_value();
  }
  CHECK(kept > 0);
  CHECK(kept <= kCapacity + 128);
}

}  // namespace
}  // namespace guilder
