// The main function that all service executables share: flags, checks, serving, drain.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Service;
}
namespace guilder::postgres {
class Pool;
}
namespace guilder::rpc {
class Runtime;
}
namespace guilder::security {
class Secrets;
}

namespace guilder::host {

// What services are made of. Everything in it outlives them.
struct Environment {
  // Of the database, for what needs sessions of its own, as lanes do.
  const std::string& dsn;
  postgres::Pool& pool;
  rpc::Runtime& runtime;
  const security::Secrets& secrets;
};

struct HostedService {
  std::string full_name;  // v1::PartnerService::service_full_name()
  std::shared_ptr<grpc::Service> service;
};

struct Program {
  const char* name;            // "guilder-partner"
  const char* description;     // One sentence, for --help.
  const char* listen_address;  // Where it listens when no flag says otherwise.
  std::function<absl::StatusOr<std::vector<HostedService>>(const Environment&)> make_services;
};

// Parses the flags, checks the schema, serves until SIGTERM or SIGINT, and drains. A database that
// does not answer at the start is waited for. Returns the process's exit code: 0 after a drain, 2
// when it cannot start, having said why in one sentence.
// `--help` lists the flags; each can also stand in a file (`--config`) or in the environment.
int RunProgram(const Program& program, int argc, char** argv);

}  // namespace guilder::host
