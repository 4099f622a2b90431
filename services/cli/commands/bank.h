// Commands of what banks tell that stand under another noun.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// `guilder obligation ageing`, `write-off` and `approve-write-off`.
void AddWriteOffVerbs(CLI::App& noun, Context& context);

}  // namespace guilder::cli
