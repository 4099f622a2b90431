#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "guilder/accrual/v1/accrual_service.pb.h"
#include "guilder/member/v1/document_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/commands/files.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;

constexpr char kMemberPrefix[] = "members/";

// Writes what came, and says where. "-" is stdout.
template <typename Response>
absl::Status Keep(Context& context, const Response& response, const std::string& out) {
  if (out == "-") {
    context.output().Text(response.content());
    return absl::OkStatus();
  }
  const std::string path = OutputPath(out, response.file_name());
  GUILDER_RETURN_IF_ERROR(WriteFile(path, response.content()));
  context.output().Record(
      {{"file", path},
       {"content_type", response.content_type()},
       {"bytes", response.content().size()}},
      {{"File", "file"}, {"Content", "content_type"}, {"Bytes", "bytes", Show::kNumber}});
  return absl::OkStatus();
}

std::function<absl::Status()> Statement(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("MEMBER", "The member", true);
  const std::string& format = arguments.Text("--format", "text, html or json (text)");
  const std::string& out = arguments.Text("--out", "Where to write it; stdout without");
  return [&]() -> absl::Status {
    v1::RenderMemberStatementRequest request;
    v1::RenderMemberStatementResponse response;
    request.set_name(WithPrefix(kMemberPrefix, name));
    GUILDER_RETURN_IF_ERROR(Assign(request, "format", format.empty() ? "text" : format));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
    return Keep(context, response, out.empty() ? "-" : out);
  };
}

// Adds to each purchase why each of its points was given.
absl::Status ExplainPurchases(Context& context, std::string& content) {
  auto document = nlohmann::ordered_json::parse(content);
  for (auto& record : document["records"]) {
    if (record["kind"] != "PURCHASE") continue;
    accrual::v1::ExplainPurchaseRequest request;
    accrual::v1::ExplainPurchaseResponse response;
    request.set_name(record["name"].get<std::string>());
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    record["purchase"] = ToJson(response);
  }
  content = document.dump(2) + "\n";
  return absl::OkStatus();
}

std::function<absl::Status()> Export(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("MEMBER", "The member", true);
  const std::string& format =
      arguments.Text("--format", "json, with why each point was given, html or text (json)");
  const std::string& out = arguments.Text("--out", "Where to write it; member-N.json without");
  return [&]() -> absl::Status {
    v1::ExportMemberRequest request;
    v1::ExportMemberResponse response;
    request.set_name(WithPrefix(kMemberPrefix, name));
    GUILDER_RETURN_IF_ERROR(Assign(request, "format", format.empty() ? "json" : format));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
    if (request.format() == v1::MEMBER_DOCUMENT_FORMAT_JSON) {
      GUILDER_RETURN_IF_ERROR(ExplainPurchases(context, *response.mutable_content()));
    }
    return Keep(context, response, out);
  };
}

}  // namespace

void AddMemberDocumentVerbs(CLI::App& noun, Context& context) {
  AddAction(noun, context, "statement",
            "Writes a statement: points, where they come from, and what comes when",
            [&context](Arguments& arguments) { return Statement(arguments, context); });
  AddAction(noun, context, "export", "Writes everything that is kept about a member",
            [&context](Arguments& arguments) { return Export(arguments, context); });
}

}  // namespace guilder::cli
