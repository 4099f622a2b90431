// The rule service, ready to be added to a server.
#pragma once

#include <memory>

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

namespace guilder::accrual {

inline constexpr char kRuleServiceName[] = "guilder.accrual.v1.RuleService";

struct RuleServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  const security::Secrets& secrets;
};

// Serves guilder.accrual.v1.RuleService. Runtime and pool outlive it; the secrets may go. Reads the
// database's programme once; an error, in one sentence, when there is none.
absl::StatusOr<std::shared_ptr<grpc::Service>> MakeRuleService(
    const RuleServiceDependencies& dependencies);

}  // namespace guilder::accrual
