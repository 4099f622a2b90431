#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>

#include <sys/stat.h>

#include "libs/base/text.h"
#include "libs/security/audit.h"
#include "libs/security/credential_use.h"
#include "libs/security/key_ring.h"
#include "libs/security/keys.h"
#include "libs/security/member_token.h"
#include "libs/security/principal.h"
#include "libs/security/pseudonym.h"
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

TEST_CASE("AuditWalk: names the first record that was changed, left out or put in",
          "[unit][security][inv-99]") {
  std::vector<AuditRecord> chain;
  Digest head{};
  for (int64_t number = 1; number <= 5; ++number) {
    AuditRecord record{number,
                       Timestamp(number),
                       "operators/anna",
                       "ipv4:127.0.0.1:1",
                       "Do",
                       "partners/fresh",
                       "{}",
                       "{}",
                       {}};
    record.hash = head = AuditHash(record, head);
    chain.push_back(record);
  }
  const auto broken_at = [&](const std::vector<AuditRecord>& records) {
    AuditWalk walk;
    for (const AuditRecord& record : records) walk.Add(record);
    walk.EndsAt(5, head);
    return walk.broken_at().value_or(0);
  };
  CHECK(broken_at(chain) == 0);
  for (std::string AuditRecord::*field :
       {&AuditRecord::actor, &AuditRecord::peer, &AuditRecord::action, &AuditRecord::resource,
        &AuditRecord::before, &AuditRecord::after}) {
    auto changed = chain;
    changed[2].*field += "x";
    CHECK(broken_at(changed) == 3);
    // Also when its own hash is made to fit: the next one does not follow then.
    changed[2].hash = AuditHash(changed[2], chain[1].hash);
    CHECK(broken_at(changed) == 4);
  }
  auto without = chain;
  without.erase(without.begin() + 1);
  CHECK(broken_at(without) == 2);
  without = chain;
  without.pop_back();
  CHECK(broken_at(without) == 5);
}

TEST_CASE("Scopes: their names are parsed back", "[unit][security]") {
  for (int i = 0; i < kScopeCount; ++i) {
    const Scope scope = static_cast<Scope>(i);
    CHECK(ScopeFromName(ScopeName(scope)) == scope);
  }
  CHECK_FALSE(ScopeFromName("EVERYTHING"));
  CHECK_FALSE(kUsualScopes.Has(Scope::kAdmin));
}

