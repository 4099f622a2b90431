#include "guilder/member/v1/standing_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;

constexpr char kMemberPrefix[] = "members/";

void AddTierCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "tier", "Members' tiers, which rules may ask for");
  AddVerb<v1::SetTierRequest, v1::SetTierResponse>(
      noun, context, "set", "Gives a member a tier from a time on; without --tier takes it away")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--tier", "tier", "As rules name it")
      .Option("--from", "from_time", "From when; now without")
      .Option("--reason", "reason", "Why; no personal data")
      .As("support")
      .ShowRecord("change", {{"Tier", "tier"},
                             {"From", "from_time", Show::kTime},
                             {"By", "changed_by"},
                             {"Reason", "reason"}});
  AddVerb<v1::ListTierChangesRequest, v1::ListTierChangesResponse>(
      noun, context, "history", "Lists a member's tiers and since when")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .As("support")
      .ShowList("changes",
                {{"FROM", "from_time", Show::kTime},
                 {"TIER", "tier"},
                 {"NOTED", "change_time", Show::kTime},
                 {"BY", "changed_by"},
                 {"REASON", "reason"}},
                "no tier");
}

void AddSegmentCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "segment", "Segments of members, which rules may ask for");
  AddVerb<v1::AddSegmentRequest, v1::AddSegmentResponse>(noun, context, "add",
                                                         "Puts a member into a segment")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--segment", "segment", "As rules name it")
      .Required()
      .Option("--from", "from_time", "From when; now without")
      .Option("--until", "until_time", "Until before when; for good without")
      .As("support")
      .ShowRecord("membership", {{"Segment", "segment"},
                                 {"From", "from_time", Show::kTime},
                                 {"Until", "until_time", Show::kTime},
                                 {"By", "changed_by"}});
  AddVerb<v1::RemoveSegmentRequest, v1::RemoveSegmentResponse>(
      noun, context, "remove", "Takes a member out of a segment now")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--segment", "segment", "As rules name it")
      .Required()
      .As("support")
      .ShowRecord("", {});
  AddVerb<v1::ListSegmentsRequest, v1::ListSegmentsResponse>(
      noun, context, "list", "Lists the segments that a member is in")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .Switch("--history", "history", "Also those that are over, or not yet begun")
      .As("support")
      .ShowList("segments",
                {{"SEGMENT", "segment"},
                 {"FROM", "from_time", Show::kTime},
                 {"UNTIL", "until_time", Show::kTime},
                 {"BY", "changed_by"}},
                "no segments");
}

void AddResidenceCommands(CLI::App& app, Context& context) {
  CLI::App& noun =
      AddNoun(app, "residence", "Where members live, which may keep their points from expiring");
  const std::vector<Field> fields = {{"Place", "place"},
                                     {"From", "from_time", Show::kTime},
                                     {"Noted", "note_time", Show::kTime},
                                     {"By", "noted_by"}};
  AddVerb<v1::SetResidenceRequest, v1::SetResidenceResponse>(
      noun, context, "set", "Says where a member lives from a time on")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--place", "place", "A country, or a part of one, as in DE or US-CA")
      .Required()
      .Option("--from", "from_time", "From when; now without")
      .As("support")
      .ShowRecord("residence", fields);
  AddVerb<v1::ListResidencesRequest, v1::ListResidencesResponse>(
      noun, context, "history", "Lists where a member lives and lived")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .As("support")
      .ShowList("residences", fields, "not known");
}

}  // namespace

void AddStandingCommands(CLI::App& app, Context& context) {
  AddResidenceCommands(app, context);
  AddTierCommands(app, context);
  AddSegmentCommands(app, context);
}

}  // namespace guilder::cli
