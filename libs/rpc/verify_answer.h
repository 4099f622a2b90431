// What a verification found, as everybody is told it: by the service, and by the command that needs
// none.
#pragma once

#include "guilder/operator/v1/operator_service.pb.h"

#include "libs/ledger/store/verify.h"

namespace guilder::rpc {

// All that the report says; `done` is left to who sends it.
guilder::operator_::v1::VerifyLedgerResponse ToProto(const ledger::VerifyReport& report);

}  // namespace guilder::rpc
