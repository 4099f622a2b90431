#include "absl/strings/str_cat.h"
#include "guilder/member/v1/person_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;

constexpr char kMemberPrefix[] = "members/";
constexpr char kPartnerPrefix[] = "partners/";

void AddProfileVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::UpdateMemberRequest, v1::UpdateMemberResponse>(
      noun, context, "update", "Corrects a member's data; what is not named stays")
      .Argument("MEMBER", "member.name", "The member", kMemberPrefix)
      .Option("--given-name", "member.given_name", "Given name")
      .Option("--family-name", "member.family_name", "Family name")
      .Option("--phone", "member.phone", "With its country code, as in +49301234567")
      .Option("--email", "member.email", "E-mail address")
      .Option("--address", "member.address", "Postal address, in lines")
      .Option("--birth-date", "member.birth_date", "As in 1990-12-31")
      .Masked("member")
      .As("support")
      .ShowRecord("member", {{"Name", "name"},
                             {"Given name", "given_name"},
                             {"Family name", "family_name"},
                             {"Phone", "phone"},
                             {"E-mail", "email"},
                             {"Address", "address"},
                             {"Born", "birth_date"}});
  AddVerb<v1::AddPersonRequest, v1::AddPersonResponse>(noun, context, "add-person",
                                                       "Lets another person use the account")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .Option("--given-name", "person.given_name", "Given name")
      .Option("--family-name", "person.family_name", "Family name")
      .Option("--phone", "person.phone", "With its country code")
      .Option("--email", "person.email", "E-mail address")
      .As("support")
      .ShowRecord("person", {{"Name", "name"},
                             {"Given name", "given_name"},
                             {"Family name", "family_name"},
                             {"Phone", "phone"},
                             {"E-mail", "email"}});
  AddVerb<v1::RemovePersonRequest, v1::RemovePersonResponse>(
      noun, context, "remove-person", "Forgets a person who shares an account")
      .Argument("PERSON", "name", "As in members/65539/people/1", kMemberPrefix)
      .As("support")
      .ShowRecord("", {});
}

void AddLeavingVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::LockMemberRequest, v1::LockMemberResponse>(
      noun, context, "retain", "Keeps a member's data until a date: nobody erases it before")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--until", "until", "As in 2030-12-31")
      .Required()
      .Option("--reason", "reason", "Why, as in \"tax records\"; no personal data")
      .Required()
      .As("support")
      .ShowRecord("", {{"Lock", "lock"}});
  AddVerb<v1::UnlockMemberRequest, v1::UnlockMemberResponse>(
      noun, context, "release", "Ends a retention lock before its date")
      .Argument("LOCK", "lock", "The lock", "retentionLocks/")
      .As("support")
      .ShowRecord("", {});
  AddVerb<v1::CloseMemberRequest, v1::CloseMemberResponse>(noun, context, "close",
                                                           "Closes an account: what it has expires")
      .Argument("MEMBER", "name", "The member", kMemberPrefix)
      .As("support")
      .ShowRecord("", {{"Expired points", "expired_points", Show::kNumber},
                       {"Owed points", "debt_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::EraseMemberRequest, v1::EraseMemberResponse>(
      noun, context, "erase", "Erases a person: the key of all personal data is destroyed")
      .Argument("MEMBER", "name", "The member", kMemberPrefix)
      .As("support")
      .ShowRecord("", {{"Expired points", "expired_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::RotateMemberKeysRequest, v1::RotateMemberKeysResponse>(
      noun, context, "rotate-keys",
      "Destroys the keys of backups: nobody who was erased is found in one any more")
      .As("admin")
      .ShowRecord("", {{"Epoch", "epoch"},
                       {"Members", "members", Show::kNumber},
                       {"Unreadable", "unreadable_members", Show::kNumber}});
}

const std::vector<Field>& ConsentFields() {
  static const auto* const fields = new std::vector<Field>{{"PARTNER", "partner"},
                                                           {"PURPOSE", "purpose"},
                                                           {"CHANNEL", "channel"},
                                                           {"GRANTED", "granted"},
                                                           {"SINCE", "change_time", Show::kTime},
                                                           {"BY", "changed_by"},
                                                           {"SOURCE", "source"}};
  return *fields;
}

}  // namespace

void AddPersonVerbs(CLI::App& noun, Context& context) {
  AddProfileVerbs(noun, context);
  AddLeavingVerbs(noun, context);
}

void AddConsentCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "consent", "What members agreed to");
  AddVerb<v1::SetConsentRequest, v1::SetConsentResponse>(
      noun, context, "set", "Notes what a member said; without --granted it is withdrawn")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .NameOption("--partner", "consent.partner", "Who may use the data", kPartnerPrefix)
      .Required()
      .Option("--purpose", "consent.purpose", "What for")
      .Required()
      .Option("--channel", "consent.channel", "By what")
      .Required()
      .Switch("--granted", "consent.granted", "The member agrees")
      .Option("--source", "consent.source", "Where it was said, as in \"form 3\"")
      .As("support")
      .ShowRecord("consent", ConsentFields());
  AddVerb<v1::ListConsentsRequest, v1::ListConsentsResponse>(noun, context, "list",
                                                             "Lists what a member agrees to")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .Switch("--history", "history", "All that was ever said")
      .As("support")
      .ShowList("consents", ConsentFields(), "nothing was said");
  AddVerb<v1::CheckConsentsRequest, v1::CheckConsentsResponse>(
      noun, context, "check", "Says who of some members may be written to now")
      .NameOption("--partner", "partner", "Who writes", kPartnerPrefix)
      .Required()
      .Option("--purpose", "purpose", "What for")
      .Required()
      .Option("--channel", "channel", "By what")
      .Required()
      .NameOption("--member", "members", "A member; may be repeated", kMemberPrefix)
      .As("support")
      .ShowRecord("", {{"Members", "members"}});
}

}  // namespace guilder::cli
