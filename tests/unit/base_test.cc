#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "libs/base/codec.h"
#include "libs/base/files.h"
#include "libs/base/text.h"
#include "libs/base/types.h"
#include "tests/support/catch2.h"

namespace guilder {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

}  // namespace

TEST_CASE("Codec: what an encoder wrote, a decoder reads", "[unit][base]") {
  const std::vector<uint64_t> unsigned_values = {0, 1, 127, 128, 16'383, 16'384, UINT64_MAX};
  const std::vector<int64_t> signed_values = {0, 1, -1, 63, -64, 64, kLeast, kMost};
  const std::string bytes("a\0b\xff", 4);
  Encoder encoder;
  for (const uint64_t value : unsigned_values) encoder.Unsigned(value);
  for (const int64_t value : signed_values) encoder.Signed(value);
  encoder.Bytes(bytes).Bytes("").Id(PartnerId(-7)).Quantity(Points(42));

  Decoder decoder(encoder.str());
  for (const uint64_t value : unsigned_values) CHECK(decoder.Unsigned() == value);
  for (const int64_t value : signed_values) CHECK(decoder.Signed() == value);
  CHECK(decoder.Bytes() == bytes);
  CHECK(decoder.Bytes().empty());
  CHECK(decoder.ReadId<PartnerId>() == PartnerId(-7));
  CHECK(decoder.ReadQuantity<Points>() == Points(42));
  CHECK(decoder.ok());
  CHECK(decoder.AtEnd());
}

TEST_CASE("Codec: integers are written as in Protocol Buffers", "[unit][base]") {
  CHECK(ToHex(Encoder().Unsigned(300).str()) == "ac02");
  CHECK(ToHex(Encoder().Signed(-1).str()) == "01");
  CHECK(ToHex(Encoder().Signed(-2).str()) == "03");
  CHECK(ToHex(Encoder().Signed(2).str()) == "04");
}

TEST_CASE("Decoder: hostile input is an error, and reads nothing", "[unit][base]") {
  const std::vector<std::string> hostile = {
      "",                       // nothing at all
      "\x80",                   // a varint that does not end
      std::string(11, '\x80'),  // one that is too long
      "\x05"
      "abc",                           // fewer bytes than promised
      std::string(9, '\xff') + "\x01"  // a length near 2^64
  };
  for (const std::string& bytes : hostile) {
    INFO(ToHex(bytes));
    Decoder decoder(bytes);
    CHECK(decoder.Bytes().empty());
    CHECK_FALSE(decoder.ok());
    CHECK(decoder.Unsigned() == 0);
    CHECK(decoder.Signed() == 0);
    CHECK_FALSE(decoder.ok());
  }
}

TEST_CASE("Decoder: every cut of a message is noticed", "[unit][base]") {
  const std::string whole = Encoder().Signed(-300).Bytes("hello").Unsigned(1'000'000).Take();
  for (size_t size = 0; size < whole.size(); ++size) {
    Decoder decoder(std::string_view(whole).substr(0, size));
    decoder.Signed();
    decoder.Bytes();
    decoder.Unsigned();
    CHECK_FALSE(decoder.ok());
  }
}

TEST_CASE("Hexadecimal: bytes come back, anything else is refused", "[unit][base]") {
  const std::string bytes("\x00\x7f\x80\xff", 4);
  CHECK(ToHex(bytes) == "007f80ff");
  CHECK(FromHex("007F80ff") == bytes);
  CHECK(FromHex("") == "");
  CHECK_FALSE(FromHex("0"));
  CHECK_FALSE(FromHex("0g"));
  CHECK_FALSE(FromHex("0x"));
}

TEST_CASE("UUID: only the form of RFC 9562 is read", "[unit][base]") {
  const std::string text = "0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5";
  const auto uuid = ParseUuid(text);
  REQUIRE(uuid);
  CHECK(FormatUuid(*uuid) == text);
  CHECK(ParseUuid("0192F0C4-8A6B-7C3D-9E4F-A0B1C2D3E4F5") == uuid);
  for (const char* wrong :
       {"", "0192f0c48a6b7c3d9e4fa0b1c2d3e4f5", "{0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5}",
        "0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4fg", "0192f0c48-a6b-7c3d-9e4f-a0b1c2d3e4f5",
        "0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f", "0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5 "}) {
    INFO(wrong);
    CHECK_FALSE(ParseUuid(wrong));
  }
}

TEST_CASE("Integers: a number and nothing around it", "[unit][base]") {
  CHECK(ParseInt("0") == 0);
  CHECK(ParseInt("-12") == -12);
  CHECK(ParseInt("9223372036854775807") == kMost);
  CHECK(ParseInt("-9223372036854775808") == kLeast);
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.0", "0x10", "9223372036854775808", "--1"}) {
    INFO(wrong);
    CHECK_FALSE(ParseInt(wrong));
  }
}

