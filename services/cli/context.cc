#include "services/cli/context.h"

#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/operator/v1/operator_service.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "services/cli/call.h"
#include "services/cli/messages.h"
#include "services/cli/output/printable.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

bool IsRead(const MethodDescriptor& method) {
  for (const char* verb : {"Get", "List", "Find", "Explain", "Preview", "Quote"}) {
    if (absl::StartsWith(method.name(), verb)) return true;
  }
  return false;
}

const FieldDescriptor* RequestIdField(const Message& request) {
  return request.GetDescriptor()->FindFieldByName("request_id");
}

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!std::getline(file, token)) {
    return absl::FailedPreconditionError(absl::StrCat("cannot read a token from ", path));
  }
  return std::string(absl::StripAsciiWhitespace(token));
}

}  // namespace

Context::Context() : error_terminal_(DetectTerminal(STDERR_FILENO)) {}
Context::~Context() = default;

Output& Context::output() {
  if (output_ == nullptr) {
    output_ = std::make_unique<Output>(flags_.output == "json" ? Format::kJson : Format::kTable,
                                       std::cout, DetectTerminal(STDOUT_FILENO));
  }
  return *output_;
}

absl::StatusOr<const Network*> Context::network() {
  if (network_ == nullptr) {
    GUILDER_ASSIGN_OR_RETURN(Network network, ReadNetwork(NetworkPath(flags_.network)));
    network_ = std::make_unique<Network>(std::move(network));
  }
  return network_.get();
}

absl::StatusOr<std::string> Context::Bearer(const std::string& as) {
  if (!flags_.token_file.empty()) return ReadTokenFile(flags_.token_file);
  // A client certificate says who calls, unless somebody else is named.
  if (!flags_.tls_certificate.empty() && flags_.as.empty()) return std::string();
  GUILDER_ASSIGN_OR_RETURN(const Network* network, this->network());
  return network->Token(flags_.as.empty() ? as : flags_.as);
}

absl::StatusOr<std::string> Context::EndpointOf(const std::string& service) {
  if (!flags_.endpoint.empty()) return flags_.endpoint;
  GUILDER_ASSIGN_OR_RETURN(const Network* network, this->network());
  return network->Endpoint(service);
}

absl::Status Context::FillRequestId(Message& request) {
  last_request_id_.clear();
  const FieldDescriptor* validate_only = request.GetDescriptor()->FindFieldByName("validate_only");
  if (validate_only != nullptr) {
    request.GetReflection()->SetBool(&request, validate_only, flags_.dry_run);
  } else if (flags_.dry_run) {
    return absl::InvalidArgumentError("this command has no dry run");
  }
  const FieldDescriptor* field = RequestIdField(request);
  if (field == nullptr) return absl::OkStatus();
  last_request_id_ = TextAt(request, "request_id");
  if (last_request_id_.empty()) {
    last_request_id_ = flags_.request_id.empty() ? clients::NewRequestId() : flags_.request_id;
    request.GetReflection()->SetString(&request, field, last_request_id_);
  }
  // Once for all pages of one request.
  if (std::exchange(told_request_id_, last_request_id_) != last_request_id_) {
    std::cerr << "request_id " << last_request_id_ << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Context::Call(Message& request, Message& response, const std::string& as) {
  const MethodDescriptor* method = FindMethod(request.GetDescriptor());
  if (method == nullptr) return absl::InternalError("no RPC takes this request");
  GUILDER_ASSIGN_OR_RETURN(std::string bearer, Bearer(as));
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(ServiceOf(*method)));
  const bool read = IsRead(*method);
  if (!read) GUILDER_RETURN_IF_ERROR(FillRequestId(request));

  clients::RetryPolicy policy;
  policy.total = absl::Seconds(flags_.timeout_seconds);
  policy.per_attempt = policy.total;
  if (!read && RequestIdField(request) == nullptr) policy.max_attempts = 1;
  bool replayed = false;
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel channel, Connect(endpoint, std::move(bearer)));
  const absl::Status status = Invoke(channel, *method, request, response, policy, &replayed);
  if (replayed)
    std::cerr << "answered before: this is the answer of the first attempt" << std::endl;
  if (ReasonOf(status) == Reason::kApprovalRequired) return RequestApproval(request, as, status);
  return status;
}

