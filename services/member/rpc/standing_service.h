// The service on members' standing, ready to be added to a server.
#pragma once

#include <memory>

#include "services/member/rpc/member_service.h"

namespace guilder::member {

inline constexpr char kStandingServiceName[] = "guilder.member.v1.StandingService";

// Serves guilder.member.v1.StandingService. The secrets may go; everything else outlives it.
std::shared_ptr<grpc::Service> MakeStandingService(const MemberServiceDependencies& dependencies);

}  // namespace guilder::member
