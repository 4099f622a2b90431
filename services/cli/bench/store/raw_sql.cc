#include "services/cli/bench/store/raw_sql.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/bootstrap.h"
#include "libs/postgres/migrator.h"

namespace guilder::cli::bench {
namespace {

using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr int kBooks = 16;
constexpr int64_t kPoints = 47;
constexpr char kPurchases[] = "purchases";

constexpr Statement kOpenAccounts{"bench.open_accounts", R"sql(
  insert into ledger.accounts (book, account_id, opened_number, next_due_at_us)
  select 1 + i % $1, (1 + i / $1) * 65536 + 1 + i % $1, 1, $3
    from generate_series(0, $2 - 1) as i
)sql"};

constexpr char kWritePurchases[] = R"sql(
  with purchases as materialized (
    select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::uuid[],
                         $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::uuid[])
        as p (book, number, posted_at_us, account_id, partner_id, request_id, fingerprint, content,
              response, leaf, natural_key)
  ), journal as (
    insert into ledger.journal (book, number, posted_at_us, account_id, partner_id, config_version,
                                kind, request_id, fingerprint, content, response, leaf, natural_key)
    select book, number, posted_at_us, account_id, partner_id, 1, 1, request_id, fingerprint, content,
           response, leaf, natural_key
      from purchases
  ), entries as (
    insert into ledger.entries (book, number, line, posted_at_us, debit_account, debit_bucket,
                                credit_account, credit_bucket, credit_lot, contract_id, points)
    select book, number, 1, posted_at_us, -65536 * (16 * partner_id + 1) + book, 1, account_id, 12,
           number * 1024, partner_id, $12
      from purchases
  ), lots as (
    insert into ledger.lots (book, account_id, lot_id, issuer_id, contract_id, issued, activates_at_us,
                             expires_at_us, on_due, state, remaining)
    select book, account_id, number * 1024, partner_id, partner_id, $12, posted_at_us,
           posted_at_us + 31536000000000, 0, 1, $12
      from purchases
  ), accounts as (
    update ledger.accounts a set available = a.available + p.points
      from (select book, account_id, sum($12::bigint) as points from purchases group by 1, 2) p
     where a.book = p.book and a.account_id = p.account_id
  ), claims as (
    insert into ledger.claims (claim_key, book, number, posted_at_us)
    select * from unnest($13::uuid[], $14::int[], $15::bigint[], $16::bigint[])
        on conflict (claim_key) do nothing
  ), control_accounts as (
    insert into ledger.control_accounts as c (book, account_id, kind, partner_id, balance)
    select book, -65536 * (16 * partner_id + 1) + book, 1, partner_id, -$12::bigint * count(*)
      from purchases group by book, partner_id
        on conflict (book, account_id) do update set balance = c.balance + excluded.balance
  ), positions as (
    insert into ledger.positions as s (book, window_start_us, contract_id, movement, points)
    select book, 0, partner_id, 1, $12::bigint * count(*) from purchases group by book, partner_id
        on conflict (book, window_start_us, contract_id, movement)
        do update set points = s.points + excluded.points
  )
  update ledger.books b
     set last_number = w.last_number, last_posted_at_us = w.last_posted_at_us, frontier = w.frontier
    from unnest($17::int[], $18::bigint[], $19::bigint[], $20::bytea[])
      as w (book, last_number, last_posted_at_us, frontier)
   where b.book = w.book
)sql";

struct Session {
  explicit Session(PGconn* to) : connection(to) {}
  ~Session() { PQfinish(connection); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  PGconn* const connection;
};

absl::Status Check(PGconn* connection, PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("raw SQL: ", PQerrorMessage(connection)));
}

struct Purchase {
  int book;
  int64_t number;
  int64_t account;
  int partner;
  Uuid request_id;
  Digest digest;
  Uuid receipt;
};

struct Claim {
  Uuid key;
  const Purchase* purchase;
};

}  // namespace

// One connection and the books that it alone writes.
class RawSql::Lane {
 public:
  Lane(const RawSql& raw, int place, int of, uint64_t seed)
      : raw_(raw), session_(PQconnectdb(raw.dsn_.c_str())), random_(seed) {
    for (int book = 1; book <= kBooks; ++book) {
      if (book % of == place) last_numbers_[book] = static_cast<int64_t>(seed) << 32;
    }
    content_.assign(static_cast<size_t>(raw.shape_.content_bytes), 'c');
    response_.assign(static_cast<size_t>(raw.shape_.response_bytes), 'r');
    frontier_.assign(static_cast<size_t>(raw.shape_.frontier_bytes), 'f');
  }

  absl::Status Open() {
    PGconn* const connection = session_.connection;
    if (PQstatus(connection) != CONNECTION_OK) {
      return absl::UnavailableError(PQerrorMessage(connection));
    }
    // As lanes do.
    GUILDER_RETURN_IF_ERROR(Check(connection, PQexec(connection,
                                                     "set enable_hashjoin = off;"
                                                     "set enable_mergejoin = off;"
                                                     "set enable_seqscan = off;"
                                                     "set plan_cache_mode = force_generic_plan")));
    return Check(connection, PQprepare(connection, kPurchases, kWritePurchases, 0, nullptr));
  }

  absl::Status Write(int batch_size) {
    const std::vector<Purchase> purchases = Make(batch_size);
    const Params params = ToParams(purchases, absl::ToUnixMicros(absl::Now()));
    std::vector<const char*> values;
    for (int i = 0; i < params.size(); ++i) values.push_back(params.value(i).data());
    return Check(session_.connection, PQexecPrepared(session_.connection, kPurchases, params.size(),
                                                     values.data(), nullptr, nullptr, 0));
  }

