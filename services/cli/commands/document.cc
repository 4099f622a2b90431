#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/digest.h"
#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

absl::Status Attach(Context& context, const std::string& partner, const std::string& kind,
                    const std::string& path) {
  GUILDER_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  if (bytes.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  v1::AttachDocumentRequest request;
  request.set_name(WithPrefix("partners/", partner));
  v1::Document& document = *request.mutable_document();
  document.set_kind(kind);
  document.set_display_name(path.substr(path.rfind('/') + 1));
  document.set_sha256(std::string(AsView(Sha256({bytes}))));
  v1::AttachDocumentResponse response;
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "submitter"));
  context.output().Record(ToJson(response.partner()),
                          {{"Name", "name"}, {"State", "state"}, {"Evidence", "evidence"}});
  return absl::OkStatus();
}

}  // namespace

void AddDocumentCommands(CLI::App& partner, Context& context) {
  AddAction(partner, context, "attach", "Attaches a document to the evidence, by its SHA-256",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& name = arguments.Text("PARTNER", "The partner", true);
              const std::string& kind =
                  arguments.Text("--kind", "What it is, as in \"register extract\"", true);
              const std::string& path = arguments.Text("--file", "The file; it stays here", true);
              return [&context, &name, &kind, &path] { return Attach(context, name, kind, path); };
            });
}

}  // namespace guilder::cli
