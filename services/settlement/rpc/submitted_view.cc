#include "services/settlement/rpc/submitted_view.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/claims.h"
#include "libs/rpc/names.h"

namespace guilder::settlement {
namespace {

constexpr int64_t kMaxLines = 1'000'000;
constexpr int kMaxLinesOfPart = 10'000;
constexpr size_t kMaxText = 64;
constexpr char kTotal[] = "total";

absl::Status Malformed(std::string_view what) {
  return Refuse(Reason::kRequestMalformed, what);
}

absl::StatusOr<ReconciledItem> FromProto(v1::ReconciledItem item) {
  switch (item) {
    case v1::RECONCILED_ITEM_PURCHASE:
      return ReconciledItem::kPurchase;
    case v1::RECONCILED_ITEM_RETURN:
      return ReconciledItem::kReturn;
    case v1::RECONCILED_ITEM_CAPTURE:
      return ReconciledItem::kCapture;
    case v1::RECONCILED_ITEM_REFUND:
      return ReconciledItem::kRefund;
    default:
      return Malformed("it does not say what it is");
  }
}

// The names that an item of that kind may have.
std::vector<std::string> CollectionsOf(ReconciledItem item) {
  switch (item) {
    case ReconciledItem::kPurchase:
      return {"purchases"};
    case ReconciledItem::kReturn:
      return {"returns", "records"};
    case ReconciledItem::kCapture:
      return {"redemptions", "purchases"};
    case ReconciledItem::kRefund:
      break;
  }
  return {"redemptions"};
}

bool IsText(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return text.size() <= kMaxText;
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// The bytes that the accrual service claims a receipt by.
absl::Status ReadReceipt(const accrual::v1::ReceiptKey& receipt, PartnerId partner,
                         const std::string& slug, SubmittedLine& read) {
  const auto store = rpc::ParseName("partners/{}/stores/{}", receipt.store());
  const std::string number = Trimmed(receipt.receipt_number());
  const std::string order = Trimmed(receipt.order_id());
  const std::string terminal = Trimmed(receipt.terminal());
  if (!store || (*store)[0] != slug) return Malformed("the receipt's store is not the partner's");
  if (number.empty() == order.empty()) {
    return Malformed("a receipt has either a receipt number or an order id");
  }
  if (!IsText(number) || !IsText(order) || !IsText(terminal) || !IsText(receipt.business_date())) {
    return Malformed("a part of the receipt is too long, or no text");
  }
  Encoder key;
  if (order.empty()) {
    key.Bytes("receipt")
        .Bytes((*store)[1])
        .Bytes(terminal)
        .Bytes(number)
        .Bytes(receipt.business_date());
    read.line.subject = absl::StrCat("receipt ", (*store)[1], "/", terminal, "/", number, "/",
                                     receipt.business_date());
  } else {
    key.Bytes("order").Bytes(order);
    read.line.subject = absl::StrCat("order ", order);
  }
  read.claim = ledger::ClaimKey(partner, "purchase", key.str());
  return absl::OkStatus();
}

absl::Status ReadSubject(const v1::ReconciliationLine& line, PartnerId partner,
                         const std::string& slug, SubmittedLine& read) {
  TheirLine& theirs = read.line;
  switch (line.subject_case()) {
    case v1::ReconciliationLine::kRecord: {
      theirs.place = ParseRecord(CollectionsOf(theirs.item), line.record());
      if (!theirs.place) return Malformed("the record's name does not fit what it is");
      theirs.subject = line.record();
      return absl::OkStatus();
    }
    case v1::ReconciliationLine::kReceipt:
      if (theirs.item != ReconciledItem::kPurchase && theirs.item != ReconciledItem::kCapture) {
        return Malformed("a receipt names a purchase");
      }
      return ReadReceipt(line.receipt(), partner, slug, read);
    case v1::ReconciliationLine::kTotal:
      if (!line.total()) break;
      theirs.total = true;
      theirs.subject = kTotal;
      return absl::OkStatus();
    case v1::ReconciliationLine::SUBJECT_NOT_SET:
      break;
  }
  return Malformed("it does not say which one it is");
}

absl::StatusOr<SubmittedLine> ReadLine(const v1::ReconciliationLine& line, PartnerId partner,
                                       const std::string& slug) {
  SubmittedLine read;
  GUILDER_ASSIGN_OR_RETURN(read.line.item, FromProto(line.item()));
  GUILDER_RETURN_IF_ERROR(ReadSubject(line, partner, slug, read));
  const int64_t most =
      read.line.total ? kMaxPointsPerCommand.value() * 1'000 : kMaxPointsPerCommand.value();
  if (line.points() < 0 || line.points() > most) return Refuse(Reason::kAmountOutOfRange);
  if (!IsText(line.reference())) return Malformed("its reference is too long, or no text");
  read.line.points = Points(line.points());
  read.line.reference = line.reference();
  return read;
}

absl::Status InLine(int64_t number, const absl::Status& status) {
  return WithReason(
      absl::Status(status.code(), absl::StrCat("line ", number, ": ", status.message())),
      ReasonOf(status).value_or(Reason::kRequestMalformed), DetailsOf(status));
}

}  // namespace

absl::StatusOr<v1::ReconciliationHeader> HeaderOf(
    const std::vector<v1::SubmitReconciliationRequest>& parts) {
  if (parts.empty() || !parts[0].has_header()) {
    return Malformed("the first message must be the header");
  }
  const v1::ReconciliationHeader& header = parts[0].header();
  int64_t count = 0;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!parts[i].has_lines()) return Malformed("a message after the first is not lines");
    if (parts[i].lines().lines_size() > kMaxLinesOfPart) {
      return Malformed("a message has more than 10,000 lines");
    }
    count += parts[i].lines().lines_size();
  }
  if (count != header.line_count() || count > kMaxLines) {
    return Malformed(
        absl::StrCat("the header says ", header.line_count(), " lines, and ", count, " came"));
  }
  if (header.tolerance_points() < 0 || header.total_tolerance_points() < 0) {
    return Malformed("a tolerance is negative");
  }
  return header;
}

