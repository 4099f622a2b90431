#include "services/cli/dev/network.h"

#include <filesystem>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/private_cluster.h"
#include "libs/postgres/roles.h"
#include "libs/rpc/runtime.h"
#include "libs/rpc/server.h"
#include "libs/security/secrets.h"
#include "libs/security/store/credentials.h"
#include "services/cli/dev/bootstrap.h"
#include "services/cli/dev/services.h"

namespace guilder::cli::dev {
namespace {

// Blocking calls, which are as many as workers; the authenticator, and what verifies and seals.
constexpr int kConnections = 10;
// More than there are processors, so that some work while others wait for the disk.
constexpr int kLanes = 4;
constexpr const char* kServices[] = {"partner",    "accrual",    "member",
                                     "redemption", "settlement", "operator"};

std::string NetworkFile(const NetworkOptions& options) {
  return options.data_directory + "/network.json";
}

// What an earlier start left, to be kept; nothing where there was none.
cli::Network Remembered(const NetworkOptions& options) {
  auto known = ReadNetwork(NetworkFile(options));
  return known.ok() ? *std::move(known) : cli::Network();
}

absl::Status MakeDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot create ", path, ": ", error.message()));
}

// Asked first, because gRPC complains aloud when it cannot have a port. Of names rather than IPv4
// addresses nothing is known, so they are tried.
bool IsFree(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return true;
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool bound =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return bound;
}

absl::Status AwaitHealth(const std::string& endpoint) {
  const clients::Client<grpc::health::v1::Health> health(clients::Channel(endpoint, ""));
  return health
      .Invoke(&grpc::health::v1::Health::Stub::Check, grpc::health::v1::HealthCheckRequest())
      .status();
}

}  // namespace

// In the order of construction: each part uses those before it.
class Network::Impl {
 public:
  explicit Impl(NetworkOptions options) : options_(std::move(options)) {}
  ~Impl() { Stop(absl::ZeroDuration()); }

  absl::Status Start() {
    facts_ = Remembered(options_);
    GUILDER_RETURN_IF_ERROR(MakeDirectory(options_.data_directory));
    GUILDER_RETURN_IF_ERROR(StartDatabase());
    GUILDER_RETURN_IF_ERROR(Bootstrap());
    credentials_ = std::make_unique<security::CredentialStore>(*pool_, *secrets_);
    runtime_ = std::make_unique<rpc::Runtime>(*credentials_);
    cards_ = std::make_unique<ledger::CardDirectory>(*pool_);
    ledger::LanesOptions lanes;
    lanes.dsn = postgres::AsRole(facts_.dsn, "guilder_dev_lanes");
    lanes.lanes = kLanes;
    GUILDER_ASSIGN_OR_RETURN(lanes_, ledger::Lanes::Start(std::move(lanes)));
    GUILDER_ASSIGN_OR_RETURN(
        plans_, MakeServices({facts_.dsn, *runtime_, pools_, *secrets_, *lanes_, *cards_}));
    return StartServers();
  }

  void Stop(absl::Duration drain) {
    const absl::Time deadline = absl::Now() + drain;
    std::vector<std::thread> shutdowns;
    for (const auto& server : servers_) {
      shutdowns.emplace_back([&server, deadline] { server->Shutdown(deadline); });
    }
    for (std::thread& shutdown : shutdowns) shutdown.join();
    servers_.clear();
    if (lanes_ != nullptr) lanes_->Drain();
    plans_.clear();
    lanes_.reset();
    runtime_.reset();
    credentials_.reset();
    pools_.clear();
    pool_.reset();
    cluster_.reset();
  }

  const NetworkOptions& options() const { return options_; }
  cli::Network& facts() { return facts_; }

