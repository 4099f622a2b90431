#include "services/settlement/store/facts.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/currency.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"
#include "services/settlement/store/lots.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadProgramme{"settlement.read_programme", R"sql(
  select currency_exponent, time_zone from ledger.programmes where programme_id = $1
)sql"};

#define GUILDER_TERMS_COLUMNS_                                                         \
  "contract_id, partner_id, number, kind, rate_micros, billed_at, tax_code, tax_ppm, " \
  "fee_ppm, fee_micros_per_point, fee_tax_code, fee_tax_ppm, funding, reserve_ppm, "   \
  "breakage_ppm, fee_per_window, currency "

// With the windows up to the end in which the version was in force at the start, and whether its
// partner's final settlement is due by then: no window after that has a fee.
constexpr Statement kReadTerms{"settlement.read_terms", "select " GUILDER_TERMS_COLUMNS_ R"sql(,
         case fee_per_window when 0 then 0
              else (select count(*)
                      from settlement.windows w
                     where w.window_start_us >= effective_from_us
                       and w.window_start_us < coalesce(effective_until_us, $2)
                       and w.window_start_us <= coalesce(p.final_settlement_us, $2)
                       and w.window_start_us < $2) end,
         coalesce(p.final_settlement_us < $2, false)
    from partner.contracts c
    join partner.partners p using (partner_id)
   where c.state = 'APPROVED'
     and currency = $1
   order by contract_id
)sql"};

constexpr Statement kReadContracts{"settlement.read_contracts", "select " GUILDER_TERMS_COLUMNS_
                                                                R"sql(
    from partner.contracts
   where partner_id = any($1::int[])
)sql"};

#undef GUILDER_TERMS_COLUMNS_

// Of contracts in the settlement's currency, and of those that nobody knows, which is an error.
constexpr Statement kReadMoved{"settlement.read_moved", R"sql(
  select p.contract_id, p.movement,
         coalesce(sum(p.points) filter (where p.window_start_us >= $1), 0)::bigint,
         sum(p.points)::bigint
    from ledger.positions p
    left join partner.contracts c using (contract_id)
   where p.window_start_us < $2
     and coalesce(c.currency, $3::text) = $3
   group by p.contract_id, p.movement
   order by p.contract_id, p.movement
)sql"};

constexpr Statement kReadCurrencies{"settlement.read_currencies", R"sql(
  select distinct currency from partner.contracts where state = 'APPROVED' order by currency
)sql"};

// Windows that have positions but no seal: posting and sealing would disagree about the calendar.
constexpr Statement kCountStray{"settlement.count_stray", R"sql(
  select count(*)
    from (select distinct window_start_us from ledger.positions where window_start_us < $1) p
   where not exists (select 1 from settlement.windows w
                      where w.window_start_us = p.window_start_us)
)sql"};

constexpr Statement kReadBilled{"settlement.read_billed", R"sql(
  select l.contract_id, l.leg, sum(l.points)::bigint, sum(l.amount)::bigint, sum(l.tax)::bigint
    from settlement.lines l
    join settlement.settlements s using (settlement_id)
   where l.settlement_id < $1
     and s.currency = $2
   group by l.contract_id, l.leg
)sql"};

