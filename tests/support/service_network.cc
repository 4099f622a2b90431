#include "tests/support/service_network.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/text.h"
#include "libs/ledger/store/bootstrap.h"
#include "libs/security/keys.h"

namespace guilder::testing {
namespace {

constexpr int kConnections = 10;

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

struct OperatorRow {
  const char* id;
  const char* roles;
};
constexpr OperatorRow kOperators[] = {
    {"anna", "{admin,submitter,reviewer,approver,finance,finance_approver,support}"},
    {"bert", "{admin,submitter,reviewer,approver,finance,finance_approver,support}"},
    {"cleo", "{admin,submitter,reviewer,approver,finance,finance_approver,support}"},
    {"auditor", "{auditor}"},
};

}  // namespace

ServiceNetwork::ServiceNetwork(Options options)
    : gated_(options.gated ? std::make_unique<GatedDatabase>(database_) : nullptr),
      pool_(dsn(), kConnections),
      background_pool_(database_.dsn(), 2) {
  InsertProgramme(options);
  InsertOperators();
  credentials_ = std::make_unique<security::CredentialStore>(background_pool_, secrets_);
  runtime_ = std::make_unique<rpc::Runtime>(*credentials_);
  server_ = std::make_unique<rpc::Server>(*runtime_, rpc::ServerOptions());
}

void ServiceNetwork::InsertProgramme(const Options& options) {
  ledger::ProgrammeSettings settings;
  settings.mode = options.mode;
  settings.currency = options.currency;
  settings.books = options.books;
  settings.cycle = "DAILY";
  settings.clock = kNetworkStart;
  Check(pool_.Run([&](postgres::Transaction& transaction) {
    ledger::CreateProgramme(transaction, settings);
    return absl::OkStatus();
  }));
}

void ServiceNetwork::InsertOperators() {
  const security::KeyHasher hasher(secrets_.KeyPepper());
  for (const OperatorRow& row : kOperators) {
    const std::string token = security::GenerateKey(security::KeyKind::kOperator, row.id);
    database_.Query(absl::StrCat(
        "insert into operator.operators (operator_id, display_name, roles, token_hash, "
        "created_at_us) values ('",
        row.id, "', '", row.id, "', '", row.roles, "', '\\x", ToHex(AsView(hasher.Hash(token))),
        "', 0)"));
    tokens_.emplace_back(row.id, token);
  }
}

ServiceNetwork::~ServiceNetwork() {
  server_->Shutdown(absl::Now());
}

void ServiceNetwork::Add(std::shared_ptr<grpc::Service> service, const std::string& full_name) {
  server_->AddService(*service, full_name);
  services_.push_back(std::move(service));
}

void ServiceNetwork::Start() {
  Check(server_->Start());
}

const std::string& ServiceNetwork::TokenOf(const std::string& operator_id) const {
  for (const auto& [id, token] : tokens_) {
    if (id == operator_id) return token;
  }
  throw std::runtime_error(absl::StrCat("no operator ", operator_id));
}

clients::Channel ServiceNetwork::AsOperator(const std::string& operator_id) const {
  return clients::Channel(server_->endpoint(), TokenOf(operator_id));
}

clients::Channel ServiceNetwork::WithKey(const std::string& key) const {
  return clients::Channel(server_->endpoint(), key);
}

void ServiceNetwork::MoveClock(int64_t by_us) {
  database_.Query(
      absl::StrCat("update ledger.books set clock_offset_us = clock_offset_us + ", by_us));
}

int64_t ServiceNetwork::ConfigurationVersion() const {
  return database_.Query("select version from ledger.configuration")[0].Int(0);
}

}  // namespace guilder::testing
