// What becomes of a credential: given, rotated, slowed down, revoked; and of a member's token.
#include <chrono>

#include "absl/time/clock.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "tests/service/access_world.h"

namespace guilder::access {
namespace {

using Partners = partner::v1::PartnerService;
using Members = member::v1::MemberService;

template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Ask(const clients::Channel& channel,
                             grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                   const Request&, Response*),
                             const Request& request) {
  clients::RetryPolicy once;
  once.max_attempts = 1;
  return clients::Client<Service>(channel).Invoke(method, request, once);
}

partner::v1::GetPartnerRequest Fresh() {
  partner::v1::GetPartnerRequest request;
  request.set_name("partners/fresh");
  return request;
}

// Sent as it is, to see what the answer's metadata say.
struct Raw {
  grpc::Status status;
  std::multimap<std::string, std::string> trailers;
};
Raw GetFresh(const clients::Channel& channel) {
  Raw raw;
  grpc::ClientContext context;
  channel.Prepare(context, absl::Now() + absl::Seconds(10));
  partner::v1::GetPartnerResponse response;
  raw.status = Partners::NewStub(channel.grpc())->GetPartner(&context, Fresh(), &response);
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    raw.trailers.emplace(std::string(key.data(), key.size()),
                         std::string(value.data(), value.size()));
  }
  return raw;
}

