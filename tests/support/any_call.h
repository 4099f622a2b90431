// Calls any RPC by its descriptor: for tests that call all of them.
#pragma once

#include <optional>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "libs/base/reason.h"
#include "libs/clients/channel.h"

namespace guilder::testing {

struct AnyAnswer {
  absl::Status status;
  // What was answered before the end: one message of a unary method, any number of a stream.
  std::string bytes;

  std::optional<Reason> reason() const { return ReasonOf(status); }
  // Whether the answer, or an item of a stream, says so.
  bool Mentions(const std::string& text) const { return bytes.find(text) != std::string::npos; }
};

// Sends the request, and no other, and waits for the end. Nothing is repeated.
AnyAnswer CallAny(const clients::Channel& channel, const google::protobuf::MethodDescriptor& method,
                  const google::protobuf::Message& request);

// A request from its text form; what does not parse throws.
std::unique_ptr<google::protobuf::Message> RequestOf(
    const google::protobuf::MethodDescriptor& method, const std::string& text);

}  // namespace guilder::testing
