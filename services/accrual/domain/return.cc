#include "services/accrual/domain/return.h"

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/rules/reversal.h"

namespace guilder::accrual {
namespace {

constexpr uint64_t kFormat = 1;
constexpr size_t kMaxText = 64;
constexpr size_t kMaxLines = 500;

// The index of a line in its sale, or the number of lines when there is none of that id.
size_t IndexOfLine(const Sale& sale, const std::string& line_id) {
  const std::vector<PurchaseLine>& lines = sale.recorded.purchase.lines;
  size_t index = 0;
  while (index < lines.size() && lines[index].line_id != line_id) ++index;
  return index;
}

}  // namespace

LotId LotOf(const Sale& sale) {
  return ledger::MakeLotId(sale.number);
}

absl::Status CheckReturn(const Return& returned) {
  const auto malformed = [](const char* what) { return Refuse(Reason::kRequestMalformed, what); };
  if (returned.return_number.size() > kMaxText) return malformed("return_number is longer than 64");
  if (HasNul(returned.return_number)) return malformed("return_number holds the character NUL");
  if (returned.occurred_at <= Timestamp(0)) return malformed("occurred_at");
  if (returned.lines.empty() || returned.lines.size() > kMaxLines) {
    return malformed("a return has 1 to 500 lines");
  }
  for (const ReturnLine& line : returned.lines) {
    if (HasNul(line.line_id)) return malformed("a line_id holds the character NUL");
    if (line.quantity < 1) return Refuse(Reason::kAmountOutOfRange, "quantity");
  }
  return absl::OkStatus();
}

std::string EncodeReturn(const Return& returned, BookId book, RecordNumber sale) {
  Encoder out;
  out.Unsigned(kFormat)
      .Id(book)
      .Id(sale)
      .Bytes(returned.store)
      .Bytes(returned.return_number)
      .Quantity(returned.occurred_at)
      .Unsigned(returned.lines.size());
  for (const ReturnLine& line : returned.lines) out.Bytes(line.line_id).Signed(line.quantity);
  return out.Take();
}

absl::StatusOr<Return> DecodeReturn(std::string_view content) {
  Decoder in(content);
  Return returned;
  const bool known = in.Unsigned() == kFormat;
  in.ReadId<BookId>();
  in.ReadId<RecordNumber>();
  returned.store = in.Bytes();
  returned.return_number = in.Bytes();
  returned.occurred_at = in.ReadQuantity<Timestamp>();
  const uint64_t lines = in.Unsigned();
  for (uint64_t i = 0; in.ok() && i < lines; ++i) {
    ReturnLine& line = returned.lines.emplace_back();
    line.line_id = in.Bytes();
    line.quantity = in.Signed();
  }
  if (!known || !in.ok()) return absl::InternalError("a return's content");
  return returned;
}

absl::StatusOr<ReturnOutcome> DecideReturn(const Sale& sale, const Return& returned,
                                           std::vector<int64_t> returned_before,
                                           ledger::Posting& posting) {
  const RecordedPurchase& recorded = sale.recorded;
  for (const ReturnLine& line : returned.lines) {
    if (IndexOfLine(sale, line.line_id) == recorded.purchase.lines.size()) {
      return Refuse(Reason::kPurchaseLineNotFound, absl::StrCat("line ", line.line_id));
    }
  }
  ReturnOutcome outcome;
  for (const ReturnLine& line : returned.lines) {
    const size_t index = IndexOfLine(sale, line.line_id);
    const int64_t sold = recorded.purchase.lines[index].quantity;
    int64_t& before = returned_before[index];
    if (line.quantity > sold - before) {
      return Refuse(Reason::kReturnExceedsSale, absl::StrCat("line ", line.line_id),
                    {{"returnable_quantity", absl::StrCat(sold - before)}});
    }
    outcome.line_points.push_back(
        rules::ReversalOfLine(recorded.outcome.line_points[index], sold, before, line.quantity));
    outcome.points += outcome.line_points.back();
    before += line.quantity;
  }
  GUILDER_ASSIGN_OR_RETURN(outcome.owed,
                           ledger::DecideReverse(posting, LotOf(sale), outcome.points));
  return outcome;
}

absl::StatusOr<Points> DecideConfirmation(const Sale& sale, bool confirmed,
                                          ledger::Posting& posting) {
  // A purchase without points has no lot: there is nothing to confirm, and nothing wrong.
  if (sale.recorded.outcome.points == Points(0)) return Points(0);
  return confirmed ? ledger::DecideConfirm(posting, LotOf(sale))
                   : ledger::DecideCancel(posting, LotOf(sale));
}

void AddReturned(const Sale& sale, const Return& returned, std::vector<int64_t>& quantities) {
  for (const ReturnLine& line : returned.lines) {
    const size_t index = IndexOfLine(sale, line.line_id);
    if (index < quantities.size()) quantities[index] += line.quantity;
  }
}

}  // namespace guilder::accrual
