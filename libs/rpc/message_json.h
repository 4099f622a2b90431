// Messages as JSON, as the command line prints them and services write them into files.
#pragma once

#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json_fwd.hpp>

namespace guilder::rpc {

// Numbers are numbers, enums go without their prefix ("ACTIVE"), instants are RFC 3339 in UTC,
// durations are seconds, bytes hexadecimal. Fields in their order; those that are absent are left
// out.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// "PartnerState" → "PARTNER_STATE_".
std::string EnumPrefix(const google::protobuf::EnumDescriptor* type);
// A value without that prefix.
std::string ShortName(const google::protobuf::EnumValueDescriptor* value);

}  // namespace guilder::rpc
