#include "google/protobuf/field_mask.pb.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/partners.h"
#include "services/partner/store/stores.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

struct StoreNameParts {
  std::string partner_slug;
  std::string code;
};

// What is no such name names no store.
StoreNameParts PartsOf(std::string_view name) {
  const auto parts = rpc::ParseName(kStoreName, name);
  return parts ? StoreNameParts{(*parts)[0], (*parts)[1]} : StoreNameParts{};
}

std::string SlugOf(std::string_view parent) {
  const auto parts = rpc::ParseName(kPartnerName, parent);
  return parts ? parts->front() : std::string();
}

absl::Status CheckStoreFields(const google::protobuf::FieldMask& mask, const v1::Store& store) {
  if (mask.paths().empty()) return Refuse(Reason::kRequestMalformed, "update_mask names no field");
  for (const std::string& path : mask.paths()) {
    if (path == "display_name") {
      GUILDER_RETURN_IF_ERROR(CheckRequiredText(path, store.display_name()));
    } else if (path == "time_zone") {
      GUILDER_RETURN_IF_ERROR(CheckTimeZone(store.time_zone()));
    } else if (path == "address") {
      GUILDER_RETURN_IF_ERROR(CheckText(path, store.address()));
    } else if (path == "region") {
      GUILDER_RETURN_IF_ERROR(CheckRegion(store.region()));
    } else if (path != "open" && path != "unknown_terminals") {
      return Refuse(Reason::kRequestMalformed, "update_mask names a field that does not change");
    }
  }
  return absl::OkStatus();
}

bool AcceptsAnyTerminal(const v1::Store& store) {
  return store.unknown_terminals() == v1::UNKNOWN_TERMINALS_ACCEPT;
}

void ChangeFields(const google::protobuf::FieldMask& mask, const v1::Store& wanted, Store& store) {
  for (const std::string& path : mask.paths()) {
    if (path == "display_name") store.display_name = wanted.display_name();
    if (path == "time_zone") store.time_zone = wanted.time_zone();
    if (path == "open") store.open = wanted.open();
    if (path == "address") store.address = wanted.address();
    if (path == "region") store.region = wanted.region();
    if (path == "unknown_terminals") store.any_terminal = AcceptsAnyTerminal(wanted);
  }
}

}  // namespace

absl::StatusOr<v1::CreateStoreResponse> PartnerHandlers::CreateStore(
    const rpc::Call& call, const v1::CreateStoreRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckStoreCode(request.store_id()));
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("display_name", request.store().display_name()));
  GUILDER_RETURN_IF_ERROR(CheckTimeZone(request.store().time_zone()));
  GUILDER_RETURN_IF_ERROR(CheckText("address", request.store().address()));
  GUILDER_RETURN_IF_ERROR(CheckRegion(request.store().region()));
  Store store;
  store.address = request.store().address();
  store.region = request.store().region();
  store.any_terminal = AcceptsAnyTerminal(request.store());
  store.code = request.store_id();
  store.display_name = request.store().display_name();
  store.time_zone = request.store().time_zone();
  store.open = true;
  const std::string slug = SlugOf(request.parent());
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner, FindPartner(transaction, slug));
        GUILDER_RETURN_IF_ERROR(InsertStore(transaction, partner.id, store));
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        const v1::Store after = ToProto(slug, store);
        rpc::Audit(transaction, call, "PartnerService/CreateStore", after.name(), nullptr, &after);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::CreateStoreResponse response;
  *response.mutable_store() = ToProto(slug, store);
  return response;
}

absl::StatusOr<v1::ListStoresResponse> PartnerHandlers::ListStores(
    const rpc::Call& call, const v1::ListStoresRequest& request) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ListStoresResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 FindReadable(call, transaction, request.parent()));
        const std::string list = "stores/" + partner.slug;
        GUILDER_ASSIGN_OR_RETURN(const std::string after,
                                 page_tokens_.Position(list, request.page_token()));
        GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
        v1::ListStoresResponse response;
        FillPage(
            list, page_size, partner::ListStores(transaction, partner.id, after, page_size + 1),
            [](const Store& store) { return store.code; },
            [&](const Store& store) { *response.add_stores() = ToProto(partner.slug, store); },
            response);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateStoreResponse> PartnerHandlers::UpdateStore(
    const rpc::Call& call, const v1::UpdateStoreRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckStoreFields(request.update_mask(), request.store()));
  const StoreNameParts name = PartsOf(request.store().name());
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::UpdateStoreResponse> {
        GUILDER_ASSIGN_OR_RETURN(Store store, LockStore(transaction, name.partner_slug, name.code));
        const v1::Store before = ToProto(name.partner_slug, store);
        ChangeFields(request.update_mask(), request.store(), store);
        partner::UpdateStore(transaction, store);
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        v1::UpdateStoreResponse response;
        *response.mutable_store() = ToProto(name.partner_slug, store);
        rpc::Audit(transaction, call, "PartnerService/UpdateStore", before.name(), &before,
                   &response.store());
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RegisterTerminalResponse> PartnerHandlers::RegisterTerminal(
    const rpc::Call& call, const v1::RegisterTerminalRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckTerminalCode(request.terminal_id()));
  const StoreNameParts name = PartsOf(request.store());
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(const Store store,
                                 LockStore(transaction, name.partner_slug, name.code));
        GUILDER_RETURN_IF_ERROR(InsertTerminal(transaction, store.id, request.terminal_id()));
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        rpc::Audit(transaction, call, "PartnerService/RegisterTerminal", request.store(), nullptr,
                   &request);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::RegisterTerminalResponse response;
  response.set_name(
      rpc::FormatName(kTerminalName, {name.partner_slug, name.code, request.terminal_id()}));
  return response;
}

}  // namespace guilder::partner
