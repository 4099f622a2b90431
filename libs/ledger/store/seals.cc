#include "libs/ledger/store/seals.h"

namespace guilder::ledger {
namespace {

constexpr size_t kMostSealsAtOnce = 32;

constexpr postgres::Statement kInsertSeals{"ledger.insert_seals", R"sql(
  insert into ledger.seals (book, boundary_us, last_number, root, frontier)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
      on conflict (book, boundary_us) do nothing
)sql"};

}  // namespace

std::vector<Seal> SealsBetween(const Calendar& calendar, BookId book, const Frontier& head,
                               Timestamp posted_before, Timestamp posted_at) {
  std::vector<Seal> seals;
  Timestamp boundary = calendar.WindowEnd(posted_before);
  while (boundary <= posted_at && seals.size() < kMostSealsAtOnce) {
    seals.push_back({book, boundary, RecordNumber(head.size()), head.Root(), head.ToBytes()});
    boundary = calendar.WindowEnd(boundary);
  }
  return seals;
}

void InsertSeals(postgres::Transaction& transaction, const std::vector<Seal>& seals) {
  if (seals.empty()) return;
  transaction.Execute(kInsertSeals, postgres::Params()
                                        .IntArray(seals, &Seal::book)
                                        .IntArray(seals, &Seal::boundary)
                                        .IntArray(seals, &Seal::last_number)
                                        .BytesArray(seals, &Seal::root)
                                        .BytesArray(seals, &Seal::frontier));
}

}  // namespace guilder::ledger
