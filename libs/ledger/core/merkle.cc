#include "libs/ledger/core/merkle.h"

#include <algorithm>
#include <bit>

#include "libs/base/digest.h"
#include "libs/base/text.h"

namespace guilder::ledger {

Digest LeafHash(std::string_view content) {
  return Sha256({std::string_view("\0", 1), content});
}

Digest NodeHash(const Digest& left, const Digest& right) {
  return Sha256({"\1", AsView(left), AsView(right)});
}

std::optional<Frontier> Frontier::Parse(int64_t size, std::string_view bytes) {
  Frontier frontier;
  const auto count = static_cast<size_t>(std::popcount(static_cast<uint64_t>(size)));
  if (size < 0 || bytes.size() != count * sizeof(Digest)) return std::nullopt;
  frontier.size_ = size;
  frontier.roots_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view root = bytes.substr(i * sizeof(Digest), sizeof(Digest));
    std::copy(root.begin(), root.end(), frontier.roots_[i].begin());
  }
  return frontier;
}

std::string Frontier::ToBytes() const {
  std::string bytes;
  bytes.reserve(roots_.size() * sizeof(Digest));
  for (const Digest& root : roots_) bytes.append(AsView(root));
  return bytes;
}

void Frontier::Append(const Digest& leaf) {
  Digest node = leaf;
  // Each trailing one of the size is a perfect subtree that the new leaf completes to a larger one.
  for (int64_t rest = size_; rest & 1; rest >>= 1) {
    node = NodeHash(roots_.back(), node);
    roots_.pop_back();
  }
  roots_.push_back(node);
  ++size_;
}

Digest Frontier::Root() const {
  if (roots_.empty()) return Sha256({});
  Digest root = roots_.back();
  for (auto it = roots_.rbegin() + 1; it != roots_.rend(); ++it) root = NodeHash(*it, root);
  return root;
}

}  // namespace guilder::ledger
