#include "services/cli/importing/command.h"

#include <iostream>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "services/cli/context.h"
#include "services/cli/importing/answers.h"
#include "services/cli/importing/files.h"
#include "services/cli/importing/mapping.h"
#include "services/cli/importing/posting.h"
#include "services/cli/importing/receipts.h"
#include "services/cli/importing/rejects.h"
#include "services/cli/onboarding/request_ids.h"
#include "services/cli/output/progress.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

using namespace importing;  // NOLINT: the parts of this command

struct ImportFlags {
  const std::string& file;
  const std::string& partner;
  const std::string& mapping;
  const std::string& rejects;
  const std::string& progress;
};

struct Summary {
  int64_t purchases = 0;
  int64_t points_issued = 0;
  int64_t returns = 0;
  int64_t points_reversed = 0;
  ByReason rejected;
  ByReason parked;
  std::map<int64_t, Refusal> refused_rows;
};

Summary Summarise(const std::vector<Item>& items, const AnswerLog& log) {
  Summary summary;
  for (size_t i = 0; i < items.size(); ++i) {
    const ItemAnswer& answer = log.of(i);
    switch (answer.outcome) {
      case Outcome::kRecorded:
        ++summary.purchases;
        summary.points_issued += answer.points;
        break;
      case Outcome::kReturned:
        ++summary.returns;
        summary.points_reversed += answer.points;
        break;
      case Outcome::kParked:
        summary.parked.Add(answer.reason, items[i].rows.size());
        break;
      case Outcome::kRejected:
        summary.rejected.Add(answer.reason, items[i].rows.size());
        for (const int64_t row : items[i].rows) {
          summary.refused_rows[row] = {answer.reason, answer.detail};
        }
        break;
      case Outcome::kNone:
        break;
    }
  }
  return summary;
}

void Show(Context& context, const FileWork& work, const Summary& summary,
          const std::string& rejects) {
  Output& output = context.output();
  nlohmann::ordered_json json = {{"lines", work.rows},
                                 {"lines_skipped", work.skipped_rows},
                                 {"purchases", summary.purchases},
                                 {"points_issued", summary.points_issued},
                                 {"returns", summary.returns},
                                 {"points_reversed", summary.points_reversed},
                                 {"rejected", summary.rejected.ToJson()},
                                 {"parked", summary.parked.ToJson()}};
  if (!summary.refused_rows.empty()) json["reject_file"] = rejects;
  output.Record(json, {{"Lines read", "lines", cli::Show::kNumber},
                       {"Lines skipped", "lines_skipped", cli::Show::kNumber},
                       {"Purchases", "purchases", cli::Show::kNumber},
                       {"Points issued", "points_issued", cli::Show::kNumber},
                       {"Returns", "returns", cli::Show::kNumber},
                       {"Points reversed", "points_reversed", cli::Show::kNumber},
                       {"Reject file", "reject_file"}});
  Table table({{"NOT RECORDED"}, {"REASON"}, {"ITEMS", Align::kRight}, {"LINES", Align::kRight}});
  for (const auto& [what, by_reason] :
       {std::pair("rejected", &summary.rejected), std::pair("parked", &summary.parked)}) {
    for (const auto& [reason, count] : by_reason->counts) {
      table.AddRow({what, reason, absl::StrCat(count.first), absl::StrCat(count.second)});
    }
  }
  if (!summary.rejected.counts.empty() || !summary.parked.counts.empty()) output.Print(table);
}

absl::StatusOr<Destination> Connect(Context& context, const std::string& partner) {
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel accrual, context.ChannelTo("accrual", partner));
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel member, context.ChannelTo("member", partner));
  return Destination{partner, accrual, member};
}

absl::Status Import(Context& context, const ImportFlags& flags) {
  const std::string partner = WithPrefix("partners/", flags.partner);
  GUILDER_ASSIGN_OR_RETURN(const auto files,
                           ReadFiles(flags.file, flags.mapping, partner, ParseMapping));
  auto work = ReadFileWork(files.text, files.mapping, partner);
  if (!work.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.file, ": ", std::string(work.status().message())));
  }
  const std::string progress_file =
      flags.progress.empty() ? flags.file + ".progress" : flags.progress;
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerLog> log,
                           AnswerLog::Open(progress_file, files.subject, work->items.size()));
  GUILDER_ASSIGN_OR_RETURN(const Destination destination, Connect(context, partner));
  int64_t left = 0;
  const Item* first = nullptr;
  for (size_t i = 0; i < work->items.size(); ++i) {
    if (log->of(i).outcome != Outcome::kNone) continue;
    left += static_cast<int64_t>(work->items[i].rows.size());
    if (first == nullptr) first = &work->items[i];
  }
  SayWhereItGoesOn(*log, first == nullptr ? 0 : first->line, left);
  absl::Status posted;
  {
    ProgressBar bar(std::cerr, context.error_terminal(), "Lines", left);
    posted = PostItems(destination, work->items, *log, [&bar](int64_t rows) { bar.Advance(rows); });
  }
  GUILDER_RETURN_IF_ERROR(posted);

  const Summary summary = Summarise(work->items, *log);
  const std::string rejects = flags.rejects.empty() ? flags.file + ".rejects.csv" : flags.rejects;
  GUILDER_RETURN_IF_ERROR(WriteRejects(rejects, files.text, files.mapping, summary.refused_rows));
  Show(context, *work, summary, rejects);
  return absl::OkStatus();
}

}  // namespace

void AddImportVerb(CLI::App& noun, Context& context) {
  AddAction(noun, context, "import", "Records the purchases and returns of a partner's CSV file",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const ImportFlags flags{
                  arguments.Text("FILE", "The file, plain or packed with xz", true),
                  arguments.Text("--partner", "Whose purchases they are", true),
                  arguments.Text("--mapping", "Which column says what, in TOML", true),
                  arguments.Text("--rejects", "Where refused lines go; FILE.rejects.csv without"),
                  arguments.Text("--progress",
                                 "What was answered, to go on after a crash; FILE.progress "
                                 "without")};
              return [&context, flags] { return Import(context, flags); };
            });
}

}  // namespace guilder::cli
