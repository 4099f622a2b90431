#include "services/member/store/reinstatements.h"

#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kFind{"member.find_with_expired", R"sql(
  select distinct l.account_id
    from ledger.lots l
    join ledger.accounts a on a.book = l.book and a.account_id = l.account_id and a.status = 0
   where l.book = $1
     and l.account_id > $2
     and greatest(l.expires_at_us, coalesce(l.restored_until_us, 0)) >= $3
     and greatest(l.expires_at_us, coalesce(l.restored_until_us, 0)) < $4
     and (l.expired > l.forfeited or l.remaining > 0)
     and ($5::int = 0 or l.issuer_id = $5)
   order by l.account_id
   limit $6
)sql"};

constexpr Statement kNextBook{"member.next_book", R"sql(
  select coalesce(min(book), 0) from ledger.books where programme_id = $1 and book > $2
)sql"};

}  // namespace

std::vector<AccountId> FindWithExpired(postgres::Transaction& transaction, BookId book,
                                       AccountId after, const ReinstatementTerms& terms,
                                       int limit) {
  std::vector<AccountId> accounts;
  for (const Row& row : transaction.Execute(kFind, Params()
                                                       .Int(book)
                                                       .Int(after)
                                                       .Int(terms.from)
                                                       .Int(terms.until)
                                                       .Int(terms.issuer)
                                                       .Int(limit))) {
    accounts.push_back(row.Id<AccountId>(0));
  }
  return accounts;
}

BookId NextBook(postgres::Transaction& transaction, ProgrammeId programme, BookId after) {
  return transaction.Execute(kNextBook, Params().Int(programme).Int(after))[0].Id<BookId>(0);
}

}  // namespace guilder::member
