#include "guilder/partner/v1/partner_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

std::vector<Field> StoreFields() {
  return {{"NAME", "name"},
          {"DISPLAY NAME", "display_name"},
          {"TIME ZONE", "time_zone"},
          {"OPEN", "open"},
          {"REGION", "region"},
          {"ADDRESS", "address"},
          {"UNKNOWN TERMINALS", "unknown_terminals"},
          {"TERMINALS", "terminals"}};
}

}  // namespace

void AddStoreCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "store", "Places and web shops where purchases happen");
  AddVerb<v1::CreateStoreRequest, v1::CreateStoreResponse>(noun, context, "create",
                                                           "Creates a store of a partner")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Argument("STORE_ID", "store_id", "The partner's own number of it")
      .Option("--display-name", "store.display_name", "What members read")
      .Option("--time-zone", "store.time_zone", "IANA time zone, as in Europe/Berlin")
      .Option("--address", "store.address", "Street, number, postal code and town")
      .Option("--region", "store.region", "Code of ISO 3166-2, as in DE-BE")
      .Option("--unknown-terminals", "store.unknown_terminals",
              "What becomes of purchases of tills that are not registered: REFUSE or ACCEPT")
      .Prepare([](google::protobuf::Message& request) {
        static_cast<v1::CreateStoreRequest&>(request).mutable_store()->set_open(true);
        return absl::OkStatus();
      })
      .As("submitter")
      .ShowRecord("store", StoreFields());
  AddVerb<v1::UpdateStoreRequest, v1::UpdateStoreResponse>(noun, context, "update",
                                                           "Changes a store")
      .Argument("STORE", "store.name", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Option("--display-name", "store.display_name", "What members read")
      .Option("--time-zone", "store.time_zone", "IANA time zone, as in Europe/Berlin")
      .Option("--address", "store.address", "Street, number, postal code and town")
      .Option("--region", "store.region", "Code of ISO 3166-2, as in DE-BE")
      .Option("--unknown-terminals", "store.unknown_terminals",
              "What becomes of purchases of tills that are not registered: REFUSE or ACCEPT")
      .Option("--open", "store.open", "Whether purchases may name it: yes or no")
      .Masked("store")
      .As("submitter")
      .ShowRecord("store", StoreFields());
  AddVerb<v1::ListStoresRequest, v1::ListStoresResponse>(noun, context, "list",
                                                         "Lists a partner's stores")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .As("auditor")
      .ShowList("stores", StoreFields(), "no stores");
}

void AddTerminalCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "terminal", "Tills");
  AddVerb<v1::RegisterTerminalRequest, v1::RegisterTerminalResponse>(
      noun, context, "register", "Registers a till, so that purchases may name it")
      .Argument("STORE", "store", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Argument("TERMINAL_ID", "terminal_id", "The till's id in its store")
      .As("submitter")
      .ShowRecord("", {{"Name", "name"}});
}

}  // namespace guilder::cli