TEST_CASE("Credentials: a rotated key does the same, and the old one works on meanwhile",
          "[service][access]") {
  World world;
  partner::v1::IssueCredentialRequest issue;
  issue.set_parent("partners/fresh");
  issue.set_display_name("till");
  issue.add_scopes(partner::v1::CREDENTIAL_SCOPE_READ);
  issue.add_stores("partners/fresh/stores/s1");
  const auto admin = world.network().AsOperator("anna");
  const auto issued = Ask<Partners>(admin, &Partners::Stub::IssueCredential, issue);
  REQUIRE(issued.ok());
  partner::v1::RotateCredentialRequest rotate;
  rotate.set_name(issued->credential().name());
  rotate.set_overlap_seconds(3'600);

  const auto rotated = Ask<Partners>(admin, &Partners::Stub::RotateCredential, rotate);

  REQUIRE(rotated.ok());
  CHECK(rotated->credential().scopes_size() == 1);
  CHECK(rotated->credential().stores(0) == "partners/fresh/stores/s1");
  CHECK_FALSE(rotated->credential().has_expire_time());
  CHECK(rotated->replaced().has_expire_time());
  for (const std::string& key : {issued->api_key(), rotated->api_key()}) {
    CHECK(Ask<Partners>(world.network().WithKey(key), &Partners::Stub::GetPartner, Fresh()).ok());
  }
  // One with a stated end is followed by one that ends as well, also where its overlap is shorter.
  *issue.mutable_expire_time() =
      rpc::ToProto(Timestamp(absl::ToUnixMicros(absl::Now()) + 7'200'000'000));
  const auto ending = Ask<Partners>(admin, &Partners::Stub::IssueCredential, issue);
  REQUIRE(ending.ok());
  rotate.set_name(ending->credential().name());
  const auto followed = Ask<Partners>(admin, &Partners::Stub::RotateCredential, rotate);
  REQUIRE(followed.ok());
  const int64_t life = followed->credential().expire_time().seconds() -
                       followed->credential().create_time().seconds();
  CHECK(life >= 7'190);
  CHECK(life <= 7'201);
  partner::v1::ListCredentialsRequest list;
  list.set_parent("partners/fresh");
  const auto listed = Ask<Partners>(admin, &Partners::Stub::ListCredentials, list);
  REQUIRE(listed.ok());
  CHECK(listed->credentials_size() >= 2);
}

TEST_CASE("Credentials: a key beyond its rate is told how long to wait", "[service][access]") {
  World world;
  const std::string key = world.Key("slow", "fresh", "READ");
  world.Query("update partner.credentials set calls_per_second = 4 where credential_id = 'slow'");
  const auto channel = world.network().WithKey(key);
  int refused = 0;
  bool warned = false;
  for (int i = 0; i < 20; ++i) {
    const Raw raw = GetFresh(channel);
    warned = warned || raw.trailers.contains("ratelimit-remaining");
    if (raw.status.ok()) continue;
    ++refused;
    const absl::Status status = rpc::FromGrpcStatus(raw.status);
    CHECK(ReasonOf(status) == Reason::kRateLimited);
    CHECK(rpc::RetryDelayOf(status).value_or(absl::ZeroDuration()) > absl::ZeroDuration());
    CHECK(raw.trailers.find("ratelimit-limit")->second == "4");
    CHECK(raw.trailers.contains("ratelimit-reset"));
  }
  CHECK(refused > 0);
  CHECK(warned);
  // Another key of the same partner is not slowed down.
  const auto other = world.network().WithKey(world.Key("quick", "fresh", "READ"));
  for (int i = 0; i < 20; ++i) CHECK(GetFresh(other).status.ok());
}

TEST_CASE("Credentials: unknown keys are slowed down, and those that work are not",
          "[service][access]") {
  World world;
  const auto good = world.network().WithKey(world.Key("good", "fresh", "READ"));
  REQUIRE(GetFresh(good).status.ok());
  int limited = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string guess =
        security::GenerateKey(security::KeyKind::kPartner, absl::StrCat("guess", i));
    const auto status = rpc::FromGrpcStatus(GetFresh(world.network().WithKey(guess)).status);
    CHECK_FALSE(status.ok());
    if (ReasonOf(status) == Reason::kRateLimited) ++limited;
  }
  CHECK(limited > 0);
  CHECK(GetFresh(good).status.ok());
}

TEST_CASE("Credentials: a revocation ends a stream that was open within a second",
          "[service][access]") {
  using Accrual = accrual::v1::AccrualService;
  World world;
  const auto channel = world.network().WithKey(world.Key("stream", "fresh", "POST"));
  grpc::ClientContext context;
  channel.Prepare(context, absl::Now() + absl::Seconds(30));
  const auto stub = Accrual::NewStub(channel.grpc());
  const auto stream = stub->RecordPurchases(&context);
  accrual::v1::RecordPurchasesRequest item;
  accrual::v1::RecordPurchasesResponse answer;
  REQUIRE(stream->Write(item));
  REQUIRE(stream->Read(&answer));
  partner::v1::RevokeCredentialRequest revoke;
  revoke.set_name("partners/fresh/credentials/stream");
  REQUIRE(
      Ask<Partners>(world.network().AsOperator("anna"), &Partners::Stub::RevokeCredential, revoke)
          .ok());
  const absl::Time revoked = absl::Now();

  // Items are answered until the revocation acts; then the stream ends.
  while (stream->Write(item) && stream->Read(&answer)) {
  }
  const absl::Status ended = rpc::FromGrpcStatus(stream->Finish());

  CHECK(ReasonOf(ended) == Reason::kCredentialsInvalid);
  CHECK(absl::Now() - revoked < absl::Seconds(2));
}

TEST_CASE("IssueMemberToken: reads the member's own data unmasked, for as long as it was made for",
          "[service][access]") {
  World world;
  const auto support = world.network().AsOperator("anna");
  // Partners know the member by another name.
  member::v1::FindMemberRequest find;
  find.set_card_number(world.fact("card"));
  const auto found = Ask<Members>(support, &Members::Stub::FindMember, find);
  REQUIRE(found.ok());
  member::v1::IssueMemberTokenRequest request;
  request.set_member(found->member().name());
  request.set_time_to_live_seconds(60);

  const auto issued = Ask<Members>(support, &Members::Stub::IssueMemberToken, request);

  REQUIRE(issued.ok());
  member::v1::GetMemberRequest read;
  read.set_name(found->member().name());
  const auto app = world.network().WithKey(issued->token());
  CHECK(Ask<Members>(app, &Members::Stub::GetMember, read).ok());
  request.set_time_to_live_seconds(3'601);
  CHECK(ReasonOf(Ask<Members>(support, &Members::Stub::IssueMemberToken, request).status()) ==
        Reason::kRequestMalformed);
  request.set_time_to_live_seconds(0);
  request.set_member("members/1");
  CHECK(ReasonOf(Ask<Members>(support, &Members::Stub::IssueMemberToken, request).status()) ==
        Reason::kMemberNotFound);
}

TEST_CASE("FindMember: who tries one number after the other finds nothing more in that hour",
          "[service][access]") {
  World world;
  const auto support = world.network().AsOperator("anna");
  member::v1::FindMemberRequest request;
  int limited = 0;
  for (int i = 0; i < 110; ++i) {
    request.set_phone(absl::StrCat("+4930", 1'000'000 + i));
    const auto found = Ask<Members>(support, &Members::Stub::FindMember, request);
    if (ReasonOf(found.status()) == Reason::kRateLimited) ++limited;
  }
  CHECK(limited == 10);
  request.set_card_number(world.fact("card"));
  CHECK(Ask<Members>(world.network().AsOperator("bert"), &Members::Stub::FindMember, request).ok());
}

}  // namespace
}  // namespace guilder::access
