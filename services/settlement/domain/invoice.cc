#include "services/settlement/domain/invoice.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "libs/base/text.h"

namespace guilder::settlement {
namespace {

using netting::MoneyLeg;

// Millionths as a decimal without needless zeros: 10,000 is "0.01".
std::string Decimal(int64_t micros) {
  std::string text = FormatAmount(MinorUnits(micros), 6);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

InvoiceKind KindOf(MoneyLeg leg) {
  // What the partner is paid for is billed in its name.
  return leg == MoneyLeg::kReimbursement || leg == MoneyLeg::kBreakage ? InvoiceKind::kSelfBilled
                                                                       : InvoiceKind::kInvoice;
}

}  // namespace

std::string_view InvoiceKindName(InvoiceKind kind) {
  return kind == InvoiceKind::kInvoice ? "INVOICE" : "SELF_BILLED";
}

std::optional<InvoiceKind> InvoiceKindFromName(std::string_view name) {
  for (const InvoiceKind kind : {InvoiceKind::kInvoice, InvoiceKind::kSelfBilled}) {
    if (InvoiceKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string InvoiceNumber(InvoiceKind kind, int year, int number) {
  return absl::StrFormat("%s-%04d-%06d", kind == InvoiceKind::kInvoice ? "INV" : "SB", year,
                         number);
}

std::vector<InvoiceDraft> DraftInvoices(const std::vector<Line>& lines) {
  std::map<std::pair<InvoiceKind, PartnerId>, InvoiceDraft> drafts;
  for (const Line& line : lines) {
    // Of a fee that comes to nothing there is no document.
    if (line.bill.leg == MoneyLeg::kFee && line.bill.amount == MinorUnits() &&
        line.bill.tax == MinorUnits()) {
      continue;
    }
    const InvoiceKind kind = KindOf(line.bill.leg);
    InvoiceDraft& draft = drafts[{kind, line.bill.partner}];
    draft.kind = kind;
    draft.partner = line.bill.partner;
    draft.lines.push_back(line.number);
    draft.net += line.bill.amount;
    draft.tax += line.bill.tax;
  }
  std::vector<InvoiceDraft> sorted;
  for (auto& [key, draft] : drafts) sorted.push_back(std::move(draft));
  return sorted;
}

std::vector<TaxSum> SumTaxes(const std::vector<Line>& lines) {
  std::map<std::pair<std::string, int64_t>, TaxSum> sums;
  for (const Line& line : lines) {
    if (line.bill.tax_code.empty()) continue;
    TaxSum& sum = sums[{line.bill.tax_code, line.tax_ppm}];
    sum.code = line.bill.tax_code;
    sum.ppm = line.tax_ppm;
    sum.base += line.bill.amount;
    sum.tax += line.bill.tax;
  }
  std::vector<TaxSum> sorted;
  for (auto& [key, sum] : sums) sorted.push_back(std::move(sum));
  return sorted;
}

int64_t RateOf(const Line& line, const netting::Terms& terms) {
  if (line.bill.leg == MoneyLeg::kFee) return terms.fee_micros_per_point;
  const bool was_paid_for =
      line.bill.leg == MoneyLeg::kIssuance && terms.funding == netting::Funding::kPrepaid;
  return was_paid_for ? 0 : terms.rate_micros;
}

std::string LineText(const Line& line, const netting::Terms& terms, const Currency& currency) {
  const std::string unit = FormatCurrency(currency);
  const int64_t points = line.bill.points.value();
  switch (line.bill.leg) {
    case MoneyLeg::kIssuance:
      if (terms.funding == netting::Funding::kPrepaid) {
        return absl::StrCat(points, " points issued, PREPAID");
      }
      return absl::StrCat(points,
                          terms.funding == netting::Funding::kPostpaid ? " points issued at "
                                                                       : " issued points spent at ",
                          Decimal(terms.rate_micros), " ", unit);
    case MoneyLeg::kReimbursement:
      return absl::StrCat(points, " points redeemed at ", Decimal(terms.rate_micros), " ", unit);
    case MoneyLeg::kReserve:
      return absl::StrCat("Reserve of ", Decimal(terms.reserve_ppm * 100), " % on ", points,
                          " points outstanding");
    case MoneyLeg::kBreakage:
      return absl::StrCat(Decimal(terms.breakage_ppm * 100), " % of ", points,
                          " points expired, at ", Decimal(terms.rate_micros), " ", unit);
    case MoneyLeg::kPointBlock:
      return absl::StrCat(points, " points sold in advance at ", Decimal(terms.rate_micros), " ",
                          unit);
    case MoneyLeg::kFee:
      break;
  }
  std::vector<std::string> parts;
  if (terms.fee_ppm != 0) parts.push_back(absl::StrCat(Decimal(terms.fee_ppm * 100), " %"));
  if (terms.fee_micros_per_point != 0) {
    parts.push_back(absl::StrCat(Decimal(terms.fee_micros_per_point), " ", unit, " a point"));
  }
  std::string fee;
  for (const std::string& part : parts) absl::StrAppend(&fee, fee.empty() ? "" : " and ", part);
  if (terms.fee_per_window != MinorUnits()) {
    absl::StrAppend(&fee, fee.empty() ? "" : " and ", "a fixed one for each window");
  }
  return absl::StrCat(
      "Fee of ", fee, " on ", points,
      terms.kind == netting::ContractKind::kIssuance ? " points issued" : " points redeemed");
}

}  // namespace guilder::settlement
