// From points to money: what each partner is billed, who pays whom, and how the books show it.
//
// Pure: no clock, input, output or database. The same input gives the same result, to the byte,
// whatever the order of its rows. README.md has the formulas and a worked example.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::netting {

inline constexpr int64_t kMillion = 1'000'000;

enum class ContractKind { kIssuance, kRedemption };

// Which movement makes an issued point billable.
enum class BilledAt { kPosting, kActivation };

// How an issuer pays for its points.
enum class Funding {
  kPostpaid,
  kPrepaid,  // In advance, by blocks of points: what is issued is listed, and costs nothing again.
  kAtRedemption,  // When members spend them, by the lots that they spend.
  kHybrid,        // As kAtRedemption, and a part of the price is kept in reserve until then.
};

// What is billed. An issuance contract bills kIssuance, kReserve, kBreakage, kPointBlock and kFee,
// a redemption contract kReimbursement and kFee. Reimbursement and breakage are paid to the
// partner.
enum class MoneyLeg { kIssuance, kReimbursement, kFee, kReserve, kBreakage, kPointBlock };
inline constexpr int kMoneyLegs = 6;

struct TaxTerms {
  std::string code;  // Empty only when nothing is taxed.
  int64_t ppm = 0;   // Of the amount, in millionths: 190,000 is 19 %.
};

// The money terms of one contract version.
struct Terms {
  ContractId contract;
  PartnerId partner;
  ContractKind kind = ContractKind::kIssuance;
  int64_t rate_micros = 0;  // Micro-units of the major currency per point: 10,000 is 0.01 EUR.
  BilledAt billed_at = BilledAt::kPosting;  // Of issuance contracts only.
  int64_t fee_ppm = 0;                      // Of the issuance or reimbursement, without tax.
  int64_t fee_micros_per_point = 0;         // As rate_micros.
  MinorUnits fee_per_window{};              // For each window in which the version was in force.
  int64_t windows = 0;                      // How many there were so far.
  TaxTerms tax;                             // On the issuance, the reimbursement or the breakage.
  TaxTerms fee_tax;
  Funding funding = Funding::kPostpaid;  // Issuance only.
  int64_t reserve_ppm = 0;   // Of the price of what is outstanding; of Funding::kHybrid only.
  int64_t breakage_ppm = 0;  // Of the price of what expired, paid to the issuer.
  // The issuer has left: it pays for what is outstanding, too, and for nothing afterwards. Of
  // Funding::kAtRedemption and kHybrid.
  bool outstanding_due = false;
};

// Points that moved under one contract version. Rows of one contract are added up, so positions may
// be given per book and window; together they must reach back to the contract's first movement.
struct Movements {
  ContractId contract;
  Points issued;
  Points reversed_pending;  // Taken back before they were activated.
  Points reversed;          // Taken back after they were activated; not in reversed_pending.
  Points activated;
  Points redeemed;
  Points refunded;
  // Of the lots that the version issued: what was spent, whoever took it, less what came back; and
  // what expired, less what was taken back or reinstated.
  Points lots_redeemed{};
  Points lots_expired{};
};

// What an earlier settlement billed. Rows of one contract and leg are added up.
struct Billed {
  ContractId contract;
  MoneyLeg leg = MoneyLeg::kIssuance;
  Points points;
  MinorUnits amount;
  MinorUnits tax;
};

// Points that were sold in advance, at the rate of a version that is funded by blocks.
struct PointBlock {
  ContractId contract;
  // Without those that were credited when it ended.
  Points points;
  // Of these, what its end found unused and was kept.
  Points kept{};
};

// What entries of earlier settlements took out of the liability of one version's points, and what
// they put into it out of the issuer's deposit.
struct Released {
  ContractId contract;
  MinorUnits revenue;
  MinorUnits breakage;
  MinorUnits consumed{};
};

// What a partner brings along, and what is not worth a payment.
struct PartnerTerms {
  PartnerId partner;
  MinorUnits carried_in;      // Owed to it since before. Not negative.
  MinorUnits minimum_payout;  // Less than this is carried forward.
  MinorUnits deposit{};       // What entries of earlier settlements left in its prepaid deposit.
};

struct Input {
  int currency_exponent = 2;  // Digits of the minor unit: 2 for EUR, 0 for JPY; 0 to 6.
  std::vector<Terms> terms;
  std::vector<Movements> movements;
  std::vector<Billed> billed_before;
  std::vector<Released> released_before{};
  // All that were ever sold; those of a partner in the order in which they are used.
  std::vector<PointBlock> point_blocks{};
  std::vector<PartnerTerms>
      partners{};  // Those that have no row carry nothing, and have no minimum.
};

// What this settlement bills for one contract version and leg. Negative amounts are credits. A line
// in which nothing changed is left out.
struct Line {
  PartnerId partner;
  ContractId contract;
  MoneyLeg leg = MoneyLeg::kIssuance;
  Points points;             // Of this settlement.
  Points cumulative_points;  // Including this settlement.
  MinorUnits amount;         // Without tax.
  std::string tax_code;
  MinorUnits tax;
  // Including this settlement: what was billed so far, and the tax on it, rounded once.
  MinorUnits cumulative_amount{};
  MinorUnits cumulative_tax{};
  friend bool operator==(const Line&, const Line&) = default;
};

// What a fee line is made of. The parts add up to its amount.
struct FeeParts {
  MinorUnits by_points;
  MinorUnits by_amount;
  MinorUnits by_windows;
  int64_t windows = 0;
  friend bool operator==(const FeeParts&, const FeeParts&) = default;
};

