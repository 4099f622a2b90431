#include "services/accrual/domain/return.h"

#include <algorithm>
#include <numeric>
#include <utility>

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

// The lines of a return as lines of its sale.
struct FoundLines {
  std::vector<ReturnLine> lines;
  std::vector<size_t> asked;        // parallel to `lines`: which line of the return it is
  std::vector<int64_t> quantities;  // parallel to the sale's lines
};

absl::Status Exceeds(const std::string& line, int64_t returnable) {
  return Refuse(Reason::kReturnExceedsSale, absl::StrCat("line ", line),
                {{"returnable_quantity", absl::StrCat(returnable)}});
}

// Takes the sale's lines of a sku in their order.
absl::Status FindBySku(const Sale& sale, const ReturnLine& line, size_t asked,
                       std::vector<int64_t>& left, FoundLines& found) {
  const std::vector<PurchaseLine>& lines = sale.recorded.purchase.lines;
  int64_t wanted = line.quantity;
  int64_t returnable = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].sku != line.sku || left[i] == 0) continue;
    returnable += left[i];
    const int64_t taken = std::min(wanted, left[i]);
    if (taken == 0) continue;
    wanted -= taken;
    left[i] -= taken;
    found.quantities[i] += taken;
    found.lines.push_back({lines[i].line_id, taken, line.sku});
    found.asked.push_back(asked);
  }
  return wanted == 0 ? absl::OkStatus() : Exceeds(line.sku, returnable);
}

absl::StatusOr<FoundLines> FindLines(const Sale& sale, const Return& returned,
                                     const std::vector<int64_t>& before) {
  const std::vector<PurchaseLine>& lines = sale.recorded.purchase.lines;
  const auto has_sku = [&lines](const std::string& sku) {
    return std::any_of(lines.begin(), lines.end(),
                       [&sku](const PurchaseLine& line) { return line.sku == sku; });
  };
  for (const ReturnLine& line : returned.lines) {
    const bool there =
        line.line_id.empty() ? has_sku(line.sku) : IndexOfLine(sale, line.line_id) < lines.size();
    if (there) continue;
    return Refuse(Reason::kPurchaseLineNotFound,
                  absl::StrCat("line ", line.line_id.empty() ? line.sku : line.line_id));
  }
  FoundLines found;
  found.quantities.assign(lines.size(), 0);
  std::vector<int64_t> left(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) left[i] = lines[i].quantity - before[i];
  for (size_t asked = 0; asked < returned.lines.size(); ++asked) {
    const ReturnLine& line = returned.lines[asked];
    if (line.line_id.empty()) {
      GUILDER_RETURN_IF_ERROR(FindBySku(sale, line, asked, left, found));
      continue;
    }
    const size_t i = IndexOfLine(sale, line.line_id);
    if (line.quantity > left[i]) return Exceeds(line.line_id, left[i]);
    left[i] -= line.quantity;
    found.quantities[i] += line.quantity;
    found.lines.push_back(line);
    found.asked.push_back(asked);
  }
  return found;
}

// What each line of the return took back: where several took of one line of the sale, what they
// took one after the other.
std::vector<Points> PointsOfLines(const Sale& sale, const FoundLines& found, size_t asked,
                                  const TakenBack& before, const TakenBack& after) {
  std::vector<Points> points(asked, Points(0));
  std::vector<int64_t> taken = before.quantities;
  std::vector<Points> given(before.line_points.size(), Points(0));
  std::vector<size_t> last(before.line_points.size(), 0);
  for (size_t i = 0; i < found.lines.size(); ++i) {
    const size_t line = IndexOfLine(sale, found.lines[i].line_id);
    const Points most = after.line_points[line] - before.line_points[line] - given[line];
    const Points part =
        std::min(most, rules::ReversalOfLine(sale.recorded.outcome.line_points[line],
                                             sale.recorded.purchase.lines[line].quantity,
                                             taken[line], found.lines[i].quantity));
    taken[line] += found.lines[i].quantity;
    given[line] += part;
    last[line] = found.asked[i] + 1;
    points[found.asked[i]] += part;
  }
  // A bonus that a line loses whole is the last one's that returned of it.
  for (size_t line = 0; line < last.size(); ++line) {
    if (last[line] == 0) continue;
    points[last[line] - 1] += after.line_points[line] - before.line_points[line] - given[line];
  }
  return points;
}

