#include "libs/security/envelope.h"

#include "tests/support/catch2.h"

namespace guilder::security {
namespace {

TEST_CASE("Envelope: what was sealed is opened with the same key and context", "[unit][security]") {
  const std::string key = NewSealingKey();
  for (const std::string& text : {std::string(), std::string("Ada"), std::string(5'000, '\0')}) {
    const std::string sealed = Seal(key, "members/1", text);
    CHECK(sealed.size() == text.size() + 41);
    CHECK(Open(key, "members/1", sealed) == text);
  }
}

TEST_CASE("Envelope: the same text never looks the same", "[unit][security]") {
  const std::string key = NewSealingKey();
  CHECK(Seal(key, "", "Ada") != Seal(key, "", "Ada"));
}

TEST_CASE("Envelope: another key or context opens nothing", "[unit][security]") {
  const std::string key = NewSealingKey();
  const std::string sealed = Seal(key, "members/1", "Ada");
  CHECK_FALSE(Open(NewSealingKey(), "members/1", sealed));
  CHECK_FALSE(Open(key, "members/2", sealed));
}

TEST_CASE("Envelope: bytes that were changed or cut open nothing", "[unit][security]") {
  const std::string key = NewSealingKey();
  const std::string sealed = Seal(key, "", "Ada");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(Open(key, "", changed));
    CHECK_FALSE(Open(key, "", sealed.substr(0, i)));
  }
}

}  // namespace
}  // namespace guilder::security
