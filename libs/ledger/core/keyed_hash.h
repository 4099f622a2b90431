// A hash that nobody can steer who does not know its key: SipHash-2-4 (Aumasson and Bernstein,
// 2012) over 64-bit words.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace guilder::ledger {

// The sum of the hashes of a set's elements stands for the set: two sets with the same sum are the
// same, but for one chance in 2^64, as long as whoever made them could not know the key.
struct KeyedHash {
  uint64_t k0 = 0;
  uint64_t k1 = 0;

  static KeyedHash Random();

  // Each word as its eight bytes, the least significant first.
  uint64_t Of(std::initializer_list<uint64_t> words) const;
};

}  // namespace guilder::ledger
