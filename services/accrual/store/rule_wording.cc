#include "services/accrual/store/rule_wording.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"

namespace guilder::accrual {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Malformed(const FieldDescriptor& field, const char* what) {
  const std::string name(field.name());
  return Refuse(Reason::kRequestMalformed, absl::StrCat(name, " ", what), {{"field", name}});
}

absl::Status CheckMessage(const Message& message);

// The i-th value of a field, which is 0 where it is not repeated.
absl::Status CheckValue(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return CheckMessage(repeated ? reflection.GetRepeatedMessage(message, &field, i)
                                   : reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = repeated ? reflection.GetRepeatedEnumValue(message, &field, i)
                                 : reflection.GetEnumValue(message, &field);
      if (field.enum_type()->FindValueByNumber(value) != nullptr) return absl::OkStatus();
      return Malformed(field, "has a value that is not known here");
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = repeated ? reflection.GetRepeatedString(message, &field, i)
                                        : reflection.GetString(message, &field);
      if (text.find('\0') == std::string::npos) return absl::OkStatus();
      return Malformed(field, "holds the character NUL");
    }
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckMessage(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) GUILDER_RETURN_IF_ERROR(CheckValue(message, *field, i));
  }
  return absl::OkStatus();
}

absl::Status CheckFunder(const v1::Funder& funder) {
  if (funder.brand().empty() || funder.kind() == v1::FUNDER_KIND_BRAND) return absl::OkStatus();
  return Refuse(
      Reason::kRequestMalformed,
      absl::StrCat("the funder ", funder.brand(), " is not of the kind FUNDER_KIND_BRAND"),
      {{"field", "brand"}});
}

}  // namespace

absl::Status CheckWording(const v1::RuleSet& rule_set) {
  GUILDER_RETURN_IF_ERROR(CheckMessage(rule_set));
  for (const v1::EarnRule& rule : rule_set.rules()) {
    GUILDER_RETURN_IF_ERROR(CheckFunder(rule.funding().remainder()));
    for (const v1::FunderShare& share : rule.funding().shares()) {
      GUILDER_RETURN_IF_ERROR(CheckFunder(share.funder()));
    }
  }
  return absl::OkStatus();
}

}  // namespace guilder::accrual
