#include "libs/clients/client.h"

#include "libs/base/text.h"
#include "libs/rpc/call.h"
#include "libs/security/keys.h"

namespace guilder::clients {

std::string NewRequestId() {
  return FormatUuid(security::RandomUuid());
}

bool IsReplayed(const grpc::ClientContext& context) {
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find(rpc::kReplayedKey);
  return found != trailing.end() && found->second == "true";
}

}  // namespace guilder::clients
