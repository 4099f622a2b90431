#include "services/cli/importing/command.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "services/cli/context.h"
#include "services/cli/demo/csv.h"
#include "services/cli/importing/answers.h"
#include "services/cli/importing/encoding.h"
#include "services/cli/importing/mapping.h"
#include "services/cli/importing/posting.h"
#include "services/cli/importing/receipts.h"
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

// Rows and items by the reason for which they were not recorded.
struct ByReason {
  std::map<std::string, std::pair<int64_t, int64_t>> counts;

  void Add(const std::string& reason, size_t rows) {
    ++counts[reason].first;
    counts[reason].second += static_cast<int64_t>(rows);
  }
  nlohmann::ordered_json ToJson() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const auto& [reason, count] : counts) {
      json[reason] = {{"items", count.first}, {"lines", count.second}};
    }
    return json;
  }
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

// Beside its final name first, so that no reader sees half of it.
absl::Status WriteRejects(const std::string& path, const std::string& bytes) {
  const std::string unfinished = path + ".part";
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(unfinished, path, error);
  if (out && !error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written"));
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

struct ReadFiles {
  Mapping mapping;
  std::string text;     // UTF-8
  std::string subject;  // digests all that the answers depend on
};

absl::StatusOr<ReadFiles> ReadBoth(const ImportFlags& flags, const std::string& partner) {
  const auto about = [](const std::string& path, const absl::Status& status) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::string(status.message())));
  };
  const auto toml = demo::ReadDataFile(flags.mapping);
  if (!toml.ok()) return absl::InvalidArgumentError(toml.status().message());
  const auto bytes = demo::ReadDataFile(flags.file);
  if (!bytes.ok()) return absl::InvalidArgumentError(bytes.status().message());
  auto mapping = ParseMapping(*toml);
  if (!mapping.ok()) return about(flags.mapping, mapping.status());
  auto text = Recode(*bytes, mapping->encoding, "UTF-8");
  if (!text.ok()) return about(flags.file, text.status());
  return ReadFiles{*std::move(mapping), *std::move(text),
                   RequestIdFor(absl::StrCat(partner, "\n", *toml), *bytes)};
}

absl::StatusOr<Destination> Connect(Context& context, const std::string& partner) {
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel accrual, context.ChannelTo("accrual", partner));
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel member, context.ChannelTo("member", partner));
  return Destination{partner, accrual, member};
}

absl::Status Import(Context& context, const ImportFlags& flags) {
  const std::string partner = WithPrefix("partners/", flags.partner);
  GUILDER_ASSIGN_OR_RETURN(const ReadFiles files, ReadBoth(flags, partner));
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
  if (log->resumed()) {
    std::cerr << (first == nullptr
                      ? std::string("imported before: every line was answered")
                      : absl::StrCat("goes on at line ", first->line, ", ", left, " lines left"))
              << std::endl;
  }
  absl::Status posted;
  {
    ProgressBar bar(std::cerr, context.error_terminal(), "Lines", left);
    posted = PostItems(destination, work->items, *log, [&bar](int64_t rows) { bar.Advance(rows); });
  }
  GUILDER_RETURN_IF_ERROR(posted);

  const Summary summary = Summarise(work->items, *log);
  const std::string rejects = flags.rejects.empty() ? flags.file + ".rejects.csv" : flags.rejects;
  if (!summary.refused_rows.empty()) {
    GUILDER_ASSIGN_OR_RETURN(const std::string bytes,
                             Recode(MakeRejectFile(files.text, files.mapping, summary.refused_rows),
                                    "UTF-8", files.mapping.encoding));
    GUILDER_RETURN_IF_ERROR(WriteRejects(rejects, bytes));
  }
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
