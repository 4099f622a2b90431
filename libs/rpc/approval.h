// Requests that a second person approves before they are made. Which ones is a column of the table
// of permissions.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"

#include "libs/base/types.h"
#include "libs/rpc/call.h"
#include "libs/rpc/permissions.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::rpc {

// SHA-256 over the type of the request and its exact content: what an approval is bound to.
Digest ChangeHash(const google::protobuf::Message& request);

// The row of the method that takes this type of request and needs an approval; null when there is
// none. No two methods take the same type.
const Permission* FindApprovable(const google::protobuf::Descriptor& request);

// The request as JSON, for people.
std::string ChangeText(const google::protobuf::Message& request);

// Uses the approval of this very request that the caller asked for, in the transaction that does
// what was approved: both happen, or neither. Error: APPROVAL_REQUIRED, there is none.
absl::Status UseApproval(postgres::Transaction& transaction, const Call& call,
                         const google::protobuf::Message& request);

}  // namespace guilder::rpc
