#include "libs/base/digest.h"

#include <string>

#include "absl/strings/escaping.h"

#include "libs/base/text.h"
#include "libs/ledger/core/keyed_hash.h"
#include "tests/support/catch2.h"

namespace guilder {
namespace {

std::string Hex(const Digest& digest) {
  return absl::BytesToHexString(ToAbsl(AsView(digest)));
}

}  // namespace

TEST_CASE("Sha256: gives what FIPS 180-4 gives, however the bytes are cut", "[unit][ledger]") {
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(Hex(Sha256({"abc"})) == abc);
  CHECK(Hex(Sha256({"a", "", "bc"})) == abc);
}

TEST_CASE("HmacSha256: gives what RFC 4231 gives, for keys of any length", "[unit][ledger]") {
  CHECK(Hex(HmacSha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(Hex(HmacSha256(std::string(131, '\xaa'),
                       "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  const HmacKey key("Jefe");
  CHECK(key.Of("what do ya want for nothing?") ==
        HmacSha256("Jefe", "what do ya want for nothing?"));
  CHECK(key.Of("") == HmacSha256("Jefe", ""));
}

// The vectors of the reference implementation: key 00 01 … 0f, messages of bytes 00 01 02 …
TEST_CASE("KeyedHash: is SipHash-2-4 of the words' bytes", "[unit][ledger]") {
  const ledger::KeyedHash hash{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(hash.Of({}) == 0x726fdb47dd0e0e31);
  CHECK(hash.Of({0x0706050403020100}) == 0x93f5f5799a932462);
  CHECK(hash.Of({1, 2}) != hash.Of({2, 1}));
  CHECK(ledger::KeyedHash::Random().Of({1}) != ledger::KeyedHash::Random().Of({1}));
}

}  // namespace guilder
