// What all commands share: the global flags, where results go, and calls of the network.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "services/cli/network.h"
#include "services/cli/output/exit_code.h"
#include "services/cli/output/output.h"

namespace guilder::clients {
class Channel;
}  // namespace guilder::clients

namespace guilder::cli {

class Verb;

// The flags that every command takes.
struct GlobalFlags {
  std::string network;     // --network
  std::string endpoint;    // --endpoint: one address for all services, instead of the file's.
  std::string as;          // --as: an operator's role or a partner.
  std::string token_file;  // --token-file
  // --tls-ca, --tls-certificate, --tls-key: PEM files.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  bool request_approval = false;  // --request-approval
  std::string request_id;         // --request-id
  std::string output = "table";
  bool dry_run = false;
  int timeout_seconds = 30;
};

// Not thread safe: one command runs, in one thread.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  GlobalFlags& flags() { return flags_; }

  // Keeps what the chosen command does; main runs it once the command line is read.
  void Choose(std::function<ExitCode()> action) { action_ = std::move(action); }
  ExitCode Run() const { return action_(); }

  // Results, on stdout, as -o says.
  Output& output();
  // What stderr can show, for progress bars.
  const Terminal& error_terminal() const { return error_terminal_; }

  // The network's file, read once.
  absl::StatusOr<const Network*> network();

  // Calls the RPC that takes this type of request (no two take the same). Speaks as --as or
  // --token-file say, else as `as`: a role, or a partner with or without "partners/".
  //
  // A field `request_id` that is empty gets --request-id or a new one, and is told on stderr first.
  // A request with one, and a read, is repeated while the answer is UNAVAILABLE or the queue full.
  // --dry-run sets `validate_only`; where there is none, the call is refused as bad usage.
  absl::Status Call(google::protobuf::Message& request, google::protobuf::Message& response,
                    const std::string& as);

  // The same for streams: sends all requests, gives each answer to `on_response`, and does not
  // repeat. Where all of them are one request in parts, the first has the request id.
  absl::Status Stream(std::vector<std::unique_ptr<google::protobuf::Message>>& requests,
                      google::protobuf::Message& response, const std::string& as,
                      const std::function<void()>& on_response);

  // With --request-approval a call that is refused because a second person approves it first is put
  // before them, and the refusal says as what.

  // A connection to a service ("accrual") for calls that the command makes itself, with the caller
  // as above.
  absl::StatusOr<clients::Channel> ChannelTo(const std::string& service, const std::string& as);

  // The programme's clock if it can be read, else this machine's: when "now" is for a purchase.
  std::string Now();

  // Tells stderr what went wrong, and what the shell should learn. Without a reason,
  // FAILED_PRECONDITION and INVALID_ARGUMENT are this program's own and mean bad usage, ABORTED a
  // result that is not well.
  ExitCode Report(const absl::Status& status);

  // Keeps a command alive as long as the context.
  Verb& Keep(std::unique_ptr<Verb> verb);

 private:
  absl::Status FillRequestId(google::protobuf::Message& request);
  absl::StatusOr<clients::Channel> Connect(const std::string& endpoint, std::string bearer) const;
  absl::Status RequestApproval(const google::protobuf::Message& request, const std::string& as,
                               const absl::Status& refused);
  absl::StatusOr<std::string> Bearer(const std::string& as);
  absl::StatusOr<std::string> EndpointOf(const std::string& service);

  GlobalFlags flags_;
  std::function<ExitCode()> action_;
  const Terminal error_terminal_;
  std::unique_ptr<Output> output_;
  std::unique_ptr<Network> network_;
  std::string last_request_id_;
  // That stderr was told last.
  std::string told_request_id_;
  std::vector<std::unique_ptr<Verb>> verbs_;
};

}  // namespace guilder::cli
