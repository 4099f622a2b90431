// The points service, ready to be added to a server.
#pragma once

#include <memory>

#include "services/member/rpc/member_service.h"

namespace guilder::member {

inline constexpr char kPointsServiceName[] = "guilder.member.v1.PointsService";

// Serves guilder.member.v1.PointsService. The secrets may go; everything else outlives it.
std::shared_ptr<grpc::Service> MakePointsService(const MemberServiceDependencies& dependencies);

}  // namespace guilder::member
