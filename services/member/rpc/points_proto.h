// Between the policy of the API and that of the domain.
#pragma once

#include "guilder/member/v1/points_service.pb.h"

#include "services/member/domain/adjustment.h"
#include "services/member/domain/transfer.h"

namespace guilder::member {

TransferPolicy FromProto(const v1::TransferPolicy& policy);
v1::TransferPolicy ToProto(const TransferPolicy& policy);
AdjustmentPolicy FromProto(const v1::AdjustmentPolicy& policy);
v1::AdjustmentPolicy ToProto(const AdjustmentPolicy& policy);

ledger::ExpiryPolicy FromProto(const v1::ExpiryPolicy& policy);

// The policy of a programme that has set nothing; version 0.
v1::PointsPolicy DefaultPolicy();

}  // namespace guilder::member
