// Notes in the audit log what a call does, in the transaction that does it.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/message.h"

#include "libs/rpc/call.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::rpc {

// "operators/anna", "credentials/4f…".
std::string ActorOf(const security::Principal& principal);

// Call it last in the transaction: who does something takes turns from here to the commit. `action`
// is as in "PartnerService/ApprovePartner". Messages are kept as JSON, and hold no secrets; null
// where there was nothing, or is nothing.
void Audit(postgres::Transaction& transaction, const Call& call, std::string_view action,
           std::string_view resource, const google::protobuf::Message* before,
           const google::protobuf::Message* after);

// The same for reading somebody's personal data.
void AuditReading(postgres::Transaction& transaction, const Call& call, std::string_view action,
                  std::string_view resource);

// Runs `body` in a transaction, and notes in it what was asked for: `asked`, or nothing where that
// is large. `Pool` is a postgres::Pool, and the result that of its Run.
template <typename Pool, typename Body>
auto RunAudited(Pool& pool, const Call& call, std::string_view action, std::string_view resource,
                const google::protobuf::Message* asked, const Body& body) {
  return pool.Run(
      [&](postgres::Transaction& transaction) {
        auto done = body(transaction);
        if (done.ok()) Audit(transaction, call, action, resource, nullptr, asked);
        return done;
      },
      call.deadline());
}

}  // namespace guilder::rpc