TEST_CASE("Amounts: decimals become minor units exactly, or not at all", "[unit][base]") {
  CHECK(ParseAmount("3.86", 2) == MinorUnits(386));
  CHECK(ParseAmount("3.8", 2) == MinorUnits(380));
  CHECK(ParseAmount("3", 2) == MinorUnits(300));
  CHECK(ParseAmount("-0.05", 2) == MinorUnits(-5));
  CHECK(ParseAmount("120", 0) == MinorUnits(120));
  CHECK(ParseAmount("1.234", 3) == MinorUnits(1'234));
  for (const char* wrong : {"", "-", ".", ".5", "3.", "3.861", "3,86", "1e2", "+3", " 3", "3 ",
                            "--3", "1.2.3", "99999999999999999", "0x1"}) {
    INFO(wrong);
    CHECK_FALSE(ParseAmount(wrong, 2));
  }
  CHECK_FALSE(ParseAmount("1.0", 0));
}

TEST_CASE("Amounts: what is written is read back", "[unit][base]") {
  CHECK(FormatAmount(MinorUnits(386), 2) == "3.86");
  CHECK(FormatAmount(MinorUnits(5), 2) == "0.05");
  CHECK(FormatAmount(MinorUnits(-5), 2) == "-0.05");
  CHECK(FormatAmount(MinorUnits(0), 2) == "0.00");
  CHECK(FormatAmount(MinorUnits(120), 0) == "120");
  CHECK(FormatAmount(MinorUnits(kLeast), 2) == "-92233720368547758.08");
  for (const int64_t units : {0L, 1L, -1L, 99L, 100L, -12'345L, 1'000'000'000'000L}) {
    CHECK(ParseAmount(FormatAmount(MinorUnits(units), 2), 2) == MinorUnits(units));
  }
}

TEST_CASE("Currency: three capital letters", "[unit][base]") {
  REQUIRE(ParseCurrency("EUR"));
  CHECK(FormatCurrency(*ParseCurrency("EUR")) == "EUR");
  for (const char* wrong : {"", "eur", "EU", "EURO", "E1R", "\xc3\x84UR"}) {
    INFO(wrong);
    CHECK_FALSE(ParseCurrency(wrong));
  }
}

// 4539 1488 0343 6467 and 7992739871[3] are the worked examples that everyone quotes.
TEST_CASE("Luhn: the check digit is the standard's", "[unit][base]") {
  CHECK(LuhnCheckDigit("7992739871") == '3');
  CHECK(LuhnIsValid("79927398713"));
  CHECK(LuhnIsValid("4539148803436467"));
  CHECK_FALSE(LuhnIsValid("8273123273520569"));
  for (const char* wrong : {"", "0", "4539 1488 0343 6467", "453914880343646a", "-79927398713"}) {
    INFO(wrong);
    CHECK_FALSE(LuhnIsValid(wrong));
  }
}

TEST_CASE("Luhn: every mistyped digit is noticed", "[unit][base]") {
  const std::string payload = "300000001234";
  const std::string number = payload + LuhnCheckDigit(payload);
  REQUIRE(LuhnIsValid(number));
  for (size_t i = 0; i < number.size(); ++i) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string mistyped = number;
      mistyped[i] = digit;
      CHECK(LuhnIsValid(mistyped) == (digit == number[i]));
    }
  }
}

TEST_CASE("Timestamps: microseconds since 1970, written in UTC to the second", "[unit][base]") {
  CHECK(FormatTimestamp(Timestamp(0)) == "1970-01-01T00:00:00Z");
  CHECK(FormatTimestamp(Timestamp(1'769'860'800'999'999)) == "2026-01-31T12:00:00Z");
  const Timestamp at(1'769'860'800'123'456);
  CHECK(FromAbslTime(ToAbslTime(at)) == at);
}

TEST_CASE("ReadFile: what opens and cannot be read is refused like what is not there",
          "[unit][base]") {
  // Nothing is mapped at its start, so that reading fails as in the files of a process that ended.
  for (const char* path : {"/proc/self/mem", "/", "/no/such/file"}) {
    CAPTURE(path);
    CHECK(absl::IsInvalidArgument(ReadFile(path).status()));
  }
  CHECK(ReadFile("/dev/null").value() == "");
  CHECK(ReadFile("/proc/self/comm").value() == "base_test\n");
}

TEST_CASE("ReadFile: a file of more bytes than wanted is not read", "[unit][base]") {
  CHECK(absl::IsResourceExhausted(ReadFile("/proc/self/exe", 1'000).status()));
}

}  // namespace guilder
