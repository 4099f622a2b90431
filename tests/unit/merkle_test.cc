#include "libs/ledger/core/merkle.h"

#include <string>
#include <vector>

#include "libs/base/text.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

std::string Hex(const Digest& digest) {
  return ToHex(AsView(digest));
}

Digest NumberedLeaf(int number) {
  return LeafHash(std::to_string(number));
}

// RFC 9162, section 2.1.1, word for word: the tree over leaves [from, to).
Digest NaiveRoot(const std::vector<Digest>& leaves, size_t from, size_t to) {
  if (to - from == 1) return leaves[from];
  size_t split = 1;
  while (2 * split < to - from) split *= 2;
  return NodeHash(NaiveRoot(leaves, from, from + split), NaiveRoot(leaves, from + split, to));
}

}  // namespace

// The vectors of Certificate Transparency's reference implementation
// (google/certificate-transparency, merkle_tree_test.cc).
TEST_CASE("Merkle tree: its roots are those that Certificate Transparency publishes",
          "[unit][ledger]") {
  const std::vector<std::string> leaves = {"",
                                           "00",
                                           "10",
                                           "2021",
                                           "3031",
                                           "40414243",
                                           "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> roots = {
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

  Frontier frontier;
  CHECK(Hex(frontier.Root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (size_t i = 0; i < leaves.size(); ++i) {
    frontier.Append(LeafHash(*FromHex(leaves[i])));
    CHECK(Hex(frontier.Root()) == roots[i]);
  }
}

TEST_CASE("Frontier: at every size its root is that of the whole tree", "[unit][ledger]") {
  Frontier frontier;
  std::vector<Digest> leaves;
  for (int size = 1; size <= 130; ++size) {
    leaves.push_back(NumberedLeaf(size));
    frontier.Append(leaves.back());
    CHECK(frontier.size() == size);
    CHECK(Hex(frontier.Root()) == Hex(NaiveRoot(leaves, 0, leaves.size())));
  }
}

TEST_CASE("Frontier: one that was stored and read goes on as if it had never stopped",
          "[unit][ledger]") {
  Frontier frontier;
  for (int number = 0; number < 130; ++number) {
    std::optional<Frontier> read = Frontier::Parse(frontier.size(), frontier.ToBytes());
    REQUIRE(read);
    CHECK(read->Root() == frontier.Root());
    frontier.Append(NumberedLeaf(number));
    read->Append(NumberedLeaf(number));
    CHECK(read->ToBytes() == frontier.ToBytes());
  }
}

TEST_CASE("Frontier: bytes that do not fit the size are not one", "[unit][ledger]") {
  Frontier frontier;
  for (int number = 0; number < 7; ++number) frontier.Append(NumberedLeaf(number));
  const std::string bytes = frontier.ToBytes();

  CHECK(bytes.size() == 3 * sizeof(Digest));
  CHECK_FALSE(Frontier::Parse(8, bytes));
  CHECK_FALSE(Frontier::Parse(6, bytes));
  CHECK_FALSE(Frontier::Parse(7, bytes.substr(1)));
  CHECK_FALSE(Frontier::Parse(7, bytes + "x"));
  CHECK_FALSE(Frontier::Parse(7, ""));
  CHECK_FALSE(Frontier::Parse(-1, bytes));
  CHECK(Frontier::Parse(0, ""));
}

TEST_CASE("Merkle tree: a leaf cannot pass for an inner node", "[unit][ledger]") {
  const Digest left = NumberedLeaf(1);
  const Digest right = NumberedLeaf(2);
  std::string both(AsView(left));
  both.append(AsView(right));

  CHECK(LeafHash(both) != NodeHash(left, right));
  CHECK(NodeHash(left, right) != NodeHash(right, left));
}

}  // namespace guilder::ledger
