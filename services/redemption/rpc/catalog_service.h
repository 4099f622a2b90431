// The catalogue's service, ready to be added to a server.
#pragma once

#include <memory>

namespace grpc {
class Service;
}
namespace guilder::ledger {
class Lanes;
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

namespace guilder::redemption {

inline constexpr char kCatalogServiceName[] = "guilder.redemption.v1.CatalogService";

struct CatalogServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  ledger::Lanes& lanes;
  const security::Secrets& secrets;
};

// Serves guilder.redemption.v1.CatalogService, and ends orders that nobody confirmed in time. What
// it depends on outlives it, but for the secrets.
std::shared_ptr<grpc::Service> MakeCatalogService(const CatalogServiceDependencies& dependencies);

}  // namespace guilder::redemption
