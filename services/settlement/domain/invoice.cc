#include "services/settlement/domain/invoice.h"

#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

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

constexpr struct {
  InvoiceKind kind;
  std::string_view name;
  const char* letters;
} kKinds[] = {{InvoiceKind::kCreditNote, "CREDIT_NOTE", "CN"},
              {InvoiceKind::kInvoice, "INVOICE", "INV"},
              {InvoiceKind::kSelfBilled, "SELF_BILLED", "SB"}};

std::string MoneyIn(MinorUnits amount, const Currency& currency, int exponent) {
  return absl::StrCat(FormatAmount(amount, exponent), " ", FormatCurrency(currency));
}

std::string FeeText(const Line& fee, const netting::FeeParts& parts, const netting::Terms& terms,
                    const Currency& currency, int exponent) {
  std::vector<std::string> texts;
  if (terms.fee_ppm != 0) {
    texts.push_back(absl::StrCat(PercentText(terms.fee_ppm), " (",
                                 MoneyIn(parts.by_amount, currency, exponent), ")"));
  }
  if (terms.fee_micros_per_point != 0) {
    texts.push_back(absl::StrCat(Decimal(terms.fee_micros_per_point), " ", FormatCurrency(currency),
                                 " a point (", MoneyIn(parts.by_points, currency, exponent), ")"));
  }
  if (terms.fee_per_window != MinorUnits()) {
    texts.push_back(absl::StrCat(MoneyIn(terms.fee_per_window, currency, exponent), " for each of ",
                                 parts.windows, parts.windows == 1 ? " window (" : " windows (",
                                 MoneyIn(parts.by_windows, currency, exponent), ")"));
  }
  return absl::StrCat(
      "Fee of ", texts.empty() ? "nothing" : absl::StrJoin(texts, " and "), " on ",
      fee.bill.points.value(),
      terms.kind == netting::ContractKind::kIssuance ? " points issued" : " points redeemed");
}

// What the line's points alone would come to; nothing for fees, whose text has the parts.
std::optional<MinorUnits> SimpleAmount(const Line& line, const netting::Terms& terms,
                                       int exponent) {
  if (line.bill.leg == MoneyLeg::kFee) return std::nullopt;
  absl::StatusOr<MinorUnits> amount =
      netting::PriceOfPoints(line.bill.points, RateOf(line, terms), exponent);
  if (amount.ok() && line.bill.leg == MoneyLeg::kReserve) {
    amount = netting::ShareOfAmount(*amount, terms.reserve_ppm);
  }
  if (amount.ok() && line.bill.leg == MoneyLeg::kBreakage) {
    amount = netting::ShareOfAmount(*amount, terms.breakage_ppm);
  }
  return amount.ok() ? std::optional(*amount) : std::nullopt;
}

}  // namespace

InvoiceKind KindOf(MoneyLeg leg) {
  // What the partner is paid for is billed in its name.
  return leg == MoneyLeg::kReimbursement || leg == MoneyLeg::kBreakage ? InvoiceKind::kSelfBilled
                                                                       : InvoiceKind::kInvoice;
}

bool IsCredit(const Line& line) {
  return line.bill.amount < MinorUnits() ||
         (line.bill.amount == MinorUnits() && line.bill.tax < MinorUnits());
}

std::string_view InvoiceKindName(InvoiceKind kind) {
  for (const auto& text : kKinds) {
    if (text.kind == kind) return text.name;
  }
  return "";
}

std::optional<InvoiceKind> InvoiceKindFromName(std::string_view name) {
  for (const auto& text : kKinds) {
    if (text.name == name) return text.kind;
  }
  return std::nullopt;
}

std::string InvoiceNumber(InvoiceKind kind, int year, int number) {
  for (const auto& text : kKinds) {
    if (text.kind == kind) return absl::StrFormat("%s-%04d-%06d", text.letters, year, number);
  }
  return "";
}

std::vector<InvoiceDraft> DraftInvoices(const std::vector<Line>& lines,
                                        const std::map<int, std::string>& credited) {
  // What is credited is kept apart by document, and by kind where there is none.
  std::map<std::tuple<InvoiceKind, PartnerId, std::string, InvoiceKind>, InvoiceDraft> drafts;
  for (const Line& line : lines) {
    // Of a fee that comes to nothing there is no document.
    if (line.bill.leg == MoneyLeg::kFee && line.bill.amount == MinorUnits() &&
        line.bill.tax == MinorUnits()) {
      continue;
    }
    const bool credit = IsCredit(line);
    const InvoiceKind bills = KindOf(line.bill.leg);
    const InvoiceKind kind = credit ? InvoiceKind::kCreditNote : bills;
    const auto found = credit ? credited.find(line.number) : credited.end();
    const std::string number = found == credited.end() ? "" : found->second;
    InvoiceDraft& draft = drafts[{kind, line.bill.partner, number, bills}];
    draft.kind = kind;
    draft.partner = line.bill.partner;
    draft.credited = number;
    draft.lines.push_back(line.number);
    draft.net += credit ? -line.bill.amount : line.bill.amount;
    draft.tax += credit ? -line.bill.tax : line.bill.tax;
  }
  std::vector<InvoiceDraft> sorted;
  for (auto& [key, draft] : drafts) sorted.push_back(std::move(draft));
  return sorted;
}