// Gives points back to the lots that paid, as far as no refund has done so already.
void Restore(const Sale& sale, Points points, Timestamp grace_until, ReturnOutcome& outcome,
             ledger::Posting& posting) {
  if (points == Points(0)) return;
  for (const ledger::Hold& hold : posting.account().holds) {
    if (hold.number != sale.recorded.purchase.redemption) continue;
    outcome.restored = std::min(points, hold.captured() - hold.refunded());
    break;
  }
  if (outcome.restored <= Points(0)) return;
  // Its refusals are those that were looked at above.
  const absl::Status restored = ledger::DecideRefund(
      posting, sale.partner, sale.recorded.purchase.redemption, outcome.restored, grace_until);
  if (!restored.ok()) outcome.restored = Points(0);
}

// A partner gives the member what is owed, which repays it at once. Goods come back whatever it may
// still give: false when it cannot.
bool Give(Points owed, PartnerId payer, ContractId contract, const ReturnTerms& terms,
          ledger::Posting& posting) {
  if (terms.payer_exhausted || !contract) return false;
  return ledger::DecideEarn(
             posting,
             {.issuer = payer, .contract = contract, .points = owed, .activates_at = posting.now()})
      .ok();
}

bool GiveByOperator(Points owed, const ReturnTerms& terms, ReturnOutcome& outcome,
                    ledger::Posting& posting) {
  const ledger::Partner* const payer = terms.configuration.operator_partner();
  const ledger::Contract* const contract =
      payer == nullptr ? nullptr
                       : payer->ContractAt(ledger::ContractKind::kIssuance, posting.now());
  if (contract == nullptr || !Give(owed, payer->id, contract->id, terms, posting)) return false;
  outcome.written_off = owed;
  outcome.payer = payer->id;
  return true;
}

// Takes points back from a lot. Gives what is owed more, or where `spare_owed` what would be and is
// not taken back.
absl::StatusOr<Points> TakeFromLot(LotId lot, Points points, bool spare_owed,
                                   ledger::Posting& posting) {
  ledger::Posting trial = posting;
  GUILDER_ASSIGN_OR_RETURN(const Points owed, ledger::DecideReverse(trial, lot, points));
  if (!spare_owed || owed <= Points(0)) {
    posting = std::move(trial);
    return spare_owed ? Points(0) : owed;
  }
  GUILDER_RETURN_IF_ERROR(ledger::DecideReverse(posting, lot, points - owed).status());
  return owed;
}

// What the member owes for points that were taken back, and what it would for those that were
// spared.
struct Owed {
  Points owed;
  Points spared;
};

// The same for all lots of a sale; where `spare_owed`, those of the seller are spared, as far as
// they would be owed.
absl::StatusOr<Owed> TakeFromLots(const Sale& sale, const TakenBack& before, const TakenBack& after,
                                  bool spare_owed, ledger::Posting& posting) {
  Owed owed;
  if (after.parts.empty()) {
    const Points points = after.points() - before.points();
    GUILDER_ASSIGN_OR_RETURN(const Points owed_of_lot,
                             TakeFromLot(LotOf(sale), points, spare_owed, posting));
    (spare_owed ? owed.spared : owed.owed) = owed_of_lot;
    return owed;
  }
  for (size_t part = 0; part < after.parts.size(); ++part) {
    const PartnerId issuer = sale.recorded.outcome.parts[part].issuer;
    const bool spared = spare_owed && (!issuer || issuer == sale.partner);
    Points points;
    for (size_t line = 0; line < after.parts[part].size(); ++line) {
      points += after.parts[part][line] - before.parts[part][line];
    }
    GUILDER_ASSIGN_OR_RETURN(const Points owed_of_lot,
                             TakeFromLot(LotOf(sale, part), points, spared, posting));
    (spared ? owed.spared : owed.owed) += owed_of_lot;
  }
  return owed;
}

