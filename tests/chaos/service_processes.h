// The service executables as processes on a PostgreSQL of their own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/ledger/store/bootstrap.h"
#include "libs/postgres/private_cluster.h"
#include "services/cli/network.h"
#include "tests/support/child_process.h"
#include "tests/support/tcp_gate.h"

namespace guilder::testing {

// Of all six services.
const std::vector<std::string>& ServiceNames();

// Failures to start throw. Not thread safe, but for what the gates do.
class ServiceProcesses {
 public:
  struct Options {
    // Everything is kept below: data, logs, secrets, the network's file.
    std::string directory;
    ledger::ProgrammeSettings programme;
    // Whether a gate stands before each service, and one before its database.
    bool gates = false;
    std::map<std::string, std::string> postgres_settings;
    std::vector<std::string> services = ServiceNames();
  };

  explicit ServiceProcesses(Options options);

  // With the gates' addresses where there are gates.
  const cli::Network& network() const { return network_; }
  std::string NetworkFile() const { return options_.directory + "/network.json"; }
  // Writes the network's file with the partners that were brought in since.
  void SetPartners(std::vector<cli::NetworkPartner> partners);
  std::string LogFile(const std::string& service) const;
  // Of the database itself, past all gates.
  std::string dsn() const { return cluster_->dsn(); }

  TcpGate& ServiceGate(const std::string& service) { return *service_gates_.at(service); }
  TcpGate& DatabaseGate(const std::string& service) { return *database_gates_.at(service); }

  pid_t pid(const std::string& service) const { return processes_.at(service)->pid(); }
  // kill -9, and a start.
  void Restart(const std::string& service);
  // Services that ended by themselves.
  std::vector<std::string> Ended();
  // 0 while it is down; the cluster starts it again by itself.
  int postmaster_pid() const { return cluster_->postmaster_pid(); }
  const postgres::PrivateCluster& cluster() const { return *cluster_; }

 private:
  void Start(const std::string& service);

  const Options options_;
  std::unique_ptr<postgres::PrivateCluster> cluster_;
  cli::Network network_;
  std::map<std::string, std::string> listens_;
  std::map<std::string, std::unique_ptr<TcpGate>> service_gates_;
  std::map<std::string, std::unique_ptr<TcpGate>> database_gates_;
  std::map<std::string, std::unique_ptr<ChildProcess>> processes_;
};

}  // namespace guilder::testing
