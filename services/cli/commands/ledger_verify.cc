#include "services/cli/commands/ledger_verify.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "guilder/operator/v1/operator_service.pb.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/verify_answer.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/output/progress.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;
using google::protobuf::Message;

constexpr char kDefaultStateFile[] = "guilder-verified.state";
constexpr int kMostJobs = 64;
constexpr double kMicrosPerSecond = 1e6;

// "340,000 records" or "1,200 records after the 340,000 of the verification before".
std::string RangeText(const v1::VerifyLedgerResponse& result) {
  int64_t before = 0;
  for (const v1::VerifiedRange& range : result.ranges()) before += range.after();
  std::string text = absl::StrCat(WithThousands(result.records_done()), " records");
  if (before > 0) {
    absl::StrAppend(&text, " after the ", WithThousands(before),
                    " that were proved before, which were not read again");
  }
  return text;
}

std::string SpeedText(const v1::VerifyLedgerResponse& result) {
  const double elapsed = static_cast<double>(result.elapsed_us()) / kMicrosPerSecond;
  const double processor = static_cast<double>(result.processor_us()) / kMicrosPerSecond;
  if (elapsed <= 0 || processor <= 0) return "";
  return absl::StrCat(
      "in ", DurationText(elapsed), ", of which ", DurationText(processor),
      " of processor time outside of PostgreSQL: ",
      WithThousands(static_cast<int64_t>(static_cast<double>(result.records_done()) / processor)),
      " records a second");
}

void ShowChecks(Output& output, const v1::VerifyLedgerResponse& result) {
  if (output.json()) {
    nlohmann::ordered_json json = ToJson(result);
    json.erase("done");
    json.erase("state");
    return output.Json(json);
  }
  Table table({{"CHECK"}, {"OK"}, {"EXAMINED", Align::kRight}, {"FIRST FAILURE"}});
  for (const v1::LedgerCheck& check : result.checks()) {
    table.AddRow({check.name(), check.ok() ? "yes" : "NO", WithThousands(check.examined()),
                  check.first_failure()});
  }
  output.Print(table);
  output.Text(absl::StrCat(RangeText(result), ": ",
                           result.ok() ? "everything holds" : "SOMETHING IS WRONG"));
  if (const std::string speed = SpeedText(result); !speed.empty()) output.Text(speed);
}

// Advances a bar on a terminal by what each message tells.
class VerifyProgressBar {
 public:
  explicit VerifyProgressBar(Context& context) : context_(context) {}

  void Show(int64_t done, int64_t total) {
    if (bar_ == nullptr) {
      bar_ = std::make_unique<ProgressBar>(std::cerr, context_.error_terminal(), "Records", total);
    }
    bar_->Advance(done - done_);
    done_ = done;
  }

 private:
  Context& context_;
  std::unique_ptr<ProgressBar> bar_;
  int64_t done_ = 0;
};

absl::StatusOr<v1::VerifyLedgerResponse> VerifyByService(Context& context,
                                                         const std::string& since) {
  std::vector<std::unique_ptr<Message>> requests;
  auto request = std::make_unique<v1::VerifyLedgerRequest>();
  request->set_since_state(since);
  requests.push_back(std::move(request));
  v1::VerifyLedgerResponse response;
  VerifyProgressBar bar(context);
  // Reads the whole journal: the default limit is for calls that answer at once.
  context.flags().timeout_seconds = std::max(context.flags().timeout_seconds, 3600);
  GUILDER_RETURN_IF_ERROR(context.Stream(requests, response, "auditor", [&] {
    if (!response.done()) bar.Show(response.records_done(), response.records_total());
  }));
  if (!response.done()) return absl::UnavailableError("the verification ended without a result");
  return response;
}

// Without any service: what an auditor does with a copy of the database.
absl::StatusOr<v1::VerifyLedgerResponse> VerifyDatabase(Context& context, const std::string& dsn,
                                                        int jobs, const std::string& since) {
  postgres::Pool pool(dsn, jobs);
  VerifyProgressBar bar(context);
  ledger::VerifyOptions options;
  options.jobs = jobs;
  options.since = since;
  GUILDER_ASSIGN_OR_RETURN(
      const ledger::VerifyReport report,
      ledger::Verify(pool, options, [&](const ledger::VerifyProgress& progress) {
        bar.Show(progress.records_done, progress.records_total);
        return true;
      }));
  return rpc::ToProto(report);
}

absl::StatusOr<std::string> ReadState(const std::string& path) {
  absl::StatusOr<std::string> state = ReadFile(path);
  if (state.ok() && !state->empty()) return state;
  return absl::FailedPreconditionError(
      absl::StrCat("cannot read ", path, "; verify everything once with --state ", path));
}

// Whole or not at all, and for its owner only: who can write it can hide what was done before.
absl::Status WriteState(const std::string& path, const std::string& state) {
  const std::string unfinished = path + ".new";
  const mode_t mask = umask(0077);
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  umask(mask);
  file << state << std::flush;
  if (file && std::rename(unfinished.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
}

absl::StatusOr<int> JobsFrom(const VerifyFlags& flags) {
  if (flags.jobs.empty()) return 1;
  int jobs = 0;
  if (!absl::SimpleAtoi(flags.jobs, &jobs) || jobs < 1 || jobs > kMostJobs || flags.dsn.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jobs is a number from 1 to ", kMostJobs, ", and goes with --dsn"));
  }
  return jobs;
}

}  // namespace

absl::Status VerifyLedger(Context& context, const VerifyFlags& flags) {
  const bool keeps_state = flags.since_last || !flags.state.empty();
  const std::string path = flags.state.empty() ? kDefaultStateFile : flags.state;
  std::string since;
  if (flags.since_last) {
    GUILDER_ASSIGN_OR_RETURN(since, ReadState(path));
  }
  GUILDER_ASSIGN_OR_RETURN(const int jobs, JobsFrom(flags));
  GUILDER_ASSIGN_OR_RETURN(const v1::VerifyLedgerResponse result,
                           flags.dsn.empty() ? VerifyByService(context, since)
                                             : VerifyDatabase(context, flags.dsn, jobs, since));
  ShowChecks(context.output(), result);
  if (!result.ok()) {
    return absl::AbortedError("the books do not hold; stop and compare with a backup");
  }
  return keeps_state ? WriteState(path, result.state()) : absl::OkStatus();
}

}  // namespace guilder::cli
