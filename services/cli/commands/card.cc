#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/member/v1/card_service.pb.h"
#include "guilder/member/v1/member_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;
using google::protobuf::Message;

constexpr char kCardPrefix[] = "cards/";
constexpr char kMemberPrefix[] = "members/";

void AddCardVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::IssueCardsRequest, v1::IssueCardsResponse>(
      noun, context, "issue", "Issues further cards to a member: new numbers, as for an app")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--count", "count", "How many; 1 without")
      .Prepare([](Message& message) {
        auto& request = static_cast<v1::IssueCardsRequest&>(message);
        if (request.count() == 0) request.set_count(1);
        return absl::OkStatus();
      })
      .As("support")
      .ShowList("cards", {{"NUMBER", "number"}, {"STATE", "state"}}, "no cards");
  AddVerb<v1::GetCardRequest, v1::GetCardResponse>(
      noun, context, "show", "Shows a card: where it leads, and what happened to it")
      .Argument("CARD", "name", "The card's number", kCardPrefix)
      .As("support")
      .ShowRecord("", {{"Number", "card.number"},
                       {"State", "card.state"},
                       {"Member", "member"},
                       {"Batch", "batch"},
                       {"Waits to be shown", "waiting"},
                       {"Nobody's yet", "unclaimed"},
                       {"Points lapse", "claim_by", Show::kTime},
                       {"History", "events"}});
  AddVerb<v1::ActivateCardRequest, v1::ActivateCardResponse>(noun, context, "activate",
                                                             "Hands out a card of a batch")
      .Argument("CARD", "name", "The card's number", kCardPrefix)
      .NameOption("--member", "member", "Who gets it; nobody yet without", kMemberPrefix)
      .As("support")
      .ShowRecord("card", {{"Number", "number"}, {"State", "state"}});
  AddVerb<v1::BlockCardRequest, v1::BlockCardResponse>(noun, context, "block",
                                                       "Blocks a card: it neither earns nor spends")
      .Argument("CARD", "name", "The card's number", kCardPrefix)
      .Option("--reason", "reason", "Why, for support; no names")
      .As("support")
      .ShowRecord("card", {{"Number", "number"}, {"State", "state"}});
  AddVerb<v1::ReplaceCardRequest, v1::ReplaceCardResponse>(
      noun, context, "replace", "Stops a card and puts another in its place; the points stay")
      .Argument("CARD", "name", "The number of the card that stops", kCardPrefix)
      .Option("--with", "new_card_number", "A card of a batch; a new number without")
      .Option("--reason", "reason", "Why, for support; no names")
      .As("support")
      .ShowRecord("card", {{"Number", "number"}, {"State", "state"}});
}

const std::vector<Field>& RangeFields() {
  static const auto* const fields =
      new std::vector<Field>{{"NAME", "name"},
                             {"PARTNER", "partner"},
                             {"PREFIX", "prefix"},
                             {"DIGITS", "digits"},
                             {"CLAIM DAYS", "claim_days"},
                             {"NUMBERS LEFT", "numbers_left", Show::kNumber}};
  return *fields;
}

const std::vector<Field>& BatchFields() {
  static const auto* const fields = new std::vector<Field>{{"NAME", "name"},
                                                           {"RANGE", "range"},
                                                           {"STORE", "store"},
                                                           {"CARDS", "count", Show::kNumber},
                                                           {"SHOWN", "activated", Show::kNumber},
                                                           {"MADE", "create_time", Show::kTime}};
  return *fields;
}

void AddStockVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::CreateCardRangeRequest, v1::CreateCardRangeResponse>(noun, context, "create-range",
                                                                   "Sets a range of numbers aside")
      .Option("--prefix", "range.prefix", "What the numbers begin with: 1 to 10 digits")
      .Required()
      .Option("--digits", "range.digits", "How many digits they have, 12 to 18")
      .Required()
      .NameOption("--partner", "range.partner", "Whose cards; the programme's own without",
                  "partners/")
      .Option("--claim-days", "range.claim_days",
              "In how many days after a card was first shown its owner must enrol; 0 for no limit")
      .As("admin")
      .ShowRecord("range", RangeFields());
  AddVerb<v1::ListCardRangesRequest, v1::ListCardRangesResponse>(noun, context, "ranges",
                                                                 "Lists ranges of numbers")
      .As("support")
      .ShowList("ranges", RangeFields(), "no ranges");
  AddVerb<v1::CreateCardBatchRequest, v1::CreateCardBatchResponse>(
      noun, context, "create-batch", "Makes the numbers of cards to be printed for a store")
      .NameOption("--range", "batch.range", "Of which range", "cardRanges/")
      .Required()
      .NameOption("--store", "batch.store", "Who hands them out, as in freshmart/stores/berlin",
                  "partners/")
      .Required()
      .Option("--count", "batch.count", "How many: 1 to 100,000")
      .Required()
      .As("admin")
      .ShowRecord("batch", BatchFields());
  AddVerb<v1::ListCardBatchesRequest, v1::ListCardBatchesResponse>(
      noun, context, "batches", "Lists batches, with how many of their cards were shown")
      .As("support")
      .ShowList("batches", BatchFields(), "no batches");
  AddVerb<v1::ListBatchCardsRequest, v1::ListBatchCardsResponse>(
      noun, context, "numbers", "Lists the numbers of a batch, for the printer")
      .Argument("BATCH", "parent", "The batch", "cardBatches/")
      .As("admin")
      .ShowList("cards", {{"NUMBER", "number"}, {"SHOWN", "activated"}}, "no cards");
}

// All pages, until nobody's time is over any more.
std::function<absl::Status()> Lapse(Arguments&, Context& context) {
  return [&context]() -> absl::Status {
    int64_t accounts = 0;
    int64_t points = 0;
    v1::LapseUnclaimedCardsRequest request;
    do {
      v1::LapseUnclaimedCardsResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
      accounts += response.accounts();
      points += response.points();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"accounts", accounts}, {"points", points}});
    } else {
      context.output().Text(absl::StrCat(WithThousands(points), " points of ",
                                         WithThousands(accounts), " cards lapsed"));
    }
    return absl::OkStatus();
  };
}

}  // namespace

void AddCardCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "card", "Cards: members', and those that stores hand out");
  AddCardVerbs(noun, context);
  AddStockVerbs(noun, context);
  AddAction(noun, context, "lapse", "Lets points expire on cards whose owner did not enrol in time",
            [&context](Arguments& arguments) { return Lapse(arguments, context); });
}

}  // namespace guilder::cli
