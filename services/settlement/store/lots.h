// Makes lot positions from the entries of sealed windows, and reads them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/postgres/pool.h"
#include "services/settlement/domain/liability.h"

namespace guilder::settlement {

// Makes the lot positions of all sealed windows that have none, and what moved by day. Book by book
// and in chunks, each a transaction of its own that says how far it came: it may stop anywhere and
// be run by several at once, and what it makes is the same. Must not be called in a transaction.
absl::Status AttributeLots(postgres::Pool& pool);

// Whether those of all windows up to `end` have been made.
bool AreLotsAttributed(postgres::Transaction& transaction, Timestamp end);

// Over all books: what moved in windows of [start, end), and before. By contract, issuing window,
// expiry month and move.
std::vector<LotPoints> ReadLotPoints(postgres::Transaction& transaction, Timestamp start,
                                     Timestamp end);
// What members had at the end of a window, by the version that issued it and the start of the day
// on which it did (of its window, where days were not noted yet).
struct OutstandingPoints {
  ContractId contract;
  Timestamp issued_day;
  Points points;
};
std::vector<OutstandingPoints> ReadOutstandingByDay(postgres::Transaction& transaction,
                                                    Timestamp end);
// As ReadLotPoints, of contracts in that currency, with issuing windows and expiry months added up.
std::vector<LotPoints> ReadContractPoints(postgres::Transaction& transaction, Timestamp start,
                                          Timestamp end, const std::string& currency);

}  // namespace guilder::settlement
