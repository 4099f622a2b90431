#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/service/partner_world.h"

namespace guilder::partner {
namespace {

TEST_CASE("PartnerService: three people bring a partner in, and it lives on",
          "[service][partner]") {
  const World world;
  const std::string name = world.Draft("fresh");
  CHECK(name == "partners/fresh");
  CHECK(world.Read(name).state() == v1::PARTNER_STATE_DRAFT);

  const auto submitted =
      world.By("anna").Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
  CHECK(submitted.partner().state() == v1::PARTNER_STATE_SUBMITTED);
  const auto review = AReview(name);
  CHECK(world.By("anna").Refusal(&Stub::ReviewPartner, review) == Reason::kSamePerson);
  CHECK(world.By("bert").Get(&Stub::ReviewPartner, review).partner().state() ==
        v1::PARTNER_STATE_IN_REVIEW);
  const auto approve = Named<v1::ApprovePartnerRequest>(name);
  CHECK(world.By("anna").Refusal(&Stub::ApprovePartner, approve) == Reason::kSamePerson);
  CHECK(world.By("bert").Refusal(&Stub::ApprovePartner, approve) == Reason::kSamePerson);
  const v1::Partner active = world.By("cleo").Get(&Stub::ApprovePartner, approve).partner();
  CHECK(active.state() == v1::PARTNER_STATE_ACTIVE);
  CHECK(active.submitted_by() == "anna");
  CHECK(active.reviewed_by() == "bert");
  CHECK(active.approved_by() == "cleo");
  CHECK(active.iban() == kIban);

  const Caller cleo = world.By("cleo");
  CHECK(cleo.Get(&Stub::SuspendPartner, Named<v1::SuspendPartnerRequest>(name)).partner().state() ==
        v1::PARTNER_STATE_SUSPENDED);
  CHECK(cleo.Get(&Stub::ReinstatePartner, Named<v1::ReinstatePartnerRequest>(name))
            .partner()
            .state() == v1::PARTNER_STATE_ACTIVE);
  CHECK(cleo.Get(&Stub::TerminatePartner, Named<v1::TerminatePartnerRequest>(name))
            .partner()
            .state() == v1::PARTNER_STATE_TERMINATING);
}

TEST_CASE("PartnerService: an approval is of what was looked at, in time, or is refused",
          "[service][partner][inv-97]") {
  World world;
  const std::string name = world.Draft("fresh");
  const Caller cleo = world.By("cleo");
  auto reject = Named<v1::RejectPartnerRequest>(name);
  reject.set_note("the register says otherwise");
  CHECK(cleo.Refusal(&Stub::RejectPartner, reject) == Reason::kWrongState);
  const auto submit_and_review = [&] {
    world.By("anna").Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
    return world.By("bert").Get(&Stub::ReviewPartner, AReview(name)).partner().etag();
  };
  submit_and_review();

  const v1::Partner rejected = cleo.Get(&Stub::RejectPartner, reject).partner();

  CHECK(rejected.state() == v1::PARTNER_STATE_DRAFT);
  CHECK(rejected.submitted_by().empty());
  CHECK(rejected.reviewed_by().empty());
  auto approve = Named<v1::ApprovePartnerRequest>(name);
  approve.set_etag(submit_and_review());
  world.network.MoveClock(int64_t{31} * 86'400'000'000);
  CHECK(cleo.Refusal(&Stub::ApprovePartner, approve) == Reason::kApprovalExpired);
  cleo.Get(&Stub::RejectPartner, reject);
  CHECK(cleo.Refusal(&Stub::ApprovePartner, approve) == Reason::kWrongState);
  const std::string etag = submit_and_review();
  CHECK(cleo.Refusal(&Stub::ApprovePartner, approve) == Reason::kChangeDiffers);
  approve.set_etag(etag);
  CHECK(cleo.Get(&Stub::ApprovePartner, approve).partner().state() == v1::PARTNER_STATE_ACTIVE);
}

TEST_CASE("PartnerService: a partner reads its own and nothing else", "[service][partner]") {
  const World world;
  const std::string own = world.Active("fresh");
  const std::string other = world.Active("books");
  const std::string key = world.By("anna").Get(&Stub::IssueCredential, ACredential(own)).api_key();
  const Caller till(world.network.WithKey(key));

  CHECK(till.Get(&Stub::GetPartner, Named<v1::GetPartnerRequest>(own)).partner().name() == own);
  CHECK(till.Try(&Stub::ListStores, Below<v1::ListStoresRequest>(own)).ok());
  CHECK(till.Try(&Stub::ListContracts, Below<v1::ListContractsRequest>(own)).ok());
  const auto listed = till.Get(&Stub::ListCredentials, Below<v1::ListCredentialsRequest>(own));
  REQUIRE(listed.credentials_size() == 1);
  CHECK(listed.DebugString().find(key) == std::string::npos);

  CHECK(till.Refusal(&Stub::GetPartner, Named<v1::GetPartnerRequest>(other)) == Reason::kNotYours);
  CHECK(till.Refusal(&Stub::ListStores, Below<v1::ListStoresRequest>(other)) == Reason::kNotYours);
  CHECK(till.Refusal(&Stub::GetExposure, Named<v1::GetExposureRequest>(other)) ==
        Reason::kNotYours);
  CHECK(till.Refusal(&Stub::ListContracts, Below<v1::ListContractsRequest>(other)) ==
        Reason::kNotYours);
  CHECK(till.Refusal(&Stub::ListCredentials, Below<v1::ListCredentialsRequest>(other)) ==
        Reason::kNotYours);

  CHECK(till.Refusal(&Stub::ListPartners, v1::ListPartnersRequest()) == Reason::kPermissionDenied);
  CHECK(till.Refusal(&Stub::CreateStore, AStore(own, "s1")) == Reason::kPermissionDenied);
  CHECK(till.Refusal(&Stub::IssueCredential, ACredential(own)) == Reason::kPermissionDenied);
  const Caller nobody(world.network.WithKey(""));
  CHECK(nobody.Refusal(&Stub::GetPartner, Named<v1::GetPartnerRequest>(own)) ==
        Reason::kCredentialsMissing);
}

TEST_CASE("PartnerService: a revoked key stops working within a second, and for good",
          "[service][partner]") {
  const World world;
  const std::string own = world.Active("fresh");
  const Caller anna = world.By("anna");
  const auto issued = anna.Get(&Stub::IssueCredential, ACredential(own));
  const Caller till(world.network.WithKey(issued.api_key()));
  const auto read = Named<v1::GetPartnerRequest>(own);
  CHECK(till.Try(&Stub::GetPartner, read).ok());

  const auto revoke = Named<v1::RevokeCredentialRequest>(issued.credential().name());
  const auto revoked = anna.Get(&Stub::RevokeCredential, revoke).credential();
  const absl::Time deadline = absl::Now() + absl::Seconds(1);
  std::optional<Reason> refusal;
  while (!refusal && absl::Now() < deadline) refusal = till.Refusal(&Stub::GetPartner, read);
  CHECK(refusal == Reason::kCredentialsInvalid);

  const auto again = anna.Get(&Stub::RevokeCredential, revoke).credential();
  CHECK(again.revoke_time().seconds() == revoked.revoke_time().seconds());
  CHECK(again.revoke_time().nanos() == revoked.revoke_time().nanos());
}

TEST_CASE("PartnerService: a key is stored hashed only", "[service][partner]") {
  const World world;
  const std::string key =
      world.By("anna").Get(&Stub::IssueCredential, ACredential(world.Draft("fresh"))).api_key();
  const std::string secret = key.substr(key.rfind('_') + 1);

  const postgres::Rows rows = world.network.database().Query(
      "select c::text || encode(c.key_hash, 'escape') from partner.credentials c");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].Text(0).find(secret) == std::string_view::npos);
}

TEST_CASE("PartnerService: details change as the partner's state allows", "[service][partner]") {
  const World world;
  const std::string name = world.Draft("fresh");
  const Caller anna = world.By("anna");
  v1::UpdatePartnerRequest request;
  request.mutable_partner()->set_name(name);
  request.mutable_partner()->set_display_name("Fresher");
  request.mutable_partner()->set_legal_name("ignored");
  request.mutable_partner()->set_etag(world.Read(name).etag());
  request.mutable_update_mask()->add_paths("display_name");

  const v1::Partner updated = anna.Get(&Stub::UpdatePartner, request).partner();
  CHECK(updated.display_name() == "Fresher");
  CHECK(updated.legal_name() == "Shop GmbH");
  CHECK(updated.etag() != request.partner().etag());
  // The same etag again is an older one now.
  CHECK(anna.Refusal(&Stub::UpdatePartner, request) == Reason::kEtagMismatch);

  anna.Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
  request.mutable_partner()->clear_etag();
  request.mutable_partner()->set_display_name("Freshest");
  CHECK(anna.Get(&Stub::UpdatePartner, request).partner().state() == v1::PARTNER_STATE_DRAFT);
}

TEST_CASE("PartnerService: stores and terminals are kept", "[service][partner]") {
  const World world;
  const std::string name = world.Active("fresh");
  const Caller anna = world.By("anna");
  const v1::Store store = anna.Get(&Stub::CreateStore, AStore(name, "s1")).store();
  CHECK(store.name() == "partners/fresh/stores/s1");
  CHECK(store.open());
  for (const char* id : {"T2", "T1"}) {
    v1::RegisterTerminalRequest terminal;
    terminal.set_store(store.name());
    terminal.set_terminal_id(id);
    CHECK(anna.Get(&Stub::RegisterTerminal, terminal).name() == store.name() + "/terminals/" + id);
  }
  v1::UpdateStoreRequest update;
  update.mutable_store()->set_name(store.name());
  update.mutable_store()->set_time_zone("Europe/Paris");
  update.mutable_update_mask()->add_paths("time_zone");
  update.mutable_update_mask()->add_paths("open");
  anna.Get(&Stub::UpdateStore, update);

  const auto listed = anna.Get(&Stub::ListStores, Below<v1::ListStoresRequest>(name));
  REQUIRE(listed.stores_size() == 1);
  CHECK(listed.stores(0).time_zone() == "Europe/Paris");
  CHECK(listed.stores(0).display_name() == "Market");
  CHECK_FALSE(listed.stores(0).open());
  REQUIRE(listed.stores(0).terminals_size() == 2);
  CHECK(listed.stores(0).terminals(0) == "T1");
}

TEST_CASE("PartnerService: contracts of both kinds keep their terms", "[service][partner]") {
  const World world;
  const std::string name = world.Active("fresh");
  const auto issuance = AnIssuanceContract(name, InDays(1));
  const auto redemption = ARedemptionContract(name, InDays(1));
  CHECK(world.Propose(issuance) == "partners/fresh/contracts/1");
  CHECK(world.Propose(redemption) == "partners/fresh/contracts/2");

  const auto listed =
      world.By("anna").Get(&Stub::ListContracts, Below<v1::ListContractsRequest>(name));
  REQUIRE(listed.contracts_size() == 2);
  CHECK(listed.contracts(0).issuance().SerializeAsString() ==
        issuance.contract().issuance().SerializeAsString());
  CHECK(listed.contracts(1).redemption().DebugString() ==
        redemption.contract().redemption().DebugString());
  CHECK(listed.contracts(0).state() == v1::CONTRACT_STATE_PROPOSED);
  CHECK(listed.contracts(0).proposed_by() == "anna");
}

TEST_CASE("PartnerService: a contract names the partners where its points may be spent",
          "[service][partner][inv-54]") {
  const World world;
  const std::string name = world.Active("fresh");
  auto request = AnIssuanceContract(name, InDays(1));
  v1::IssuanceTerms& terms = *request.mutable_contract()->mutable_issuance();
  const auto reason = [&] { return world.By("anna").Refusal(&Stub::ProposeContract, request); };
  terms.set_points_use(v1::POINTS_USE_AT_PARTNERS);
  CHECK(reason() == Reason::kRequestMalformed);
  terms.add_points_use_partners("partners/nobody");
  CHECK(reason() == Reason::kPartnerNotFound);
  terms.set_points_use_partners(0, name);
  terms.add_points_use_partners(name);
  CHECK(reason() == Reason::kRequestMalformed);
  terms.mutable_points_use_partners()->RemoveLast();
  terms.set_points_use(v1::POINTS_USE_GIFTS);
  CHECK(reason() == Reason::kRequestMalformed);
  terms.set_points_use(v1::POINTS_USE_AT_PARTNERS);
  REQUIRE(world.Propose(request) == "partners/fresh/contracts/1");
  const auto listed =
      world.By("anna").Get(&Stub::ListContracts, Below<v1::ListContractsRequest>(name));
  REQUIRE(listed.contracts_size() == 1);
  CHECK(listed.contracts(0).issuance().points_use() == v1::POINTS_USE_AT_PARTNERS);
  REQUIRE(listed.contracts(0).issuance().points_use_partners_size() == 1);
  CHECK(listed.contracts(0).issuance().points_use_partners(0) == name);
}

TEST_CASE("PartnerService: approved contracts follow each other", "[service][partner]") {
  const World world("LIVE");
  const std::string name = world.Active("fresh");
  const std::string past = world.Propose(AnIssuanceContract(name, InDays(-1)));
  CHECK(world.Approve(past) == Reason::kEffectiveInPast);

  const std::string first = world.Propose(AnIssuanceContract(name, InDays(1)));
  CHECK(world.By("anna").Refusal(&Stub::ApproveContract,
                                 Named<v1::ApproveContractRequest>(first)) == Reason::kSamePerson);
  CHECK(world.Approve(first) == std::nullopt);
  CHECK(world.Approve(first) == Reason::kWrongState);
  // The other kind has dates of its own.
  CHECK(world.Approve(world.Propose(ARedemptionContract(name, InDays(3)))) == std::nullopt);

  const Timestamp second_from = InDays(10);
  auto second = AnIssuanceContract(name, second_from);
  *second.mutable_contract()->mutable_effective_until() = rpc::ToProto(InDays(20));
  CHECK(world.Approve(world.Propose(second)) == std::nullopt);
  const auto listed =
      world.By("anna").Get(&Stub::ListContracts, Below<v1::ListContractsRequest>(name));
  for (const v1::Contract& contract : listed.contracts()) {
    if (contract.name() != first) continue;
    CHECK(rpc::FromProto(contract.effective_until()) == second_from);
  }
  CHECK(world.Approve(world.Propose(AnIssuanceContract(name, InDays(15)))) ==
        Reason::kContractOverlap);
  CHECK(world.Approve(world.Propose(AnIssuanceContract(name, InDays(25)))) == Reason::kContractGap);
}

TEST_CASE("PartnerService: the programme's clock says what is past, where the programme is live",
          "[service][partner]") {
  World live("LIVE");
  const std::string name = live.Active("fresh");
  live.network.MoveClock(2 * kMicrosPerDay);
  CHECK(live.Approve(live.Propose(AnIssuanceContract(name, InDays(1)))) ==
        Reason::kEffectiveInPast);
  CHECK(live.Approve(live.Propose(AnIssuanceContract(name, InDays(3)))) == std::nullopt);

  const World sandbox("SANDBOX");
  const std::string tried = sandbox.Active("fresh");
  CHECK(sandbox.Approve(sandbox.Propose(AnIssuanceContract(tried, InDays(-400)))) == std::nullopt);
}

// Goal: two versions that overlap are approved at once; exactly one may succeed.
// Method: threads only collect answers, because Catch2's assertions are not thread safe.
TEST_CASE("PartnerService: overlapping contracts cannot both be approved", "[service][partner]") {
  const World world;
  const std::string name = world.Active("fresh");
  constexpr int kVersions = 6;
  std::vector<std::string> contracts;
  for (int i = 0; i < kVersions; ++i) {
    auto request = AnIssuanceContract(name, InDays(1));
    *request.mutable_contract()->mutable_effective_until() = rpc::ToProto(InDays(5));
    contracts.push_back(world.Propose(request));
  }
  std::vector<std::optional<Reason>> refusals(kVersions);
  std::vector<std::thread> threads;
  for (int i = 0; i < kVersions; ++i) {
    threads.emplace_back([&, i] { refusals[i] = world.Approve(contracts[i]); });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(std::count(refusals.begin(), refusals.end(), std::nullopt) == 1);
  CHECK(std::count(refusals.begin(), refusals.end(), Reason::kContractOverlap) == kVersions - 1);
}

TEST_CASE("PartnerService: what lanes must know increments the configuration's version",
          "[service][partner]") {
  const World world;
  int64_t version = world.network.ConfigurationVersion();
  const auto rose = [&] {
    const int64_t before = std::exchange(version, world.network.ConfigurationVersion());
    return version > before;
  };
  const std::string name = world.Active("fresh");
  CHECK(rose());
  world.By("anna").Get(&Stub::CreateStore, AStore(name, "s1"));
  CHECK(rose());
  v1::RegisterTerminalRequest terminal;
  terminal.set_store(name + "/stores/s1");
  terminal.set_terminal_id("T1");
  world.By("anna").Get(&Stub::RegisterTerminal, terminal);
  CHECK(rose());
  // A refusal changes nothing.
  world.By("anna").Refusal(&Stub::RegisterTerminal, terminal);
  CHECK_FALSE(rose());
  const std::string contract = world.Propose(AnIssuanceContract(name, InDays(1)));
  CHECK_FALSE(rose());
  world.Approve(contract);
  CHECK(rose());
}

TEST_CASE("PartnerService: lists give every item once, page by page", "[service][partner]") {
  const World world;
  std::set<std::string> created;
  for (int i = 0; i < 5; ++i) created.insert(world.Draft("shop-" + std::to_string(i)));
  const Caller anna = world.By("anna");
  v1::ListPartnersRequest request;
  request.set_page_size(2);
  std::vector<std::string> listed;
  int pages = 0;
  do {
    const auto page = anna.Get(&Stub::ListPartners, request);
    CHECK(page.partners_size() <= 2);
    for (const v1::Partner& partner : page.partners()) listed.push_back(partner.name());
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  CHECK(pages == 3);
  CHECK(listed == std::vector<std::string>(created.begin(), created.end()));

  const std::string name = *created.begin();
  for (const char* id : {"s1", "s2", "s3"}) anna.Get(&Stub::CreateStore, AStore(name, id));
  for (int i = 0; i < 3; ++i) {
    world.Propose(AnIssuanceContract(name, InDays(1)));
    anna.Get(&Stub::IssueCredential, ACredential(name));
  }
  const auto count_pages = [&](auto method, auto list, auto items_of) {
    list.set_page_size(2);
    std::set<std::string> names;
    do {
      const auto page = anna.Get(method, list);
      for (const auto& item : items_of(page)) names.insert(item.name());
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    return names.size();
  };
  CHECK(count_pages(&Stub::ListStores, Below<v1::ListStoresRequest>(name),
                    [](const auto& page) { return page.stores(); }) == 3);
  CHECK(count_pages(&Stub::ListContracts, Below<v1::ListContractsRequest>(name),
                    [](const auto& page) { return page.contracts(); }) == 3);
  CHECK(count_pages(&Stub::ListCredentials, Below<v1::ListCredentialsRequest>(name),
                    [](const auto& page) { return page.credentials(); }) == 3);
}

}  // namespace
}  // namespace guilder::partner