std::vector<TaxSum> SumTaxes(const std::vector<Line>& lines) {
  std::map<std::pair<std::string, int64_t>, TaxSum> sums;
  for (const Line& line : lines) {
    if (line.bill.tax_code.empty() && line.bill.amount == MinorUnits()) continue;
    TaxSum& sum = sums[{line.bill.tax_code, line.tax_ppm}];
    sum.code = line.bill.tax_code;
    sum.ppm = line.tax_ppm;
    sum.base += line.bill.amount;
    sum.tax += line.bill.tax;
    ++sum.lines;
  }
  std::vector<TaxSum> sorted;
  for (auto& [key, sum] : sums) sorted.push_back(std::move(sum));
  return sorted;
}

std::string PercentText(int64_t ppm) {
  return Decimal(ppm * 100) + " %";
}

netting::FeeParts FeePartsOf(const Line& fee, const std::vector<Line>& lines,
                             const netting::Terms& terms, int currency_exponent) {
  const netting::Line* billed = nullptr;
  for (const Line& line : lines) {
    const bool priced =
        line.bill.leg == MoneyLeg::kIssuance || line.bill.leg == MoneyLeg::kReimbursement;
    if (priced && line.bill.contract == fee.bill.contract) billed = &line.bill;
  }
  const absl::StatusOr<netting::FeeParts> parts =
      netting::PartsOfFee(fee.bill, billed, terms, currency_exponent);
  // It was computed out of the same, so it is in range.
  return parts.ok() ? *parts : netting::FeeParts{};
}

int64_t RateOf(const Line& line, const netting::Terms& terms) {
  if (line.bill.leg == MoneyLeg::kFee) return terms.fee_micros_per_point;
  const bool was_paid_for =
      line.bill.leg == MoneyLeg::kIssuance && terms.funding == netting::Funding::kPrepaid;
  return was_paid_for ? 0 : terms.rate_micros;
}

std::string LineText(const Line& line, const std::vector<Line>& lines, const netting::Terms& terms,
                     const Currency& currency, int currency_exponent) {
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
      return absl::StrCat("Reserve of ", PercentText(terms.reserve_ppm), " on ", points,
                          " points outstanding, at ", Decimal(terms.rate_micros), " ", unit);
    case MoneyLeg::kBreakage:
      return absl::StrCat(PercentText(terms.breakage_ppm), " of ", points, " points expired, at ",
                          Decimal(terms.rate_micros), " ", unit);
    case MoneyLeg::kPointBlock:
      return absl::StrCat(points, " points sold in advance at ", Decimal(terms.rate_micros), " ",
                          unit);
    case MoneyLeg::kFee:
      break;
  }
  return FeeText(line, FeePartsOf(line, lines, terms, currency_exponent), terms, currency,
                 currency_exponent);
}

std::string RoundingText(const Line& line, const netting::Terms& terms, const Currency& currency,
                         int currency_exponent) {
  const netting::Line& bill = line.bill;
  const auto money = [&](MinorUnits amount) {
    return MoneyIn(amount, currency, currency_exponent);
  };
  std::string text;
  const std::optional<MinorUnits> simple = SimpleAmount(line, terms, currency_exponent);
  if (simple && *simple != bill.amount) {
    text = absl::StrCat("All ", bill.cumulative_points.value(), " points so far come to ",
                        money(bill.cumulative_amount), ", of it ",
                        money(bill.cumulative_amount - bill.amount), " before");
  }
  const absl::StatusOr<MinorUnits> tax = netting::ShareOfAmount(bill.amount, line.tax_ppm);
  if (tax.ok() && *tax != bill.tax) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", PercentText(line.tax_ppm), " of ",
                    money(bill.cumulative_amount), " billed so far: ", money(bill.cumulative_tax),
                    ", of it ", money(bill.cumulative_tax - bill.tax), " before");
  }
  return text;
}

}  // namespace guilder::settlement
