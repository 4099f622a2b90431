// The accrual service, ready to be added to a server.
#pragma once

#include <memory>

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

namespace guilder::accrual {

inline constexpr char kAccrualServiceName[] = "guilder.accrual.v1.AccrualService";

struct AccrualServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  ledger::Lanes& lanes;
  ledger::CardDirectory& cards;
  const security::Secrets& secrets;
};

// Serves guilder.accrual.v1.AccrualService. What it depends on outlives it, but for the secrets.
std::shared_ptr<grpc::Service> MakeAccrualService(const AccrualServiceDependencies& dependencies);

}  // namespace guilder::accrual
