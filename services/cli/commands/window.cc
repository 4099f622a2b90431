#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

template <typename Response>
Verb::Finisher Shown(Context& context) {
  return [&context](const Message& message) {
    const v1::Window& window = static_cast<const Response&>(message).window();
    context.output().Record(ToJson(window), {{"Name", "name"},
                                             {"State", "state"},
                                             {"From", "start_time", Show::kTime},
                                             {"Until", "end_time", Show::kTime},
                                             {"Settlement", "settlement"}});
    Table table({{"BOOK", Align::kRight}, {"LAST RECORD", Align::kRight}, {"ROOT"}});
    for (const v1::BookHead& head : window.heads()) {
      table.AddRow(
          {absl::StrCat(head.book()), WithThousands(head.last_number()), ToHex(head.root_hash())});
    }
    if (!table.empty()) context.output().Print(table);
    return absl::OkStatus();
  };
}

}  // namespace

void AddWindowCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "window", "Intervals of posted time that are settled");
  AddVerb<v1::ListWindowsRequest, v1::ListWindowsResponse>(noun, context, "list",
                                                           "Lists windows, latest first")
      .As("auditor")
      .ShowList("windows",
                {{"NAME", "name"},
                 {"FROM", "start_time", Show::kTime},
                 {"UNTIL", "end_time", Show::kTime},
                 {"STATE", "state"},
                 {"SETTLEMENT", "settlement"}},
                "no windows");
  AddVerb<v1::GetWindowRequest, v1::GetWindowResponse>(
      noun, context, "show", "Shows a window and, once sealed, each book's head")
      .Argument("WINDOW", "name", "The window: its start in UTC", "windows/")
      .As("auditor")
      .Show(Shown<v1::GetWindowResponse>(context));
  AddVerb<v1::CloseWindowRequest, v1::CloseWindowResponse>(
      noun, context, "close", "Seals a window that is over, or ends the open one now")
      .Argument("WINDOW", "name", "The window; without, the open one", "windows/")
      .Required(false)
      .As("finance")
      .Show(Shown<v1::CloseWindowResponse>(context));
}

}  // namespace guilder::cli
