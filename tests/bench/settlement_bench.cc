// How long a settlement of 1,000 partners and 10⁶ records takes, and its longest transaction.
//
//     build/release/tests/settlement_bench [RECORDS] [PARTNERS]
//
// The records are written by SQL as lanes would have left them: of ten records seven are purchases
// and three take points of an earlier purchase's lot, over 16 books and five daily windows; two of
// three partners give points, one takes them. What is measured goes over a socket to the service:
// compute, approve (obligations, invoices and money), export the payments, write each partner's
// statement and each invoice, and the report. The longest transaction is watched from a session of
// its own, every two milliseconds. Ends with exit code 1 when a bar is missed.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/ledger/store/sealing.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/service_network.h"

namespace guilder::settlement {
namespace {

using Stub = v1::SettlementService::Stub;
using Clock = std::chrono::steady_clock;

constexpr double kMostSeconds = 15;
constexpr double kMostTransactionSeconds = 1;
constexpr int kBooks = 16;
constexpr int kDays = 5;
constexpr int kMembersPerBook = 4'000;
// 2026-01-01T00:00:00Z.
constexpr int64_t kStart = 1'767'225'600 * kMicrosPerSecond;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The longest transaction of a step, as seen from outside.
class TransactionWatch {
 public:
  explicit TransactionWatch(const testing::TestDatabase& database)
      : connection_(database.Connect()), thread_([this] { Watch(); }) {}
  ~TransactionWatch() {
    stop_ = true;
    thread_.join();
  }

  double TakeLongestSeconds() { return static_cast<double>(longest_us_.exchange(0)) / 1e6; }

 private:
  static constexpr postgres::Statement kLongest{"bench.longest_transaction", R"sql(
    select coalesce(max(extract(epoch from clock_timestamp() - xact_start) * 1000000), 0)::bigint
      from pg_stat_activity
     where datname = current_database()
       and pid <> pg_backend_pid()
       and backend_type = 'client backend'
  )sql"};

