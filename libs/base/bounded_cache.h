// A map from ids to facts that never change, of bounded size.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace guilder {

// Remembers at most `capacity` pairs. What was not asked for in a long time is forgotten first,
// roughly: each shard keeps two generations, and when the younger one is full the older one goes.
//
// Thread safe; a lookup holds the lock of one of 64 shards for some 100 ns.
template <typename Key, typename Value>
class BoundedCache {
 public:
  explicit BoundedCache(size_t capacity)
      : generation_limit_(capacity / (2 * kShards) + 1), shards_() {}

  std::optional<Value> Find(const Key& key) const {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.young.find(key); found != shard.young.end()) return found->second;
    const auto found = shard.old.find(key);
    if (found == shard.old.end()) return std::nullopt;
    const Value value = found->second;
    Put(shard, key, value);
    return value;
  }

  void Add(const Key& key, const Value& value) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    Put(shard, key, value);
  }

 private:
  static constexpr size_t kShards = 64;

  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, Value> young;  // guarded by mutex, as is what follows
    std::unordered_map<Key, Value> old;
  };

  Shard& ShardOf(const Key& key) const {
    // The hash of an integer is itself, and its low bits may be all the same.
    const auto spread =
        static_cast<unsigned long long>(std::hash<Key>()(key)) * 0x9e3779b97f4a7c15u;
    return shards_[spread >> 58];
  }

  void Put(Shard& shard, const Key& key, const Value& value) const {
    if (shard.young.size() >= generation_limit_) shard.old = std::exchange(shard.young, {});
    shard.young.insert_or_assign(key, value);
  }

  const size_t generation_limit_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace guilder
