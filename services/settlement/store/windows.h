// Reads windows and the heads of books at their ends. Each function runs in the caller's
// transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/store/sealing.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// kComputed: in a settlement that is not approved; kSettled: in one that is.
enum class WindowState { kOpen, kEnded, kSealed, kComputed, kSettled };

// Whether nothing can come into it any more.
constexpr bool IsSealed(WindowState state) {
  return state >= WindowState::kSealed;
}

struct WindowFacts {
  ledger::Window window;
  WindowState state = WindowState::kOpen;
  SettlementId settlement;  // None before it is in one.
};

struct BookHead {
  BookId book;
  RecordNumber last_number;
  Digest root{};
};

// The window that starts then: a sealed one, or one up to the open window. WINDOW_NOT_FOUND.
absl::StatusOr<WindowFacts> FindWindow(postgres::Transaction& transaction, Timestamp start);

// Windows from the open one back, those that start before `before`.
absl::StatusOr<std::vector<WindowFacts>> ListWindows(postgres::Transaction& transaction,
                                                     Timestamp before, int limit);

// By book. Empty unless something was sealed at that boundary.
std::vector<BookHead> ReadHeads(postgres::Transaction& transaction, Timestamp boundary);

}  // namespace guilder::settlement
