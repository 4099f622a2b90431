// What is true of every ledger, whatever was done to it.
#pragma once

#include <string>

#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::testing {

// Names the first statement that does not hold, and how often; empty when all hold. SQL that shares
// nothing with the code that posts; no command may be under way.
std::string FindBrokenInvariant(const TestDatabase& database);

// Ends every test that touches the ledger.
inline void CheckInvariants(const TestDatabase& database) {
  CHECK(FindBrokenInvariant(database) == "");
}

}  // namespace guilder::testing
