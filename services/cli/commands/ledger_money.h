// `guilder ledger balance-sheet`.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// Adds it to the noun `ledger`.
void AddBalanceSheetCommand(CLI::App& noun, Context& context);

}  // namespace guilder::cli
