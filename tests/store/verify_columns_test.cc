// Goal: no value of the ledger's tables can be changed unseen.
// Method: the columns are read from the database itself, so a column that is added later is tried
// as well. Each is changed a little in rows of its own kind, the ledger is verified, and the row
// must be named. Constraints are dropped first: whoever can change rows can drop them, too.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "tests/support/catch2.h"
#include "tests/support/living_ledger.h"

namespace guilder::ledger {
namespace {

using postgres::Row;
using testing::LivingLedger;
using testing::Tampering;

constexpr char kDropConstraints[] = R"sql(
  do $$
  declare c record;
  begin
    for c in select conrelid::regclass as owner, conname
               from pg_constraint
              where contype in ('f', 'c', 'u', 'p') and coninhcount = 0 and conrelid <> 0
                and connamespace in ('ledger'::regnamespace, 'settlement'::regnamespace)
              order by contype <> 'f'
    loop
      execute format('alter table %s drop constraint if exists %I cascade', c.owner, c.conname);
    end loop;
  end
  $$
)sql";

// The tables, partitions left out.
constexpr char kTables[] = R"sql(
  select c.oid::regclass::text
    from pg_class c
   where c.relkind in ('r', 'p') and not c.relispartition
     and c.relnamespace in ('ledger'::regnamespace, 'settlement'::regnamespace)
   order by 1
)sql";

// What the findings call a row: any of these texts, separated by "|". {row} is the row.
const std::map<std::string, std::string>& Names() {
  static const std::map<std::string, std::string> names = {
      {"ledger.accounts",
       "'account ' || account_id || '|book ' || book || ' |lot ' || book || '-' "
       "|| first_open_lot"},
      {"ledger.books",
       "'book ' || book || ' |record ' || book || '-|of book ' || book || '|book ' "
       "|| book + 100 || ' '"},
      {"ledger.allowances", "'limit ' || limit_id"},
      {"ledger.limits", "'limit ' || limit_id || ' |limit ' || limit_id + 16"},
      {"ledger.claims", "'record ' || book || '-' || number"},
      {"ledger.control_accounts", "'account ' || account_id || '|book ' || book || ','"},
      {"ledger.entries", "'record ' || book || '-' || number"},
      {"ledger.forwards", "'account ' || account_id || '|was merged, and there is no such'"},
      {"ledger.holds",
       "'hold ' || book || '-' || number || '|hold ' || book || '-' || number + 1 || '|record ' || "
       "book || '-' || number"
       " || '|account ' || account_id || '|lot ' || book || '-' || lot_ids[1]"},
      {"ledger.journal",
       "'record ' || book || '-' || number || '|record ' || book || '-' || number + 1000"},
      {"ledger.lots",
       "'lot ' || book || '-' || lot_id || '|lot ' || book || '-' || lot_id + 1 || '|record ' || "
       "book || '-' || lot_id / 1024"
       " || '|account ' || account_id"},
      {"ledger.positions", "'book ' || book || ','"},
      {"ledger.seals", "'book ' || book || ' |book ' || book || ':'"},
      {"settlement.lines", "'settlement ' || settlement_id"},
      {"settlement.money_entries",
       "'money transaction ' || number || '|money transaction ' || number + 1"},
      {"settlement.money_heads", "'head of the money ledger'"},
      {"settlement.money_transactions", "'money transaction ' || number || '|money ledger has'"},
      {"settlement.nets", "'settlement ' || settlement_id"},
      {"settlement.obligations",
       "'settlement ' || settlement_id || '|partner ' || partner_id || ':'"},
      {"settlement.settlements", "'at |settlement ' || settlement_id"},
      {"settlement.windows", "'at |was not sealed at'"},
  };
  return names;
}

