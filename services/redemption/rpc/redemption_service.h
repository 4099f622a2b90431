// The redemption service, ready to be added to a server.
#pragma once

#include <memory>

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

namespace guilder::redemption {

inline constexpr char kRedemptionServiceName[] = "guilder.redemption.v1.RedemptionService";

struct RedemptionServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  ledger::Lanes& lanes;
  ledger::CardDirectory& cards;
  const security::Secrets& secrets;
};

// Serves guilder.redemption.v1.RedemptionService. What it depends on outlives it.
std::shared_ptr<grpc::Service> MakeRedemptionService(
    const RedemptionServiceDependencies& dependencies);

}  // namespace guilder::redemption
