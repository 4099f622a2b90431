#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/params.h"
#include "libs/postgres/rows.h"
#include "tests/support/catch2.h"

namespace guilder::postgres {
namespace {

using namespace std::string_literals;

struct Line {
  Points points;
  std::optional<AccountId> account;
  std::string text;
};

std::string First(const Params& params) {
  return std::string(params.value(0));
}

TEST_CASE("Params: scalars are PostgreSQL's text forms", "[unit][postgres]") {
  const Params params = Params()
                            .Int(INT64_MIN)
                            .Int(AccountId(65'537))
                            .Int(Timestamp(-1))
                            .Bool(true)
                            .Bool(false)
                            .Text("it's \\ \"so\"")
                            .Bytes(std::string("\0\xff\x10", 3))
                            .Bytes(Digest{0xab})
                            .Uuid(Uuid{0x01, 0x02});

  REQUIRE(params.size() == 9);
  CHECK(params.value(0) == "-9223372036854775808"s);
  CHECK(params.value(1) == "65537"s);
  CHECK(params.value(2) == "-1"s);
  CHECK(params.value(3) == "t"s);
  CHECK(params.value(4) == "f"s);
  CHECK(params.value(5) == "it's \\ \"so\""s);
  CHECK(params.value(6) == "\\x00ff10"s);
  CHECK(params.value(7) == "\\xab" + std::string(62, '0'));
  CHECK(params.value(8) == "0102" + std::string(28, '0'));
}

TEST_CASE("Params: rows of integers are one array, an empty optional in it 0", "[unit][postgres]") {
  const std::vector<Line> lines = {{Points(5), AccountId(7), ""}, {Points(-6), std::nullopt, ""}};
  int64_t index = 0;
  const auto next_index = [&](const Line&) { return ++index; };

  CHECK(First(Params().IntRows(lines, &Line::points, next_index, &Line::account)) ==
        "{5,1,7,-6,2,0}");
  CHECK(First(Params().IntRows(std::vector<Line>(), &Line::points)) == "{}");
}

TEST_CASE("Params: an empty optional of any kind is NULL", "[unit][postgres]") {
  const Params params = Params()
                            .Null()
                            .Int(std::optional<Points>())
                            .Bool(std::nullopt)
                            .Text(std::optional<std::string>())
                            .Bytes(std::optional<Digest>())
                            .Uuid(std::optional<Uuid>())
                            .Text(std::optional<std::string>(""));

  REQUIRE(params.size() == 7);
  for (int i = 0; i < 6; ++i) CHECK(params.value(i).data() == nullptr);
  CHECK(params.value(6) == ""s);
}

TEST_CASE("Params: arrays take ranges, projections and NULLs", "[unit][postgres]") {
  const std::vector<Line> lines = {{Points(5), AccountId(7), "a"}, {Points(-6), std::nullopt, "b"}};

  CHECK(First(Params().IntArray({1, 2, 3})) == "{1,2,3}");
  CHECK(First(Params().IntArray(std::vector<int64_t>())) == "{}");
  CHECK(First(Params().IntArray(lines, &Line::points)) == "{5,-6}");
  CHECK(First(Params().IntArray(lines, &Line::account)) == "{7,NULL}");
  CHECK(First(Params().IntArray(
            lines, [](const Line& line) { return line.points + line.points; })) == "{10,-12}");
  CHECK(First(Params().BoolArray(std::vector<bool>{true, false})) == "{t,f}");
  CHECK(First(Params().BytesArray(std::vector<std::string>{"\x01\x02", ""})) ==
        "{\\\\x0102,\\\\x}");
  CHECK(First(Params().UuidArray(std::vector<std::optional<Uuid>>{Uuid{}, std::nullopt})) ==
        "{" + std::string(32, '0') + ",NULL}");
}

TEST_CASE("Params: array elements are quoted, so that none can break out", "[unit][postgres]") {
  const std::vector<std::optional<std::string>> texts = {"plain", "NULL",    std::nullopt,
                                                         "",      "a\"b\\c", "{x,y}"};

  CHECK(First(Params().TextArray(texts)) == R"({"plain","NULL",NULL,"","a\"b\\c","{x,y}"})");
}

TEST_CASE("Params: the first text that holds NUL is found", "[unit][postgres]") {
  CHECK_FALSE(Params().Text("fine").Bytes("\0"s).first_with_nul());
  CHECK(Params().Int(1).Text("a\0b"s).Text("\0"s).first_with_nul() == 1);
  CHECK(Params().TextArray(std::vector<std::string>{"x", "\0"s}).first_with_nul() == 0);
}

Row RowOf(const std::vector<internal::Cell>& cells) {
  return Row(cells.data(), static_cast<int>(cells.size()));
}

TEST_CASE("Row: values are read from their text forms", "[unit][postgres]") {
  const std::vector<internal::Cell> cells = {
      {"-42", 3}, {"t", 1},      {"text", 4}, {"\\x00fF", 6},
      {},         {"{1,-2}", 6}, {"{}", 2},   {"01020000-0000-0000-0000-000000000000", 36}};
  const Row row = RowOf(cells);

  CHECK(row.Int(0) == -42);
  CHECK(row.Id<Points>(0) == Points(-42));
  CHECK(row.Bool(1));
  CHECK(row.Text(2) == "text");
  CHECK(row.Bytes(3) == "\0\xff"s);
  CHECK(row.FixedBytes<2>(3) == std::array<uint8_t, 2>{0x00, 0xff});
  CHECK(row.IsNull(4));
  CHECK_FALSE(row.OptionalInt(4));
  CHECK(row.OptionalId<AccountId>(0) == AccountId(-42));
  CHECK(row.IntArray(5) == std::vector<int64_t>{1, -2});
  CHECK(row.IntArray(6).empty());
  CHECK(row.Uuid(7) == Uuid{0x01, 0x02});
}

TEST_CASE("Row: a value of another type throws instead of giving something", "[unit][postgres]") {
  const std::vector<internal::Cell> cells = {{"12x", 3}, {}, {"\\x0g", 4}, {"{1,}", 4}, {"", 0}};
  const Row row = RowOf(cells);

  CHECK_THROWS_AS(row.Int(0), std::logic_error);
  CHECK_THROWS_AS(row.Int(1), std::logic_error);
  CHECK_THROWS_AS(row.Text(1), std::logic_error);
  CHECK_THROWS_AS(row.Bool(0), std::logic_error);
  CHECK_THROWS_AS(row.Bytes(2), std::logic_error);
  CHECK_THROWS_AS(row.FixedBytes<3>(2), std::logic_error);
  CHECK_THROWS_AS(row.IntArray(3), std::logic_error);
  CHECK_THROWS_AS(row.Int(4), std::logic_error);
  CHECK_THROWS_AS(row.Int(5), std::logic_error);
  CHECK_THROWS_AS(row.Int(-1), std::logic_error);
}

}  // namespace
}  // namespace guilder::postgres
