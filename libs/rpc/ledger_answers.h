// Between a handler and the lanes: what every service that posts to the ledger does alike.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "guilder/type/v1/journal_receipt.pb.h"

#include "libs/ledger/store/lanes.h"
#include "libs/rpc/call.h"

namespace guilder::rpc {

guilder::type::v1::JournalReceipt ToProto(const ledger::JournalPlace& place);

// The response that an answer stands for: the stored bytes, byte for byte, and the receipt.
template <typename Response>
absl::StatusOr<Response> ToResponse(const ledger::Answer& answer) {
  Response response;
  if (!response.ParseFromString(answer.response)) {
    return absl::InternalError("a stored response cannot be read");
  }
  *response.mutable_journal_receipt() = ToProto(answer.place);
  return response;
}

// The same for a call with one answer, whose trailing metadata says when it is a repeat.
template <typename Response>
absl::StatusOr<Response> ToResponse(const ledger::Answer& answer, const Call& call) {
  if (answer.replayed) call.SetTrailingMetadata(kReplayedKey, "true");
  return ToResponse<Response>(answer);
}

// Submits a command and answers the call with its outcome. `Response` has a `journal_receipt`,
// which the stored bytes do not hold; `respond` is a Responder<Response>.
template <typename Response, typename Respond>
void SubmitAndRespond(ledger::Lanes& lanes, std::unique_ptr<ledger::Command> command,
                      std::shared_ptr<const Call> call, Respond respond) {
  command->deadline = call->deadline();
  lanes.Submit(std::move(command),
               [call = std::move(call), respond](absl::StatusOr<ledger::Answer> answer) {
                 if (!answer.ok()) return respond(std::move(answer).status());
                 respond(ToResponse<Response>(*answer, *call));
               });
}

}  // namespace guilder::rpc