// Pending points, then available ones, then as the policy says.
absl::Status TakeBack(const Sale& sale, const ReturnTerms& terms, const TakenBack& after,
                      ReturnOutcome& outcome, ledger::Posting& posting) {
  const Points pending_before = posting.account().pending;
  const rules::Policies& policies = terms.sale.policies();
  // The selling partner stays billed for what the member spent and it pays for: those points are
  // not taken back.
  const bool by_operator = policies.spent_points == rules::SpentPoints::kWrittenOff &&
                           policies.write_off_payer == rules::FunderKind::kOperator;
  const bool by_seller = policies.spent_points != rules::SpentPoints::kOwed && !by_operator;
  GUILDER_ASSIGN_OR_RETURN(Owed taken, TakeFromLots(sale, terms.before, after, by_seller, posting));
  const Points owed = std::max(taken.owed, Points(0));
  Points paid = std::max(taken.spared, Points(0));
  outcome.pending = pending_before - posting.account().pending;
  if (owed > Points(0)) {
    // Other funders get theirs back: what the member spent of it becomes the seller's to pay.
    const bool by_seller_too =
        by_seller && Give(owed, sale.partner, sale.recorded.outcome.contract, terms, posting);
    if (by_seller_too) {
      paid += owed;
    } else if (!by_operator || !GiveByOperator(owed, terms, outcome, posting)) {
      outcome.owed = owed;
    }
  }
  if (paid == Points(0)) return absl::OkStatus();
  outcome.payer = sale.partner;
  if (policies.spent_points == rules::SpentPoints::kWrittenOff) {
    outcome.written_off = paid;
  } else {
    outcome.deducted = paid;
    outcome.deduction = terms.configuration.Price(paid, policies.deduction_rate_micros,
                                                  terms.configuration.programme().currency);
  }
  return absl::OkStatus();
}

void AddCounted(const Sale& sale, const ReturnTerms& terms, const TakenBack& after,
                ReturnOutcome& outcome) {
  const DatedRuleSet* const set = terms.sale.rule_set();
  if (set == nullptr) return;
  for (const CountedCap& cap : CountedCapsOf(*set, sale.partner, sale.recorded.purchase.occurred_at,
                                             terms.configuration.calendar().time_zone())) {
    const Points given = after.caps[cap.cap] - terms.before.caps[cap.cap];
    if (given > Points(0)) outcome.counted.push_back({cap.counter, cap.of_member, -given});
  }
}

// What a part of a sale gave and returns have not taken back. What the member had spent and paid
// for in money is still in its lot: it is not taken a second time.
Points LeftToReverse(const Sale& sale, size_t part, const TakenBack& taken_back,
                     const ledger::Posting& posting) {
  const std::vector<Points>& taken = taken_back.parts[part];
  const Points left = sale.recorded.outcome.parts[part].points() -
                      std::accumulate(taken.begin(), taken.end(), Points(0));
  for (const ledger::Lot& lot : posting.account().lots) {
    if (lot.id == LotOf(sale, part)) return std::min(left, lot.issued - lot.reversed);
  }
  return Points(0);
}

}  // namespace

LotId LotOf(const Sale& sale, size_t part) {
  return ledger::MakeLotId(sale.number, static_cast<int64_t>(part));
}

LotId FirstLotOfReturn(const Sale& sale) {
  return sale.recorded.outcome.captured > Points(0) ? LotId(1) : LotOf(sale);
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
    if (line.line_id.empty() && line.sku.empty()) return malformed("a line has a line_id or a sku");
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
  for (const ReturnLine& line : returned.lines) {
    out.Bytes(line.line_id.empty() ? "\x1F" + line.sku : line.line_id).Signed(line.quantity);
  }
  return out.Take();
}

