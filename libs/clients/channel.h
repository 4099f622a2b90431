// A connection to the network, and who speaks through it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace guilder::clients {

struct ChannelOptions {
  // Empty means plaintext, for the same machine. Otherwise a PEM file with the authorities to
  // trust.
  std::string tls_ca;
  // For mutual TLS.
  std::string tls_certificate;
  std::string tls_key;
};

// Cheap to copy; copies share the connection. Thread safe.
class Channel {
 public:
  // Does not connect yet; the first call does, and a broken connection is made anew. `bearer` is an
  // API key or an operator's token, or empty. Error: a PEM file cannot be read.
  static absl::StatusOr<Channel> Make(const std::string& endpoint, std::string bearer,
                                      const ChannelOptions& options = {});

  // Plaintext.
  Channel(const std::string& endpoint, std::string bearer);

  // The same connection for another caller.
  Channel WithBearer(std::string bearer) const;

  const std::shared_ptr<grpc::Channel>& grpc() const { return channel_; }
  const std::string& bearer() const { return bearer_; }

  // Waits until there is a connection, at most until the deadline; not at all when there is one.
  //
  // gRPC makes a connection only while somebody waits for it. A caller that sleeps between attempts
  // that fail at once would find the server again only every five seconds, when gRPC looks by
  // itself.
  void Connect(absl::Time deadline) const;

  // Sets credentials and deadline.
  void Prepare(grpc::ClientContext& context, absl::Time deadline) const;

 private:
  Channel(std::shared_ptr<grpc::Channel> channel, std::string bearer)
      : channel_(std::move(channel)), bearer_(std::move(bearer)) {}

  std::shared_ptr<grpc::Channel> channel_;
  std::string bearer_;
};

}  // namespace guilder::clients
