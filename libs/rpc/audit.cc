#include "libs/rpc/audit.h"

#include "google/protobuf/util/json_util.h"

#include "libs/security/store/audit_log.h"

namespace guilder::rpc {
namespace {

std::string Json(const google::protobuf::Message* message) {
  if (message == nullptr) return {};
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &json, options);
  return status.ok() ? json : std::string();
}

}  // namespace

std::string ActorOf(const security::Principal& principal) {
  return (principal.IsOperator() ? "operators/" : "credentials/") + principal.id;
}

void Audit(postgres::Transaction& transaction, const Call& call, std::string_view action,
           std::string_view resource, const google::protobuf::Message* before,
           const google::protobuf::Message* after) {
  security::AuditRecord record;
  record.actor = ActorOf(call.principal());
  record.peer = call.peer();
  record.action = action;
  record.resource = resource;
  record.before = Json(before);
  record.after = Json(after);
  security::AppendAudit(transaction, std::move(record));
}

void AuditReading(postgres::Transaction& transaction, const Call& call, std::string_view action,
                  std::string_view resource) {
  Audit(transaction, call, action, resource, nullptr, nullptr);
}

}  // namespace guilder::rpc
