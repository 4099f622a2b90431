// `guilder purchase import`: a partner's file of purchases and returns, over the network.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

void AddImportVerb(CLI::App& noun, Context& context);

}  // namespace guilder::cli