std::string EncodeRecordedReturn(const Return& returned, const ReturnOutcome& outcome, BookId book,
                                 RecordNumber sale) {
  Return found = returned;
  found.lines = outcome.lines;
  Encoder out;
  out.Raw(EncodeReturn(found, book, sale));
  const bool more = outcome.restored > Points(0) || outcome.payer;
  if (!more) return out.Take();
  out.Unsigned(kFormat)
      .Quantity(outcome.restored)
      .Quantity(outcome.deducted)
      .Quantity(outcome.deduction)
      .Quantity(outcome.written_off)
      .Id(outcome.payer);
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

SaleTerms TermsOfSale(const Sale& sale, const ledger::Configuration& configuration,
                      const RuleBook& rules) {
  const ledger::Partner* const seller = configuration.FindPartner(sale.partner);
  const ledger::Store* store = nullptr;
  if (seller != nullptr) {
    const auto found = seller->stores.find(sale.recorded.purchase.receipt.store);
    if (found != seller->stores.end()) store = &found->second;
  }
  const ledger::Partner* const operator_partner = configuration.operator_partner();
  SaleTerms terms(sale.recorded, sale.partner, store, rules.Find(sale.recorded.outcome.rule_set),
                  operator_partner == nullptr ? PartnerId() : operator_partner->id);
  const ContractId redemption = sale.recorded.outcome.redemption_contract;
  if (seller == nullptr || !redemption) return terms;
  const ledger::Contract* const contract =
      seller->FindContract(ledger::ContractKind::kRedemption, redemption);
  if (contract != nullptr) terms.SetRedemptionContract(configuration, *contract);
  return terms;
}

bool MayBeGivenBySeller(const Sale& sale, const rules::Policies& policies) {
  const bool pays = policies.spent_points == rules::SpentPoints::kDeducted ||
                    (policies.spent_points == rules::SpentPoints::kWrittenOff &&
                     policies.write_off_payer == rules::FunderKind::kStore);
  const std::vector<EarnedPart>& parts = sale.recorded.outcome.parts;
  return pays && std::any_of(parts.begin(), parts.end(), [&sale](const EarnedPart& part) {
           return part.issuer && part.issuer != sale.partner;
         });
}

TakenBack FoldReturns(const Sale& sale, const SaleTerms& terms,
                      const std::vector<Return>& returns) {
  TakenBack state = terms.Nothing();
  for (const Return& returned : returns) {
    std::vector<int64_t> quantities(state.quantities.size(), 0);
    for (const ReturnLine& line : returned.lines) {
      const size_t index = IndexOfLine(sale, line.line_id);
      if (index < quantities.size()) quantities[index] += line.quantity;
    }
    state = terms.After(state, quantities);
  }
  return state;
}

absl::StatusOr<ReturnOutcome> DecideReturn(const Sale& sale, const Return& returned,
                                           const ReturnTerms& terms, ledger::Posting& posting) {
  GUILDER_ASSIGN_OR_RETURN(FoundLines found, FindLines(sale, returned, terms.before.quantities));
  const TakenBack after = terms.sale.After(terms.before, found.quantities);
  ReturnOutcome outcome;
  outcome.line_points = PointsOfLines(sale, found, returned.lines.size(), terms.before, after);
  outcome.lines = std::move(found.lines);
  outcome.points = after.points() - terms.before.points();

  outcome.amount = after.amount - terms.before.amount;
  for (size_t i = 0; i < after.tenders.size(); ++i) {
    outcome.refunds.push_back(after.tenders[i] - terms.before.tenders[i]);
  }
  Restore(sale, after.restored - terms.before.restored,
          terms.configuration.GraceUntil(posting.now()), outcome, posting);
  GUILDER_RETURN_IF_ERROR(TakeBack(sale, terms, after, outcome, posting));
  AddCounted(sale, terms, after, outcome);
  return outcome;
}

absl::StatusOr<Points> DecideConfirmation(const Sale& sale, bool confirmed,
                                          const TakenBack& taken_back, ledger::Posting& posting) {
  // A purchase without points has no lot: there is nothing to confirm, and nothing wrong.
  if (sale.recorded.outcome.points == Points(0)) return Points(0);
  const auto decide = [&](LotId lot) {
    return confirmed ? ledger::DecideConfirm(posting, lot) : ledger::DecideCancel(posting, lot);
  };
  const size_t parts = sale.recorded.outcome.parts.size();
  if (parts == 0) return decide(LotOf(sale));
  // Lots that returns took back whole are not pending any more, nor are those of funders whose
  // contracts make them due earlier.
  Points sum;
  std::vector<size_t> not_pending;
  for (size_t part = 0; part < parts; ++part) {
    const absl::StatusOr<Points> points = decide(LotOf(sale, part));
    if (points.ok()) {
      sum += *points;
    } else {
      not_pending.push_back(part);
    }
  }
  if (sum == Points(0)) return Refuse(Reason::kAlreadyConfirmed);
  if (confirmed) return sum;
  // What is cancelled gives nothing: the others lose what they gave and still have not lost.
  for (const size_t part : not_pending) {
    const Points points = LeftToReverse(sale, part, taken_back, posting);
    GUILDER_RETURN_IF_ERROR(ledger::DecideReverse(posting, LotOf(sale, part), points).status());
    sum += points;
  }
  return sum;
}

}  // namespace guilder::accrual