// The parts of a fee line. `billed` is the line of the same settlement and contract version whose
// amount the fee is on; nullptr where it has none, so that nothing changed. Errors:
// `AMOUNT_OUT_OF_RANGE`.
absl::StatusOr<FeeParts> PartsOfFee(const Line& fee, const Line* billed, const Terms& terms,
                                    int currency_exponent);

// The sums of a partner's lines. Every partner that has terms is listed.
struct PartnerTotal {
  PartnerId partner;
  MinorUnits issuance;
  MinorUnits issuance_tax;
  MinorUnits reimbursement;
  MinorUnits reimbursement_tax;
  MinorUnits fee;
  MinorUnits fee_tax;
  MinorUnits reserve;
  MinorUnits breakage;
  MinorUnits breakage_tax;
  MinorUnits point_blocks;
  MinorUnits point_blocks_tax;
  // Reimbursement, breakage and their taxes, less issuance, point blocks, reserve, fee and their
  // taxes. Positive: paid to the partner.
  MinorUnits net;
  // What it was owed before, and what it is owed afterwards without an obligation. The obligation
  // is of net + carried_in − carried_out.
  MinorUnits carried_in;
  MinorUnits carried_out;

  // All tax that lines of this settlement carry, whoever owes it.
  MinorUnits tax() const {
    return issuance_tax + reimbursement_tax + fee_tax + breakage_tax + point_blocks_tax;
  }
  friend bool operator==(const PartnerTotal&, const PartnerTotal&) = default;
};

enum class Direction { kPartnerPays, kPartnerIsPaid };

// One debt between a partner and the operator. A partner whose net is zero has none.
struct Obligation {
  PartnerId partner;
  Direction direction = Direction::kPartnerPays;
  MinorUnits amount;  // Above zero.
  friend bool operator==(const Obligation&, const Obligation&) = default;
};

// What the money ledger keeps. The first five are kept by partner, tax by code, the others by
// programme; all of them by currency.
enum class AccountKind {
  kPartnerReceivable,  // Billed, and not paid yet.
  kPartnerPayable,     // Owed to the partner.
  kPrepaidDeposit,     // Paid by the partner for points that it has not given yet.
  kReserve,            // Kept back of what the partner is owed.
  kCollateral,         // Given by the partner as a security.
  kPointsLiability,    // What outstanding points were sold for.
  kIssuanceRevenue,
  kRedemptionCost,
  kFees,
  kBreakage,
  kTax,
  kBank,
  kSuspense,  // Money whose owner is not known yet.
  kLosses,
};

// An account of the money ledger.
struct MoneyAccount {
  AccountKind kind = AccountKind::kPointsLiability;
  PartnerId partner;
  std::string tax_code;
  friend auto operator<=>(const MoneyAccount&, const MoneyAccount&) = default;
  friend bool operator==(const MoneyAccount&, const MoneyAccount&) = default;
};

// Why an amount moves.
enum class EntryCause {
  kIssuance,
  kReimbursement,
  kFee,
  kSetOff,
  kReserve,
  kBreakage,
  kPointBlock,   // Points were sold in advance.
  kConsumption,  // Points were given that had been paid for in advance.
  kRelease,      // Points were spent or have expired: what they were sold for is owed no more.
  kPayment,      // Money came in or went out.
  kWriteOff,     // Given up.
  kDefault,      // Taken over by who bears the loss.
};

// Moves an amount from one account to another, so each entry balances by itself.
struct MoneyEntry {
  MoneyAccount debit;
  MoneyAccount credit;
  MinorUnits amount;    // Above zero.
  PartnerId partner;    // Whom it concerns.
  ContractId contract;  // The version that prices it; none for a set-off.
  EntryCause cause = EntryCause::kIssuance;
  bool is_tax = false;
  friend bool operator==(const MoneyEntry&, const MoneyEntry&) = default;
};

struct Settlement {
  std::vector<Line> lines;             // By partner, contract, leg.
  std::vector<PartnerTotal> partners;  // By partner.
  // What the operator pays to all partners on balance; negative when it collects. Taken from the
  // programme's accounts (liability, fees, tax), and equal to the sum of the partners' nets.
  MinorUnits operator_net;
  std::vector<Obligation> obligations;  // By partner; multilateral, against the operator.
  // After them each partner's receivable and payable have moved by exactly its obligation, and by
  // what it is carried forward more or less.
  std::vector<MoneyEntry> entries;
};

// Computes a settlement.
//
// Errors: `CONTRACT_NOT_FOUND`, a row names a contract without terms; `REQUEST_MALFORMED`, terms
// given twice, a negative rate, tax without a code, an exponent out of range, or a leg that the
// contract does not bill; `AMOUNT_OUT_OF_RANGE`, a result does not fit 64 bits.
absl::StatusOr<Settlement> Settle(const Input& input);

// `points` × `rate_micros` in minor units, half away from zero. The exponent must be 0 to 6.
//
// Errors: `AMOUNT_OUT_OF_RANGE`.
absl::StatusOr<MinorUnits> PriceOfPoints(Points points, int64_t rate_micros, int currency_exponent);

// `amount` × `ppm` millionths, half away from zero. Errors: `AMOUNT_OUT_OF_RANGE`.
absl::StatusOr<MinorUnits> ShareOfAmount(MinorUnits amount, int64_t ppm);

}  // namespace guilder::netting
