// The spending service, ready to be added to a server.
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

inline constexpr char kSpendingServiceName[] = "guilder.redemption.v1.SpendingService";

struct SpendingServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  ledger::Lanes& lanes;
  const security::Secrets& secrets;
};

// Serves guilder.redemption.v1.SpendingService. What it depends on outlives it.
std::shared_ptr<grpc::Service> MakeSpendingService(const SpendingServiceDependencies& dependencies);

}  // namespace guilder::redemption
