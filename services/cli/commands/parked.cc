#include "guilder/accrual/v1/accrual_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;

}  // namespace

void AddParkedCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "parked", "What could not be posted and waits for somebody");
  AddVerb<v1::ListParkedItemsRequest, v1::ListParkedItemsResponse>(noun, context, "list",
                                                                   "Lists what was parked, and why")
      .NameOption("--partner", "parent", "Of this partner only", "partners/")
      .Switch("--resolved", "include_resolved", "Resolved items too")
      .As("support")
      .ShowList("parked_items",
                {{"NAME", "name"},
                 {"PARTNER", "partner"},
                 {"REASON", "reason"},
                 {"PARKED", "create_time", Show::kTime},
                 {"REFERS TO", "refers_to"},
                 {"PROPOSED SALE", "proposed_purchase"},
                 {"BY", "proposed_by"},
                 {"ETAG", "etag"},
                 {"RESOLVED", "resolved"},
                 {"CONTENT", "content"},
                 {"RESOLUTION", "resolution"}},
                "nothing is parked");
  AddVerb<v1::ApproveParkedReturnRequest, v1::ApproveParkedReturnResponse>(
      noun, context, "approve", "Posts a return of the sale that somebody else has named for it")
      .Argument("ITEM", "name", "The item", "parkedItems/")
      .Option("--etag", "etag", "Of what was looked at")
      .Required()
      .As("approver")
      .ShowRecord("", {{"Name", "parked_item.name"},
                       {"Resolved", "parked_item.resolved"},
                       {"Resolution", "parked_item.resolution"},
                       {"Posted", "posted"}});
  for (const bool post : {false, true}) {
    Verb& verb = AddVerb<v1::ResolveParkedItemRequest, v1::ResolveParkedItemResponse>(
                     noun, context, post ? "post" : "resolve",
                     post ? "Posts what an item asked for, in its partner's name, and closes it"
                          : "Closes an item with a note of what was done")
                     .Argument("ITEM", "name", "The item", "parkedItems/")
                     .Option("--note", "resolution", "What was found and done")
                     .Required()
                     .As("support")
                     .Prepare([post](google::protobuf::Message& message) {
                       static_cast<v1::ResolveParkedItemRequest&>(message).set_action(
                           post ? v1::PARKED_ITEM_ACTION_POST : v1::PARKED_ITEM_ACTION_CLOSE);
                       return absl::OkStatus();
                     })
                     .ShowRecord("", {{"Name", "parked_item.name"},
                                      {"Resolved", "parked_item.resolved"},
                                      {"Resolution", "parked_item.resolution"},
                                      {"Proposed sale", "parked_item.proposed_purchase"},
                                      {"Etag, for who approves", "parked_item.etag"},
                                      {"Posted", "posted"}});
    if (post) {
      verb.NameOption("--sale", "purchase",
                      "The sale of a return that names none; somebody else approves it",
                      "purchases/");
    }
  }
}

}  // namespace guilder::cli