// What follows from nothing, table by table or column by column, and why.
const std::map<std::string, std::string>& Exceptions() {
  static const std::string kSetting = "a setting that operators change; nothing else says it";
  static const std::string kAct = "says who acted, and when; no points or money follow from it";
  static const std::string kRates =
      "what a rate gives is computed when the settlement is, and"
      " proved here only to add up";
  static const std::string kSaid = "what partners and banks said, and who looks after it";
  static const std::string kEvidence = "why money was posted; the money is proved";
  static const std::string kDocument = "made from the settlement, which is proved";
  static const std::map<std::string, std::string> exceptions = {
      {"ledger.programmes", kSetting},
      {"ledger.boundaries", kSetting},
      {"ledger.holidays", kSetting},
      {"ledger.configuration", "a counter that makes lanes read settings again"},
      {"ledger.refusals", "a bounded log for support, which newer refusals overwrite"},
      {"ledger.allowances.book",
       "which book may spend is free; that there is such a book is proved"},
      {"settlement.number_ranges", kDocument},
      {"settlement.lot_positions",
       "made from the entries of sealed windows, and can be made again"},
      {"settlement.lot_progress", "how far that has come"},
      {"settlement.book_days", "made from the entries of sealed windows"},
      {"settlement.daily_points", "made from the entries of sealed windows, for a picture"},
      {"settlement.breaks", kSaid},
      {"settlement.reconciliations", kSaid},
      {"settlement.bank_files", kSaid},
      {"settlement.bank_entries", kSaid},
      {"settlement.allocations", kEvidence},
      {"settlement.write_offs", kEvidence},
      {"settlement.adjustments", kEvidence},
      {"settlement.disputes", kSaid},
      {"settlement.dispute_policies", kSetting},
      {"settlement.credit_notes", kDocument},
      {"settlement.policies", kSetting},
      {"settlement.invoices", kDocument},
      {"settlement.invoice_lines", kDocument},
      {"settlement.document_parties", kDocument},
      {"settlement.payment_files", kDocument},
      {"settlement.settlements.programme_id", kAct},
      {"settlement.settlements.currency", kAct},
      {"settlement.settlements.state", kAct},
      {"settlement.settlements.computed_by", kAct},
      {"settlement.settlements.approved_by", kAct},
      {"settlement.settlements.approved_at_us", kAct},
      {"settlement.settlements.money_number", "where statements end in the money ledger"},
      {"settlement.windows.sealed_at_us", kAct},
      {"settlement.lines.line", "a name; nothing is computed from it"},
      {"settlement.lines.cumulative_points", kRates},
      {"settlement.lines.cumulative_amount", kRates},
      {"settlement.lines.cumulative_tax", kRates},
      {"settlement.lines.tax_code", kRates},
      {"settlement.lines.tax_ppm", kRates},
      {"settlement.nets.points_issued", kRates},
      {"settlement.nets.points_reversed", kRates},
      {"settlement.nets.points_redeemed", kRates},
      {"settlement.obligations.state", kAct},
      {"settlement.obligations.due_at_us", kAct},
      {"settlement.obligations.disputed", kSaid},
      {"settlement.obligations.file_number", kAct},
      {"settlement.settlements.digest",
       "binds an approval to what was looked at, when it is given"},
      {"settlement.obligations.end_to_end_id", "a name; nothing is computed from it"},
  };
  return exceptions;
}

// Rows of which a column must be changed to do harm.
std::string HarmfulRows(const std::string& column) {
  // An earlier date only makes somebody look sooner, and there is none after "never".
  if (column == "ledger.accounts.next_due_at_us") return "next_due_at_us < 9000000000000000000";
  // An earlier lot only makes lanes read more; so does one after which all are closed.
  if (column == "ledger.accounts.first_open_lot") {
    return "exists (select from ledger.lots l where l.book = accounts.book and l.account_id = "
           "accounts.account_id and l.lot_id = first_open_lot and l.remaining + l.debt > 0)";
  }
  return "true";
}

// A small change of a value of that type.
std::string Changed(const std::string& column, const std::string& type) {
  if (type == "bigint[]" || type == "integer[]")
    return absl::StrCat("array_prepend(", column, "[1] + 1, ", column, "[2:])");
  if (type == "boolean") return absl::StrCat("not ", column);
  if (type == "text") return absl::StrCat(column, " || 'x'");
  if (type == "uuid") {
    return absl::StrCat("overlay(", column, "::text placing case when ", column,
                        "::text like '%0' then '1' else '0' end from 36)::uuid");
  }
  if (type == "bytea") {
    return absl::StrCat("case when length(", column, ") = 0 then '\\x01' else set_byte(", column,
                        ", 0, get_byte(", column, ", 0) # 1) end");
  }
  return absl::StrCat("case when ", column, " > 30000 and ", column, " > 9000000000000000000 then ",
                      column, " - 1 else ", column, " + 1 end");
}

class Columns {
 public:
  Columns() { database().Query(kDropConstraints); }

  // Changes one row by `set` and expects that the verification names it.
  void Expect(const std::string& table, const std::string& rows, const std::string& set) {
    Tamper(table, rows, "update %TABLE% set " + set + " where ctid = '%ROW%'");
  }

  // Does `sql` to one of the rows, if there is one.
  void Tamper(const std::string& table, const std::string& rows, const std::string& sql) {
    const std::string names = Names().contains(table) ? Names().at(table) : "'?'";
    const auto found = database().Query(
        absl::StrCat("select tableoid::regclass::text, ctid::text, ", names, " from ", table,
                     " where ", rows, " order by 3, 1, 2 limit 1 offset (select count(*) / 2 from ",
                     table, " where ", rows, ")"));
    if (found.empty()) return;
    const std::string done = absl::StrReplaceAll(sql, {{"%TABLE%", std::string(found[0].Text(0))},
                                                       {"%ROW%", std::string(found[0].Text(1))}});
    INFO(done << ": " << found[0].Text(2));
    VerifyReport report;
    {
      const Tampering tampering(database(), table, done);
      report = ledger_.Verify();
    }
    ++tried_;
    CHECK_FALSE(report.ok);
    const std::string failures = testing::FailuresOf(report);
    INFO(failures);
    bool named = false;
    for (const auto& name : absl::StrSplit(std::string(found[0].Text(2)), '|')) {
      named = named || absl::StrContains(failures, name);
    }
    CHECK(named);
  }