// What partners were carried forward by the settlement before, what they were credited in its
// windows, the least payout by the redemption contract that is in force last, and what is in their
// prepaid deposits. From the date of its final settlement on a partner is paid whatever it is owed.
constexpr Statement kReadBrought{"settlement.read_brought", R"sql(
  select partner_id, sum(carried)::bigint, sum(minimum)::bigint, sum(deposit)::bigint
    from (select n.partner_id, n.carried_out as carried, 0 as minimum, 0 as deposit
            from settlement.nets n
           where n.settlement_id = (select max(s.settlement_id)
                                      from settlement.settlements s
                                     where s.settlement_id < $1 and s.currency = $3)
           union all
          select a.partner_id, a.net + a.tax, 0, 0
            from settlement.adjustments a
            join settlement.settlements b using (settlement_id)
           where a.posted_at_us >= $4
             and a.posted_at_us < $2
             and b.currency = $3
           union all
          select c.partner_id, 0, c.minimum_payout, 0
            from (select distinct on (partner_id) partner_id, minimum_payout
                    from partner.contracts
                   where state = 'APPROVED'
                     and kind = 'REDEMPTION'
                     and currency = $3
                     and effective_from_us < $2
                   order by partner_id, effective_from_us desc) c
            join partner.partners p using (partner_id)
           where coalesce(p.final_settlement_us, $2) >= $2
           union all
          select e.partner_id, 0, 0,
                 case when e.credit_account = 'PREPAID_DEPOSIT' then e.amount else -e.amount end
            from settlement.money_entries e
            join settlement.money_transactions t using (number)
           where e.cause in ('POINT_BLOCK', 'CONSUMPTION')
             and 'PREPAID_DEPOSIT' in (e.credit_account, e.debit_account)
             and t.currency = $3) b
   group by partner_id
  having sum(carried) <> 0 or sum(minimum) <> 0 or sum(deposit) <> 0
   order by partner_id
)sql"};

constexpr Statement kReadReleased{"settlement.read_released", R"sql(
  select e.contract_id,
         coalesce(sum(case when e.credit_account = 'ISSUANCE_REVENUE' then e.amount
                           else -e.amount end)
                    filter (where 'ISSUANCE_REVENUE' in (e.credit_account, e.debit_account)),
                  0)::bigint,
         coalesce(sum(case when e.credit_account = 'BREAKAGE' then e.amount else -e.amount end)
                    filter (where 'BREAKAGE' in (e.credit_account, e.debit_account)), 0)::bigint,
         coalesce(sum(case when e.debit_account = 'PREPAID_DEPOSIT' then e.amount else -e.amount end)
                    filter (where e.cause = 'CONSUMPTION'), 0)::bigint
    from settlement.money_entries e
    join settlement.money_transactions t using (number)
   where e.cause in ('RELEASE', 'CONSUMPTION')
     and e.contract_id is not null
     and t.currency = $1
   group by e.contract_id
)sql"};

constexpr Statement kReadPointBlocks{"settlement.read_point_blocks", R"sql(
  select b.contract_id, b.points - coalesce(e.credited, 0), coalesce(e.kept, 0)
    from partner.point_blocks b
    join partner.contracts c using (contract_id)
    left join (select partner_id, number,
                      coalesce(sum(points) filter (where credited), 0)::bigint as credited,
                      coalesce(sum(points) filter (where not credited), 0)::bigint as kept
                 from partner.point_block_endings
                where ended_at_us < $2
                group by partner_id, number) e
      on e.partner_id = b.partner_id and e.number = b.number
   where b.bought_at_us < $2
     and c.currency = $1
   order by b.partner_id, b.reserve, b.number
)sql"};

constexpr Statement kReadPartners{"settlement.read_partners", R"sql(
  select partner_id, slug, coalesce(nullif(legal_name, ''), display_name), iban
    from partner.partners
   where partner_id = any($1::int[])
)sql"};

constexpr Statement kFindPartnersOf{"settlement.find_partners_of", R"sql(
  select distinct partner_id from partner.contracts where contract_id = any($1::int[])
)sql"};

constexpr Statement kFindPartner{"settlement.find_partner", R"sql(
  select partner_id from partner.partners where slug = $1
)sql"};

constexpr Statement kFindOperator{"settlement.find_operator", R"sql(
  select slug, coalesce(nullif(legal_name, ''), display_name), iban
    from partner.partners
   where programme_operator
)sql"};

