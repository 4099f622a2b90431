// Reads the configuration.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "libs/ledger/core/configuration.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// Reads the programme, its calendar and its partners with their approved contracts and stores.
// Fails with FAILED_PRECONDITION when there is no such programme.
//
// The version is read first: a change that commits meanwhile has a later version, and is read
// again.
absl::StatusOr<std::shared_ptr<const Configuration>> LoadConfiguration(postgres::Transaction& tx,
                                                                       ProgrammeId programme);

// The one that is in force: `known` if it is, for readers, which have no lane that keeps it
// current.
absl::StatusOr<std::shared_ptr<const Configuration>> CurrentConfiguration(
    postgres::Transaction& tx, std::shared_ptr<const Configuration> known);

}  // namespace guilder::ledger
