#include "services/partner/store/contracts.h"

#include <limits>
#include <optional>
#include <string_view>

#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

// Every statement that gives a contract gives these columns.
#define GUILDER_CONTRACT_COLUMNS_                                                              \
  "contract_id, number, kind, state, effective_from_us, effective_until_us, rate_micros, "     \
  "currency, tax_code, tax_ppm, billed_at, activation_days, default_outcome, lot_life_days, "  \
  "fee_ppm, fee_micros_per_point, fee_tax_code, fee_tax_ppm, proposed_by, approved_by, "       \
  "funding, when_exhausted, reserve_ppm, breakage_ppm, fee_per_window, minimum_payout, "       \
  "notice_days, proposed_at_us, minimum_points, step_points, maximum_share_per_mille, "        \
  "array_to_string(excluded_categories, E'\\x1F'), array_to_string(excluded_skus, E'\\x1F'), " \
  "points_use, array_to_string(points_use_partners, E'\\x1F') "

constexpr postgres::Statement kInsert{"partner.insert_contract", R"sql(
  insert into partner.contracts
         (partner_id, number, kind, state, effective_from_us, effective_until_us, rate_micros,
          currency, tax_code, tax_ppm, billed_at, activation_days, default_outcome, lot_life_days,
          fee_ppm, fee_micros_per_point, fee_tax_code, fee_tax_ppm, proposed_by, funding, when_exhausted,
          reserve_ppm, breakage_ppm, fee_per_window, minimum_payout, notice_days, proposed_at_us,
          minimum_points, step_points, maximum_share_per_mille, excluded_categories, excluded_skus,
          points_use, points_use_partners)
  select $1, coalesce(max(number), 0) + 1, $2, 'PROPOSED', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28,
         $29::text[], $30::text[], $31, $32::text[]
    from partner.contracts
   where partner_id = $1
  returning )sql" GUILDER_CONTRACT_COLUMNS_};

constexpr postgres::Statement kList{"partner.list_contracts",
                                    "select " GUILDER_CONTRACT_COLUMNS_ R"sql(
    from partner.contracts
   where partner_id = $1
     and number > $2
   order by number
   limit $3
)sql"};

constexpr postgres::Statement kApproved{"partner.approved_contracts",
                                        "select " GUILDER_CONTRACT_COLUMNS_ R"sql(
    from partner.contracts
   where partner_id = $1
     and kind = $2
     and state = 'APPROVED'
   order by effective_from_us
)sql"};

#undef GUILDER_CONTRACT_COLUMNS_

constexpr postgres::Statement kMarkApproved{"partner.approve_contract", R"sql(
  update partner.contracts
     set state = 'APPROVED', approved_by = $2
   where contract_id = $1
)sql"};

constexpr postgres::Statement kMarkRejected{"partner.reject_contract", R"sql(
  update partner.contracts set state = 'REJECTED' where contract_id = $1
)sql"};

constexpr postgres::Statement kEnd{"partner.end_contract", R"sql(
  update partner.contracts
     set effective_until_us = $2
   where contract_id = $1
)sql"};

std::string_view KindName(ContractKind kind) {
  return kind == ContractKind::kIssuance ? "ISSUANCE" : "REDEMPTION";
}

struct FundingText {
  Funding funding;
  std::string_view name;
};
constexpr FundingText kFundings[] = {
    {Funding::kPostpaid, "POSTPAID"},
    {Funding::kPrepaidBlock, "PREPAID_BLOCK"},
    {Funding::kPostpaidAtRedemption, "POSTPAID_AT_REDEMPTION"},
    {Funding::kHybrid, "HYBRID"},
};

std::string_view FundingName(Funding funding) {
  for (const FundingText& text : kFundings) {
    if (text.funding == funding) return text.name;
  }
  return "";
}

Funding FundingFromName(std::string_view name) {
  for (const FundingText& text : kFundings) {
    if (text.name == name) return text.funding;
  }
  return Funding::kPostpaid;
}

Fee FeeFromRow(const postgres::Row& row) {
  return {static_cast<int32_t>(row.Int(14)),
          row.Int(15),
          row.Int(24),
          {std::string(row.Text(16)), static_cast<int32_t>(row.Int(17))}};
}

// What array_to_string joined; no entry holds the separator.
std::vector<std::string> Goods(std::string_view joined) {
  return absl::StrSplit(ToAbsl(joined), '\x1F', absl::SkipEmpty());
}

Terms TermsFromRow(const postgres::Row& row) {
  const Tax tax{std::string(row.Text(8)), static_cast<int32_t>(row.Int(9))};
  if (row.Text(2) == KindName(ContractKind::kRedemption)) {
    RedemptionTerms terms;
    terms.rate_micros = row.Int(6);
    terms.currency = row.Text(7);
    terms.tax = tax;
    terms.fee = FeeFromRow(row);
    terms.minimum_payout_minor_units = row.Int(25);
    terms.minimum_points = row.Int(28);
    terms.step_points = row.Int(29);
    terms.maximum_share_per_mille = static_cast<int32_t>(row.Int(30));
    terms.excluded_categories = Goods(row.Text(31));
    terms.excluded_skus = Goods(row.Text(32));
    return terms;
  }
  IssuanceTerms terms;
  terms.rate_micros = row.Int(6);
  terms.currency = row.Text(7);
  terms.tax = tax;
  terms.billed_at =
      row.Text(10) == "ACTIVATION" ? BillingMoment::kActivation : BillingMoment::kPosting;
  terms.activation_days = static_cast<int32_t>(row.Int(11));
  terms.default_outcome =
      row.Text(12) == "CANCEL" ? DefaultOutcome::kCancel : DefaultOutcome::kActivate;
  terms.lot_life_days = static_cast<int32_t>(row.Int(13));
  terms.funding = FundingFromName(row.Text(20));
  terms.reserve_ppm = static_cast<int32_t>(row.Int(22));
  terms.breakage_ppm = static_cast<int32_t>(row.Int(23));
  terms.fee = FeeFromRow(row);
  terms.points_use = static_cast<PointsUse>(row.Int(33));
  terms.points_use_partners = Goods(row.Text(34));
  terms.when_exhausted =
      row.Text(21) == "ISSUE_NOTHING" ? ExhaustionPolicy::kIssueNothing : ExhaustionPolicy::kRefuse;
  return terms;
}

