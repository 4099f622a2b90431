// What goes into statements and comes out of them, and when they are run.
#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/connection.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::postgres {
namespace {

using testing::TestDatabase;

constexpr Statement kAdd{"test.add", "insert into t (id) values ($1::bigint)"};
constexpr Statement kCount{"test.count", "select count(*) from t"};

struct Fixture {
  TestDatabase db{TestDatabase::Schema::kEmpty};
  Connection connection = db.Connect();

  Fixture() { db.Query("create table t (id bigint primary key)"); }
  int64_t Count() { return db.Query("select count(*) from t")[0].Int(0); }
};

constexpr Statement kPacked{"test.packed", R"sql(
  select row(i::smallint, i, i::bigint - 5, i = 2, case when i = 2 then i end, 'text ' || i,
             decode(repeat('00ff', i), 'hex'), '00112233-4455-6677-8899-aabbccddeeff'::uuid,
             array[i, -i]::bigint[], case when i = 3 then '{}'::bigint[] else '{7}' end)
    from generate_series(1, $1::int) as i
   order by i
)sql"};

TEST_CASE("ExecutePacked: every type is read as it is, again and again in one transaction",
          "[store][postgres]") {
  Fixture f;
  const absl::Status status = RunInTransaction(f.connection, [](Transaction& t) {
    CHECK(t.ExecutePacked(kPacked, Params().Int(0)).empty());
    const PackedRows rows = t.ExecutePacked(kPacked, Params().Int(3));
    REQUIRE(rows.size() == 3);
    int64_t i = 0;
    for (PackedRow row : rows) {
      ++i;
      CHECK(row.columns() == 10);
      CHECK(row.Int() == i);
      CHECK(row.Id<RecordNumber>() == RecordNumber(i));
      CHECK(row.Int() == i - 5);
      CHECK(row.Bool() == (i == 2));
      CHECK(row.OptionalInt() == (i == 2 ? std::optional(i) : std::nullopt));
      CHECK(row.Bytes() == "text " + std::to_string(i));
      CHECK(row.Bytes().size() == static_cast<size_t>(2 * i));
      CHECK(row.Uuid()[15] == 0xff);
      CHECK(row.IntArray() == std::vector<int64_t>{i, -i});
      CHECK(row.IntArray().size() == (i == 3 ? 0 : 1));
    }
    return absl::OkStatus();
  });
  INFO(status.ToString());
  CHECK(status.ok());
}

TEST_CASE("ExecutePacked: a column read as what it is not is a mistake of ours",
          "[store][postgres]") {
  Fixture f;
  const auto read = [&](auto wrong) {
    return RunInTransaction(f.connection, [&](Transaction& t) {
      const PackedRows rows = t.ExecutePacked(kPacked, Params().Int(1));
      PackedRow row = rows[0];
      wrong(row);
      return absl::OkStatus();
    });
  };
  CHECK(read([](PackedRow& row) { row.Uuid(); }).code() == absl::StatusCode::kInternal);
  CHECK(read([](PackedRow& row) { row.Bool(); }).code() == absl::StatusCode::kInternal);
  CHECK(read([](PackedRow& row) { row.IntArray(); }).code() == absl::StatusCode::kInternal);
  CHECK(read([](PackedRow& row) {
          for (int i = 0; i < 5; ++i) row.Int();
        }).code() == absl::StatusCode::kInternal);
  CHECK(read([](PackedRow& row) {
          for (int i = 0; i < 11; ++i) row.Bytes();
        }).code() == absl::StatusCode::kInternal);
}

TEST_CASE("Params: every array comes back as it went in", "[store][postgres]") {
  struct Item {
    std::optional<int64_t> number;
    std::string text;
    std::string bytes;
    Uuid uuid;
    bool flag;
  };
  constexpr Statement kUnnest{"test.unnest", R"sql(
    select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[], $5::boolean[])
  )sql"};
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  const std::vector<Item> items = {
      {INT64_MAX, "plain", all_bytes, Uuid{1, 2, 3}, true},
      {std::nullopt, "", "", Uuid{}, false},
      {INT64_MIN, "\"quoted\" \\ {braces}, 'apostrophe' \n NULL é", "\\x\"", Uuid{0xff}, true},
      {0, "NULL", "NULL", Uuid{0, 0xff}, false}};
  const auto form = GENERATE(Params::Form::kText, Params::Form::kBinary);
  TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();

  const auto rows = RunInTransaction(connection, [&](Transaction& t) -> absl::StatusOr<Rows> {
    return t.Execute(kUnnest, Params(form)
                                  .IntArray(items, &Item::number)
                                  .TextArray(items, &Item::text)
                                  .BytesArray(items, &Item::bytes)
                                  .UuidArray(items, &Item::uuid)
                                  .BoolArray(items, &Item::flag));
  });

  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 4);
  int at = 0;
  for (const Row row : *rows) {
    const Item& item = items[static_cast<size_t>(at++)];
    CHECK(row.OptionalInt(0) == item.number);
    CHECK(row.Text(1) == item.text);
    CHECK(row.Bytes(2) == item.bytes);
    CHECK(row.Uuid(3) == item.uuid);
    CHECK(row.Bool(4) == item.flag);
  }
}

