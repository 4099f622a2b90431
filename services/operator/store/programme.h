// The programme, its clock, and the partitions that its posted time needs.
//
// Each function runs in the caller's transaction.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/postgres/connection.h"

namespace guilder::operator_ {

struct Programme {
  ProgrammeId id;
  std::string slug;
  std::string display_name;
  std::string currency;
  std::string time_zone;
  // LIVE, SANDBOX or DEVELOPMENT.
  std::string mode;
  std::string cycle;
  Timestamp clock;
};

// FAILED_PRECONDITION when the database has none.
absl::StatusOr<Programme> ReadProgramme(postgres::Transaction& transaction);

// Makes the monthly partitions of the journal for posted times from one instant to another that are
// not there yet. Posting goes on meanwhile, but a year at a time is enough for one transaction.
void EnsurePartitions(postgres::Transaction& transaction, Timestamp from, Timestamp until);

// Locks all books in order, as lanes do, so that no record is posted until the commit.
void LockBooks(postgres::Transaction& transaction, ProgrammeId programme);
// After LockBooks.
void MoveClock(postgres::Transaction& transaction, ProgrammeId programme, Timestamp by);

}  // namespace guilder::operator_