 private:
  std::vector<Purchase> Make(int count) {
    std::vector<Purchase> purchases;
    auto book = last_numbers_.begin();
    for (int i = 0; i < count; ++i) {
      Purchase purchase;
      purchase.book = book->first;
      purchase.number = ++book->second;
      const auto serial = 1 + static_cast<int64_t>(random_() % (raw_.members_ / kBooks));
      purchase.account = serial * 65'536 + purchase.book;
      purchase.partner = 1 + static_cast<int>(random_() % raw_.partners_);
      for (uint8_t& byte : purchase.request_id) byte = static_cast<uint8_t>(random_());
      for (uint8_t& byte : purchase.digest) byte = static_cast<uint8_t>(random_());
      std::copy_n(purchase.digest.begin(), purchase.receipt.size(), purchase.receipt.begin());
      purchases.push_back(purchase);
      if (++book == last_numbers_.end()) book = last_numbers_.begin();
    }
    return purchases;
  }

  std::vector<Claim> Claims(const std::vector<Purchase>& purchases) const {
    std::vector<Claim> claims;
    for (const Purchase& purchase : purchases) {
      claims.push_back({purchase.request_id, &purchase});
      claims.push_back({purchase.receipt, &purchase});
    }
    std::sort(claims.begin(), claims.end(),
              [](const Claim& a, const Claim& b) { return a.key < b.key; });
    return claims;
  }

  Params ToParams(const std::vector<Purchase>& p, int64_t now_us) const {
    const std::vector<Claim> claims = Claims(p);
    const auto now = [now_us](const auto&) { return now_us; };
    Params params;
    params.IntArray(p, &Purchase::book)
        .IntArray(p, &Purchase::number)
        .IntArray(p, now)
        .IntArray(p, &Purchase::account)
        .IntArray(p, &Purchase::partner)
        .UuidArray(p, &Purchase::request_id)
        .BytesArray(p, &Purchase::digest)
        .BytesArray(p, [this](const Purchase&) { return std::string_view(content_); })
        .BytesArray(p, [this](const Purchase&) { return std::string_view(response_); })
        .BytesArray(p, &Purchase::digest)
        .UuidArray(p, &Purchase::receipt)
        .Int(kPoints)
        .UuidArray(claims, &Claim::key)
        .IntArray(claims, [](const Claim& claim) { return claim.purchase->book; })
        .IntArray(claims, [](const Claim& claim) { return claim.purchase->number; })
        .IntArray(claims, now);
    using Book = std::pair<const int, int64_t>;
    params.IntArray(last_numbers_, &Book::first)
        .IntArray(last_numbers_, &Book::second)
        .IntArray(last_numbers_, now)
        .BytesArray(last_numbers_, [this](const Book&) { return std::string_view(frontier_); });
    return params;
  }

  const RawSql& raw_;
  Session session_;
  std::mt19937_64 random_;
  std::map<int, int64_t> last_numbers_;  // by book
  std::string content_;
  std::string response_;
  std::string frontier_;
};

RawSql::RawSql() = default;
RawSql::~RawSql() = default;

absl::StatusOr<std::unique_ptr<RawSql>> RawSql::Prepare(const std::string& dsn, int members,
                                                        int partners, const PurchaseShape& shape) {
  std::unique_ptr<RawSql> raw(new RawSql());
  raw->members_ = members;
  raw->partners_ = partners;
  raw->shape_ = shape;
  GUILDER_ASSIGN_OR_RETURN(raw->dsn_, CreateDatabase(dsn, "bench_raw"));
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(raw->dsn_));
  GUILDER_RETURN_IF_ERROR(postgres::MigrateUp(connection).status());
  GUILDER_RETURN_IF_ERROR(
      postgres::RunInTransaction(connection, [&](Transaction& tx) -> absl::Status {
        ledger::ProgrammeSettings programme;
        programme.books = kBooks;
        ledger::CreateProgramme(tx, programme);
        tx.Execute(kOpenAccounts, Params().Int(kBooks).Int(members).Int(kNever));
        return absl::OkStatus();
      }));
  return raw;
}

absl::StatusOr<double> RawSql::Run(int connections, int batch_size, absl::Duration warm_up,
                                   absl::Duration duration) {
  // A lane's numbers begin where no other lane's are.
  static std::atomic<uint64_t> seeds{0};
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < connections; ++i) {
    lanes.push_back(std::make_unique<Lane>(*this, i, connections, ++seeds));
    GUILDER_RETURN_IF_ERROR(lanes.back()->Open());
  }
  std::atomic<int64_t> written{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  absl::Status failure;
  std::vector<std::thread> threads;
  for (const auto& lane : lanes) {
    threads.emplace_back([&] {
      while (!stop) {
        const absl::Status status = lane->Write(batch_size);
        if (status.ok()) {
          written += batch_size;
          continue;
        }
        const std::lock_guard lock(mutex);
        failure = status;
        stop = true;
      }
    });
  }
  absl::SleepFor(warm_up);
  const int64_t before = written;
  const absl::Time began = absl::Now();
  absl::SleepFor(duration);
  const auto done = static_cast<double>(written - before);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  if (!failure.ok()) return failure;
  return done / seconds;
}

}  // namespace guilder::cli::bench
