#include "services/accrual/store/sales.h"

#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/store/claims.h"
#include "libs/postgres/connection.h"
#include "services/accrual/store/receipt_claim.h"

namespace guilder::accrual {
namespace {

using ledger::RecordKind;
using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kFindSale{"accrual.find_sale", R"sql(
  select book, number, posted_at_us, partner_id, account_id, content, leaf
    from ledger.journal
   where book = $1 and number = $2 and kind = $3
)sql"};

constexpr Statement kFindSaleByClaim{"accrual.find_sale_by_claim", R"sql(
  select j.book, j.number, j.posted_at_us, j.partner_id, j.account_id, j.content, j.leaf
    from ledger.claims c
    join ledger.journal j
      on j.book = c.book and j.number = c.number and j.posted_at_us = c.posted_at_us
   where c.claim_key = $1 and j.kind = $2
)sql"};

constexpr Statement kFindReturnByClaims{"accrual.find_return_by_claims", R"sql(
  select j.book, j.number
    from unnest($1::uuid[]) as w (claim_key)
    join ledger.claims c on c.claim_key = w.claim_key
    join ledger.journal j
      on j.book = c.book and j.number = c.number and j.posted_at_us = c.posted_at_us
   where j.kind = $2 and j.fingerprint = $3
)sql"};

constexpr Statement kListSales{"accrual.list_sales", R"sql(
  select book, number, posted_at_us, partner_id, account_id, content, leaf
    from ledger.journal
   where partner_id = $1 and kind = $2 and posted_at_us >= $3
     and (posted_at_us, book, number) > ($3, $4, $5)
   order by posted_at_us, book, number
   limit $6
)sql"};

constexpr Statement kReadReturns{"accrual.read_returns", R"sql(
  select j.book, j.refers_to, j.content
    from unnest($1::int[], $2::bigint[]) as w (book, number)
    join ledger.journal j on j.book = w.book and j.refers_to = w.number
   where j.kind = $3
   order by j.book, j.number
)sql"};

// The clock is that of the lane's record, to some milliseconds.
constexpr Statement kReadVisits{"accrual.read_visits", R"sql(
  select w.account_id, v.partner_id, v.content
    from unnest($1::bigint[]) as w (account_id)
    join ledger.books b on b.book = (w.account_id & 65535)::int
   cross join lateral (select j.partner_id, j.content
                         from ledger.journal j
                        where j.book = b.book and j.account_id = w.account_id and j.kind = $2
                          and j.posted_at_us > b.clock_offset_us - 8 * 86400000000
                              + (extract(epoch from clock_timestamp()) * 1000000)::bigint
                        order by j.number desc
                        limit 1000) v
)sql"};

absl::StatusOr<Sale> ReadSale(const Row& row) {
  Sale sale;
  sale.book = row.Id<BookId>(0);
  sale.number = row.Id<RecordNumber>(1);
  sale.posted_at = row.Id<Timestamp>(2);
  sale.partner = row.Id<PartnerId>(3);
  sale.account = row.Id<AccountId>(4);
  GUILDER_ASSIGN_OR_RETURN(sale.recorded, DecodeRecorded(row.Bytes(5)));
  sale.leaf = row.Digest(6);
  return sale;
}

absl::StatusOr<Sale> ReadOnlySale(const postgres::Rows& rows) {
  if (rows.empty()) return Refuse(Reason::kPurchaseNotFound);
  return ReadSale(rows[0]);
}

}  // namespace

Uuid ReceiptClaim(PartnerId partner, const ReceiptKey& receipt) {
  return ledger::ClaimKey(partner, "purchase", NaturalKeyOf(receipt));
}

std::optional<Uuid> ReturnClaim(PartnerId partner, const Sale& sale, const Return& returned,
                                absl::TimeZone zone) {
  if (returned.return_number.empty()) return std::nullopt;
  const absl::CivilDay day = absl::ToCivilDay(ToAbslTime(returned.occurred_at), zone);
  Encoder out;
  out.Id(sale.book)
      .Id(sale.number)
      .Bytes(returned.store)
      .Bytes(returned.return_number)
      .Bytes(absl::FormatCivilTime(day));
  return ledger::ClaimKey(partner, "return", out.str());
}

absl::StatusOr<Sale> FindSale(postgres::Transaction& tx, BookId book, RecordNumber number) {
  return ReadOnlySale(
      tx.Execute(kFindSale, Params().Int(book).Int(number).Int(RecordKind::kPurchase)));
}

absl::StatusOr<Sale> FindSaleByReceipt(postgres::Transaction& tx, PartnerId partner,
                                       const ReceiptKey& receipt) {
  return ReadOnlySale(tx.Execute(
      kFindSaleByClaim, Params().Uuid(ReceiptClaim(partner, receipt)).Int(RecordKind::kPurchase)));
}

absl::StatusOr<std::vector<Sale>> ListSales(postgres::Transaction& tx, PartnerId partner,
                                            const SalePosition& after, int limit) {
  std::vector<Sale> sales;
  const auto rows = tx.Execute(kListSales, Params()
                                               .Int(partner)
                                               .Int(RecordKind::kPurchase)
                                               .Int(after.posted_at)
                                               .Int(after.book)
                                               .Int(after.number)
                                               .Int(limit));
  for (const Row& row : rows) {
    GUILDER_ASSIGN_OR_RETURN(Sale sale, ReadSale(row));
    sales.push_back(std::move(sale));
  }
  return sales;
}

std::map<AccountId, std::vector<Visit>> ReadVisits(postgres::Transaction& tx,
                                                   const std::set<AccountId>& accounts) {
  std::map<AccountId, std::vector<Visit>> visits;
  if (accounts.empty()) return visits;
  for (const AccountId account : accounts) visits[account];
  const Params params = Params().IntArray(accounts).Int(RecordKind::kPurchase);
  for (const Row& row : tx.Execute(kReadVisits, params)) {
    const auto recorded = DecodeRecorded(row.Bytes(2));
    if (!recorded.ok()) continue;
    visits[row.Id<AccountId>(0)].push_back(VisitOf(row.Id<PartnerId>(1), recorded->purchase));
  }
  return visits;
}

std::optional<SaleId> FindReturnByClaims(postgres::Transaction& tx, const std::vector<Uuid>& claims,
                                         const Digest& fingerprint) {
  const auto rows =
      tx.Execute(kFindReturnByClaims,
                 Params().UuidArray(claims).Int(RecordKind::kReturn).Bytes(AsView(fingerprint)));
  if (rows.empty()) return std::nullopt;
  return SaleId(rows[0].Id<BookId>(0), rows[0].Id<RecordNumber>(1));
}

absl::StatusOr<std::map<SaleId, std::vector<Return>>> ReadReturns(
    postgres::Transaction& tx, const std::vector<SaleId>& sales) {
  std::map<SaleId, std::vector<Return>> returns;
  const auto rows = tx.Execute(kReadReturns, Params()
                                                 .IntArray(sales, &SaleId::first)
                                                 .IntArray(sales, &SaleId::second)
                                                 .Int(RecordKind::kReturn));
  for (const Row& row : rows) {
    GUILDER_ASSIGN_OR_RETURN(Return returned, DecodeReturn(row.Bytes(2)));
    returns[{row.Id<BookId>(0), row.Id<RecordNumber>(1)}].push_back(std::move(returned));
  }
  return returns;
}

}  // namespace guilder::accrual