absl::StatusOr<SubmittedView> ReadView(const std::vector<v1::SubmitReconciliationRequest>& parts,
                                       PartnerId partner, const std::string& slug) {
  const v1::ReconciliationHeader& header = parts[0].header();
  SubmittedView view;
  view.tolerances = {Points(header.tolerance_points()), Points(header.total_tolerance_points())};
  for (const int item : header.complete_items()) {
    GUILDER_ASSIGN_OR_RETURN(const ReconciledItem complete,
                             FromProto(static_cast<v1::ReconciledItem>(item)));
    view.complete.insert(complete);
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const v1::ReconciliationLine& line : parts[i].lines().lines()) {
      absl::StatusOr<SubmittedLine> read = ReadLine(line, partner, slug);
      if (!read.ok()) {
        return InLine(static_cast<int64_t>(view.lines.size()) + 1, read.status());
      }
      view.lines.push_back(*std::move(read));
    }
  }
  return view;
}

Digest FingerprintOf(const std::vector<v1::SubmitReconciliationRequest>& parts) {
  Encoder content;
  content.Unsigned(1).Bytes(parts[0].header().SerializeAsString());
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const v1::ReconciliationLine& line : parts[i].lines().lines()) {
      content.Bytes(line.SerializeAsString());
    }
  }
  return Sha256({content.str()});
}

std::optional<RecordPlace> ParseRecord(const std::vector<std::string>& collections,
                                       const std::string& name) {
  for (const std::string& collection : collections) {
    const auto parts = rpc::ParseName(collection + "/{}", name);
    if (!parts) continue;
    const size_t dash = parts->front().find('-');
    if (dash == std::string::npos) return std::nullopt;
    const auto book = rpc::ParseNumber(std::string_view(parts->front()).substr(0, dash));
    const auto number = rpc::ParseNumber(std::string_view(parts->front()).substr(dash + 1));
    if (!book || !number || *book > 65'535) return std::nullopt;
    return RecordPlace{BookId(static_cast<int32_t>(*book)), RecordNumber(*number)};
  }
  return std::nullopt;
}

}  // namespace guilder::settlement
