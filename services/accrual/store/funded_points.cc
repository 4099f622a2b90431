#include "services/accrual/store/funded_points.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"
#include "services/accrual/domain/purchase.h"

namespace guilder::accrual {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// A lot's id says which record gave it, so what takes its points back, a return, a cancellation or
// time, leads to the purchase. Bucket 1 is what is issued (ledger::Bucket).
constexpr Statement kReadFundedSales{"accrual.read_funded_sales", R"sql(
  with moved as (
    select coalesce(e.credit_lot, e.debit_lot) / $5 as number,
           sum(e.points) filter (where e.debit_bucket = 1) as issued,
           sum(e.points) filter (where e.credit_bucket = 1) as reversed
      from ledger.entries e
      join partner.contracts c using (contract_id)
     where e.book = $2
       and e.posted_at_us >= $3
       and e.posted_at_us < $4
       and c.partner_id = $1
       and 1 in (e.debit_bucket, e.credit_bucket)
     group by 1)
  select j.partner_id, j.content, coalesce(m.issued, 0)::bigint, coalesce(m.reversed, 0)::bigint
    from moved m
    join ledger.journal j on j.book = $2 and j.number = m.number
   where j.kind = $6
     and j.partner_id <> $1
   limit $7
)sql"};

constexpr Statement kReadBooks{"accrual.read_books", R"sql(
  select book from ledger.books where programme_id = $1 order by book
)sql"};

}  // namespace

absl::StatusOr<std::vector<FundedSale>> ReadFundedSales(postgres::Transaction& tx, PartnerId funder,
                                                        BookId book, Timestamp from,
                                                        Timestamp until, int64_t limit) {
  const Params params = Params()
                            .Int(funder)
                            .Int(book)
                            .Int(from)
                            .Int(until)
                            .Int(ledger::kLotsPerRecord)
                            .Int(ledger::RecordKind::kPurchase)
                            .Int(limit);
  std::vector<FundedSale> sales;
  for (const Row& row : tx.Execute(kReadFundedSales, params)) {
    GUILDER_ASSIGN_OR_RETURN(const Purchase purchase, DecodePurchase(row.Bytes(1)));
    sales.push_back(
        {row.Id<PartnerId>(0), purchase.receipt.store, row.Id<Points>(2), row.Id<Points>(3)});
  }
  return sales;
}

std::vector<BookId> ReadBooks(postgres::Transaction& tx, ProgrammeId programme) {
  std::vector<BookId> books;
  for (const Row& row : tx.Execute(kReadBooks, Params().Int(programme))) {
    books.push_back(row.Id<BookId>(0));
  }
  return books;
}

}  // namespace guilder::accrual
