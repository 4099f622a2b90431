// From answers of the API to lines of a till's log.
#pragma once

#include <string>

#include "absl/status/status.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "tests/chaos/till_log.h"

namespace guilder::testing {

// Whether the same request may be answered otherwise in a moment.
inline bool MayPass(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  if (!reason) {
    // Of gRPC itself, which had no answer to give.
    return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
           absl::IsCancelled(status) || absl::IsUnknown(status) || absl::IsInternal(status) ||
           absl::IsResourceExhausted(status);
  }
  return *reason == Reason::kStoreUnavailable || *reason == Reason::kQueueFull ||
         *reason == Reason::kDraining || *reason == Reason::kDeadlineExceeded;
}

inline TillLine IntentLine(const char* kind, const std::string& request_id) {
  return {.event = TillEvent::kIntent, .kind = kind, .request_id = request_id};
}

// The answer apart from its receipt, as the journal keeps it.
template <typename Response>
TillLine AcceptedLine(const char* kind, const std::string& request_id, Response response) {
  const auto receipt = response.journal_receipt();
  response.clear_journal_receipt();
  return {.event = TillEvent::kAccepted,
          .kind = kind,
          .request_id = request_id,
          .book = receipt.book(),
          .number = receipt.number(),
          .posted_at_us = rpc::FromProto(receipt.posted_at()).value_or(Timestamp()).value(),
          .leaf_hex = ToHex(receipt.leaf_hash()),
          .response_hex = ToHex(response.SerializeAsString())};
}

}  // namespace guilder::testing
