// `guilder partner certify`: plays the duties of a partner's tills against a sandbox.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// `noun` is "partner".
void AddCertifyCommand(CLI::App& noun, Context& context);

}  // namespace guilder::cli
