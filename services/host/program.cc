#include "services/host/program.h"

#include <cstdio>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/runtime.h"
#include "libs/rpc/server.h"
#include "libs/security/secrets.h"
#include "libs/security/store/credentials.h"
#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"

namespace guilder::host {
namespace {

constexpr int kCannotStart = 2;
// Besides those of the workers: the authenticator reads in the background.
constexpr int kOtherConnections = 2;
// How often a database is tried again that does not answer at the start.
constexpr absl::Duration kStartAgainAfter = absl::Milliseconds(200);

struct Flags {
  std::string dsn;
  std::string secrets;
  std::string metrics_listen;
  std::string log_level = "INFO";
  int64_t calls_per_second = 20'000;
  int workers = rpc::RuntimeOptions().worker_threads;
  int drain_seconds = 10;
  int database_wait_seconds = 60;
  rpc::ServerOptions server;
};

void DeclareFlags(CLI::App& app, Flags& flags) {
  app.set_config("--config", "", "Read flags from this file (TOML)");
  app.add_option(
         "--dsn", flags.dsn,
         "The database: a libpq connection string or postgresql:// URI. Keep passwords out of it: "
         "in the environment or in a passfile")
      ->envname("GUILDER_DSN")
      ->required();
  app.add_option("--secrets", flags.secrets, "The installation's file of secrets")
      ->envname("GUILDER_SECRETS")
      ->required();
  app.add_option("--listen", flags.server.listen_address, "host:port; port 0 takes a free one")
      ->envname("GUILDER_LISTEN")
      ->capture_default_str();
  app.add_option("--metrics-listen", flags.metrics_listen,
                 "host:port of GET /metrics; none if empty")
      ->envname("GUILDER_METRICS_LISTEN");
  app.add_option("--tls-certificate", flags.server.tls_certificate, "PEM file; watched for renewal")
      ->envname("GUILDER_TLS_CERTIFICATE");
  app.add_option("--tls-key", flags.server.tls_key, "PEM file of the certificate's key")
      ->envname("GUILDER_TLS_KEY");
  app.add_option("--tls-client-ca", flags.server.tls_client_ca,
                 "PEM file: clients must present a certificate of this authority")
      ->envname("GUILDER_TLS_CLIENT_CA");
  app.add_flag("--allow-plaintext", flags.server.allow_plaintext,
               "Serve without TLS on other addresses than loopback: a proxy in front encrypts")
      ->envname("GUILDER_ALLOW_PLAINTEXT");
  app.add_option("--calls-per-second", flags.calls_per_second,
                 "The most that a credential may make which states no limit of its own; 0 for none")
      ->envname("GUILDER_CALLS_PER_SECOND")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--workers", flags.workers, "Threads, and database connections, of blocking calls")
      ->envname("GUILDER_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--drain-seconds", flags.drain_seconds, "How long calls may end after SIGTERM")
      ->envname("GUILDER_DRAIN_SECONDS")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  app.add_option("--database-wait-seconds", flags.database_wait_seconds,
                 "How long to try again when the database does not answer at the start")
      ->envname("GUILDER_DATABASE_WAIT_SECONDS")
      ->check(CLI::Range(0, 3'600))
      ->capture_default_str();
  app.add_option("--log-level", flags.log_level)
      ->envname("GUILDER_LOG_LEVEL")
      ->check(CLI::IsMember({"DEBUG", "INFO", "WARNING", "ERROR"}))
      ->capture_default_str();
}

absl::Status CheckDatabase(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(dsn));
  return postgres::CheckSchema(connection, postgres::LatestVersion(), postgres::LatestVersion());
}

absl::Status Serve(const Program& program, const Flags& flags) {
  GUILDER_RETURN_IF_ERROR(CheckDatabase(flags.dsn));
  GUILDER_ASSIGN_OR_RETURN(const security::Secrets secrets, security::Secrets::Load(flags.secrets));
  telemetry::MetricsServer metrics;
  if (!flags.metrics_listen.empty()) {
    GUILDER_RETURN_IF_ERROR(metrics.Start(flags.metrics_listen));
  }

  postgres::SessionSettings session;
  session.application_name = program.name;
  postgres::Pool pool(flags.dsn, flags.workers + kOtherConnections, session);
  security::CredentialStore::Options authentication;
  authentication.calls_per_second = flags.calls_per_second;
  security::CredentialStore credentials(pool, secrets, authentication);
  rpc::RuntimeOptions runtime_options;
  runtime_options.worker_threads = flags.workers;
  rpc::Runtime runtime(credentials, runtime_options);
  GUILDER_ASSIGN_OR_RETURN(const std::vector<HostedService> services,
                           program.make_services({flags.dsn, pool, runtime, secrets}));
  rpc::Server server(runtime, flags.server);
  for (const HostedService& hosted : services) {
    server.AddService(*hosted.service, hosted.full_name);
  }
  GUILDER_RETURN_IF_ERROR(server.Start());
  rpc::RunUntilSignal({&server}, absl::Seconds(flags.drain_seconds));
  return absl::OkStatus();
}

// A database that is away is no reason to stay away: whatever starts us may start it, too.
absl::Status ServeOnceDatabaseAnswers(const Program& program, const Flags& flags) {
  const absl::Time give_up_at = absl::Now() + absl::Seconds(flags.database_wait_seconds);
  bool told = false;
  for (;;) {
    const absl::Status served = Serve(program, flags);
    if (ReasonOf(served) != Reason::kStoreUnavailable || absl::Now() >= give_up_at) return served;
    if (!std::exchange(told, true)) {
      telemetry::Log(telemetry::Severity::kWarning, "waiting for the database",
                     {{"text", std::string(served.message())}});
    }
    if (rpc::StopSignalComesWithin(kStartAgainAfter)) return absl::OkStatus();
  }
}

}  // namespace

int RunProgram(const Program& program, int argc, char** argv) {
  rpc::BlockStopSignals();
  CLI::App app(program.description, program.name);
  Flags flags;
  flags.server.listen_address = program.listen_address;
  DeclareFlags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCannotStart;
  }
  telemetry::SetLogThreshold(telemetry::SeverityFromName(flags.log_level).value());
  const absl::Status served = ServeOnceDatabaseAnswers(program, flags);
  if (served.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", program.name, std::string(served.message()).c_str());
  return kCannotStart;
}

}  // namespace guilder::host