 private:
  absl::Status StartDatabase() {
    postgres::PrivateClusterOptions cluster;
    cluster.directory = std::filesystem::absolute(options_.data_directory + "/postgres").string();
    cluster.on_event = options_.on_event;
    GUILDER_ASSIGN_OR_RETURN(cluster_, postgres::PrivateCluster::Start(std::move(cluster)));
    facts_.dsn = cluster_->dsn();
    GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection,
                             postgres::Connection::Open(facts_.dsn));
    GUILDER_RETURN_IF_ERROR(postgres::MigrateUp(connection).status());
    GUILDER_RETURN_IF_ERROR(postgres::MakeRoles(connection));
    for (const char* const service : kServices) {
      pools_[service] = std::make_unique<postgres::Pool>(
          postgres::AsRole(facts_.dsn, absl::StrCat("guilder_", service)), kConnections);
    }
    pool_ = std::make_unique<postgres::Pool>(facts_.dsn, kConnections);
    return absl::OkStatus();
  }

  absl::Status Bootstrap() {
    GUILDER_ASSIGN_OR_RETURN(security::Secrets secrets,
                             security::Secrets::LoadOrCreate(options_.data_directory + "/secrets"));
    secrets_ = std::make_unique<security::Secrets>(std::move(secrets));
    facts_.programme = options_.programme.slug;
    GUILDER_ASSIGN_OR_RETURN(facts_.operators, dev::Bootstrap(*pool_, *secrets_, options_.programme,
                                                              std::move(facts_.operators)));
    return absl::OkStatus();
  }

  // The port that the server had last time, or the default, or any that is free.
  std::vector<int> PortsToTry(const ServerPlan& plan) const {
    std::vector<int> ports;
    const auto known = facts_.endpoints.find(plan.name);
    if (known != facts_.endpoints.end()) {
      int port = 0;
      const size_t colon = known->second.rfind(':');
      if (absl::SimpleAtoi(known->second.substr(colon + 1), &port)) ports.push_back(port);
    }
    if (options_.usual_ports) ports.push_back(plan.default_port);
    std::erase_if(ports, [this](int port) { return !IsFree(options_.listen_host, port); });
    ports.push_back(0);
    return ports;
  }

  absl::Status StartServer(const ServerPlan& plan) {
    absl::Status started;
    for (const int port : PortsToTry(plan)) {
      rpc::ServerOptions options;
      options.listen_address = absl::StrCat(options_.listen_host, ":", port);
      // Whoever chose another address than loopback knows that this is no production.
      options.allow_plaintext = true;
      auto server = std::make_unique<rpc::Server>(*runtime_, options);
      for (const GrpcService& hosted : plan.services) {
        server->AddService(*hosted.service, hosted.full_name);
      }
      started = server->Start();
      if (!started.ok()) continue;
      facts_.endpoints[plan.name] = server->endpoint();
      servers_.push_back(std::move(server));
      return absl::OkStatus();
    }
    return started;
  }

  absl::Status StartServers() {
    for (const ServerPlan& plan : plans_) GUILDER_RETURN_IF_ERROR(StartServer(plan));
    for (const auto& [name, endpoint] : facts_.endpoints) {
      GUILDER_RETURN_IF_ERROR(AwaitHealth(endpoint));
    }
    return absl::OkStatus();
  }

  const NetworkOptions options_;
  cli::Network facts_;
  std::unique_ptr<postgres::PrivateCluster> cluster_;
  std::unique_ptr<security::Secrets> secrets_;
  // As the owner of the schema, and as each service.
  std::unique_ptr<postgres::Pool> pool_;
  std::map<std::string, std::unique_ptr<postgres::Pool>> pools_;
  std::unique_ptr<security::CredentialStore> credentials_;
  std::unique_ptr<rpc::Runtime> runtime_;
  std::unique_ptr<ledger::CardDirectory> cards_;
  std::unique_ptr<ledger::Lanes> lanes_;
  std::vector<ServerPlan> plans_;
  std::vector<std::unique_ptr<rpc::Server>> servers_;
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() = default;

absl::StatusOr<std::unique_ptr<Network>> Network::Start(NetworkOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  GUILDER_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Network>(new Network(std::move(impl)));
}

void Network::Stop(absl::Duration drain) {
  impl_->Stop(drain);
}

const cli::Network& Network::facts() const {
  return impl_->facts();
}

void Network::SetPartners(std::vector<NetworkPartner> partners) {
  impl_->facts().partners = std::move(partners);
}

absl::Status Network::Save() const {
  return WriteNetwork(NetworkFile(impl_->options()), impl_->facts());
}

}  // namespace guilder::cli::dev