ContractFacts ContractFromRow(const Row& row) {
  ContractFacts contract;
  contract.number = static_cast<int>(row.Int(2));
  netting::Terms& terms = contract.terms;
  terms.contract = row.Id<ContractId>(0);
  terms.partner = row.Id<PartnerId>(1);
  terms.kind = row.Text(3) == "ISSUANCE" ? netting::ContractKind::kIssuance
                                         : netting::ContractKind::kRedemption;
  terms.rate_micros = row.Int(4);
  terms.billed_at =
      row.Text(5) == "POSTING" ? netting::BilledAt::kPosting : netting::BilledAt::kActivation;
  terms.tax = {std::string(row.Text(6)), row.Int(7)};
  terms.fee_ppm = row.Int(8);
  terms.fee_micros_per_point = row.Int(9);
  terms.fee_tax = {std::string(row.Text(10)), row.Int(11)};
  const std::string_view funding = row.Text(12);
  if (funding == "PREPAID_BLOCK") terms.funding = netting::Funding::kPrepaid;
  if (funding == "POSTPAID_AT_REDEMPTION") terms.funding = netting::Funding::kAtRedemption;
  if (funding == "HYBRID") terms.funding = netting::Funding::kHybrid;
  terms.reserve_ppm = row.Int(13);
  terms.breakage_ppm = row.Int(14);
  terms.fee_per_window = row.Id<MinorUnits>(15);
  contract.currency = ParseCurrency(row.Text(16)).value_or(Currency{});
  return contract;
}

void ReadLots(Transaction& transaction, const Settlement& settlement, Facts& facts) {
  std::map<ContractId, LotTotals> totals;
  for (const LotPoints& points : ReadContractPoints(transaction, settlement.start, settlement.end,
                                                    FormatCurrency(settlement.currency))) {
    LotTotals& total = totals[points.contract];
    total.contract = points.contract;
    if (points.move == LotMove::kRedeemed) total.redeemed += points.before + points.moved;
    if (points.move == LotMove::kExpired) total.expired += points.before + points.moved;
  }
  for (const auto& [contract, total] : totals) facts.lots.push_back(total);
}

}  // namespace

int Programme::ExponentOf(const Currency& other) const {
  return other == currency ? currency_exponent : CurrencyExponent(FormatCurrency(other));
}

std::vector<Currency> ReadCurrencies(Transaction& transaction, const Programme& programme) {
  std::vector<Currency> currencies = {programme.currency};
  for (const Row& row : transaction.Execute(kReadCurrencies)) {
    const Currency currency = ParseCurrency(row.Text(0)).value_or(programme.currency);
    if (currency != programme.currency) currencies.push_back(currency);
  }
  return currencies;
}

absl::StatusOr<Programme> LoadProgramme(Transaction& transaction) {
  GUILDER_ASSIGN_OR_RETURN(const ledger::ProgrammeFacts facts, ledger::ReadProgramme(transaction));
  const Rows rows = transaction.Execute(kReadProgramme, Params().Int(facts.id));
  Programme programme;
  programme.id = facts.id;
  programme.currency = facts.currency;
  programme.currency_exponent = static_cast<int>(rows[0].Int(0));
  if (!absl::LoadTimeZone(std::string(rows[0].Text(1)), &programme.time_zone)) {
    return absl::InternalError("this machine does not know the programme's time zone");
  }
  programme.now = ledger::ReadProgrammeClock(transaction, facts.id);
  return programme;
}

