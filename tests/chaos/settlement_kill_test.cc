// Goal: wherever a settlement was when its process was killed, it goes on with the same documents
// and pays nobody twice. Method: twenty days are settled, one after the other. In each, the
// clearing job is killed while it seals and while it computes, and the settlement service while a
// person computes, approves, exports the payments and imports what the bank says: it is held up at
// a statement or in the commit, killed with SIGKILL, and what held it up let go; then the same is
// asked for again. A day before them all is settled in peace, and says what each of the others must
// come to.
#include <array>
#include <csignal>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/iso20022/camt053.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "tests/chaos/service_processes.h"
#include "tests/support/catch2.h"

namespace guilder::testing {
namespace {

using settlement::v1::SettlementService;
using Stub = SettlementService::Stub;

constexpr int kRounds = 20;
constexpr absl::Duration kPatience = absl::Seconds(30);
// 2026-01-01T00:00:00Z, the start of a window.
constexpr Timestamp kStart{1'767'225'600 * kMicrosPerSecond};

// Where a process is held up: after a table was written, or in the commit of who wrote it.
using Spots = std::vector<std::string>;
const Spots kSealing = {"ledger.seals", "settlement.windows", "commit ledger.seals",
                        "commit settlement.windows"};
const Spots kComputing = {"settlement.settlements", "settlement.lines", "settlement.nets",
                          "commit settlement.settlements"};
const Spots kApproving = {"settlement.obligations", "settlement.invoices",
                          "settlement.money_transactions", "commit settlement.obligations"};
const Spots kExporting = {"settlement.payment_files", "settlement.obligations",
                          "commit settlement.payment_files"};
const Spots kImporting = {"settlement.bank_entries", "settlement.money_transactions",
                          "commit settlement.bank_entries", "commit settlement.money_transactions"};

constexpr const char* kTables[] = {"ledger.seals",
                                   "settlement.windows",
                                   "settlement.settlements",
                                   "settlement.lines",
                                   "settlement.nets",
                                   "settlement.obligations",
                                   "settlement.invoices",
                                   "settlement.money_transactions",
                                   "settlement.bank_entries",
                                   "settlement.payment_files"};

constexpr char kHoldUp[] = R"sql(
  create table public.armed (spot text primary key);
  grant select on public.armed to public;
  create function public.hold_up() returns trigger language plpgsql as $$ begin
    if exists (select from public.armed where spot = tg_argv[0]) then
      perform pg_advisory_xact_lock_shared(7000);
    end if;
    return null;
  end $$;
)sql";

constexpr char kTriggers[] = R"sql(
  create trigger hold_up after insert or update on $TABLE for each statement
    execute function public.hold_up('$TABLE');
  create constraint trigger hold_up_commit after insert or update on $TABLE
    deferrable initially deferred for each row execute function public.hold_up('commit $TABLE');
)sql";

// Each day a florist that is to be paid, and a grocer that pays.
constexpr char kPartners[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                programme_operator)
  values ('club', 1, 'Club', 'Club AG', 'DE89370400440532013000', 'ACTIVE', true),
         ('florist', 1, 'Florist', 'Florist GmbH', 'DE02500105170137075030', 'ACTIVE', false),
         ('grocer', 1, 'Grocer', 'Grocer GmbH', 'DE02120300000000202051', 'ACTIVE', false);
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                 proposed_by, approved_by)
  values (2, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
         (2, 2, 'REDEMPTION', 'APPROVED', 0, 8000, 'EUR', 'O', 0, 25000, 'S19', 190000, 'anna',
          'bert'),
         (3, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert');
  insert into settlement.policies (programme_id, settle_each_window) values (1, true)
)sql";

// Of a day, what does not say which day it is.
constexpr char kSettled[] = R"sql(
  select (select string_agg(concat_ws(' ', line, partner_id, contract_id, leg, points, amount, tax),
                            E'\n' order by line)
            from settlement.lines where settlement_id = $1),
         (select string_agg(concat_ws(' ', partner_id, partner_is_paid, amount, state, paid),
                            E'\n' order by partner_id)
            from settlement.obligations where settlement_id = $1),
         (select string_agg(concat_ws(' ', t.kind, e.debit_account, e.debit_partner,
                                      e.credit_account, e.credit_partner, e.amount, e.cause),
                            E'\n' order by t.number, e.line)
            from settlement.money_transactions t
            join settlement.money_entries e using (number) where t.settlement_id = $1),
         (select string_agg(concat_ws(' ', kind, partner_id, net, tax), E'\n' order by kind, partner_id)
            from settlement.invoices where settlement_id = $1),
         (select string_agg(concat_ws(' ', number, payments, total), E'\n' order by number)
            from settlement.payment_files where settlement_id = $1),
         (select state from settlement.settlements where settlement_id = $1)
)sql";