absl::StatusOr<clients::Channel> Context::Connect(const std::string& endpoint,
                                                  std::string bearer) const {
  return clients::Channel::Make(endpoint, std::move(bearer),
                                {flags_.tls_ca, flags_.tls_certificate, flags_.tls_key});
}

absl::Status Context::RequestApproval(const Message& request, const std::string& as,
                                      const absl::Status& refused) {
  const auto say = [&](const std::string& what) {
    return WithReason(absl::Status(refused.code(), what), Reason::kApprovalRequired,
                      DetailsOf(refused));
  };
  if (!flags_.request_approval) {
    return say("a second person approves this first; repeat it with --request-approval");
  }
  operator_::v1::RequestApprovalRequest ask;
  operator_::v1::RequestApprovalResponse asked;
  ask.mutable_request()->PackFrom(request);
  flags_.request_approval = false;
  GUILDER_RETURN_IF_ERROR(Call(ask, asked, as));
  return say(absl::StrCat(asked.approval().name(),
                          " waits for somebody else; once it is approved, repeat this command"));
}

absl::Status Context::Stream(std::vector<std::unique_ptr<Message>>& requests, Message& response,
                             const std::string& as, const std::function<void()>& on_response) {
  const MethodDescriptor* method = FindMethod(requests.front()->GetDescriptor());
  if (method == nullptr) return absl::InternalError("no RPC takes this request");
  GUILDER_ASSIGN_OR_RETURN(std::string bearer, Bearer(as));
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(ServiceOf(*method)));
  const bool in_parts = method->client_streaming() && !method->server_streaming();
  for (const auto& request : requests) {
    GUILDER_RETURN_IF_ERROR(FillRequestId(*request));
    if (in_parts) break;
  }
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel channel, Connect(endpoint, std::move(bearer)));
  return InvokeStream(channel, *method, requests, response,
                      absl::Now() + absl::Seconds(flags_.timeout_seconds), on_response);
}

absl::StatusOr<clients::Channel> Context::ChannelTo(const std::string& service,
                                                    const std::string& as) {
  GUILDER_ASSIGN_OR_RETURN(std::string bearer, Bearer(as));
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(service));
  return Connect(endpoint, std::move(bearer));
}

std::string Context::Now() {
  operator_::v1::GetProgrammeRequest request;
  operator_::v1::GetProgrammeResponse response;
  const std::string as = std::exchange(flags_.as, "");
  const bool known = flags_.token_file.empty() && Call(request, response, "auditor").ok();
  flags_.as = as;
  if (!known) return FormatTimestamp(FromAbslTime(absl::Now()));
  return ToJson(response.programme()).value("clock", std::string());
}

ExitCode Context::Report(const absl::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  const bool usage = absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
  if (!ReasonOf(status) && (usage || absl::IsAborted(status))) {
    std::cerr << Printable(absl::StrCat("guilder: ", status.message(), "\n"));
    return usage ? ExitCode::kUsage : ExitCode::kRefused;
  }
  if (flags_.output == "json") {
    const auto reason = ReasonOf(status);
    nlohmann::ordered_json error = {{"code", absl::StatusCodeToString(status.code())},
                                    {"reason", reason ? std::string(ReasonName(*reason)) : ""},
                                    {"message", std::string(status.message())},
                                    {"details", DetailsOf(status)}};
    if (!last_request_id_.empty()) error["request_id"] = last_request_id_;
    std::cerr << nlohmann::ordered_json{{"error", error}}.dump(2) << "\n";
  } else {
    std::cerr << Printable(ErrorText(status, last_request_id_));
  }
  return ExitCodeOf(status);
}

Verb& Context::Keep(std::unique_ptr<Verb> verb) {
  verbs_.push_back(std::move(verb));
  return *verbs_.back();
}

}  // namespace guilder::cli
