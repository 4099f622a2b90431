#include "services/cli/importing/member_command.h"

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/member/v1/import_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/rpc/status.h"
#include "services/cli/context.h"
#include "services/cli/importing/files.h"
#include "services/cli/importing/member_mapping.h"
#include "services/cli/importing/member_rows.h"
#include "services/cli/importing/rejects.h"
#include "services/cli/importing/stream.h"
#include "services/cli/output/progress.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

using namespace importing;  // NOLINT: the parts of this command
namespace v1 = member::v1;

struct Flags {
  const std::string& file;
  const std::string& mapping;
  const std::string& members;
  const std::string& points;
  const std::string& rejects;
  const std::string& progress;
};

absl::Status AddControl(const char* flag, const std::string& text, std::optional<int64_t>& total) {
  if (text.empty()) return absl::OkStatus();
  const auto number = ParseInt(text);
  if (!number || *number < 0) {
    return absl::InvalidArgumentError(absl::StrCat(flag, " is a whole number"));
  }
  total = *number;
  return absl::OkStatus();
}

absl::Status Post(const clients::Channel& channel, const std::vector<MemberItem>& items,
                  AnswerLog& log, const std::function<void(int64_t)>& on_rows) {
  using Request = v1::ImportMembersRequest;
  using Response = v1::ImportMembersResponse;
  const auto rows_of = [&](size_t i) { return static_cast<int64_t>(items[i].rows.size()); };
  for (size_t i = 0; i < items.size(); ++i) {
    const Refusal& refusal = items[i].refusal;
    if (refusal.reason.empty() || log.of(i).outcome != Outcome::kNone) continue;
    log.AddAnswer(i, {Outcome::kRejected, 0, refusal.reason, refusal.detail});
    on_rows(rows_of(i));
  }
  const clients::Client<v1::ImportService> members(channel);
  StreamedItems<Request, Response> streamed;
  streamed.count = items.size();
  streamed.is_sent = [](size_t) { return true; };
  streamed.rows = rows_of;
  streamed.request = [&](size_t i) { return items[i].request; };
  streamed.open = [&](auto* context, auto* reactor) {
    members.stub().async()->ImportMembers(context, reactor);
  };
  streamed.id_of_request = [](const Request& item) -> const std::string& {
    return item.request_id();
  };
  streamed.id_of_answer = [](const Response& answer) -> const std::string& {
    return answer.request_id();
  };
  streamed.answer = [](const Response& response) -> absl::StatusOr<ItemAnswer> {
    if (response.has_error()) return rpc::FromRpcStatus(response.error());
    return ItemAnswer{Outcome::kRecorded, response.imported().points(), "", ""};
  };
  AnsweredStream<Request, Response> stream(std::move(streamed), log, on_rows);
  GUILDER_RETURN_IF_ERROR(stream.Run(channel));
  return log.Flush();
}

struct Reconciled {
  int64_t members = 0;
  int64_t points = 0;
  int64_t rejected_points = 0;
  ByReason rejected;
  std::map<int64_t, Refusal> refused_rows;
};

Reconciled Reconcile(const std::vector<MemberItem>& items, const AnswerLog& log) {
  Reconciled result;
  for (size_t i = 0; i < items.size(); ++i) {
    const ItemAnswer& answer = log.of(i);
    if (answer.outcome == Outcome::kRecorded) {
      ++result.members;
      result.points += answer.points;
      continue;
    }
    result.rejected_points += items[i].points;
    result.rejected.Add(answer.reason, items[i].rows.size());
    for (const int64_t row : items[i].rows) {
      result.refused_rows[row] = {answer.reason, answer.detail};
    }
  }
  return result;
}

