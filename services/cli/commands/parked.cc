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
  AddVerb<v1::ListParkedItemsRequest, v1::ListParkedItemsResponse>(
      noun, context, "list", "Lists receipts in conflict and returns without a sale")
      .NameOption("--partner", "parent", "Of this partner only", "partners/")
      .Switch("--resolved", "include_resolved", "Resolved items too")
      .As("support")
      .ShowList("parked_items",
                {{"NAME", "name"},
                 {"PARTNER", "partner"},
                 {"REASON", "reason"},
                 {"PARKED", "create_time", Show::kTime},
                 {"REFERS TO", "refers_to"},
                 {"RESOLVED", "resolved"},
                 {"CONTENT", "content"},
                 {"RESOLUTION", "resolution"}},
                "nothing is parked");
  AddVerb<v1::ResolveParkedItemRequest, v1::ResolveParkedItemResponse>(
      noun, context, "resolve", "Closes an item with a note of what was done")
      .Argument("ITEM", "name", "The item", "parkedItems/")
      .Option("--note", "resolution", "What was found and done")
      .Required()
      .As("support")
      .ShowRecord("parked_item",
                  {{"Name", "name"}, {"Resolved", "resolved"}, {"Resolution", "resolution"}});
}

}  // namespace guilder::cli
