#include "libs/rpc/server.h"

#include <mutex>
#include <utility>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "libs/base/text.h"
#include "libs/rpc/health.h"
#include "libs/rpc/permissions.h"
#include "libs/rpc/runtime.h"
#include "libs/telemetry/log.h"

namespace guilder::rpc {
namespace {

constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kLeastPingIntervalMs = 10'000;

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

bool IsLoopback(const std::string& address) {
  const std::string host = HostOf(address);
  return host == "localhost" || host == "[::1]" || absl::StartsWith(host, "127.");
}

absl::Status CheckReadable(const std::string& path) {
  if (access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("TLS file ", path, " cannot be read"));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const ServerOptions& options) {
  if (options.tls_certificate.empty()) {
    if (options.allow_plaintext || IsLoopback(options.listen_address)) {
      return grpc::InsecureServerCredentials();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("refusing plaintext on ", options.listen_address,
                     ", which is not a loopback address: give a certificate and key, or allow "
                     "plaintext if something in front encrypts"));
  }
  const bool mutual = !options.tls_client_ca.empty();
  std::vector<std::string> paths{options.tls_certificate, options.tls_key};
  if (mutual) paths.push_back(options.tls_client_ca);
  for (const std::string& path : paths) {
    if (absl::Status status = CheckReadable(path); !status.ok()) return status;
  }

  const auto refresh_s = static_cast<unsigned>(absl::ToInt64Seconds(options.certificate_refresh));
  using grpc::experimental::FileWatcherCertificateProvider;
  auto provider =
      mutual ? std::make_shared<FileWatcherCertificateProvider>(
                   options.tls_key, options.tls_certificate, options.tls_client_ca, refresh_s)
             : std::make_shared<FileWatcherCertificateProvider>(options.tls_key,
                                                                options.tls_certificate, refresh_s);
  grpc::experimental::TlsServerCredentialsOptions tls(std::move(provider));
  tls.watch_identity_key_cert_pairs();
  if (mutual) tls.watch_root_certs();
  tls.set_cert_request_type(mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return grpc::experimental::TlsServerCredentials(tls);
}

absl::Status CheckHasPermissions(const std::string& service) {
  const auto* const descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  if (descriptor == nullptr) return absl::InternalError(absl::StrCat("no service ", service));
  for (int i = 0; i < descriptor->method_count(); ++i) {
    const std::string method = absl::StrCat(service, "/", descriptor->method(i)->name());
    if (FindPermission(method) == nullptr) {
      return absl::InternalError(absl::StrCat("no row in the table of permissions for ", method));
    }
  }
  return absl::OkStatus();
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  builder.AddChannelArgument(
      GRPC_ARG_KEEPALIVE_TIME_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_interval)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastPingIntervalMs);
  // Statistics that nobody reads, at each call.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // A second server on the same port must fail, not share the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

// Reflection is a plugin of the whole process.
void EnableReflection() {
  static std::once_flag once;
  std::call_once(once, [] { grpc::reflection::InitProtoReflectionServerBuilderPlugin(); });
}

}  // namespace

class Server::Impl {
 public:
  Impl(Runtime& runtime, ServerOptions options) : runtime_(runtime), options_(std::move(options)) {}

  void AddService(grpc::Service& service, std::string full_name) {
    health_.AddService(full_name);
    services_.emplace_back(&service, std::move(full_name));
  }

  absl::Status Start() {
    for (const auto& [service, full_name] : services_) {
      if (absl::Status status = CheckHasPermissions(full_name); !status.ok()) return status;
    }
    const auto credentials = MakeCredentials(options_);
    if (!credentials.ok()) return credentials.status();

    EnableReflection();
    grpc::ServerBuilder builder;
    SetLimits(options_, builder);
    builder.AddListeningPort(options_.listen_address, *credentials, &port_);
    builder.RegisterService(&health_);
    for (const auto& [service, full_name] : services_) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.listen_address, ": is the port taken?"));
    }
    health_.Serve();
    telemetry::Log(telemetry::Severity::kInfo, "listening", {{"endpoint", endpoint()}});
    return absl::OkStatus();
  }

  void Shutdown(absl::Time deadline) {
    if (server_ == nullptr) return;
    health_.Stop();
    runtime_.BeginDrain();
    // A server of gRPC that shuts down answers new calls with CANCELLED, which tells a caller
    // nothing. So it goes on, and the runtime refuses them with kDraining, until the last call has
    // ended.
    runtime_.WaitUntilIdle(deadline);
    server_->Shutdown(absl::ToChronoTime(deadline));
    server_->Wait();
    server_.reset();
  }

  int port() const { return port_; }

  std::string endpoint() const {
    const std::string host = HostOf(options_.listen_address);
    const bool any = host == "0.0.0.0" || host == "[::]";
    return absl::StrCat(any ? "127.0.0.1" : host, ":", port_);
  }

 private:
  Runtime& runtime_;
  const ServerOptions options_;
  HealthService health_;
  std::vector<std::pair<grpc::Service*, std::string>> services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Server::Server(Runtime& runtime, ServerOptions options)
    : impl_(std::make_unique<Impl>(runtime, std::move(options))) {}

Server::~Server() {
  impl_->Shutdown(absl::Now());
}

void Server::AddService(grpc::Service& service, std::string_view full_name) {
  impl_->AddService(service, std::string(full_name));
}

absl::Status Server::Start() {
  return impl_->Start();
}
int Server::port() const {
  return impl_->port();
}
std::string Server::endpoint() const {
  return impl_->endpoint();
}
void Server::Shutdown(absl::Time deadline) {
  impl_->Shutdown(deadline);
}

}  // namespace guilder::rpc