  const testing::TestDatabase& database() const { return ledger_.database(); }
  LivingLedger& ledger() { return ledger_; }
  int tried() const { return tried_; }

 private:
  LivingLedger ledger_;
  int tried_ = 0;
};

Columns& TheColumns() {
  static Columns columns;
  return columns;
}

std::vector<std::string> Tables() {
  std::vector<std::string> tables;
  for (const Row& row : TheColumns().database().Query(kTables)) {
    const std::string table(row.Text(0));
    if (!Exceptions().contains(table)) tables.push_back(table);
  }
  return tables;
}

}  // namespace

TEST_CASE("Verify: every column of every table is proved, but for those that follow from nothing",
          "[store][ledger][inv-4]") {
  Columns& columns = TheColumns();
  std::set<std::string> exceptions;
  for (const auto& [name, why] : Exceptions()) exceptions.insert(name);
  for (const std::string& table : Tables()) {
    INFO(table);
    REQUIRE(Names().contains(table));
    const auto rows = columns.database().Query(
        absl::StrCat("select attname, format_type(atttypid, atttypmod), attnotnull from "
                     "pg_attribute where attrelid = '",
                     table, "'::regclass and attnum > 0 and not attisdropped order by attnum"));
    for (const Row& row : rows) {
      const std::string column(row.Text(0));
      const std::string full = absl::StrCat(table, ".", column);
      if (exceptions.contains(full)) continue;
      const std::string type(row.Text(1));
      const std::string harmful = HarmfulRows(full);
      columns.Expect(table, absl::StrCat(column, " is not null and ", harmful),
                     absl::StrCat(column, " = ", Changed(column, type)));
      if (row.Bool(2) || table == "settlement.windows") continue;
      // Nothing instead of something, and something instead of nothing: also a zero.
      columns.Expect(table, absl::StrCat(column, " is not null"), absl::StrCat(column, " = null"));
      const std::string zero = type == "uuid"        ? "gen_random_uuid()"
                               : type == "integer[]" ? "'{0}'"
                                                     : "0";
      columns.Expect(table, absl::StrCat(column, " is null"), absl::StrCat(column, " = ", zero));
    }
  }
  CHECK(columns.tried() > 100);
  const VerifyReport report = columns.ledger().Verify();
  INFO(testing::FailuresOf(report));
  CHECK(report.ok);
}

TEST_CASE("Verify: a row more or less in any table is found", "[store][ledger][inv-4]") {
  // How a copy of a row becomes another one.
  const std::map<std::string, std::string> keys = {
      {"ledger.accounts", "account_id = account_id + 65536000"},
      {"ledger.allowances", "book = book + 100"},
      {"ledger.books", "book = book + 100"},
      {"ledger.limits", "limit_id = limit_id + 16"},
      {"ledger.claims", "claim_key = gen_random_uuid()"},
      {"ledger.control_accounts", "account_id = account_id - 65536 * 160"},
      {"ledger.entries", "line = line + 1"},
      {"ledger.forwards", "account_id = account_id + 65536000"},
      {"ledger.holds", "number = number + 1"},
      {"ledger.journal", "number = number + 1000"},
      {"ledger.lots", "lot_id = lot_id + 1"},
      {"ledger.positions", "contract_id = contract_id + 1000"},
      {"ledger.seals", "boundary_us = boundary_us + 1"},
      {"settlement.lines", "contract_id = contract_id + 1000"},
      {"settlement.money_entries", "line = line + 1000"},
      {"settlement.money_heads", "programme_id = programme_id + 1"},
      {"settlement.money_transactions", "number = number + 1000"},
      {"settlement.nets", "partner_id = partner_id + 1000"},
      {"settlement.obligations", "amount = amount + 1"},
      {"settlement.settlements", "settlement_id = settlement_id + 1"},
      {"settlement.windows", "window_start_us = window_start_us + 1"},
  };
  Columns& columns = TheColumns();
  for (const std::string& table : Tables()) {
    INFO(table);
    REQUIRE(keys.contains(table));
    columns.Tamper(table, "true", "delete from %TABLE% where ctid = '%ROW%'");
    columns.Tamper(table, "true",
                   absl::StrCat("create temporary table copied on commit drop as select * from "
                                "%TABLE% where ctid = '%ROW%'; update copied set ",
                                keys.at(table), "; insert into ", table, " select * from copied"));
    // Twice the same.
    if (table == "ledger.books") continue;
    columns.Tamper(
        table, "true",
        absl::StrCat("insert into ", table, " select * from %TABLE% where ctid = '%ROW%'"));
  }
}

}  // namespace guilder::ledger
