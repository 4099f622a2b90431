#include "libs/ledger/store/verify_books.h"

#include <map>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/record.h"

namespace guilder::ledger {
namespace {

using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kListBooks{"verify.list_books", R"sql(
  select b.book, b.last_number, b.programme_id, b.clock_offset_us, b.format_version,
         p.programme_id is not null
    from ledger.books b
    left join ledger.programmes p on p.programme_id = b.programme_id
   order by b.book
)sql"};

// Looks only between the books that there are, so it costs a look at each table's key.
constexpr Statement kFindOfNoBook{"verify.find_of_no_book", R"sql(
  select f.what, f.book
    from (select book as above,
                 coalesce(lead(book) over (order by book), 2147483648) as below
            from (select -2147483648::bigint as book
                  union all
                  select book from ledger.books) b) gap
   cross join lateral (
     (select 'a record' as what, book from ledger.journal
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'an entry', book from ledger.entries
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'an account', book from ledger.accounts
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'a control account', book from ledger.control_accounts
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'a lot', book from ledger.lots
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'a hold', book from ledger.holds
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'a position', book from ledger.positions
       where book > gap.above and book < gap.below limit 1)
     union all
     (select 'a seal', book from ledger.seals
       where book > gap.above and book < gap.below limit 1)) f
   where gap.below > gap.above + 1
   order by f.book
   limit 1
)sql"};

// Of one statement, and so of one instant: what left a book has come to another.
constexpr Statement kSumTransit{"verify.sum_transit", R"sql(
  select b.programme_id, sum(c.balance)::bigint
    from ledger.control_accounts c
    join ledger.books b using (book)
   where c.kind = $1
   group by b.programme_id
)sql"};

}  // namespace

void CheckTransit(Transaction& transaction, Findings& findings) {
  for (const Row& row :
       transaction.Execute(kSumTransit, postgres::Params().Int(Bucket::kInTransit))) {
    findings.Examined(CheckId::kZeroSum);
    if (row.Int(1) == 0) continue;
    findings.Fail(CheckId::kZeroSum,
                  absl::StrCat("points in transit between all books of programme ", row.Int(0),
                               " come to ", row.Int(1)));
  }
}

std::vector<BookFacts> CheckBooks(Transaction& transaction, Findings& findings) {
  std::vector<BookFacts> books;
  std::map<int64_t, int64_t> offsets;  // By programme.
  for (const Row& row : transaction.Execute(kListBooks)) {
    books.push_back({row.Id<BookId>(0), row.Id<RecordNumber>(1)});
    findings.Examined(CheckId::kBooks);
    const auto fail = [&](const char* what) {
      findings.Fail(CheckId::kBooks, absl::StrCat("book ", row.Int(0), " ", what));
    };
    if (!row.Bool(5)) fail("is of no programme");
    if (row.Int(4) != kBookFormat) fail("is in a format that this program does not know");
    const int64_t offset = row.Int(3);
    if (offsets.try_emplace(row.Int(2), offset).first->second != offset) {
      fail("has another clock than the books before it");
    }
  }
  for (const Row& row : transaction.Execute(kFindOfNoBook)) {
    findings.Fail(CheckId::kBooks, absl::StrCat(ToAbsl(row.Text(0)), " of book ", row.Int(1),
                                                ", which there is not"));
  }
  return books;
}

}  // namespace guilder::ledger
