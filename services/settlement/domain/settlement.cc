#include "services/settlement/domain/settlement.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using netting::MoneyLeg;

struct StateText {
  State state;
  std::string_view name;
};
constexpr StateText kStates[] = {{State::kComputed, "COMPUTED"},
                                 {State::kApproved, "APPROVED"},
                                 {State::kInstructed, "INSTRUCTED"},
                                 {State::kSettled, "SETTLED"}};

struct LegText {
  MoneyLeg leg;
  std::string_view name;
};
constexpr LegText kLegs[] = {
    {MoneyLeg::kIssuance, "ISSUANCE"}, {MoneyLeg::kReimbursement, "REIMBURSEMENT"},
    {MoneyLeg::kFee, "FEE"},           {MoneyLeg::kReserve, "RESERVE"},
    {MoneyLeg::kBreakage, "BREAKAGE"}, {MoneyLeg::kPointBlock, "POINT_BLOCK"}};

// Where netting counts a movement; nullptr for those that no money follows from.
Points netting::Movements::*PlaceOf(Movement movement) {
  switch (movement) {
    case Movement::kIssued:
      return &netting::Movements::issued;
    case Movement::kActivated:
      return &netting::Movements::activated;
    case Movement::kReversedPending:
      return &netting::Movements::reversed_pending;
    case Movement::kReversed:
      return &netting::Movements::reversed;
    case Movement::kRedeemed:
      return &netting::Movements::redeemed;
    case Movement::kRefunded:
      return &netting::Movements::refunded;
    case Movement::kExpired:
    case Movement::kExpiredPending:
    case Movement::kReinstated:
    case Movement::kNone:
      break;
  }
  return nullptr;
}

void Count(const MovedPoints& moved, Net& net) {
  switch (moved.movement) {
    case Movement::kIssued:
      net.issued += moved.settled;
      break;
    case Movement::kReversedPending:
    case Movement::kReversed:
      net.reversed += moved.settled;
      break;
    case Movement::kRedeemed:
      net.redeemed += moved.settled;
      break;
    case Movement::kRefunded:
      net.redeemed -= moved.settled;
      break;
    default:
      break;
  }
}

netting::TaxTerms TaxOf(MoneyLeg leg, const netting::Terms& terms) {
  if (leg == MoneyLeg::kReserve) return {};
  return leg == MoneyLeg::kFee ? terms.fee_tax : terms.tax;
}

}  // namespace

std::string_view StateName(State state) {
  for (const StateText& text : kStates) {
    if (text.state == state) return text.name;
  }
  return "";
}

std::optional<State> StateFromName(std::string_view name) {
  for (const StateText& text : kStates) {
    if (text.name == name) return text.state;
  }
  return std::nullopt;
}

std::string_view LegName(MoneyLeg leg) {
  for (const LegText& text : kLegs) {
    if (text.leg == leg) return text.name;
  }
  return "";
}

std::optional<MoneyLeg> LegFromName(std::string_view name) {
  for (const LegText& text : kLegs) {
    if (text.name == name) return text.leg;
  }
  return std::nullopt;
}

std::string DigestOf(const Settlement& settlement, const Computation& computation) {
  std::string content = absl::StrCat("settlement/2\n", settlement.id.value(), "\n",
                                     FormatCurrency(settlement.currency), "\n",
                                     settlement.start.value(), "\n", settlement.end.value());
  for (const Line& line : computation.lines) {
    const netting::Line& bill = line.bill;
    absl::StrAppend(&content, "\nline\t", line.number, "\t", bill.partner.value(), "\t",
                    bill.contract.value(), "\t", ToAbsl(LegName(bill.leg)), "\t");
    absl::StrAppend(&content, bill.points.value(), "\t", bill.cumulative_points.value(), "\t",
                    bill.amount.value(), "\t", bill.tax_code, "\t");
    absl::StrAppend(&content, line.tax_ppm, "\t", bill.tax.value());
  }
  for (const Net& net : computation.nets) {
    absl::StrAppend(&content, "\nnet\t", net.partner.value(), "\t", net.issued.value(), "\t",
                    net.reversed.value(), "\t", net.redeemed.value(), "\t");
    absl::StrAppend(&content, net.issuance.value(), "\t", net.reimbursement.value(), "\t",
                    net.fee.value(), "\t", net.tax.value(), "\t", net.net.value(), "\t");
    absl::StrAppend(&content, net.reserve.value(), "\t", net.breakage.value(), "\t",
                    net.point_blocks.value(), "\t", net.carried_in.value(), "\t");
    absl::StrAppend(&content, net.carried_out.value());
  }
  return std::string(AsView(Sha256({content})));
}

absl::StatusOr<Computation> Compute(const Facts& facts) {
  std::map<ContractId, const netting::Terms*> terms_of;
  for (const netting::Terms& terms : facts.terms) terms_of[terms.contract] = &terms;

  netting::Input input;
  input.currency_exponent = facts.currency_exponent;
  input.terms = facts.terms;
  input.billed_before = facts.billed_before;
  input.released_before = facts.released_before;
  input.point_blocks = facts.point_blocks;
  input.partners = facts.partners;
  for (const LotTotals& lots : facts.lots) {
    netting::Movements& movements = input.movements.emplace_back();
    movements.contract = lots.contract;
    movements.lots_redeemed = lots.redeemed;
    movements.lots_expired = lots.expired;
  }
  std::map<PartnerId, Net> nets;
  for (const MovedPoints& moved : facts.moved) {
    const auto place = PlaceOf(moved.movement);
    if (place == nullptr) continue;
    netting::Movements& movements = input.movements.emplace_back();
    movements.contract = moved.contract;
    movements.*place = moved.cumulative;
    const auto terms = terms_of.find(moved.contract);
    if (terms != terms_of.end()) Count(moved, nets[terms->second->partner]);
  }
  GUILDER_ASSIGN_OR_RETURN(netting::Settlement settled, netting::Settle(input));

  Computation computation;
  for (netting::Line& line : settled.lines) {
    const netting::Terms& terms = *terms_of.at(line.contract);
    const int64_t ppm = TaxOf(line.leg, terms).ppm;
    const int number = static_cast<int>(computation.lines.size()) + 1;
    computation.lines.push_back({number, std::move(line), ppm});
  }
  for (const netting::PartnerTotal& total : settled.partners) {
    Net net = nets[total.partner];
    net.partner = total.partner;
    net.issuance = total.issuance;
    net.reimbursement = total.reimbursement;
    net.fee = total.fee;
    net.tax = total.issuance_tax + total.point_blocks_tax + total.fee_tax -
              total.reimbursement_tax - total.breakage_tax;
    net.net = total.net;
    net.reserve = total.reserve;
    net.breakage = total.breakage;
    net.point_blocks = total.point_blocks;
    net.carried_in = total.carried_in;
    net.carried_out = total.carried_out;
    computation.nets.push_back(net);
  }
  computation.obligations = std::move(settled.obligations);
  computation.entries = std::move(settled.entries);
  return computation;
}

std::string EndToEndId(SettlementId settlement, PartnerId partner) {
  return absl::StrCat("GLD-", settlement.value(), "-", partner.value());
}

}  // namespace guilder::settlement