absl::StatusOr<Facts> LoadFacts(Transaction& transaction, const Programme& programme,
                                const Settlement& settlement) {
  Facts facts;
  facts.currency_exponent = programme.ExponentOf(settlement.currency);
  const Rows stray = transaction.Execute(kCountStray, Params().Int(settlement.end));
  if (stray[0].Int(0) != 0) {
    return absl::InternalError(absl::StrCat("points were counted in ", stray[0].Int(0),
                                            " windows that the calendar does not have"));
  }
  if (!AreLotsAttributed(transaction, settlement.end)) {
    // Sealed since the lots were looked at; whoever computes looks again.
    return absl::AbortedError("lots of the settlement's windows have not been looked at");
  }
  const std::string currency = FormatCurrency(settlement.currency);
  for (const Row& row :
       transaction.Execute(kReadTerms, Params().Text(currency).Int(settlement.end))) {
    facts.terms.push_back(ContractFromRow(row).terms);
    facts.terms.back().windows = row.Int(17);
    facts.terms.back().outstanding_due = row.Bool(18);
  }
  ReadLots(transaction, settlement, facts);
  for (const Row& row : transaction.Execute(kReadReleased, Params().Text(currency))) {
    facts.released_before.push_back({row.Id<ContractId>(0), row.Id<MinorUnits>(1),
                                     row.Id<MinorUnits>(2), row.Id<MinorUnits>(3)});
  }
  for (const Row& row :
       transaction.Execute(kReadPointBlocks, Params().Text(currency).Int(settlement.end))) {
    facts.point_blocks.push_back({row.Id<ContractId>(0), row.Id<Points>(1), row.Id<Points>(2)});
  }
  for (const Row& row : transaction.Execute(
           kReadBrought,
           Params().Int(settlement.id).Int(settlement.end).Text(currency).Int(settlement.start))) {
    facts.partners.push_back({row.Id<PartnerId>(0), row.Id<MinorUnits>(1), row.Id<MinorUnits>(2),
                              row.Id<MinorUnits>(3)});
  }
  for (const Row& row : transaction.Execute(
           kReadMoved, Params().Int(settlement.start).Int(settlement.end).Text(currency))) {
    facts.moved.push_back({row.Id<ContractId>(0), row.Enum<ledger::Movement>(1), row.Id<Points>(2),
                           row.Id<Points>(3)});
  }
  for (const Row& row :
       transaction.Execute(kReadBilled, Params().Int(settlement.id).Text(currency))) {
    facts.billed_before.push_back({row.Id<ContractId>(0), LegFromName(row.Text(1)).value(),
                                   row.Id<Points>(2), row.Id<MinorUnits>(3),
                                   row.Id<MinorUnits>(4)});
  }
  return facts;
}

Directory LoadDirectory(Transaction& transaction, const std::vector<PartnerId>& partners) {
  Directory directory;
  for (const Row& row : transaction.Execute(kReadPartners, Params().IntArray(partners))) {
    directory.partners[row.Id<PartnerId>(0)] = {std::string(row.Text(1)), std::string(row.Text(2)),
                                                std::string(row.Text(3))};
  }
  for (const Row& row : transaction.Execute(kReadContracts, Params().IntArray(partners))) {
    directory.contracts[row.Id<ContractId>(0)] = ContractFromRow(row);
  }
  return directory;
}

std::vector<PartnerId> FindPartnersOf(Transaction& transaction,
                                      const std::vector<ContractId>& contracts) {
  std::vector<PartnerId> partners;
  for (const Row& row : transaction.Execute(kFindPartnersOf, Params().IntArray(contracts))) {
    partners.push_back(row.Id<PartnerId>(0));
  }
  return partners;
}

absl::StatusOr<PartnerId> FindPartner(Transaction& transaction, const std::string& slug) {
  const Rows rows = transaction.Execute(kFindPartner, Params().Text(slug));
  if (rows.empty()) return Refuse(Reason::kPartnerNotFound);
  return rows[0].Id<PartnerId>(0);
}

absl::StatusOr<PartnerFacts> FindOperatorPartner(Transaction& transaction) {
  const Rows rows = transaction.Execute(kFindOperator);
  if (rows.empty())
    return Refuse(Reason::kPartnerNotFound, "the programme has no operator-partner");
  return PartnerFacts{std::string(rows[0].Text(0)), std::string(rows[0].Text(1)),
                      std::string(rows[0].Text(2))};
}

}  // namespace guilder::settlement
