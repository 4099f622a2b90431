#include <string>

#include <nlohmann/json.hpp>

#include "guilder/member/v1/document_service.grpc.pb.h"

#include "tests/service/person_world.h"

namespace guilder::member {
namespace {

using Stub = v1::MemberDocumentService::Stub;

struct World : PersonWorld {
  std::string Statement(const std::string& name, v1::MemberDocumentFormat format) const {
    v1::RenderMemberStatementRequest request;
    request.set_name(name);
    request.set_format(format);
    const auto response = PersonWorld::Call<v1::MemberDocumentService>(
        Operator(), &Stub::RenderMemberStatement, request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return response->content();
  }
  absl::StatusOr<v1::ExportMemberResponse> Export(const std::string& name,
                                                  v1::MemberDocumentFormat format) const {
    v1::ExportMemberRequest request;
    request.set_name(name);
    request.set_format(format);
    return PersonWorld::Call<v1::MemberDocumentService>(Operator(), &Stub::ExportMember, request);
  }
};

TEST_CASE("ExportMember: every point is there from its beginning to its end, and explained",
          "[service][member][inv-101]") {
  const World world;
  const auto ada = world.Enrol();
  v1::SetConsentRequest consent;
  consent.set_member(ada.name);
  consent.mutable_consent()->set_partner("partners/fresh");
  consent.mutable_consent()->set_purpose(v1::CONSENT_PURPOSE_MARKETING);
  consent.mutable_consent()->set_channel(v1::CONSENT_CHANNEL_EMAIL);
  for (const bool granted : {true, false}) {
    consent.mutable_consent()->set_granted(granted);
    REQUIRE(world.Ask(&v1::PersonService::Stub::SetConsent, consent).ok());
  }
  v1::CloseMemberRequest close;
  close.set_request_id(clients::NewRequestId());
  close.set_name(ada.name);
  REQUIRE(world.Ask(&v1::PersonService::Stub::CloseMember, close).ok());

  const auto exported = world.Export(ada.name, v1::MEMBER_DOCUMENT_FORMAT_JSON);

  REQUIRE(exported.ok());
  const auto json = nlohmann::json::parse(exported->content());
  CHECK(json["member"]["address"] == "12 Saint James's Square\nLondon");
  CHECK(json["member"]["cards"].size() == 1);
  CHECK(json["consents"].size() == 2);
  REQUIRE(json["lots"].size() == 1);
  CHECK(json["lots"][0]["issued_points"] == "50");
  // What every entry of the account says is in the document, with a reason.
  int64_t entries = 0;
  for (const auto& record : json["records"]) {
    CHECK_FALSE(record["text"].get<std::string>().empty());
    for (const auto& entry : record["entries"]) {
      ++entries;
      CHECK(entry["explanation"].get<std::string>().find("given by partners/house under") !=
            std::string::npos);
    }
  }
  CHECK(entries == world.Count("ledger.entries"));
  const auto page = world.Export(ada.name, v1::MEMBER_DOCUMENT_FORMAT_HTML);
  REQUIRE(page.ok());
  CHECK(page->content().find("Byron-Lovelace") != std::string::npos);
  CHECK(page->content().find("Account closed") != std::string::npos);
}

TEST_CASE("RenderMemberStatement: what the member owns, and what comes when", "[service][member]") {
  const World world;
  auto member = PersonWorld::Ada();
  member.set_given_name("<b>Ada</b>");
  const auto ada = world.Enrol(member);

  const auto text = world.Statement(ada.name, v1::MEMBER_DOCUMENT_FORMAT_TEXT);
  const auto html = world.Statement(ada.name, v1::MEMBER_DOCUMENT_FORMAT_HTML);
  const auto json =
      nlohmann::json::parse(world.Statement(ada.name, v1::MEMBER_DOCUMENT_FORMAT_JSON));

  CHECK(text.find("Enrolled, with a welcome gift of 50 points") != std::string::npos);
  CHECK(text.find("What comes") != std::string::npos);
  CHECK(html.find("<b>Ada") == std::string::npos);
  CHECK(html.find("&lt;b&gt;Ada") != std::string::npos);
  // The house's points wait 14 days, and live a year: the network begins on 10 June 2026.
  REQUIRE(json["calendar"].size() == 2);
  CHECK(json["calendar"][0]["activating_points"] == "50");
  CHECK(json["calendar"][1]["date"] == "2027-06-10");
  CHECK(json["calendar"][1]["expiring_points"] == "50");
  CHECK(json["balance"]["pending_points"] == "50");
}

TEST_CASE("RenderMemberStatement and ExportMember: refusals, and what is noted",
          "[service][member][inv-99]") {
  const World world;
  const auto ada = world.Enrol();
  CHECK(ReasonOf(world.Export(ada.name, v1::MEMBER_DOCUMENT_FORMAT_UNSPECIFIED)) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Export("members/65539", v1::MEMBER_DOCUMENT_FORMAT_JSON)) ==
        Reason::kMemberNotFound);
  v1::RenderMemberStatementRequest request;
  request.set_name(ada.name);
  const auto refused = [&] {
    return ReasonOf(PersonWorld::Call<v1::MemberDocumentService>(
        world.Operator(), &Stub::RenderMemberStatement, request));
  };
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_format(v1::MEMBER_DOCUMENT_FORMAT_TEXT);
  request.set_records(-1);
  CHECK(refused() == Reason::kRequestMalformed);
  REQUIRE(world.Export(ada.name, v1::MEMBER_DOCUMENT_FORMAT_JSON).ok());
  CHECK(world.Count("operator.audit_log where action = 'MemberDocumentService/ExportMember' and "
                    "resource = '" +
                    ada.name + "'") == 1);
}

}  // namespace
}  // namespace guilder::member
