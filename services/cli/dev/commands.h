// `guilder dev`, `guilder migrate` and `guilder setup`: the commands that run a network or its
// database themselves.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

void AddDevCommand(CLI::App& app, Context& context);
void AddMigrateCommands(CLI::App& app, Context& context);
void AddSetupCommand(CLI::App& app, Context& context);

}  // namespace guilder::cli
