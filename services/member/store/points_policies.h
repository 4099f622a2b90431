// The versions of the programme's policy on points. The terms are bytes here; the API has their
// form.
//
// Each function runs in the caller's transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/expiry.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct StoredPolicy {
  int64_t version = 0;
  std::string terms;
  // What lanes read of it.
  ledger::ExpiryPolicy expiry;
  // Where points do not expire by time, and for how long they live on after a move.
  std::vector<std::string> residences;
  int residence_grace_days = 0;
};

// The one in force; version 0 and no terms where nothing was ever set.
StoredPolicy ReadPolicy(postgres::Transaction& transaction, ProgrammeId programme);

// Puts a version in force; the configuration's version is the caller's to raise. False where there
// is one of that number.
bool InsertPolicy(postgres::Transaction& transaction, ProgrammeId programme,
                  const StoredPolicy& policy, Timestamp now, const std::string& set_by);

}  // namespace guilder::member
