#include "libs/clients/channel.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "libs/base/files.h"

namespace guilder::clients {
namespace {

constexpr int kMaxMessageBytes = 64 * 1024 * 1024;
constexpr int kKeepaliveMs = 30'000;
constexpr int kLongestReconnectMs = 1'000;
// How long a server may take to greet. Despite its name, that is what the option is about.
constexpr int kGreetingMs = 2'000;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  // Repeats are ours; what gRPC waits for between connections must not outlast them.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kGreetingMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  return arguments;
}

std::shared_ptr<grpc::Channel> Open(const std::string& endpoint,
                                    const std::shared_ptr<grpc::ChannelCredentials>& by) {
  return grpc::CreateCustomChannel(endpoint, by, Arguments());
}

}  // namespace

absl::StatusOr<Channel> Channel::Make(const std::string& endpoint, std::string bearer,
                                      const ChannelOptions& options) {
  if (options.tls_ca.empty()) return Channel(endpoint, std::move(bearer));
  grpc::SslCredentialsOptions tls;
  const std::pair<const std::string*, std::string*> files[] = {
      {&options.tls_ca, &tls.pem_root_certs},
      {&options.tls_certificate, &tls.pem_cert_chain},
      {&options.tls_key, &tls.pem_private_key}};
  for (const auto& [path, text] : files) {
    if (path->empty()) continue;
    auto read = ReadFile(*path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  return Channel(Open(endpoint, grpc::SslCredentials(tls)), std::move(bearer));
}

Channel::Channel(const std::string& endpoint, std::string bearer)
    : Channel(Open(endpoint, grpc::InsecureChannelCredentials()), std::move(bearer)) {}

Channel Channel::WithBearer(std::string bearer) const {
  return Channel(channel_, std::move(bearer));
}

void Channel::Connect(absl::Time deadline) const {
  channel_->WaitForConnected(absl::ToChronoTime(deadline));
}

void Channel::Prepare(grpc::ClientContext& context, absl::Time deadline) const {
  if (!bearer_.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", bearer_));
  context.set_deadline(absl::ToChronoTime(deadline));
}

}  // namespace guilder::clients
