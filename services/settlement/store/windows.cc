#include "services/settlement/store/windows.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kFindSealed{"settlement.find_sealed_window", R"sql(
  select window_start_us, window_end_us, settlement_id, coalesce(s.state, '') = 'COMPUTED'
    from settlement.windows
    left join settlement.settlements s using (settlement_id)
   where window_start_us = $1
)sql"};

constexpr Statement kListSealed{"settlement.list_sealed_windows", R"sql(
  select window_start_us, window_end_us, settlement_id, coalesce(s.state, '') = 'COMPUTED'
    from settlement.windows
    left join settlement.settlements s using (settlement_id)
   where window_start_us < $1
   order by window_start_us desc
   limit $2
)sql"};

constexpr Statement kReadHeads{"settlement.read_heads", R"sql(
  select book, last_number, root from ledger.seals where boundary_us = $1 order by book
)sql"};

WindowFacts SealedFromRow(const Row& row) {
  WindowFacts facts;
  facts.window = {row.Id<Timestamp>(0), row.Id<Timestamp>(1)};
  facts.settlement = row.OptionalId<SettlementId>(2).value_or(SettlementId());
  facts.state = !facts.settlement ? WindowState::kSealed
                : row.Bool(3)     ? WindowState::kComputed
                                  : WindowState::kSettled;
  return facts;
}

WindowFacts Unsealed(const ledger::Window& window, Timestamp now) {
  return {window, window.end <= now ? WindowState::kEnded : WindowState::kOpen, SettlementId()};
}

}  // namespace

absl::StatusOr<WindowFacts> FindWindow(Transaction& transaction, Timestamp start) {
  const Rows rows = transaction.Execute(kFindSealed, Params().Int(start));
  if (!rows.empty()) return SealedFromRow(rows[0]);
  GUILDER_ASSIGN_OR_RETURN(const ledger::Cutting cutting, ledger::LoadCutting(transaction));
  for (const ledger::Window& window : cutting.UnsealedWindows()) {
    if (window.start == start) return Unsealed(window, cutting.now);
  }
  return Refuse(Reason::kWindowNotFound);
}

absl::StatusOr<std::vector<WindowFacts>> ListWindows(Transaction& transaction, Timestamp before,
                                                     int limit) {
  GUILDER_ASSIGN_OR_RETURN(const ledger::Cutting cutting, ledger::LoadCutting(transaction));
  std::vector<WindowFacts> windows;
  const std::vector<ledger::Window> unsealed = cutting.UnsealedWindows();
  for (auto window = unsealed.rbegin(); window != unsealed.rend(); ++window) {
    if (static_cast<int>(windows.size()) == limit) return windows;
    if (window->start < before) windows.push_back(Unsealed(*window, cutting.now));
  }
  const Timestamp sealed_before = std::min(before, cutting.sealed_until);
  const int missing = limit - static_cast<int>(windows.size());
  for (const Row& row :
       transaction.Execute(kListSealed, Params().Int(sealed_before).Int(missing))) {
    windows.push_back(SealedFromRow(row));
  }
  return windows;
}

std::vector<BookHead> ReadHeads(Transaction& transaction, Timestamp boundary) {
  std::vector<BookHead> heads;
  for (const Row& row : transaction.Execute(kReadHeads, Params().Int(boundary))) {
    heads.push_back({row.Id<BookId>(0), row.Id<RecordNumber>(1), row.Digest(2)});
  }
  return heads;
}

}  // namespace guilder::settlement