TEST_CASE("Params: scalars and empty arrays in binary form are read as what they are",
          "[store][postgres]") {
  constexpr Statement kEcho{"test.echo", R"sql(
    select $1::bigint, $2::boolean, $3::text, $4::bytea, $5::uuid, cardinality($6::bigint[])
  )sql"};
  TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();

  const auto rows = RunInTransaction(connection, [&](Transaction& t) -> absl::StatusOr<Rows> {
    return t.Execute(kEcho, Params(Params::Form::kBinary)
                                .Int(INT64_MIN)
                                .Bool(true)
                                .Text("it's")
                                .Bytes(std::string("\0\xff", 2))
                                .Uuid(Uuid{1, 2})
                                .IntArray(std::vector<int>()));
  });

  REQUIRE(rows.ok());
  const Row row = (*rows)[0];
  CHECK(row.Int(0) == INT64_MIN);
  CHECK(row.Bool(1));
  CHECK(row.Text(2) == "it's");
  CHECK(row.Bytes(3) == std::string("\0\xff", 2));
  CHECK(row.Uuid(4) == Uuid{1, 2});
  CHECK(row.Int(5) == 0);
}

constexpr Statement kReadRows{"test.read_rows", R"sql(
  select $1[i], nullif($1[i + 1], 0) from generate_series(1, cardinality($1::bigint[]), 2) as i
)sql"};

TEST_CASE("IntRows: a statement reads each row's columns, in both forms", "[store][postgres]") {
  Fixture f;
  const auto form = GENERATE(Params::Form::kText, Params::Form::kBinary);
  const std::vector<std::pair<int64_t, std::optional<int64_t>>> rows = {
      {INT64_MIN, 1}, {0, std::nullopt}, {INT64_MAX, -1}};

  const absl::Status status = RunInTransaction(f.connection, [&](Transaction& t) {
    using Pair = std::pair<int64_t, std::optional<int64_t>>;
    const Rows read = t.Execute(kReadRows, Params(form).IntRows(rows, &Pair::first, &Pair::second));
    REQUIRE(read.size() == 3);
    CHECK(read[0].Int(0) == INT64_MIN);
    CHECK(read[0].Int(1) == 1);
    CHECK(read[1].Int(0) == 0);
    CHECK(read[1].IsNull(1));
    CHECK(read[2].Int(0) == INT64_MAX);
    CHECK(read[2].Int(1) == -1);
    CHECK(t.Execute(kReadRows, Params(form).IntArray(std::vector<int64_t>())).size() == 0);
    return absl::OkStatus();
  });
  INFO(status.ToString());
  CHECK(status.ok());
}

TEST_CASE("ExecuteLater: comes before whatever is run next, and with the commit at the latest",
          "[store][postgres]") {
  Fixture f;
  const auto form = GENERATE(Params::Form::kText, Params::Form::kBinary);

  const absl::Status status = RunInTransaction(f.connection, [&](Transaction& t) {
    t.ExecuteLater(kAdd, Params(form).Int(1));
    t.ExecuteLater(kAdd, Params(form).Int(2));
    CHECK(t.Execute(kCount)[0].Int(0) == 2);
    t.ExecuteLater(kAdd, Params(form).Int(3));
    t.ExecuteLater(kAdd, Params().Int(4));
    return absl::OkStatus();
  });

  CHECK(status.ok());
  CHECK(f.Count() == 4);
}

TEST_CASE("ExecuteLater: one that fails with the commit leaves nothing, and the session goes on",
          "[store][postgres]") {
  Fixture f;
  const auto form = GENERATE(Params::Form::kText, Params::Form::kBinary);
  const auto add = [&](std::vector<int> ids) {
    return RunInTransaction(f.connection, [&](Transaction& t) {
      for (const int id : ids) t.ExecuteLater(kAdd, Params(form).Int(id));
      return absl::OkStatus();
    });
  };

  CHECK(IsUniqueViolation(add({1, 2, 1})));
  CHECK(f.Count() == 0);
  CHECK(add({1}).ok());
  CHECK(f.Count() == 1);
}

TEST_CASE("ExecuteLater: what a body that fails left is not run", "[store][postgres]") {
  Fixture f;
  const absl::Status status = RunInTransaction(f.connection, [&](Transaction& t) {
    t.ExecuteLater(kAdd, Params().Int(1));
    return absl::AbortedError("not today");
  });

  CHECK(absl::IsAborted(status));
  CHECK(f.Count() == 0);
}

}  // namespace
}  // namespace guilder::postgres