  void Watch() {
    while (!stop_) {
      const absl::Status status =
          postgres::RunInTransaction(connection_, [&](postgres::Transaction& transaction) {
            const int64_t seen = transaction.Execute(kLongest)[0].Int(0);
            if (seen > longest_us_) longest_us_ = seen;
            return absl::OkStatus();
          });
      if (!status.ok()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  postgres::Connection connection_;
  std::atomic<int64_t> longest_us_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

constexpr char kPartners[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                programme_operator)
  select case n when 0 then 'club' else 'partner-' || n end, 1, 'Partner ' || n,
         'Partner ' || n || ' GmbH', 'DE02120300000000202051', 'ACTIVE', n = 0
    from generate_series(0, $PARTNERS) as n;
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                 proposed_by, approved_by)
  select p, k, case k when 1 then 'ISSUANCE' else 'REDEMPTION' end, 'APPROVED', 0,
         case k when 1 then 10000 + p % 7 else 8000 + p % 5 end, 'EUR',
         case k when 1 then 'S19' else 'O' end, case k when 1 then 190000 else 0 end,
         case k when 1 then 0 else 25000 end, case k when 1 then '' else 'S19' end,
         case k when 1 then 0 else 190000 end, 'anna', 'bert'
    from generate_series(1, $PARTNERS + 1) as p, generate_series(1, 2) as k
   order by p, k
)sql";

// What every record is, from its book and number: a redemption takes of a lot that was issued
// before, of the same member.
constexpr char kRecords[] = R"sql(
  create temporary table record as
  select book, n, n % 10 in (3, 6, 9) as takes, lot,
         ($START + (n - 1) * ($DAYS * 86400000000) / $EACH)::bigint as at,
         (lot % $MEMBERS + 1) * 65536 + book as account,
         case when n % 10 in (3, 6, 9)
                   then 2 + $PARTNERS * 2 / 3 + ((n::bigint * 7919 + book * 104729) % ($PARTNERS / 3))::int
                   else 2 + ((n::bigint * 7919 + book * 104729) % ($PARTNERS * 2 / 3))::int end as partner,
         1 + (n * 31) % 12 as points
    from (select b as book, n,
                 case when n % 10 in (3, 6, 9) then (hashint4(n) & 1073741823) % ((n + 9) / 10) * 10 + 1
                      else n end as lot
            from generate_series(1, $BOOKS) as b, generate_series(1, $EACH) as n) r;
  insert into ledger.journal (book, number, posted_at_us, account_id, partner_id, config_version,
                              kind, request_id, fingerprint, content, response, leaf)
  select book, n, at, account, partner, 1, 1, gen_random_uuid(), '', '', '',
         sha256(convert_to(book || '/' || n, 'UTF8'))
    from record;
  insert into ledger.lots (book, issuer_id, contract_id, state, on_due, account_id, lot_id, issued,
                           activates_at_us, expires_at_us, remaining, redeemed)
  select r.book, r.partner, 2 * r.partner - 1, 1, 1, r.account, r.n * 1024, 1000, r.at,
         r.at + 365 * 86400000000, 1000 - coalesce(t.points, 0), coalesce(t.points, 0)
    from record r
    left join (select book, lot, sum(points) as points from record where takes group by 1, 2) t
      on t.book = r.book and t.lot = r.n
   where not r.takes;
  insert into ledger.entries (book, line, debit_bucket, number, posted_at_us, debit_account,
                              credit_account, points, credit_bucket, contract_id, debit_lot,
                              credit_lot)
  select book, 0, 1, n, at, -(partner * 16 + 1) * 65536 + book, account, 1000, 12,
         2 * partner - 1, null, n * 1024
    from record
   where not takes
   union all
  select book, 0, 12, n, at, account, -(partner * 16 + 2) * 65536 + book, points, 2, 2 * partner,
         lot * 1024, null
    from record
   where takes;
  insert into ledger.positions (book, contract_id, window_start_us, movement, points)
  select book, contract_id, posted_at_us - (posted_at_us - $START) % 86400000000,
         case debit_bucket when 1 then 1 else 5 end, sum(points)
    from ledger.entries
   group by 1, 2, 3, 4;
  update ledger.books
     set last_number = $EACH, last_posted_at_us = $START + $DAYS * 86400000000,
         clock_offset_us = $START + $DAYS * 86400000000 + 3600000000
                           - (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  analyze
)sql";

class Bench {
 public:
  Bench(int64_t records, int64_t partners) : network_({.books = kBooks}) {
    network_.Add(MakeSettlementService({network_.runtime(), network_.pool(), network_.secrets()}),
                 kSettlementServiceName);
    network_.Start();
    const std::string each = absl::StrCat(records / kBooks);
    const std::string start = absl::StrCat(kStart);
    const auto fill = [&](const char* sql) {
      return absl::StrReplaceAll(sql, {{"$PARTNERS", absl::StrCat(partners)},
                                       {"$EACH", each},
                                       {"$START", start},
                                       {"$DAYS", absl::StrCat(kDays)},
                                       {"$BOOKS", absl::StrCat(kBooks)},
                                       {"$MEMBERS", absl::StrCat(kMembersPerBook)}});
    };
    network_.database().Query(absl::StrCat(
        "update ledger.programmes set time_zone = 'UTC', started_at_us = ", start,
        "; select ledger.ensure_partitions(", start, ", ", start, " + 2678400000000)"));
    network_.database().Query(fill(kPartners));
    network_.database().Query(fill(kRecords));
    const auto sealed = ledger::SealEndedWindows(network_.pool());
    if (!sealed.ok()) throw std::runtime_error(sealed.status().ToString());
    watch_.emplace(network_.database());
  }

  int Run() {
    std::cout << std::fixed << std::setprecision(2);
    v1::Settlement computed;
    Step("compute", [&] {
      computed = Ask("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest()).settlement();
    });
    v1::ApproveSettlementResponse approved;
    Step("approve: obligations, invoices, money", [&] {
      v1::ApproveSettlementRequest request;
      request.set_name(computed.name());
      request.set_etag(computed.etag());
      approved = Ask("bert", &Stub::ApproveSettlement, request);
    });
    Step("payment file", [&] {
      v1::ExportPaymentsRequest request;
      request.set_name(computed.name());
      std::cout << "  " << Ask("anna", &Stub::ExportPayments, request).payments() << " payments\n";
    });
    Step(absl::StrCat(computed.nets_size(), " statements"), [&] {
      for (const v1::PartnerNet& net : computed.nets()) {
        v1::RenderStatementRequest request;
        request.set_settlement(computed.name());
        request.set_partner(net.partner());
        request.set_format(v1::STATEMENT_FORMAT_HTML);
        Ask("auditor", &Stub::RenderStatement, request);
      }
    });
    Step(absl::StrCat(approved.invoices_size(), " invoices"), [&] {
      for (const std::string& name : approved.invoices()) {
        v1::GetInvoiceRequest request;
        request.set_name(name);
        Ask("auditor", &Stub::GetInvoice, request);
      }
    });
    Step("report", [&] {
      v1::RenderSettlementReportRequest request;
      request.set_name(computed.name());
      Ask("auditor", &Stub::RenderSettlementReport, request);
    });
    std::cout << total_ << " s in all (must: below " << kMostSeconds << " s), longest transaction "
              << longest_ << " s (must: below " << kMostTransactionSeconds << " s); "
              << computed.lines_size() << " lines\n";
    return total_ < kMostSeconds && longest_ < kMostTransactionSeconds ? 0 : 1;
  }

 private:
  void Step(const std::string& name, const std::function<void()>& step) {
    watch_->TakeLongestSeconds();
    const auto start = Clock::now();
    step();
    const double seconds = SecondsSince(start);
    const double longest = watch_->TakeLongestSeconds();
    std::cout << name << ": " << seconds << " s, longest transaction " << longest << " s"
              << std::endl;
    total_ += seconds;
    longest_ = std::max(longest_, longest);
  }

  template <typename Request, typename Response>
  Response Ask(const std::string& who,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    once.per_attempt = once.total = absl::Minutes(2);
    auto client = clients_.find(who);
    if (client == clients_.end())
      client = clients_.try_emplace(who, network_.AsOperator(who)).first;
    auto answer = client->second.Invoke(method, request, once);
    if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
    return *std::move(answer);
  }

  testing::ServiceNetwork network_;
  std::map<std::string, clients::Client<v1::SettlementService>> clients_;
  std::optional<TransactionWatch> watch_;
  double total_ = 0;
  double longest_ = 0;
};

}  // namespace
}  // namespace guilder::settlement

int main(int argc, char** argv) {
  const int64_t records = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const int64_t partners = argc > 2 ? std::atoll(argv[2]) : 1'000;
  try {
    return guilder::settlement::Bench(records, partners).Run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
