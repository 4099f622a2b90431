// What people did to the programme, as a chain in which nothing can be changed, left out or put in
// between unnoticed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/types.h"

namespace guilder::security {

struct AuditRecord {
  // 1, 2, 3 … without gaps.
  int64_t number = 0;
  // By the database's own clock.
  Timestamp at;
  // "operators/anna", or a partner's credential.
  std::string actor;
  // Where the call came from, as in "ipv4:10.0.0.7:51234".
  std::string peer;
  // The method, as in "PartnerService/ApprovePartner".
  std::string action;
  // What it was done to, or whose personal data was read.
  std::string resource;
  // As JSON; empty where there was, or is, nothing, and for what was only read. Never a secret.
  std::string before;
  std::string after;
  // Of all fields above and of the hash before it.
  Digest hash{};
};

// SHA-256 over the fields, each with its length, and the hash of the record before; 32 zero bytes
// stand before the first one.
Digest AuditHash(const AuditRecord& record, const Digest& previous);

// Walks a chain from its beginning. Whoever kept an earlier head compares it with the hash of the
// record of that number: a chain that was written anew from some record on has another one.
class AuditWalk {
 public:
  // The first record that does not follow: one is missing, was changed, or was put in between.
  // False from then on.
  bool Add(const AuditRecord& record);
  // Whether the chain ends where the head says; records cut off at the end are missing then.
  bool EndsAt(int64_t number, const Digest& hash);

  // Records that follow each other.
  int64_t records() const { return records_; }
  const Digest& head() const { return head_; }
  // The number that does not follow; nothing while all is well.
  std::optional<int64_t> broken_at() const { return broken_at_; }

 private:
  int64_t records_ = 0;
  Digest head_{};
  std::optional<int64_t> broken_at_;
};

}  // namespace guilder::security
