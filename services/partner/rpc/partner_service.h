// The partner service, ready to be added to a server.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

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

namespace guilder::partner {

inline constexpr char kPartnerServiceName[] = "guilder.partner.v1.PartnerService";

struct PartnerServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  const security::Secrets& secrets;
};

// Serves guilder.partner.v1.PartnerService. Runtime and pool outlive it; the secrets may go. Reads
// the database's programme once; an error, in one sentence, when there is none.
absl::StatusOr<std::shared_ptr<grpc::Service>> MakePartnerService(
    const PartnerServiceDependencies& dependencies);

}  // namespace guilder::partner
