// A programme, its operators and one server over a socket, for service tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "libs/clients/channel.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/runtime.h"
#include "libs/rpc/server.h"
#include "libs/security/secrets.h"
#include "libs/security/store/credentials.h"
#include "tests/support/database.h"
#include "tests/support/gated_database.h"

namespace guilder::testing {

// What the clock of the network's programme shows at the start: noon in Berlin on Wednesday,
// 10 June 2026. Tests see the same day, month and window at whatever hour they run.
inline constexpr Timestamp kNetworkStart{1'781'085'600'000'000};

// Of the programme, give or take how long the test has run.
constexpr Timestamp InDays(int days) {
  return kNetworkStart + Timestamp(days * kMicrosPerDay);
}

// Any failure throws.
//
// Operators: `anna`, `bert` and `cleo` have every role that four eyes are about, so that what
// refuses them is who they are; `auditor` only reads.
class ServiceNetwork {
 public:
  struct Options {
    std::string mode = "DEVELOPMENT";
    Currency currency{'E', 'U', 'R'};
    int books = 2;
    // Whether a gate stands between what is tested and the database.
    bool gated = false;
  };

  explicit ServiceNetwork(Options options);
  ServiceNetwork() : ServiceNetwork(Options()) {}
  ~ServiceNetwork();

  const TestDatabase& database() const { return database_; }
  // Of the database, through the gate if there is one.
  const std::string& dsn() const { return gated_ ? gated_->dsn() : database_.dsn(); }
  TcpGate& gate() { return gated_->gate(); }
  postgres::Pool& pool() { return pool_; }
  rpc::Runtime& runtime() { return *runtime_; }
  const security::Secrets& secrets() const { return secrets_; }

  // Services are added, then the server starts.
  void Add(std::shared_ptr<grpc::Service> service, const std::string& full_name);
  void Start();

  clients::Channel AsOperator(const std::string& operator_id) const;
  // An API key, or nothing at all.
  clients::Channel WithKey(const std::string& key) const;

  // Moves the clocks of all books.
  void MoveClock(int64_t by_us);
  int64_t ConfigurationVersion() const;

 private:
  void InsertProgramme(const Options& options);
  void InsertOperators();
  const std::string& TokenOf(const std::string& operator_id) const;

  TestDatabase database_;
  std::unique_ptr<GatedDatabase> gated_;
  security::Secrets secrets_ = security::Secrets::Generate();
  postgres::Pool pool_;
  // Past the gate, so that what is read in the background is not counted.
  postgres::Pool background_pool_;
  std::vector<std::pair<std::string, std::string>> tokens_;
  std::unique_ptr<security::CredentialStore> credentials_;
  std::unique_ptr<rpc::Runtime> runtime_;
  std::vector<std::shared_ptr<grpc::Service>> services_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace guilder::testing
