// What a settlement says: lines, nets, obligations and money entries, from facts of its windows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/netting/netting.h"

namespace guilder::settlement {

// 1, 2, 3 … without gaps.
using SettlementId = StrongId<struct SettlementTag, int32_t>;

// The life of a settlement. Names are those of settlement.settlements.state.
enum class State {
  kComputed,
  kApproved,
  kInstructed,  // The payments of all that it pays are with the bank.
  kSettled,     // Nothing of it is open.
};
std::string_view StateName(State state);
std::optional<State> StateFromName(std::string_view name);

// "ISSUANCE", "REIMBURSEMENT", "FEE", "RESERVE", "BREAKAGE", "POINT_BLOCK".
std::string_view LegName(netting::MoneyLeg leg);
std::optional<netting::MoneyLeg> LegFromName(std::string_view name);

struct Settlement {
  SettlementId id;
  State state = State::kComputed;
  Currency currency{};
  // [start, end): consecutive windows.
  Timestamp start;
  Timestamp end;
  std::string computed_by;
  std::string approved_by;
  std::optional<Timestamp> approved_at;
  std::string digest;  // As DigestOf gave it when it was computed.
};

// Points that moved under one contract version.
struct MovedPoints {
  ContractId contract;
  ledger::Movement movement = ledger::Movement::kNone;
  // In the settlement's windows.
  Points settled;
  // In all windows up to its end.
  Points cumulative;
};

// What became of the points of one version's lots, up to the settlement's end.
struct LotTotals {
  ContractId contract;
  Points redeemed;
  Points expired;
};

// Everything that a settlement follows from.
struct Facts {
  int currency_exponent = 2;
  std::vector<netting::Terms> terms;
  std::vector<MovedPoints> moved;
  // By all settlements before it.
  std::vector<netting::Billed> billed_before;
  std::vector<LotTotals> lots{};
  std::vector<netting::Released> released_before{};
  std::vector<netting::PointBlock> point_blocks{};
  std::vector<netting::PartnerTerms> partners{};
};

// A line and its place in the settlement: 1, 2, 3 …
struct Line {
  int number = 0;
  netting::Line bill;
  int64_t tax_ppm = 0;
  friend bool operator==(const Line&, const Line&) = default;
};

// What one partner's lines come to. A positive net is paid to the partner.
struct Net {
  PartnerId partner;
  Points issued;
  Points reversed;
  Points redeemed;  // Less refunds.
  MinorUnits issuance;
  MinorUnits reimbursement;
  MinorUnits fee;
  // On issuance, point blocks and fee, less the tax on reimbursement and breakage.
  MinorUnits tax;
  MinorUnits net;
  MinorUnits reserve{};
  MinorUnits breakage{};
  MinorUnits point_blocks{};
  // What it was owed before, and is owed afterwards, without an obligation.
  MinorUnits carried_in{};
  MinorUnits carried_out{};
  friend bool operator==(const Net&, const Net&) = default;
};

struct Computation {
  std::vector<Line> lines;
  std::vector<Net> nets;
  std::vector<netting::Obligation> obligations;
  std::vector<netting::MoneyEntry> entries;
};

// SHA-256 over everything that an approver looks at: number, currency, windows, lines and nets.
std::string DigestOf(const Settlement& settlement, const Computation& computation);

// Pure: the same facts give the same computation. Errors: as netting::Settle.
absl::StatusOr<Computation> Compute(const Facts& facts);

// "GLD-12-7": what a payment carries from the file to the statements of both banks.
std::string EndToEndId(SettlementId settlement, PartnerId partner);

}  // namespace guilder::settlement