template <typename T>
T Must(absl::StatusOr<T> answer) {
  if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  return *std::move(answer);
}

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

class Network {
 public:
  explicit Network(const std::string& directory)
      : directory_(directory),
        processes_(
            {.directory = directory,
             .programme = {.time_zone = "UTC", .cycle = "DAILY", .books = 2, .clock = kStart},
             .services = {"settlement"}}),
        pool_(processes_.dsn(), 4, {.idle_in_transaction_timeout = std::chrono::milliseconds(0)}) {
    Script(kHoldUp);
    for (const char* const table : kTables) {
      Script(absl::StrReplaceAll(kTriggers, {{"$TABLE", table}}));
    }
    Script(kPartners);
  }

  // Gives and takes the same points as on every other day, and ends the day.
  void LiveThrough(int day) {
    const std::string window = absl::StrCat((kStart + Timestamp(day * kMicrosPerDay)).value());
    Script(absl::StrCat(
        "insert into ledger.positions (book, contract_id, window_start_us, movement, "
        "points) values (1, 1, ",
        window, ", 1, 1000), (2, 2, ", window, ", 5, 5000), (1, 3, ", window, ", 1, 7000)"));
    Script(absl::StrCat("update ledger.books set clock_offset_us = ", window,
                        " + 86401000000 - (extract(epoch from now()) * 1000000)::bigint"));
  }

  // Runs the clearing job to its end.
  void Clear() const {
    if (StartClearing()->Wait() != 0) throw std::runtime_error("the clearing job failed");
  }
  // Kills one that is held up there.
  void KillClearing(const std::string& spot) {
    std::unique_ptr<ChildProcess> job;
    HoldUp(
        spot, [&] { job = StartClearing(); }, [&] { job->Kill(); });
  }

  template <typename Request, typename Response>
  Response Ask(const std::string& role,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    return Must(As(role).Invoke(method, request));
  }
  // Asks a service that is killed while it is held up there, and then again.
  template <typename Request, typename Response>
  Response AskAndKill(const std::string& spot, const std::string& role,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
    std::future<absl::StatusOr<Response>> first;
    HoldUp(
        spot,
        [&] {
          first = std::async(std::launch::async, [&] {
            clients::RetryPolicy once;
            once.max_attempts = 1;
            return As(role).Invoke(method, request, once);
          });
        },
        [&] { kill(processes_.pid("settlement"), SIGKILL); });
    if (first.get().ok()) throw std::runtime_error("who was killed at " + spot + " answered");
    processes_.Restart("settlement");
    return Ask(role, method, request);
  }

  postgres::Rows Query(const postgres::Statement& statement, const postgres::Params& params) {
    return Must(pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<postgres::Rows> {
      return tx.Execute(statement, params);
    }));
  }
  int64_t One(const std::string& sql) {
    return Must(pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<int64_t> {
      return tx.Script(sql)[0].Int(0);
    }));
  }
  postgres::Pool& pool() { return pool_; }

 private:
  clients::Client<SettlementService> As(const std::string& role) const {
    return clients::Client<SettlementService>(clients::Channel(
        processes_.network().endpoints.at("settlement"), Must(processes_.network().Token(role))));
  }

  std::unique_ptr<ChildProcess> StartClearing() const {
    return std::make_unique<ChildProcess>(
        std::vector<std::string>{ProgramPath("guilder-clearing"), "--dsn", processes_.dsn()},
        directory_ + "/clearing.log");
  }

  // Lets what `start` begins run into the spot, and ends it there.
  template <typename Start, typename End>
  void HoldUp(const std::string& spot, Start start, End end) {
    Script(absl::StrCat("insert into public.armed values ('", spot, "')"));
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script("select pg_advisory_xact_lock(7000)");
      start();
      const absl::Time give_up_at = absl::Now() + kPatience;
      while (One("select count(*) from pg_locks where locktype = 'advisory' and objid = 7000 "
                 "and not granted") == 0) {
        if (absl::Now() > give_up_at) throw std::runtime_error("nothing came to " + spot);
      }
      end();
      tx.Script("delete from public.armed");
      return absl::OkStatus();
    }));
  }

  void Script(const std::string& sql) {
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script(sql);
      return absl::OkStatus();
    }));
  }

  const std::string directory_;
  ServiceProcesses processes_;
  postgres::Pool pool_;
};

const std::string& At(const Spots& spots, int round) {
  return spots[static_cast<size_t>(round) % spots.size()];
}

