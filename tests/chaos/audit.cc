#include "tests/chaos/audit.h"

#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/verify.h"

namespace guilder::testing {
namespace {

using postgres::Params;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr absl::Duration kPatience = absl::Seconds(30);

// Answers without their record, or whose record says something else.
constexpr Statement kFindMissing{"test.audit_missing", R"sql(
  select a.request_id, a.book, a.number, j.request_id is null as missing
    from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
           as a (request_id, book, number, posted_at_us, leaf, response)
    left join ledger.journal j
      on j.book = a.book and j.number = a.number and j.posted_at_us = a.posted_at_us
     and j.request_id = a.request_id::uuid
   where j.request_id is null or encode(j.leaf, 'hex') <> a.leaf
      or encode(j.response, 'hex') <> a.response
)sql"};

constexpr Statement kListRequests{"test.audit_requests",
                                  "select request_id::text from ledger.journal"};

// Any of our sessions may be killed as those of services are.
template <typename Body>
auto Patiently(postgres::Pool& pool, Body body) {
  const absl::Time give_up_at = absl::Now() + kPatience;
  for (;;) {
    auto answer = pool.Read(body);
    if (answer.ok()) return *std::move(answer);
    if (ReasonOf(answer.status()) != Reason::kStoreUnavailable || absl::Now() > give_up_at) {
      throw std::runtime_error(answer.status().ToString());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Rows Read(postgres::Pool& pool, const Statement& statement, const Params& params = {}) {
  return Patiently(
      pool, [&](Transaction& tx) -> absl::StatusOr<Rows> { return tx.Execute(statement, params); });
}

}  // namespace

Audit::Audit(std::string dsn, const std::vector<std::string>& log_paths)
    : pool_(std::move(dsn), 4) {
  for (const std::string& path : log_paths) logs_.emplace_back(path);
  for (const postgres::Row& row : Read(pool_, kListRequests)) before_.emplace(row.Text(0));
}

std::string Audit::Take(const std::vector<TillLine>& lines, std::vector<TillLine>& accepted) {
  for (const TillLine& line : lines) {
    switch (line.event) {
      case TillEvent::kIntent:
        open_.insert(line.request_id);
        break;
      case TillEvent::kAccepted:
        if (open_.erase(line.request_id) == 0) {
          return absl::StrCat(line.request_id, " was answered twice");
        }
        accepted_.insert(line.request_id);
        accepted.push_back(line);
        break;
      case TillEvent::kRefused:
      case TillEvent::kDuplicate:
        open_.erase(line.request_id);
        ++refused_;
        break;
      case TillEvent::kProblem:
        return absl::StrCat(line.kind, " ", line.request_id, ": ", line.text);
    }
  }
  return "";
}

std::string Audit::CheckAnswered() {
  std::vector<TillLine> accepted;
  for (TillLogReader& log : logs_) {
    std::string problem = Take(log.Next(), accepted);
    if (!problem.empty()) return problem;
  }
  if (accepted.empty()) return "";
  const Rows wrong = Read(pool_, kFindMissing,
                          Params()
                              .TextArray(accepted, &TillLine::request_id)
                              .IntArray(accepted, &TillLine::book)
                              .IntArray(accepted, &TillLine::number)
                              .IntArray(accepted, &TillLine::posted_at_us)
                              .TextArray(accepted, &TillLine::leaf_hex)
                              .TextArray(accepted, &TillLine::response_hex));
  if (wrong.empty()) return "";
  return absl::StrCat(wrong.size(), " of ", accepted.size(),
                      " answers are not in the ledger: ", std::string(wrong[0].Text(0)),
                      " in book ", wrong[0].Int(1), ", number ", wrong[0].Int(2),
                      wrong[0].Bool(3) ? " has no record" : " says otherwise");
}

std::string Audit::CheckLedger() {
  const absl::Time give_up_at = absl::Now() + kPatience;
  for (;;) {
    const auto report =
        ledger::Verify(pool_, {}, [](const ledger::VerifyProgress&) { return true; });
    if (!report.ok()) {
      if (ReasonOf(report.status()) != Reason::kStoreUnavailable || absl::Now() > give_up_at) {
        return report.status().ToString();
      }
      continue;
    }
    for (const ledger::VerifyCheck& check : report->checks) {
      if (!check.ok) return absl::StrCat(check.name, ": ", check.first_failure);
    }
    return "";
  }
}

std::string Audit::CheckLedgerAtTimes() {
  const absl::Time began = absl::Now();
  if (began < next_ledger_check_) return "";
  std::string problem = CheckLedger();
  const absl::Duration took = absl::Now() - began;
  next_ledger_check_ = absl::Now() + 2 * took;
  return problem;
}

std::string Audit::CheckAll() {
  std::string problem = CheckAnswered();
  if (!problem.empty()) return problem;
  if (!open_.empty()) {
    return absl::StrCat(open_.size(), " requests were never answered, as ", *open_.begin());
  }
  std::unordered_map<std::string, int> records;
  for (const postgres::Row& row : Read(pool_, kListRequests)) ++records[std::string(row.Text(0))];
  for (const auto& [request_id, times] : records) {
    if (before_.count(request_id) > 0) continue;
    if (times > 1) return absl::StrCat(request_id, " was posted ", times, " times");
    if (accepted_.count(request_id) == 0) {
      return absl::StrCat(request_id, " was posted, but its till was not told so");
    }
  }
  for (const std::string& request_id : accepted_) {
    if (records.count(request_id) == 0) return absl::StrCat(request_id, " was not posted");
  }
  return CheckLedger();
}

}  // namespace guilder::testing
