// Appends to, and reads, operator.audit_log. Each function runs in the caller's transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/security/audit.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::security {

// Appends a record, whose number, time and hash it gives itself. Appenders take turns until the end
// of their transactions, so this comes last in one: what people do is rare, tills never come here.
void AppendAudit(postgres::Transaction& transaction, AuditRecord record);

struct AuditFilter {
  // Exactly; empty for all.
  std::string actor;
  // The resource and what is below it; empty for all.
  std::string resource;
};

// Those after `after`, by number.
std::vector<AuditRecord> ListAudit(postgres::Transaction& transaction, const AuditFilter& filter,
                                   int64_t after, int limit);

struct AuditHead {
  int64_t number = 0;
  Digest hash{};
};
AuditHead ReadAuditHead(postgres::Transaction& transaction);

}  // namespace guilder::security
