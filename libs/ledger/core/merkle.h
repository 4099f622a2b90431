// The append-only Merkle tree of RFC 9162 (Certificate Transparency), section 2.1, with SHA-256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"

namespace guilder::ledger {

// The leaf hash of some content: SHA-256 of 0x00 and the content.
Digest LeafHash(std::string_view content);
// The hash of an inner node: SHA-256 of 0x01 and both children.
Digest NodeHash(const Digest& left, const Digest& right);

// What is needed of a tree to append to it: the roots of its perfect subtrees, largest first. A
// tree of n leaves has as many as n has bits set.
class Frontier {
 public:
  Frontier() = default;

  // From the number of leaves and the concatenated roots. Nothing when they do not fit together.
  static std::optional<Frontier> Parse(int64_t size, std::string_view bytes);
  // The concatenated roots.
  std::string ToBytes() const;

  void Append(const Digest& leaf);
  int64_t size() const { return size_; }
  // The tree's root: the head that signs all leaves. Of no leaves, SHA-256 of nothing.
  Digest Root() const;

  // Whether the trees are equal, as far as their hashes tell.
  friend bool operator==(const Frontier&, const Frontier&) = default;

 private:
  int64_t size_ = 0;
  std::vector<Digest> roots_;
};

}  // namespace guilder::ledger
