// Tiers and segments, as the tables have them. Each function runs in the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "services/member/domain/standing.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

// Those who change one member's standing come one after the other, and wait for its erasure.
// Errors: kMemberNotFound, kMemberErased.
absl::Status LockStanding(postgres::Transaction& transaction, AccountId account);

// In the order of their times. Of the erased, and of who is no member, nothing.
std::vector<TierChange> ReadTierChanges(postgres::Transaction& transaction, AccountId account);
void InsertTierChange(postgres::Transaction& transaction, AccountId account,
                      const TierChange& change);

// By name, then by time.
std::vector<SegmentTime> ReadSegments(postgres::Transaction& transaction, AccountId account);
void InsertSegment(postgres::Transaction& transaction, AccountId account, const SegmentTime& time);
// Ends every time in the segment that is not over.
void EndSegment(postgres::Transaction& transaction, AccountId account, const std::string& segment,
                Timestamp now);

// What `from` is when it is merged goes on at `into`: its tier, where that one has none, because
// names of tiers have no order; and the times in segments that are not over.
void MergeStanding(postgres::Transaction& transaction, AccountId from, AccountId into,
                   Timestamp now, const std::string& by);

}  // namespace guilder::member
