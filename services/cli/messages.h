// Requests from text, and answers as JSON, by the messages' own descriptors.
//
// So a field that is added to a contract appears in `-o json` by itself, and an option is one line
// that names its field.
#pragma once

#include <string>

#include <google/protobuf/message.h>
#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"

namespace guilder::cli {

// How an option's text becomes a field's value.
enum class Kind {
  kPlain,    // By the field's type: text, whole number, yes or no, enum value, instant, duration.
  kMicros,   // A decimal of the major unit as millionths: "0.01" → 10,000.
  kPercent,  // A percentage as parts per million: "19" → 190,000.
};

// The message with snake_case names; 64-bit numbers are numbers, enum values lose their type's
// prefix, bytes are hexadecimal, instants RFC 3339 in UTC. Absent messages and unset alternatives
// are left out, everything else is there even when zero.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// Sets the field at `path` ("contract.issuance.rate_micros") from text; a repeated field gets one
// value more. Enum values are read in any case, with '-' or '_'.
//
// Instants are "2026-01-31", "2026-01-31T12:00:00Z" or "now"; durations "90s", "36h" or "14d".
// Error: INVALID_ARGUMENT, a clause that says what was expected.
absl::Status Assign(google::protobuf::Message& message, const std::string& path,
                    const std::string& text, Kind kind = Kind::kPlain);

// Reads the message from its JSON form (that of protobuf; names in either spelling), for requests
// that are too large for options.
absl::Status ReadJson(const std::string& json, google::protobuf::Message& message);

// The field at the end of `path`, or null.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor* descriptor,
                                                   const std::string& path);

// The text at `path`, empty when absent. The field is a string.
std::string TextAt(const google::protobuf::Message& message, const std::string& path);

// An enum's values as they are written on the command line: "activate, cancel". Empty for other
// fields.
std::string ValuesOf(const google::protobuf::FieldDescriptor* field);

}  // namespace guilder::cli
