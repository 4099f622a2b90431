// The operator service, ready to be added to a server.
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

namespace guilder::operator_ {

inline constexpr char kOperatorServiceName[] = "guilder.operator.v1.OperatorService";

struct OperatorServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  const security::Secrets& secrets;
};

// Serves guilder.operator.v1.OperatorService, and keeps the journal's partitions ahead of the clock
// as long as it lives. Runtime and pool outlive it; the secrets may go. Reads the database's
// programme once; an error, in one sentence, when there is none.
absl::StatusOr<std::shared_ptr<grpc::Service>> MakeOperatorService(
    const OperatorServiceDependencies& dependencies);

}  // namespace guilder::operator_
