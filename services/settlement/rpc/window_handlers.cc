#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/sealing.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_handlers.h"
#include "services/settlement/rpc/settlement_proto.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr char kWindowList[] = "windows";

// A window with the heads of its books, once it is sealed.
absl::StatusOr<v1::Window> ReadWindow(Transaction& transaction, Timestamp start) {
  GUILDER_ASSIGN_OR_RETURN(const WindowFacts facts, FindWindow(transaction, start));
  const bool sealed = IsSealed(facts.state);
  return ToProto(facts,
                 sealed ? ReadHeads(transaction, facts.window.end) : std::vector<BookHead>());
}

}  // namespace

absl::StatusOr<v1::ListWindowsResponse> SettlementHandlers::ListWindows(
    const rpc::Call& call, const v1::ListWindowsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kWindowList, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const Timestamp before(ParseInt(position).value_or(kNever.value()));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<WindowFacts> windows,
                           pool_.Read(
                               [&](Transaction& transaction) {
                                 return settlement::ListWindows(transaction, before, page_size + 1);
                               },
                               call.deadline()));

  v1::ListWindowsResponse response;
  const size_t count = std::min(windows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_windows() = ToProto(windows[i]);
  if (windows.size() > count) {
    response.set_next_page_token(
        page_tokens_.Make(kWindowList, absl::StrCat(windows[count - 1].window.start.value())));
  }
  return response;
}

absl::StatusOr<v1::GetWindowResponse> SettlementHandlers::GetWindow(
    const rpc::Call& call, const v1::GetWindowRequest& request) {
  const std::optional<Timestamp> start = ParseWindowName(request.name());
  if (!start) return Refuse(Reason::kWindowNotFound);
  v1::GetWindowResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_window(),
      pool_.Read([&](Transaction& transaction) { return ReadWindow(transaction, *start); },
                 call.deadline()));
  return response;
}

absl::StatusOr<v1::CloseWindowResponse> SettlementHandlers::CloseWindow(
    const rpc::Call& call, const v1::CloseWindowRequest& request) {
  Timestamp start;
  if (request.name().empty()) {
    GUILDER_ASSIGN_OR_RETURN(const ledger::Window closed,
                             ledger::CloseOpenWindow(pool_, call.deadline()));
    start = closed.start;
  } else {
    const std::optional<Timestamp> named = ParseWindowName(request.name());
    if (!named) return Refuse(Reason::kWindowNotFound);
    start = *named;
    GUILDER_ASSIGN_OR_RETURN(
        const WindowFacts window,
        pool_.Read([&](Transaction& transaction) { return FindWindow(transaction, start); },
                   call.deadline()));
    // Of a sealed window nothing is left to do, and of an open one this refuses.
    GUILDER_RETURN_IF_ERROR(ledger::SealWindows(pool_, window.window.end).status());
  }
  v1::CloseWindowResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_window(),
      pool_.Read([&](Transaction& transaction) { return ReadWindow(transaction, start); },
                 call.deadline()));
  return response;
}

}  // namespace guilder::settlement
