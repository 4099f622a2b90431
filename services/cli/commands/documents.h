// Commands that write documents of a settlement.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// `guilder settlement report` and `guilder settlement statement`.
void AddDocumentVerbs(CLI::App& noun, Context& context);
// `guilder invoice render`.
void AddInvoiceDocument(CLI::App& noun, Context& context);

}  // namespace guilder::cli
