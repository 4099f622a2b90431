// Calls of RPCs that are found by the type of their request, so that a command needs messages only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"

#include "libs/clients/channel.h"
#include "libs/clients/retry.h"

namespace guilder::cli {

// The RPC whose request is of that type; null when there is none. Each RPC has a type of its own.
const google::protobuf::MethodDescriptor* FindMethod(const google::protobuf::Descriptor* request);

// "guilder.accrual.v1.RuleService/GetRuleSet" is served by "accrual".
std::string ServiceOf(const google::protobuf::MethodDescriptor& method);

// Waits for the answer of a unary RPC, repeating it as `policy` says. `replayed` learns whether the
// answer is the stored one of an earlier attempt.
absl::Status Invoke(const clients::Channel& channel,
                    const google::protobuf::MethodDescriptor& method,
                    const google::protobuf::Message& request, google::protobuf::Message& response,
                    const clients::RetryPolicy& policy, bool* replayed = nullptr);

// Sends the requests, parses each answer into `response` and tells `on_response`, until the server
// ends.
absl::Status InvokeStream(const clients::Channel& channel,
                          const google::protobuf::MethodDescriptor& method,
                          const std::vector<std::unique_ptr<google::protobuf::Message>>& requests,
                          google::protobuf::Message& response, absl::Time deadline,
                          const std::function<void()>& on_response);

}  // namespace guilder::cli
