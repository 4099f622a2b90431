// Reads and writes partner.stores and partner.terminals. Each function runs in the caller's
// transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/store.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// Error: ALREADY_EXISTS, the partner has a store of that code.
absl::Status InsertStore(postgres::Transaction& transaction, PartnerId partner, const Store& store);

// The store, locked until the end of the transaction. Error: STORE_NOT_FOUND, also when there is no
// such partner.
absl::StatusOr<Store> LockStore(postgres::Transaction& transaction, std::string_view partner_slug,
                                std::string_view code);

// By code, those after `after`.
std::vector<Store> ListStores(postgres::Transaction& transaction, PartnerId partner,
                              std::string_view after, int limit);

// Stores what may change of a store that LockStore gave.
void UpdateStore(postgres::Transaction& transaction, const Store& store);

// Error: ALREADY_EXISTS, the store has a terminal of that code.
absl::Status InsertTerminal(postgres::Transaction& transaction, StoreId store,
                            std::string_view code);

}  // namespace guilder::partner
