// Between the wire's messages and the domain.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/redemption_service.pb.h"

#include "libs/base/types.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/store/redemptions.h"

namespace guilder::redemption {

// Each checks the form of a request, and refuses in the order that its RPC documents.
absl::StatusOr<Authorization> FromProto(const v1::AuthorizeRedemptionRequest& request);
absl::StatusOr<Capture> FromProto(const v1::CaptureRedemptionRequest& request);
absl::StatusOr<Void> FromProto(const v1::VoidRedemptionRequest& request);
absl::StatusOr<Refund> FromProto(const v1::RefundRedemptionRequest& request);
// As an authorization of no points.
absl::StatusOr<Authorization> FromProto(const v1::QuoteRedemptionRequest& request);
// A store of a partner, and nothing else.
absl::StatusOr<Authorization> ParseStore(const std::string& name);
// The form of what a till may show of a PIN or a code.
absl::Status CheckShown(const v1::AuthorizeRedemptionRequest& request);

// "redemptions/{book}-{number}". Errors: kRequestMalformed when empty, kRedemptionNotFound for what
// cannot be a name.
absl::StatusOr<RedemptionId> ParseRedemptionName(std::string_view name);
std::string RedemptionName(const RedemptionId& redemption);

v1::RedemptionState ToProto(ledger::HoldState state);
guilder::type::v1::Money ToProto(const Currency& currency, MinorUnits amount);
v1::Redemption ToProto(const RedemptionId& id, const RedemptionRow& row,
                       const ledger::Configuration& configuration);

}  // namespace guilder::redemption
