#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "tests/support/catch2.h"

namespace guilder::rpc {
namespace {

using Parts = std::vector<std::string>;

TEST_CASE("ParseName: takes the variable parts out of a name", "[unit][rpc]") {
  CHECK(ParseName("partners/{}", "partners/fresh") == Parts{"fresh"});
  CHECK(ParseName("partners/{}/stores/{}", "partners/fresh/stores/s1") == Parts{"fresh", "s1"});
  CHECK(ParseNumberedName("windows/{}", "windows/17") == std::vector<int64_t>{17});
}

TEST_CASE("ParseName: refuses what does not fit the pattern", "[unit][rpc]") {
  for (const char* name :
       {"", "partners", "partners/", "partners//", "stores/fresh", "partners/a/b", "partners/a b",
        "partners/a/stores", "xpartners/a", "partners/a\n"}) {
    INFO(name);
    CHECK_FALSE(ParseName("partners/{}", name));
  }
  CHECK_FALSE(ParseName("partners/{}", "partners/" + std::string(129, 'a')));
  CHECK_FALSE(ParseNumberedName("windows/{}", "windows/0"));
  CHECK_FALSE(ParseNumberedName("windows/{}", "windows/-1"));
  CHECK_FALSE(ParseNumberedName("windows/{}", "windows/x"));
}

TEST_CASE("ParseNumberedName: a number has one spelling", "[unit][rpc]") {
  for (const char* name : {"members/007", "members/+7", "members/-7", "members/0x7",
                           "members/9223372036854775808", "members/7.0"}) {
    INFO(name);
    CHECK_FALSE(ParseNumberedName("members/{}", name));
  }
  CHECK(ParseNumberedName("members/{}", "members/9223372036854775807") ==
        std::vector<int64_t>{INT64_MAX});
}

TEST_CASE("FormatName: is the inverse of ParseName", "[unit][rpc]") {
  CHECK(FormatName("partners/{}/stores/{}", {"fresh", "s1"}) == "partners/fresh/stores/s1");
  CHECK(FormatName("programmes/1", {}) == "programmes/1");
}

TEST_CASE("ParseRequestId: takes a UUID and nothing else", "[unit][rpc]") {
  CHECK(ParseRequestId("018f3c3e-7b5a-7cc0-8000-0123456789ab").ok());
  for (const char* text : {"", "x", "00000000-0000-0000-0000-000000000000"}) {
    INFO(text);
    CHECK(ReasonOf(ParseRequestId(text).status()) == Reason::kRequestIdMalformed);
  }
}

TEST_CASE("PageTokens: a token continues the list that gave it, and no other", "[unit][rpc]") {
  const PageTokens tokens("key");
  const std::string token = tokens.Make("ListPartners state=ACTIVE", std::string("a\0b", 3));

  CHECK(tokens.Position("ListPartners state=ACTIVE", token).value() == std::string("a\0b", 3));
  CHECK(tokens.Position("ListPartners state=ACTIVE", "").value().empty());
  CHECK(ReasonOf(tokens.Position("ListPartners", token).status()) == Reason::kPageTokenInvalid);
  CHECK(ReasonOf(PageTokens("other").Position("ListPartners state=ACTIVE", token).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("PageTokens: any changed character is noticed", "[unit][rpc]") {
  const PageTokens tokens("key");
  const std::string token = tokens.Make("list", "position");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    const auto position = tokens.Position("list", forged);
    // The last character may hold bits that no byte uses.
    CHECK((!position.ok() || *position == "position"));
  }
  CHECK_FALSE(tokens.Position("list", "!!").ok());
  CHECK_FALSE(tokens.Position("list", token + "AAAA").ok());
}

TEST_CASE("PageSize: has a default, a limit, and no negative", "[unit][rpc]") {
  CHECK(PageSize(0).value() == 50);
  CHECK(PageSize(7).value() == 7);
  CHECK(PageSize(1'000'000).value() == 1000);
  CHECK(ReasonOf(PageSize(-1).status()) == Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::rpc
