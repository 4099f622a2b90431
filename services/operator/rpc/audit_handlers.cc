#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/store/audit_log.h"
#include "services/operator/rpc/operator_handlers.h"

namespace guilder::operator_ {
namespace {

using postgres::Transaction;

// Records that are read in one transaction.
constexpr int kChunk = 1'000;

v1::AuditRecord ToProto(const security::AuditRecord& record) {
  v1::AuditRecord out;
  out.set_number(record.number);
  *out.mutable_time() = rpc::ToProto(record.at);
  out.set_actor(record.actor);
  out.set_peer(record.peer);
  out.set_action(record.action);
  out.set_resource(record.resource);
  out.set_before(record.before);
  out.set_after(record.after);
  out.set_hash(std::string(AsView(record.hash)));
  return out;
}

}  // namespace

absl::StatusOr<v1::ListAuditRecordsResponse> OperatorHandlers::ListAuditRecords(
    const rpc::Call& call, const v1::ListAuditRecordsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = "audit/" + request.actor() + "/" + request.resource();
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  const int64_t after = ParseInt(position).value_or(0);
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ListAuditRecordsResponse> {
        // One more than the page, to know whether there is a next one.
        auto records = security::ListAudit(transaction, {request.actor(), request.resource()},
                                           after, page_size + 1);
        v1::ListAuditRecordsResponse response;
        if (records.size() > static_cast<size_t>(page_size)) {
          records.pop_back();
          response.set_next_page_token(
              page_tokens_.Make(list, std::to_string(records.back().number)));
        }
        for (const auto& record : records) *response.add_records() = ToProto(record);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::VerifyAuditLogResponse> OperatorHandlers::VerifyAuditLog(
    const rpc::Call& call, const v1::VerifyAuditLogRequest&) {
  // The head first: what is appended meanwhile is not missed by it.
  GUILDER_ASSIGN_OR_RETURN(const security::AuditHead head,
                           pool_.Read(
                               [](Transaction& transaction) -> absl::StatusOr<security::AuditHead> {
                                 return security::ReadAuditHead(transaction);
                               },
                               call.deadline()));
  security::AuditWalk walk;
  bool more = true;
  while (more) {
    GUILDER_ASSIGN_OR_RETURN(
        const auto records,
        pool_.Read(
            [&](Transaction& transaction) -> absl::StatusOr<std::vector<security::AuditRecord>> {
              return security::ListAudit(transaction, {}, walk.records(), kChunk);
            },
            call.deadline()));
    more = records.size() == kChunk;
    for (const auto& record : records) {
      if (walk.records() == head.number || !walk.Add(record)) {
        more = false;
        break;
      }
    }
  }
  v1::VerifyAuditLogResponse response;
  response.set_intact(walk.EndsAt(head.number, head.hash));
  response.set_records(walk.records());
  response.set_head(std::string(AsView(walk.head())));
  response.set_broken_at(walk.broken_at().value_or(0));
  return response;
}

}  // namespace guilder::operator_
