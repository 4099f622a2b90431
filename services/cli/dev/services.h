// The services of a network, all in this process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Service;
}
namespace guilder::ledger {
class CardDirectory;
class Lanes;
}  // namespace guilder::ledger
namespace guilder::postgres {
class Pool;
}
namespace guilder::rpc {
class Runtime;
}
namespace guilder::security {
class Secrets;
}

namespace guilder::cli::dev {

// What services share. Outlives them.
struct Shared {
  const std::string& dsn;
  rpc::Runtime& runtime;
  // By service, as in "partner": each speaks to the database in a role of its own.
  const std::map<std::string, std::unique_ptr<postgres::Pool>>& pools;
  const security::Secrets& secrets;
  ledger::Lanes& lanes;
  ledger::CardDirectory& cards;
};

struct GrpcService {
  std::string full_name;  // "guilder.partner.v1.PartnerService"
  std::shared_ptr<grpc::Service> service;
};

// What one server serves: "accrual" has the accrual and the rule service.
struct ServerPlan {
  std::string name;
  int default_port;
  std::vector<GrpcService> services;
};

absl::StatusOr<std::vector<ServerPlan>> MakeServices(const Shared& shared);

}  // namespace guilder::cli::dev
