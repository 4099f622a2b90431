// Reads the rule book for a version of the configuration.
#pragma once

#include <memory>
#include <mutex>

#include "absl/status/statusor.h"

#include "libs/ledger/core/configuration.h"
#include "services/accrual/domain/rule_book.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// Keeps the rule book that was read last. Thread safe.
class RuleBookReader {
 public:
  // The approved rules of that configuration's version: from memory when it is the same as last
  // time. INTERNAL when stored rules cannot be parsed.
  absl::StatusOr<std::shared_ptr<const RuleBook>> Read(postgres::Transaction& tx,
                                                       const ledger::Configuration& configuration);

 private:
  std::mutex mutex_;
  std::shared_ptr<const RuleBook> latest_;
};

}  // namespace guilder::accrual