TEST_CASE("RateLimit: a second's calls come at once, and then one in each interval",
          "[unit][security]") {
  constexpr int64_t kMillisecond = 1'000'000;
  RateLimit limit;
  limit.SetCallsPerSecond(10);
  const int64_t start = 5'000 * kMillisecond;
  for (int i = 0; i < 10; ++i) CHECK(limit.Take(start).admitted);
  const auto refused = limit.Take(start);
  CHECK_FALSE(refused.admitted);
  CHECK(refused.wait_ns == 100 * kMillisecond);
  CHECK_FALSE(limit.Take(start + 99 * kMillisecond).admitted);
  CHECK(limit.Take(start + 100 * kMillisecond).admitted);
  const auto rested = limit.Take(start + 10'000 * kMillisecond);
  CHECK(rested.admitted);
  CHECK(rested.remaining == 9);
}

TEST_CASE("RateLimit: less than one call a second is still one", "[unit][security]") {
  RateLimit limit;
  limit.SetCallsPerSecond(1);
  CHECK(limit.Take(0).admitted);
  CHECK_FALSE(limit.Take(999'999'999).admitted);
  CHECK(limit.Take(1'000'000'000).admitted);
}

TEST_CASE("MemberTokens: open for whom and as long as they were made", "[unit][security]") {
  const Secrets secrets = Secrets::Generate();
  const MemberTokens tokens(secrets);
  const Timestamp noon(1'700'000'000'000'000);
  const std::string token = tokens.Make(AccountId(65'537), noon);

  CHECK(tokens.Open(token, noon - Timestamp(1)) == AccountId(65'537));
  CHECK_FALSE(tokens.Open(token, noon));
  CHECK_FALSE(MemberTokens(Secrets::Generate()).Open(token, noon - Timestamp(1)));
  std::string other = token;
  other.replace(3, 5, "65538");
  CHECK_FALSE(tokens.Open(other, noon - Timestamp(1)));
  CHECK_FALSE(tokens.Open(GenerateKey(KeyKind::kPartner, "65537-1700000000"), noon));
}

TEST_CASE("Roles: their names are parsed back", "[unit][security]") {
  for (int i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    CHECK(RoleFromName(RoleName(role)) == role);
  }
  CHECK_FALSE(RoleFromName("king"));
}

TEST_CASE("Pseudonyms: each partner has a name of its own for an account", "[unit][security]") {
  const Secrets secrets = Secrets::Generate();
  const Pseudonyms pseudonyms(secrets);
  const AccountId account(65'539);

  const std::string here = pseudonyms.Of(PartnerId(1), account);
  const std::string there = pseudonyms.Of(PartnerId(2), account);

  CHECK(here.size() == 34);
  CHECK(here == Pseudonyms(secrets).Of(PartnerId(1), account));
  CHECK(here.substr(2, 16) != there.substr(2, 16));
  CHECK(here.substr(18) != there.substr(18));
  CHECK(pseudonyms.Open(PartnerId(1), here) == account);
  CHECK_FALSE(pseudonyms.Open(PartnerId(2), here));
  CHECK_FALSE(Pseudonyms(Secrets::Generate()).Open(PartnerId(1), here));
}

TEST_CASE("Pseudonyms: a name that was changed, or is spelt otherwise, does not open",
          "[unit][security]") {
  const Pseudonyms pseudonyms(Secrets::Generate());
  const std::string name = pseudonyms.Of(PartnerId(1), AccountId(65'539));
  for (size_t i = 2; i < name.size(); ++i) {
    std::string other = name;
    other[i] = other[i] == '0' ? '1' : '0';
    CHECK_FALSE(pseudonyms.Open(PartnerId(1), other));
  }
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& other : {upper, name + "0", name.substr(1), std::string("65539"),
                                   std::string("p-"), std::string()}) {
    CHECK_FALSE(pseudonyms.Open(PartnerId(1), other));
  }
}

TEST_CASE("KeyRing: a dropped epoch's key is in no file any more", "[unit][security][inv-100]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "epochs";
  const std::string first(32, 'k');
  KeyRing ring(path, first);
  CHECK(*ring.Find(0) == first);
  const auto added = ring.Add();
  REQUIRE(added.ok());
  // Another process, which was started before.
  KeyRing other(path, first);
  CHECK(*other.Find(added->number) == added->key);
  CHECK(other.All().size() == 2);

  REQUIRE(ring.KeepOnly(added->number).ok());

  CHECK_FALSE(ring.Find(0).ok());
  CHECK_FALSE(KeyRing(path, first).Find(0).ok());
  CHECK(*KeyRing(path, first).Find(1) == added->key);
  CHECK(ring.Add()->number == 2);
  CHECK_FALSE(ring.KeepOnly(7).ok());
}

TEST_CASE("KeyRing: a file that others may read, or that is damaged, is not believed",
          "[unit][security]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "epochs";
  KeyRing ring(path, std::string(32, 'k'));
  REQUIRE(ring.Add().ok());
  REQUIRE(chmod(path.c_str(), 0644) == 0);
  CHECK_FALSE(ring.Add().ok());
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  CHECK(ring.Add().ok());
  std::ofstream(path) << "epoch.3=0123\n";
  CHECK_FALSE(ring.Add().ok());
  CHECK_FALSE(KeyRing(path, std::string(32, 'k')).Find(3).ok());
}

}  // namespace
}  // namespace guilder::security
