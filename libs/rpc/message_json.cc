#include "libs/rpc/message_json.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"

#include "libs/base/text.h"

namespace guilder::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Value = nlohmann::ordered_json;

constexpr char kTimestampType[] = "google.protobuf.Timestamp";
constexpr char kDurationType[] = "google.protobuf.Duration";

std::string InstantText(const Message& message) {
  const auto& at = static_cast<const google::protobuf::Timestamp&>(message);
  const absl::Time time = absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

Value MessageValue(const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == kTimestampType) return InstantText(message);
  if (type == kDurationType) {
    return static_cast<const google::protobuf::Duration&>(message).seconds();
  }
  return ToJson(message);
}

// The value of a field, or of the item at `index` of a repeated one.
Value FieldValue(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
#define GUILDER_READ_(Type)                                        \
  (repeated ? reflection->GetRepeated##Type(message, field, index) \
            : reflection->Get##Type(message, field))
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return GUILDER_READ_(Int32);
    case FieldDescriptor::CPPTYPE_INT64:
      return GUILDER_READ_(Int64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return GUILDER_READ_(UInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return GUILDER_READ_(UInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return GUILDER_READ_(Double);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return GUILDER_READ_(Float);
    case FieldDescriptor::CPPTYPE_BOOL:
      return GUILDER_READ_(Bool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ShortName(GUILDER_READ_(Enum));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = GUILDER_READ_(String);
      return field->type() == FieldDescriptor::TYPE_BYTES ? ToHex(text) : text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValue(repeated ? reflection->GetRepeatedMessage(message, field, index)
                                   : reflection->GetMessage(message, field));
  }
#undef GUILDER_READ_
  return nullptr;
}

}  // namespace

std::string EnumPrefix(const EnumDescriptor* type) {
  std::string prefix;
  for (const char c : type->name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return prefix + "_";
}

std::string ShortName(const EnumValueDescriptor* value) {
  const std::string prefix = EnumPrefix(value->type());
  return absl::StartsWith(value->name(), prefix) ? value->name().substr(prefix.size())
                                                 : value->name();
}

nlohmann::ordered_json ToJson(const Message& message) {
  const Descriptor* descriptor = message.GetDescriptor();
  const Reflection* reflection = message.GetReflection();
  Value object = Value::object();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->is_repeated()) {
      Value& items = object[field->name()] = Value::array();
      for (int item = 0; item < reflection->FieldSize(message, field); ++item) {
        items.push_back(FieldValue(message, field, item));
      }
    } else if (!field->has_presence() || reflection->HasField(message, field)) {
      object[field->name()] = FieldValue(message, field, 0);
    }
  }
  return object;
}

}  // namespace guilder::rpc
