#include "tests/chaos/service_processes.h"

#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/roles.h"
#include "libs/security/secrets.h"
#include "services/cli/dev/bootstrap.h"

namespace guilder::testing {
namespace {

void Check(const char* what, const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(absl::StrCat(what, ": ", status.ToString()));
}

template <typename T>
T Must(const char* what, absl::StatusOr<T> value) {
  Check(what, value.status());
  return *std::move(value);
}

// A port below those that the system gives to outgoing connections: a client that tries again and
// again while a service is down could otherwise be given the service's port, and even connect to
// itself.
int FreePort() {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  int first_ephemeral = 0;
  if (!(range >> first_ephemeral)) first_ephemeral = 32'768;
  constexpr int kFirst = 10'000;
  std::random_device random;
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    const int port = kFirst + static_cast<int>(random() % (first_ephemeral - kFirst));
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    if (bound) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace

const std::vector<std::string>& ServiceNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "partner", "accrual", "member", "redemption", "settlement", "operator"};
  return *kNames;
}

ServiceProcesses::ServiceProcesses(Options options) : options_(std::move(options)) {
  postgres::PrivateClusterOptions cluster;
  cluster.directory = options_.directory + "/postgres";
  cluster.settings = options_.postgres_settings;
  cluster_ = Must("start PostgreSQL", postgres::PrivateCluster::Start(cluster));
  network_.dsn = cluster_->dsn();
  auto connection = Must("connect", postgres::Connection::Open(network_.dsn));
  Check("migrate", postgres::MigrateUp(connection).status());
  Check("make roles", postgres::MakeRoles(connection));
  const auto secrets =
      Must("make secrets", security::Secrets::LoadOrCreate(options_.directory + "/secrets"));
  postgres::Pool pool(network_.dsn, 1);
  network_.operators =
      Must("set up the programme", cli::dev::Bootstrap(pool, secrets, options_.programme, {}));
  const std::string socket =
      absl::StrCat(cluster_->dsn().substr(6, cluster_->dsn().find('\'', 6) - 6), "/.s.PGSQL.5432");
  for (const std::string& service : options_.services) {
    listens_[service] = network_.endpoints[service] = absl::StrCat("127.0.0.1:", FreePort());
    if (options_.gates) {
      database_gates_[service] = std::make_unique<TcpGate>(socket);
      service_gates_[service] = std::make_unique<TcpGate>(listens_[service]);
      network_.endpoints[service] = absl::StrCat("127.0.0.1:", service_gates_[service]->port());
    }
    Start(service);
  }
  SetPartners({});
}

void ServiceProcesses::SetPartners(std::vector<cli::NetworkPartner> partners) {
  network_.partners = std::move(partners);
  Check("write the network's file", cli::WriteNetwork(NetworkFile(), network_));
}

std::string ServiceProcesses::LogFile(const std::string& service) const {
  return absl::StrCat(options_.directory, "/", service, ".log");
}

void ServiceProcesses::Start(const std::string& service) {
  std::string dsn = network_.dsn;
  if (options_.gates) {
    dsn = absl::StrCat("host=127.0.0.1 port=", database_gates_.at(service)->port(),
                       " user=guilder dbname=guilder sslmode=disable gssencmode=disable");
  }
  // In the role that it has in production, so that a right that it lacks shows.
  dsn = postgres::AsRole(dsn, "guilder_" + service);
  // The old process is gone before a new one asks for its port.
  processes_.erase(service);
  processes_[service] = std::make_unique<ChildProcess>(
      std::vector<std::string>{ProgramPath("guilder-" + service), "--dsn", dsn, "--secrets",
                               options_.directory + "/secrets", "--listen", listens_.at(service)},
      LogFile(service));
}

void ServiceProcesses::Restart(const std::string& service) {
  processes_.at(service)->Kill();
  Start(service);
}

std::vector<std::string> ServiceProcesses::Ended() {
  std::vector<std::string> ended;
  for (const auto& [service, process] : processes_) {
    if (!process->IsRunning()) ended.push_back(service);
  }
  return ended;
}

}  // namespace guilder::testing
