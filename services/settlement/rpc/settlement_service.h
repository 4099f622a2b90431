// The settlement service, ready to be added to a server.
#pragma once

#include <memory>

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

namespace guilder::settlement {

inline constexpr char kSettlementServiceName[] = "guilder.settlement.v1.SettlementService";

struct SettlementServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  const security::Secrets& secrets;
};

// Serves guilder.settlement.v1.SettlementService. Runtime and pool outlive it; the secrets may go.
std::shared_ptr<grpc::Service> MakeSettlementService(
    const SettlementServiceDependencies& dependencies);

}  // namespace guilder::settlement