Contract FromRow(const postgres::Row& row) {
  Contract contract;
  contract.id = row.Id<ContractId>(0);
  contract.number = row.Int(1);
  contract.state = row.Text(3) == "APPROVED"   ? ContractState::kApproved
                   : row.Text(3) == "REJECTED" ? ContractState::kRejected
                                               : ContractState::kProposed;
  contract.period = {row.Id<Timestamp>(4), row.OptionalId<Timestamp>(5)};
  contract.terms = TermsFromRow(row);
  contract.proposed_by = row.Text(18);
  contract.approved_by = row.Text(19);
  contract.notice_days = static_cast<int32_t>(row.Int(26));
  contract.proposed_at = row.OptionalId<Timestamp>(27);
  return contract;
}

std::vector<Contract> FromRows(const postgres::Rows& rows) {
  std::vector<Contract> contracts;
  for (const postgres::Row row : rows) contracts.push_back(FromRow(row));
  return contracts;
}

}  // namespace

Contract InsertContract(postgres::Transaction& transaction, PartnerId partner,
                        const Contract& contract) {
  // What the other kind has stays at its default.
  const auto* const given = std::get_if<IssuanceTerms>(&contract.terms);
  const auto* const taken = std::get_if<RedemptionTerms>(&contract.terms);
  const IssuanceTerms issuance = given != nullptr ? *given : IssuanceTerms();
  const RedemptionTerms redemption = taken != nullptr ? *taken : RedemptionTerms();
  const Tax& tax = given != nullptr ? issuance.tax : redemption.tax;
  const Fee& fee = given != nullptr ? issuance.fee : redemption.fee;
  const postgres::Rows rows = transaction.Execute(
      kInsert,
      postgres::Params()
          .Int(partner)
          .Text(KindName(contract.kind()))
          .Int(contract.period.from)
          .Int(contract.period.until)
          .Int(given != nullptr ? issuance.rate_micros : redemption.rate_micros)
          .Text(given != nullptr ? issuance.currency : redemption.currency)
          .Text(tax.code)
          .Int(tax.ppm)
          .Text(issuance.billed_at == BillingMoment::kPosting ? "POSTING" : "ACTIVATION")
          .Int(issuance.activation_days)
          .Text(issuance.default_outcome == DefaultOutcome::kActivate ? "ACTIVATE" : "CANCEL")
          .Int(issuance.lot_life_days)
          .Int(fee.ppm)
          .Int(fee.micros_per_point)
          .Text(fee.tax.code)
          .Int(fee.tax.ppm)
          .Text(contract.proposed_by)
          .Text(FundingName(issuance.funding))
          .Text(issuance.when_exhausted == ExhaustionPolicy::kRefuse ? "REFUSE" : "ISSUE_NOTHING")
          .Int(issuance.reserve_ppm)
          .Int(issuance.breakage_ppm)
          .Int(fee.per_window_minor_units)
          .Int(redemption.minimum_payout_minor_units)
          .Int(contract.notice_days)
          .Int(contract.proposed_at)
          .Int(redemption.minimum_points)
          .Int(redemption.step_points)
          .Int(redemption.maximum_share_per_mille)
          .TextArray(redemption.excluded_categories)
          .TextArray(redemption.excluded_skus)
          .Int(static_cast<int>(issuance.points_use))
          .TextArray(issuance.points_use_partners));
  return FromRow(rows[0]);
}

absl::StatusOr<Contract> FindContract(postgres::Transaction& transaction, PartnerId partner,
                                      int64_t number) {
  const std::vector<Contract> found = ListContracts(transaction, partner, number - 1, 1);
  if (found.empty() || found[0].number != number) return Refuse(Reason::kContractNotFound);
  return found[0];
}

std::vector<Contract> ListContracts(postgres::Transaction& transaction, PartnerId partner,
                                    int64_t after, int limit) {
  // The column is an int, and numbers come from callers.
  if (after >= std::numeric_limits<int32_t>::max()) return {};
  return FromRows(
      transaction.Execute(kList, postgres::Params().Int(partner).Int(after).Int(limit)));
}

std::vector<Contract> ApprovedContracts(postgres::Transaction& transaction, PartnerId partner,
                                        ContractKind kind) {
  return FromRows(
      transaction.Execute(kApproved, postgres::Params().Int(partner).Text(KindName(kind))));
}

void MarkApproved(postgres::Transaction& transaction, ContractId contract,
                  const std::string& approved_by) {
  transaction.Execute(kMarkApproved, postgres::Params().Int(contract).Text(approved_by));
}

void MarkRejected(postgres::Transaction& transaction, ContractId contract) {
  transaction.Execute(kMarkRejected, postgres::Params().Int(contract));
}

void EndContract(postgres::Transaction& transaction, ContractId contract, Timestamp until) {
  transaction.Execute(kEnd, postgres::Params().Int(contract).Int(until));
}

}  // namespace guilder::partner