absl::Status ShowReconciled(Context& context, const MemberWork& work, const Reconciled& result,
                            const std::string& rejects) {
  const bool holds = result.points + result.rejected_points == work.points;
  nlohmann::ordered_json json = {{"lines", work.rows},
                                 {"members", result.members},
                                 {"points", result.points},
                                 {"points_rejected", result.rejected_points},
                                 {"points_of_file", work.points},
                                 {"reconciled", holds},
                                 {"rejected", result.rejected.ToJson()}};
  if (!result.refused_rows.empty()) json["reject_file"] = rejects;
  context.output().Record(json, {{"Lines read", "lines", Show::kNumber},
                                 {"Members brought over", "members", Show::kNumber},
                                 {"Their points", "points", Show::kNumber},
                                 {"Points rejected", "points_rejected", Show::kNumber},
                                 {"Points of the file", "points_of_file", Show::kNumber},
                                 {"Reconciled", "reconciled"},
                                 {"Reject file", "reject_file"}});
  Table table({{"NOT BROUGHT OVER"}, {"MEMBERS", Align::kRight}, {"LINES", Align::kRight}});
  for (const auto& [reason, count] : result.rejected.counts) {
    table.AddRow({reason, absl::StrCat(count.first), absl::StrCat(count.second)});
  }
  if (!table.empty() && !context.output().json()) context.output().Print(table);
  if (holds) return absl::OkStatus();
  return absl::InternalError("what was answered does not come to what the file says");
}

absl::Status ImportMembers(Context& context, const Flags& flags) {
  GUILDER_ASSIGN_OR_RETURN(auto files,
                           ReadFiles(flags.file, flags.mapping, "members", ParseMemberMapping));
  ControlTotal& control = files.mapping.control;
  GUILDER_RETURN_IF_ERROR(AddControl("--control-members", flags.members, control.members));
  GUILDER_RETURN_IF_ERROR(AddControl("--control-points", flags.points, control.points));
  if (!control.points) {
    return absl::InvalidArgumentError(
        "state what the file must come to: --control-points, or [control] points of the mapping");
  }
  auto work = ReadMemberWork(files.text, files.mapping);
  if (!work.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.file, ": ", std::string(work.status().message())));
  }
  GUILDER_RETURN_IF_ERROR(CheckControl(*work, control));
  const std::string progress = flags.progress.empty() ? flags.file + ".progress" : flags.progress;
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerLog> log,
                           AnswerLog::Open(progress, files.subject, work->items.size()));
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel channel, context.ChannelTo("member", "admin"));
  int64_t left = 0;
  int64_t line = 0;
  for (size_t i = 0; i < work->items.size(); ++i) {
    if (log->of(i).outcome != Outcome::kNone) continue;
    if (left == 0) line = work->items[i].line;
    left += static_cast<int64_t>(work->items[i].rows.size());
  }
  SayWhereItGoesOn(*log, line, left);
  {
    ProgressBar bar(std::cerr, context.error_terminal(), "Lines", left);
    GUILDER_RETURN_IF_ERROR(
        Post(channel, work->items, *log, [&bar](int64_t rows) { bar.Advance(rows); }));
  }
  const Reconciled result = Reconcile(work->items, *log);
  const std::string rejects = flags.rejects.empty() ? flags.file + ".rejects.csv" : flags.rejects;
  GUILDER_RETURN_IF_ERROR(WriteRejects(rejects, files.text, files.mapping, result.refused_rows));
  return ShowReconciled(context, *work, result, rejects);
}

}  // namespace

void AddMemberImportVerb(CLI::App& noun, Context& context) {
  AddAction(
      noun, context, "import", "Brings over another programme's members, cards and points",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const Flags flags{
            arguments.Text("FILE", "The file, plain or packed with xz", true),
            arguments.Text("--mapping", "Which column says what, in TOML", true),
            arguments.Text("--control-members", "How many members the file must have"),
            arguments.Text("--control-points", "How many points the file must come to"),
            arguments.Text("--rejects", "Where refused lines go; FILE.rejects.csv without"),
            arguments.Text("--progress",
                           "What was answered, to go on after a crash; FILE.progress without")};
        return [&context, flags] { return ImportMembers(context, flags); };
      });
}

}  // namespace guilder::cli
