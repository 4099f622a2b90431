#include <filesystem>
#include <fstream>
#include <set>

#include <sys/stat.h>

#include "libs/base/text.h"
#include "libs/security/keys.h"
#include "libs/security/principal.h"
#include "libs/security/secrets.h"
#include "tests/support/catch2.h"

namespace guilder::security {
namespace {

// A directory of its own, gone at the end.
struct TemporaryDirectory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("guilder-security-" + RandomHex(8));
  TemporaryDirectory() { std::filesystem::create_directory(path); }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
};

TEST_CASE("Keys: a new key has the form that is parsed", "[unit][security]") {
  const std::string key = GenerateKey(KeyKind::kPartner, "fresh-1");
  const auto parsed = ParseKey(key);

  REQUIRE(parsed);
  CHECK(parsed->kind == KeyKind::kPartner);
  CHECK(parsed->id == "fresh-1");
  CHECK(key.substr(0, 11) == "gk_fresh-1_");
  CHECK(ParseKey(GenerateKey(KeyKind::kOperator, "alice"))->kind == KeyKind::kOperator);
  CHECK(key != GenerateKey(KeyKind::kPartner, "fresh-1"));
}

TEST_CASE("Keys: what is not a key is refused", "[unit][security]") {
  const std::string good = GenerateKey(KeyKind::kPartner, "a");
  for (const std::string& text :
       {std::string(), std::string("gk_"), std::string("gk_a"), std::string("gk_a_12"), good + "0",
        good.substr(0, good.size() - 1), "xx" + good.substr(2), "gk__" + good.substr(5),
        "gk_A" + good.substr(4), "gk_" + std::string(65, 'a') + good.substr(4)}) {
    INFO(text);
    CHECK_FALSE(ParseKey(text));
  }
}

TEST_CASE("Keys: the bearer of a header is what follows the scheme", "[unit][security]") {
  CHECK(BearerIn("Bearer gk_a") == "gk_a");
  CHECK(BearerIn("bearer gk_a") == "gk_a");
  for (const char* none : {"", "Bearer", "Bearer ", "Basic gk_a", "gk_a", " Bearer gk_a"}) {
    INFO(none);
    CHECK(BearerIn(none).empty());
  }
}

TEST_CASE("KeyHasher: only the same key under the same pepper matches", "[unit][security]") {
  const std::string key = GenerateKey(KeyKind::kPartner, "a");
  const KeyHasher hasher("pepper");
  const Digest stored = hasher.Hash(key);

  CHECK(hasher.Matches(key, stored));
  CHECK_FALSE(hasher.Matches(GenerateKey(KeyKind::kPartner, "a"), stored));
  CHECK_FALSE(KeyHasher("other").Matches(key, stored));
}

// RFC 4231, test case 2.
TEST_CASE("KeyHasher: is HMAC-SHA-256", "[unit][security]") {
  CHECK(ToHex(AsView(KeyHasher("Jefe").Hash("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("RandomUuid: is of version 7 and does not repeat", "[unit][security]") {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = RandomUuid();
    CHECK((uuid[6] >> 4) == 7);
    CHECK((uuid[8] >> 6) == 2);
    seen.insert(uuid);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("Secrets: a file is made once, private, and read back", "[unit][security]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "secrets";

  const auto made = Secrets::LoadOrCreate(path);
  const auto again = Secrets::LoadOrCreate(path);
  const auto loaded = Secrets::Load(path);

  REQUIRE(made.ok());
  REQUIRE(again.ok());
  REQUIRE(loaded.ok());
  CHECK(made->KeyPepper() == again->KeyPepper());
  CHECK(made->KeyPepper() == loaded->KeyPepper());
  struct stat facts;
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("Secrets: a file that others may read, or that is not one, is refused",
          "[unit][security]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "secrets";
  REQUIRE(Secrets::LoadOrCreate(path).ok());
  chmod(path.c_str(), 0644);
  CHECK_FALSE(Secrets::Load(path).ok());

  const std::string wrong = directory.path / "wrong";
  std::ofstream(wrong) << "root_key=12\n";
  chmod(wrong.c_str(), 0600);
  CHECK_FALSE(Secrets::Load(wrong).ok());
  CHECK_FALSE(Secrets::Load(directory.path / "missing").ok());
}

TEST_CASE("Secrets: each purpose has a key of its own", "[unit][security]") {
  const Secrets secrets = Secrets::Generate();
  CHECK(secrets.Derive("a") == secrets.Derive("a"));
  CHECK(secrets.Derive("a") != secrets.Derive("b"));
  CHECK(secrets.Derive("a") != Secrets::Generate().Derive("a"));
  CHECK(secrets.Derive("a").size() == 32);
}

TEST_CASE("Roles: their names are parsed back", "[unit][security]") {
  for (int i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    CHECK(RoleFromName(RoleName(role)) == role);
  }
  CHECK_FALSE(RoleFromName("king"));
}

}  // namespace
}  // namespace guilder::security
