#include "services/cli/commands/documents.h"

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands/files.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;

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

std::function<absl::Status()> Report(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("SETTLEMENT", "The settlement: its number", true);
  const std::string& out = arguments.Text("--out", "Where to write it; settlement-N.html without");
  return [&]() -> absl::Status {
    v1::RenderSettlementReportRequest request;
    v1::RenderSettlementReportResponse response;
    request.set_name(WithPrefix("settlements/", name));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    return Keep(context, response, out);
  };
}

std::function<absl::Status()> Statement(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("SETTLEMENT", "The settlement: its number", true);
  const std::string& partner = arguments.Text("PARTNER", "The partner", true);
  const std::string& format = arguments.Text("--format", "csv, json or html (html)");
  const std::string& out = arguments.Text("--out", "Where to write it; - for stdout");
  return [&]() -> absl::Status {
    v1::RenderStatementRequest request;
    v1::RenderStatementResponse response;
    request.set_settlement(WithPrefix("settlements/", name));
    request.set_partner(WithPrefix("partners/", partner));
    GUILDER_RETURN_IF_ERROR(Assign(request, "format", format.empty() ? "html" : format));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    return Keep(context, response, out);
  };
}

std::function<absl::Status()> RenderInvoice(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("INVOICE", "The invoice: its number", true);
  const std::string& format = arguments.Text("--format", "json or html (html)");
  const std::string& out = arguments.Text("--out", "Where to write it; - for stdout");
  return [&]() -> absl::Status {
    v1::RenderInvoiceRequest request;
    v1::RenderInvoiceResponse response;
    request.set_name(WithPrefix("invoices/", name));
    GUILDER_RETURN_IF_ERROR(Assign(request, "format", format.empty() ? "html" : format));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    return Keep(context, response, out);
  };
}

}  // namespace

void AddInvoiceDocument(CLI::App& noun, Context& context) {
  AddAction(noun, context, "render", "Writes an invoice or credit note as HTML or JSON",
            [&context](Arguments& arguments) { return RenderInvoice(arguments, context); });
}

void AddDocumentVerbs(CLI::App& noun, Context& context) {
  AddAction(noun, context, "report", "Writes a settlement as one HTML file with pictures",
            [&context](Arguments& arguments) { return Report(arguments, context); });
  AddAction(noun, context, "statement", "Writes a partner's statement as CSV, JSON or HTML",
            [&context](Arguments& arguments) { return Statement(arguments, context); });
}

}  // namespace guilder::cli
