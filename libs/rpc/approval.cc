#include "libs/rpc/approval.h"

#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/json_util.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/security/store/approvals.h"

namespace guilder::rpc {

Digest ChangeHash(const google::protobuf::Message& request) {
  std::string content = request.GetDescriptor()->full_name();
  content.push_back('\0');
  {
    google::protobuf::io::StringOutputStream stream(&content);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return Sha256({content});
}

const Permission* FindApprovable(const google::protobuf::Descriptor& request) {
  for (const Permission& row : AllPermissions()) {
    if (!row.approvable) continue;
    std::string method(row.method);
    method[method.find('/')] = '.';
    const auto* const descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method);
    if (descriptor != nullptr && descriptor->input_type() == &request) return &row;
  }
  return nullptr;
}

std::string ChangeText(const google::protobuf::Message& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(request, &json, options);
  return status.ok() ? json : std::string();
}

absl::Status UseApproval(postgres::Transaction& transaction, const Call& call,
                         const google::protobuf::Message& request) {
  if (security::UseApproval(transaction, ChangeHash(request), call.principal().id)) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kApprovalRequired, {},
                {{"request", request.GetDescriptor()->full_name()},
                 {"ask", "OperatorService.RequestApproval"}});
}

}  // namespace guilder::rpc
