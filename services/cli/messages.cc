#include "services/cli/messages.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/message_json.h"

namespace guilder::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using rpc::EnumPrefix;
using rpc::ShortName;

constexpr char kTimestampType[] = "google.protobuf.Timestamp";
constexpr char kDurationType[] = "google.protobuf.Duration";

absl::Status Expected(const char* what, const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", not '", text, "'"));
}

absl::Status AssignInstant(Message& message, const std::string& text) {
  absl::Time at;
  std::string error;
  if (text == "now") {
    at = absl::Now();
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &at, &error) &&
             !absl::ParseTime("%Y-%m-%d", text, absl::UTCTimeZone(), &at, &error)) {
    return Expected("an instant as in 2026-01-31 or 2026-01-31T12:00:00Z", text);
  }
  auto& instant = static_cast<google::protobuf::Timestamp&>(message);
  instant.set_seconds(absl::ToUnixSeconds(at));
  instant.set_nanos(
      static_cast<int32_t>((at - absl::FromUnixSeconds(instant.seconds())) / absl::Nanoseconds(1)));
  return absl::OkStatus();
}

absl::Status AssignDuration(Message& message, const std::string& text) {
  absl::Duration length;
  const bool days = absl::EndsWith(text, "d");
  const auto count = ParseInt(std::string_view(text).substr(0, text.size() - (days ? 1 : 0)));
  if (days && count && *count <= 36'500 && *count >= -36'500) {
    length = absl::Hours(24) * *count;
  } else if (!absl::ParseDuration(text, &length)) {
    return Expected("a duration as in 14d, 36h or 90s", text);
  }
  static_cast<google::protobuf::Duration&>(message).set_seconds(absl::ToInt64Seconds(length));
  return absl::OkStatus();
}

absl::Status AssignEnum(Message& message, const FieldDescriptor* field, const std::string& text) {
  std::string name = absl::AsciiStrToUpper(text);
  std::replace(name.begin(), name.end(), '-', '_');
  const EnumValueDescriptor* value =
      field->enum_type()->FindValueByName(EnumPrefix(field->enum_type()) + name);
  if (value == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected one of ", ValuesOf(field), ", not '", text, "'"));
  }
  if (field->is_repeated()) {
    message.GetReflection()->AddEnum(&message, field, value);
  } else {
    message.GetReflection()->SetEnum(&message, field, value);
  }
  return absl::OkStatus();
}

absl::Status AssignNumber(Message& message, const FieldDescriptor* field, const std::string& text,
                          Kind kind) {
  std::optional<int64_t> number;
  if (kind == Kind::kPlain) {
    number = ParseInt(text);
  } else if (const auto scaled = ParseAmount(text, kind == Kind::kMicros ? 6 : 4)) {
    number = scaled->value();
  }
  const bool narrow = field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  if (!number || (narrow && (*number > INT32_MAX || *number < INT32_MIN))) {
    return Expected(kind == Kind::kPlain ? "a whole number" : "a decimal number", text);
  }
  if (narrow) {
    message.GetReflection()->SetInt32(&message, field, static_cast<int32_t>(*number));
  } else {
    message.GetReflection()->SetInt64(&message, field, *number);
  }
  return absl::OkStatus();
}

absl::Status AssignField(Message& message, const FieldDescriptor* field, const std::string& text,
                         Kind kind);

// "gold=2" as one more message of two fields.
absl::Status AddPair(Message& message, const FieldDescriptor* field, const std::string& text) {
  const size_t equals = text.find('=');
  const Descriptor* pair = field->message_type();
  if (pair->field_count() != 2 || equals == std::string::npos) {
    return Expected("a pair as in gold=2", text);
  }
  Message& added = *message.GetReflection()->AddMessage(&message, field);
  GUILDER_RETURN_IF_ERROR(AssignField(added, pair->field(0), text.substr(0, equals), Kind::kPlain));
  return AssignField(added, pair->field(1), text.substr(equals + 1), Kind::kPlain);
}

absl::Status AssignField(Message& message, const FieldDescriptor* field, const std::string& text,
                         Kind kind) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        const std::optional<std::string> bytes = FromHex(text);
        if (!bytes || field->is_repeated()) return Expected("hexadecimal digits", text);
        reflection->SetString(&message, field, *bytes);
        return absl::OkStatus();
      }
      if (field->is_repeated()) {
        reflection->AddString(&message, field, text);
      } else {
        reflection->SetString(&message, field, text);
      }
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return AssignNumber(message, field, text, kind);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "yes" && text != "no" && text != "true" && text != "false") {
        return Expected("yes or no", text);
      }
      reflection->SetBool(&message, field, text == "yes" || text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      return AssignEnum(message, field, text);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (field->is_repeated()) return AddPair(message, field, text);
      Message& inner = *reflection->MutableMessage(&message, field);
      const std::string& type = field->message_type()->full_name();
      if (type == kTimestampType) return AssignInstant(inner, text);
      if (type == kDurationType) return AssignDuration(inner, text);
      break;
    }
    default:
      break;
  }
  return absl::InvalidArgumentError(absl::StrCat(field->full_name(), " cannot be set from text"));
}

}  // namespace

nlohmann::ordered_json ToJson(const Message& message) {
  return rpc::ToJson(message);
}

const FieldDescriptor* FindField(const Descriptor* descriptor, const std::string& path) {
  const FieldDescriptor* field = nullptr;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (const std::string& name : names) {
    if (descriptor == nullptr) return nullptr;
    field = descriptor->FindFieldByName(name);
    if (field == nullptr) return nullptr;
    descriptor = field->message_type();
  }
  return field;
}

absl::Status Assign(Message& message, const std::string& path, const std::string& text, Kind kind) {
  const size_t dot = path.find('.');
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(path.substr(0, dot));
  if (field == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(message.GetDescriptor()->full_name(), " has no field ", path));
  }
  if (dot == std::string::npos) return AssignField(message, field, text, kind);
  return Assign(*message.GetReflection()->MutableMessage(&message, field), path.substr(dot + 1),
                text, kind);
}

absl::Status ReadJson(const std::string& json, Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(status.message()));
}

std::string TextAt(const Message& message, const std::string& path) {
  const size_t dot = path.find('.');
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(path.substr(0, dot));
  if (field == nullptr) return "";
  const Reflection* reflection = message.GetReflection();
  if (dot == std::string::npos) return reflection->GetString(message, field);
  if (!reflection->HasField(message, field)) return "";
  return TextAt(reflection->GetMessage(message, field), path.substr(dot + 1));
}

std::string ValuesOf(const FieldDescriptor* field) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return "";
  std::vector<std::string> names;
  for (int i = 0; i < field->enum_type()->value_count(); ++i) {
    const EnumValueDescriptor* value = field->enum_type()->value(i);
    if (value->number() != 0) names.push_back(absl::AsciiStrToLower(ShortName(value)));
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace guilder::cli
