// `guilder member import`: another programme's members, over the network.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

void AddMemberImportVerb(CLI::App& noun, Context& context);

}  // namespace guilder::cli
