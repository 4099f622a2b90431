// Goal: an auditor who runs `guilder ledger verify` finds whatever somebody with access to the
// database has changed.
// Method: `guilder dev` runs; the demonstration posts real purchases into it and settles; then
// twelve corruptions are planted by SQL, one after the other, while the network goes on.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libs/postgres/connection.h"
#include "tests/support/catch2.h"
#include "tests/support/child_process.h"
#include "tests/support/dev_network.h"

namespace guilder {
namespace {

using nlohmann::json;
using testing::ChildProcess;
using testing::ProgramPath;
using testing::ReadFile;

struct Result {
  int exit_code = 0;
  std::string output;
};

class Auditor {
 public:
  Auditor() : network_(directory_.path() + "/data", {"--bare"}) {
    REQUIRE(network_.WaitUntilUp());
    dsn_ = json::parse(ReadFile(NetworkFile()))["dsn"].get<std::string>();
    const Result demo = Guilder({"demo", "--network", NetworkFile(), "--share", "80", "--data",
                                 testing::SourcePath("tests/data"), "--output-dir",
                                 directory_.path() + "/output", "-o", "json"});
    INFO(demo.output.substr(0, 4'000));
    REQUIRE(demo.exit_code == 0);
  }

  Result Guilder(std::vector<std::string> arguments) {
    const std::string log = directory_.path() + "/log." + std::to_string(++runs_);
    arguments.insert(arguments.begin(), ProgramPath("guilder"));
    ChildProcess process(arguments, log);
    Result result;
    result.exit_code = process.Wait();
    result.output = ReadFile(log);
    return result;
  }

  Result Verify(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"ledger", "verify", "--network", NetworkFile()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Guilder(arguments);
  }

  // Gives the first value of the answer.
  std::string Sql(const std::string& sql) {
    auto connection = postgres::Connection::Open(dsn_);
    REQUIRE(connection.ok());
    std::string value;
    const absl::Status status =
        postgres::RunInTransaction(*connection, [&](postgres::Transaction& transaction) {
          const postgres::Rows rows = transaction.Script(sql);
          if (!rows.empty()) value = std::string(rows[0].Text(0));
          return absl::OkStatus();
        });
    INFO(sql << ": " << status.ToString());
    REQUIRE(status.ok());
    return value;
  }

  std::string dsn() const { return dsn_; }
  std::string StateFile() const { return directory_.path() + "/verified.state"; }

 private:
  std::string NetworkFile() const { return directory_.path() + "/data/network.json"; }

  const testing::TemporaryDirectory directory_;
  testing::DevNetwork network_;
  std::string dsn_;
  int runs_ = 0;
};

struct Corruption {
  std::string table;
  // Gives what must be named: it is planted there.
  std::string where;
  std::string plant;
};

// `%` is what `where` gave, without its kind.
const std::vector<Corruption>& Corruptions() {
  static const std::vector<Corruption> corruptions = {
      {"journal", "select 'record ' || book || '-' || number from ledger.journal where kind = 1",
       "update ledger.journal set content = content || '\\x00' where book || '-' || number = '%'"},
      {"journal", "select 'record ' || book || '-' || number from ledger.journal where kind = 1",
       "update ledger.journal set response = set_byte(response, 3, 1 # get_byte(response, 3)) "
       "where book || '-' || number = '%'"},
      {"entries", "select 'record ' || book || '-' || number from ledger.entries",
       "update ledger.entries set points = points + 1 where book || '-' || number = '%'"},
      {"entries", "select 'record ' || book || '-' || number from ledger.entries where line = 1",
       "delete from ledger.entries where book || '-' || number = '%' and line = 1"},
      {"accounts", "select 'account ' || account_id from ledger.accounts where available > 0",
       "update ledger.accounts set available = available + 1000 where account_id = %"},
      {"lots", "select 'lot ' || book || '-' || lot_id from ledger.lots where remaining > held",
       "update ledger.lots set remaining = remaining - 1, redeemed = redeemed + 1 "
       "where book || '-' || lot_id = '%'"},
      // Its points live longer: the record that created it says how long.
      {"lots", "select 'record ' || book || '-' || lot_id / 1024 from ledger.lots",
       "update ledger.lots set expires_at_us = 9000000000000000000 "
       "where book || '-' || lot_id / 1024 = '%'"},
      {"positions", "select 'book ' || book from ledger.positions where movement = 5",
       "update ledger.positions set points = points + 1 where book = % and movement = 5"},
      // A receipt that could then post again.
      {"claims",
       "select 'record ' || book || '-' || number from ledger.journal where natural_key is not "
       "null",
       "delete from ledger.claims where book || '-' || number = '%' and claim_key in "
       "(select natural_key from ledger.journal)"},
      {"holds", "select 'record ' || book || '-' || number from ledger.holds",
       "update ledger.holds set partner_id = partner_id + 1 where book || '-' || number = '%'"},
      {"seals", "select 'book ' || book from ledger.seals where last_number > 0",
       "update ledger.seals set root = sha256('x') where book = % and last_number > 0"},
      {"books", "select 'book ' || book from ledger.books",
       "update ledger.books set frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0)) "
       "where book = % "},
  };
  return corruptions;
}

}  // namespace

TEST_CASE("guilder ledger verify: finds and names twelve corruptions on a running network",
          "[system][ledger][inv-4]") {
  Auditor auditor;
  const Result whole = auditor.Verify({"--state", auditor.StateFile()});
  INFO(whole.output);
  REQUIRE(whole.exit_code == 0);
  CHECK(whole.output.find("everything holds") != std::string::npos);

  for (const Corruption& corruption : Corruptions()) {
    const std::string named = auditor.Sql(corruption.where + " order by 1 desc limit 1");
    std::string plant = corruption.plant;
    plant.replace(plant.find('%'), 1, named.substr(named.find(' ') + 1));
    INFO(plant);
    const std::string table = "ledger." + corruption.table;
    auditor.Sql("create table public.kept as table " + table + "; " + plant);
    const Result found = auditor.Verify();
    auditor.Sql("delete from " + table + "; insert into " + table +
                " select * from public.kept; drop table public.kept");
    INFO(found.output);
    CHECK(found.exit_code == 1);
    CHECK(found.output.find(named) != std::string::npos);
    CHECK(found.output.find("the books do not hold") != std::string::npos);
  }

  // All of it was put back; nothing has come since; and an auditor reads the database alone.
  const Result since = auditor.Verify({"--since-last", "--state", auditor.StateFile()});
  INFO(since.output);
  CHECK(since.exit_code == 0);
  CHECK(since.output.find("0 records after the ") != std::string::npos);
  const Result alone =
      auditor.Guilder({"ledger", "verify", "--dsn", auditor.dsn(), "--jobs", "2", "-o", "json"});
  INFO(alone.output);
  CHECK(alone.exit_code == 0);
  CHECK(json::parse(alone.output)["ok"] == true);
}

}  // namespace guilder
