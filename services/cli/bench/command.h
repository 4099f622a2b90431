// `guilder bench`.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

void AddBenchCommand(CLI::App& app, Context& context);

}  // namespace guilder::cli
