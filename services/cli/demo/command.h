// `guilder demo`.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

void AddDemoCommand(CLI::App& app, Context& context);

}  // namespace guilder::cli