// What the bank says when both have been paid.
settlement::v1::ImportBankStatementRequest Paid(int number) {
  iso20022::BankStatement statement;
  statement.id = absl::StrCat("S-", number);
  statement.account = "DE89370400440532013000";
  for (const auto& [partner, cents] : {std::pair(2, 2'691), std::pair(3, 8'330)}) {
    iso20022::StatementEntry entry;
    entry.bank_reference = absl::StrCat(number, "/", partner);
    entry.amount = {Currency{'E', 'U', 'R'}, int64_t{cents} * 1'000};
    entry.credit = partner == 3;
    entry.booked = true;
    entry.booked_on = absl::CivilDay(2026, 1, 3);
    entry.payments = {{.end_to_end_id = absl::StrCat("GLD-", number, "-", partner),
                       .amount = entry.amount,
                       .credit = entry.credit}};
    statement.entries.push_back(std::move(entry));
  }
  settlement::v1::ImportBankStatementRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_file(
      iso20022::WriteCamt053({statement.id, {statement}}, kStart, absl::CivilDay(2026, 1, 3)));
  return request;
}

// Settles a day: in peace, or killed at every transition. Gives what it came to.
std::string SettleDay(Network& network, int number, bool in_peace) {
  const int round = number;
  const auto ask = [&](const Spots& spots, const std::string& role, auto method,
                       const auto& request) {
    return in_peace ? network.Ask(role, method, request)
                    : network.AskAndKill(At(spots, round), role, method, request);
  };
  network.LiveThrough(number - 1);
  if (!in_peace) {
    network.KillClearing(At(kSealing, round));
    network.KillClearing(At(kComputing, round));
  }
  network.Clear();
  const std::string name = absl::StrCat("settlements/", number);
  settlement::v1::GetSettlementRequest get;
  get.set_name(name);
  const std::string etag = network.Ask("finance", &Stub::GetSettlement, get).settlement().etag();

  settlement::v1::ComputeSettlementRequest compute;
  compute.set_name(name);
  CHECK(ask(kComputing, "finance", &Stub::ComputeSettlement, compute).settlement().etag() == etag);
  settlement::v1::ApproveSettlementRequest approve;
  approve.set_name(name);
  approve.set_etag(etag);
  const auto approved = ask(kApproving, "finance_approver", &Stub::ApproveSettlement, approve);
  CHECK(approved.SerializeAsString() ==
        network.Ask("finance_approver", &Stub::ApproveSettlement, approve).SerializeAsString());
  settlement::v1::ExportPaymentsRequest payments;
  payments.set_name(name);
  const auto exported = ask(kExporting, "finance", &Stub::ExportPayments, payments);
  CHECK(exported.file().find(absl::StrCat("<EndToEndId>GLD-", number, "-2</EndToEndId>")) !=
        std::string::npos);
  CHECK(exported.SerializeAsString() ==
        network.Ask("finance", &Stub::ExportPayments, payments).SerializeAsString());
  const auto bank = Paid(number);
  ask(kImporting, "finance", &Stub::ImportBankStatement, bank);
  network.Ask("finance", &Stub::ImportBankStatement, bank);
  CHECK(network.Ask("finance", &Stub::ExportPayments, payments).file() == exported.file());

  const postgres::Rows rows =
      network.Query({"test.settled", kSettled}, postgres::Params().Int(number));
  std::string settled;
  for (int i = 0; i < 6; ++i) settled.append(rows[0].Text(i)).append("\n");
  return settled;
}

TEST_CASE(
    "Settlement: killed at every transition, it goes on with the same documents and pays once",
    "[chaos][faults][settlement][inv-83][inv-92][inv-105]") {
  const TemporaryDirectory directory;
  Network network(directory.path());
  const std::string in_peace = SettleDay(network, 1, true);
  CHECK(in_peace.find("SETTLED") != std::string::npos);

  for (int round = 0; round < kRounds; ++round) {
    INFO("round " << round);
    CHECK(SettleDay(network, round + 2, false) == in_peace);
  }

  constexpr int kDays = kRounds + 1;
  CHECK(network.One("select count(*) from settlement.windows") == kDays);
  CHECK(network.One("select count(*) from ledger.seals") == 2 * kDays);
  CHECK(network.One("select count(*) from settlement.payment_files") == kDays);
  CHECK(network.One("select count(distinct end_to_end_id) from settlement.obligations "
                    "where partner_is_paid and paid = amount") == kDays);
  CHECK(network.One("select max(last_number) from settlement.number_ranges") ==
        network.One("select count(*) from settlement.invoices where kind = 'INVOICE'"));
  CHECK(
      network.One("select sum(case when e.debit_account = 'BANK' then e.amount else -e.amount end) "
                  "from settlement.money_entries e where 'BANK' in (debit_account, "
                  "credit_account)") == kDays * (8'330 - 2'691));
  const auto report = ledger::Verify(network.pool(), {}, [](const auto&) { return true; });
  REQUIRE(report.ok());
  for (const ledger::VerifyCheck& check : report->checks) {
    INFO(check.name << ": " << check.first_failure);
    // Points were put into positions, and have no entries.
    if (check.name != "positions are the sums of their entries") CHECK(check.ok);
  }
}

}  // namespace
}  // namespace guilder::testing
