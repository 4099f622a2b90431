#include "libs/ledger/store/verify_catalogue.h"

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr int kRowsPerRead = 10'000;

// States of orders: 1 ordered, 2 to 4 on their way, 5 returned, 6 called off; of holds as HoldState
// has them: 0 open, 1 captured, 2 voided, 3 expired.
constexpr Statement kReadOrders{"verify.read_orders", R"sql(
  select o.book, o.number,
         h.number is not null and h.account_id = o.account_id and h.partner_id = o.partner_id
         and h.store_id = o.store_id and h.authorized = o.points
         and h.expires_at_us = o.confirm_by_us
         and case when o.state = 1 then h.state in (0, 3) and h.captured = 0
                  when o.state in (2, 3, 4) then h.captured = o.points and h.refunded = 0
                  when o.state = 5 then h.captured = o.points and h.refunded = o.points
                  else h.state <> 0 and h.captured in (0, o.points) and h.refunded = h.captured end
    from catalogue.orders o
    left join ledger.holds h on h.book = o.book and h.number = o.number
   where (o.book, o.number) > ($1, $2)
   order by o.book, o.number
   limit $3
)sql"};

constexpr Statement kReadVouchers{"verify.read_vouchers", R"sql(
  select v.book, v.number,
         h.number is not null and h.account_id = v.account_id and h.authorized = v.points
         and h.expires_at_us = v.expires_at_us and h.captured = v.used_points
         and coalesce(u.points, 0) = v.used_points and h.refunded = coalesce(u.refunded, 0)
         and (v.used_amount = coalesce(u.amount, 0)
              or (v.single_use and v.used_amount = v.face_amount and u.uses = 1))
         and not (v.refunded and h.state = 0) and c.code_hash is not null
    from catalogue.vouchers v
    left join ledger.holds h on h.book = v.book and h.number = v.number
    left join catalogue.voucher_codes c on c.book = v.book and c.number = v.number
    left join lateral (select sum(points) as points, sum(amount) as amount, count(*) as uses,
                              sum(refunded_points) as refunded
                         from catalogue.voucher_uses u
                        where u.book = v.book and u.voucher = v.number) u on true
   where (v.book, v.number) > ($1, $2)
   order by v.book, v.number
   limit $3
)sql"};

// A ledger that nobody keeps a catalogue beside has no rows of it.
constexpr Statement kFindRowless{"verify.find_rowless", R"sql(
  select w.number
    from unnest($2::bigint[], $3::smallint[]) as w (number, kind)
   where exists (select from catalogue.rewards)
     and not case when w.kind = $4::smallint
                  then exists (select 1 from catalogue.orders o
                                where o.book = $1 and o.number = w.number)
                  else exists (select 1 from catalogue.vouchers v
                                where v.book = $1 and v.number = w.number) end
   order by w.number
   limit 1
)sql"};

absl::Status VerifyRows(postgres::Pool& pool, const Statement& statement, const char* what,
                        Findings& findings) {
  int64_t book = 0;
  int64_t number = 0;
  for (;;) {
    GUILDER_ASSIGN_OR_RETURN(
        const Rows rows,
        pool.ReadAlone(statement, Params().Int(book).Int(number).Int(kRowsPerRead)));
    for (const Row& row : rows) {
      findings.Examined(CheckId::kCatalogue);
      book = row.Int(0);
      number = row.Int(1);
      if (!row.Bool(2)) {
        findings.Fail(CheckId::kCatalogue, absl::StrCat(what, " ", book, "-", number));
      }
    }
    if (rows.size() < kRowsPerRead) return absl::OkStatus();
  }
}

}  // namespace

absl::Status VerifyCatalogue(postgres::Pool& pool, Findings& findings) {
  GUILDER_RETURN_IF_ERROR(VerifyRows(pool, kReadOrders, "order", findings));
  return VerifyRows(pool, kReadVouchers, "voucher", findings);
}

void CheckCatalogueOf(postgres::Transaction& transaction, BookId book,
                      const std::vector<StoredRecord>& records, Findings& findings) {
  std::vector<const Record*> had;
  for (const StoredRecord& stored : records) {
    const RecordKind kind = stored.record.kind;
    if (kind == RecordKind::kOrder || kind == RecordKind::kVoucher) had.push_back(&stored.record);
  }
  if (had.empty()) return;
  const Rows rows = transaction.Execute(kFindRowless, Params()
                                                          .Int(book)
                                                          .IntArray(had, &Record::number)
                                                          .IntArray(had, &Record::kind)
                                                          .Int(RecordKind::kOrder));
  if (rows.empty()) return;
  findings.Fail(CheckId::kCatalogue,
                absl::StrCat("record ", book.value(), "-", rows[0].Int(0), " has no row"));
}

}  // namespace guilder::ledger
