// Between the wire's messages and the domain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "services/partner/domain/contract.h"
#include "services/partner/domain/credential.h"
#include "services/partner/domain/partner.h"
#include "services/partner/domain/point_block.h"
#include "services/partner/domain/store.h"

namespace guilder::partner {

v1::Partner ToProto(const Partner& partner);
v1::Store ToProto(const std::string& partner_slug, const Store& store);
v1::Contract ToProto(const std::string& partner_slug, const Contract& contract);
v1::Credential ToProto(const std::string& partner_slug, const Credential& credential);
v1::PointBlock ToProto(const std::string& partner_slug, const PointBlock& block);
v1::BlockEnding ToProto(BlockEnding ending);
// Error: REQUEST_MALFORMED, naming the field.
absl::StatusOr<BlockEnding> EndingFromProto(v1::BlockEnding ending, const char* field);

// Error: REQUEST_MALFORMED.
absl::StatusOr<Document> DocumentFromProto(const v1::Document& document);
v1::RunOff ToProto(const RunOff& run_off);
absl::StatusOr<AskedRunOff> RunOffFromProto(const v1::TerminatePartnerRequest& request);

PartnerDetails DetailsFromProto(const v1::Partner& partner);
std::string Etag(const Partner& partner);

// Dates and terms of a proposal. Error: REQUEST_MALFORMED, what is missing or not of the
// enumeration.
absl::StatusOr<Contract> ContractFromProto(const v1::Contract& contract);

// The fields that a mask names. Error: REQUEST_MALFORMED for none, or for one that does not change.
absl::StatusOr<std::vector<DetailField>> FieldsFromMask(const google::protobuf::FieldMask& mask);

}  // namespace guilder::partner
