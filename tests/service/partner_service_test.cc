#include "services/partner/rpc/partner_service.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "tests/support/catch2.h"
#include "tests/support/service_network.h"

namespace guilder::partner {
namespace {

using testing::ServiceNetwork;
using Stub = v1::PartnerService::Stub;

constexpr char kIban[] = "DE89370400440532013000";

clients::RetryPolicy Once() {
  clients::RetryPolicy policy;
  policy.max_attempts = 1;
  return policy;
}

// One caller. Calls are not repeated.
class Caller {
 public:
  explicit Caller(clients::Channel channel) : client_(std::move(channel)) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    return client_.Invoke(method, request, Once());
  }
  // The answer; a refusal fails the test.
  template <typename Request, typename Response>
  Response Get(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Try(method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }
  // Why it was refused; nothing when it was not.
  template <typename Request, typename Response>
  std::optional<Reason> Refusal(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return ReasonOf(Try(method, request).status());
  }

 private:
  clients::Client<v1::PartnerService> client_;
};

v1::CreatePartnerRequest ACreation(const std::string& id) {
  v1::CreatePartnerRequest request;
  request.set_partner_id(id);
  v1::Partner& partner = *request.mutable_partner();
  partner.set_display_name("Shop " + id);
  partner.set_legal_name("Shop GmbH");
  partner.set_registration_number("HRB 4711");
  partner.set_tax_id("DE123456789");
  partner.set_iban(kIban);
  partner.set_merchant_category_code("5411");
  return request;
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

template <typename Request>
Request Below(const std::string& parent) {
  Request request;
  request.set_parent(parent);
  return request;
}

v1::CreateStoreRequest AStore(const std::string& parent, const std::string& id) {
  auto request = Below<v1::CreateStoreRequest>(parent);
  request.set_store_id(id);
  request.mutable_store()->set_display_name("Market");
  request.mutable_store()->set_time_zone("Europe/Berlin");
  return request;
}

v1::ProposeContractRequest AnIssuanceContract(const std::string& parent, Timestamp from) {
  auto request = Below<v1::ProposeContractRequest>(parent);
  v1::Contract& contract = *request.mutable_contract();
  *contract.mutable_effective_from() = rpc::ToProto(from);
  v1::IssuanceTerms& terms = *contract.mutable_issuance();
  terms.set_rate_micros(10'000);
  terms.set_currency_code("EUR");
  terms.mutable_tax()->set_code("DE-S19");
  terms.mutable_tax()->set_rate_ppm(190'000);
  terms.set_billed_at(v1::BILLING_MOMENT_ACTIVATION);
  terms.mutable_activation()->set_after_days(14);
  terms.mutable_activation()->set_default_outcome(v1::DEFAULT_OUTCOME_CANCEL);
  terms.set_lot_life_days(730);
  return request;
}

v1::ProposeContractRequest ARedemptionContract(const std::string& parent, Timestamp from) {
  auto request = Below<v1::ProposeContractRequest>(parent);
  v1::Contract& contract = *request.mutable_contract();
  *contract.mutable_effective_from() = rpc::ToProto(from);
  v1::RedemptionTerms& terms = *contract.mutable_redemption();
  terms.set_rate_micros(9'000);
  terms.set_currency_code("EUR");
  terms.mutable_tax()->set_code("OUTSIDE");
  terms.set_fee_ppm(20'000);
  terms.set_fee_micros_per_point(5);
  terms.mutable_fee_tax()->set_code("DE-S19");
  terms.mutable_fee_tax()->set_rate_ppm(190'000);
  return request;
}

v1::IssueCredentialRequest ACredential(const std::string& parent) {
  auto request = Below<v1::IssueCredentialRequest>(parent);
  request.set_display_name("tills");
  return request;
}

Timestamp InDays(int days) {
  return Timestamp(absl::ToUnixMicros(absl::Now()) + days * kMicrosPerDay);
}

// A network that serves partners, and its people.
struct World {
  explicit World(const std::string& mode = "DEVELOPMENT") : network(OfMode(mode)) {
    auto service = MakePartnerService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(service.ok());
    network.Add(*std::move(service), kPartnerServiceName);
    network.Start();
  }
  static ServiceNetwork::Options OfMode(const std::string& mode) {
    ServiceNetwork::Options options;
    options.mode = mode;
    return options;
  }

  Caller By(const std::string& operator_id) const {
    return Caller(network.AsOperator(operator_id));
  }
  std::string Draft(const std::string& id) const {
    return By("anna").Get(&Stub::CreatePartner, ACreation(id)).partner().name();
  }
  std::string Active(const std::string& id) const {
    const std::string name = Draft(id);
    By("anna").Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
    By("bert").Get(&Stub::ReviewPartner, Named<v1::ReviewPartnerRequest>(name));
    By("cleo").Get(&Stub::ApprovePartner, Named<v1::ApprovePartnerRequest>(name));
    return name;
  }
  std::string Propose(const v1::ProposeContractRequest& request) const {
    return By("anna").Get(&Stub::ProposeContract, request).contract().name();
  }
  std::optional<Reason> Approve(const std::string& contract) const {
    return By("bert").Refusal(&Stub::ApproveContract, Named<v1::ApproveContractRequest>(contract));
  }
  v1::Partner Read(const std::string& name) const {
    return By("auditor").Get(&Stub::GetPartner, Named<v1::GetPartnerRequest>(name)).partner();
  }

  ServiceNetwork network;
};

TEST_CASE("PartnerService: three people bring a partner in, and it lives on",
          "[service][partner]") {
  const World world;
  const std::string name = world.Draft("fresh");
  CHECK(name == "partners/fresh");
  CHECK(world.Read(name).state() == v1::PARTNER_STATE_DRAFT);

  const auto submitted =
      world.By("anna").Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
  CHECK(submitted.partner().state() == v1::PARTNER_STATE_SUBMITTED);
  const auto review = Named<v1::ReviewPartnerRequest>(name);
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

  // The programme's clock decides, not the caller's.
  World moved("SANDBOX");
  CHECK(moved.Approve(moved.Propose(AnIssuanceContract(moved.Active("fresh"), InDays(-400)))) ==
        std::nullopt);
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

// Every reason that the service's contract documents, beyond those of the tests above, in its order
// of precedence: each row's request is wrong in what it names and, where it can be, in all that
// comes later.
TEST_CASE("PartnerService: each documented refusal is given, first match first",
          "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string draft = world.Draft("draft");
  const std::string nobody = "partners/nobody";
  const Caller anna = world.By("anna");
  anna.Get(&Stub::CreateStore, AStore(active, "s1"));
  const std::string store = active + "/stores/s1";
  const auto terminal = [](const std::string& at, const std::string& id) {
    v1::RegisterTerminalRequest request;
    request.set_store(at);
    request.set_terminal_id(id);
    return request;
  };
  anna.Get(&Stub::RegisterTerminal, terminal(store, "T1"));
  const auto update = [](const std::string& name, const char* path, const std::string& value) {
    v1::UpdatePartnerRequest request;
    request.mutable_partner()->set_name(name);
    request.mutable_partner()->set_etag("old");
    request.mutable_partner()->set_iban(value);
    request.mutable_partner()->set_merchant_category_code(value);
    request.mutable_update_mask()->add_paths(path);
    return request;
  };
  const auto with_token = [](auto request) {
    request.set_page_token("forged");
    return request;
  };
  const auto creation = [](const std::string& id, auto change) {
    v1::CreatePartnerRequest request = ACreation(id);
    change(request);
    return request;
  };
  const auto update_store = [](const std::string& name, const char* path) {
    v1::UpdateStoreRequest request;
    request.mutable_store()->set_name(name);
    request.mutable_update_mask()->add_paths(path);
    return request;
  };
  const auto proposal = [&](const std::string& parent, auto change) {
    v1::ProposeContractRequest request = AnIssuanceContract(parent, InDays(1));
    change(*request.mutable_contract());
    return request;
  };
  const auto set_currency = [](v1::Contract& contract) {
    contract.mutable_issuance()->set_currency_code("USD");
  };
  auto nameless_credential = ACredential(nobody);
  nameless_credential.clear_display_name();
  auto expired_credential = ACredential(nobody);
  *expired_credential.mutable_expire_time() = rpc::ToProto(InDays(-1));
  anna.Get(&Stub::CreatePartner,
           creation("programme", [](auto& request) { request.set_programme_operator(true); }));
  const std::string left = world.Active("left");
  world.network.database().Query(
      "update partner.partners set state = 'TERMINATED' where slug = 'left'");

  struct Row {
    const char* what;
    std::optional<Reason> given;
    Reason expected;
  };
  const Row rows[] = {
      {"a bad id",
       anna.Refusal(&Stub::CreatePartner,
                    creation("Bad Id", [](auto& r) { r.mutable_partner()->set_iban("bad"); })),
       Reason::kRequestMalformed},
      {"no display name",
       anna.Refusal(&Stub::CreatePartner,
                    creation("active", [](auto& r) { r.mutable_partner()->clear_display_name(); })),
       Reason::kRequestMalformed},
      {"a bad IBAN",
       anna.Refusal(
           &Stub::CreatePartner,
           creation("active",
                    [](auto& r) { r.mutable_partner()->set_iban("DE89370400440532013001"); })),
       Reason::kIbanInvalid},
      {"a taken id", anna.Refusal(&Stub::CreatePartner, ACreation("active")),
       Reason::kAlreadyExists},
      {"a second operator-partner",
       anna.Refusal(&Stub::CreatePartner,
                    creation("second", [](auto& r) { r.set_programme_operator(true); })),
       Reason::kAlreadyExists},
      {"get nobody", anna.Refusal(&Stub::GetPartner, Named<v1::GetPartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"get no name", anna.Refusal(&Stub::GetPartner, Named<v1::GetPartnerRequest>("active")),
       Reason::kPartnerNotFound},
      {"partners' token", anna.Refusal(&Stub::ListPartners, with_token(v1::ListPartnersRequest())),
       Reason::kPageTokenInvalid},
      {"update nothing", anna.Refusal(&Stub::UpdatePartner, update(nobody, "state", "")),
       Reason::kRequestMalformed},
      {"update to a bad code",
       anna.Refusal(&Stub::UpdatePartner, update(nobody, "merchant_category_code", "54")),
       Reason::kRequestMalformed},
      {"update to a bad IBAN", anna.Refusal(&Stub::UpdatePartner, update(nobody, "iban", "bad")),
       Reason::kIbanInvalid},
      {"update nobody", anna.Refusal(&Stub::UpdatePartner, update(nobody, "iban", "")),
       Reason::kPartnerNotFound},
      {"update a reviewed IBAN",
       anna.Refusal(&Stub::UpdatePartner, update(active, "iban", "GB29NWBK60161331926819")),
       Reason::kWrongState},
      {"update an older state", anna.Refusal(&Stub::UpdatePartner, update(draft, "iban", kIban)),
       Reason::kEtagMismatch},
      {"submit nobody", anna.Refusal(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"submit twice", anna.Refusal(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(active)),
       Reason::kWrongState},
      {"review nobody", anna.Refusal(&Stub::ReviewPartner, Named<v1::ReviewPartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"review a draft", anna.Refusal(&Stub::ReviewPartner, Named<v1::ReviewPartnerRequest>(draft)),
       Reason::kWrongState},
      {"approve nobody",
       anna.Refusal(&Stub::ApprovePartner, Named<v1::ApprovePartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"approve a draft",
       anna.Refusal(&Stub::ApprovePartner, Named<v1::ApprovePartnerRequest>(draft)),
       Reason::kWrongState},
      {"suspend nobody",
       anna.Refusal(&Stub::SuspendPartner, Named<v1::SuspendPartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"suspend a draft",
       anna.Refusal(&Stub::SuspendPartner, Named<v1::SuspendPartnerRequest>(draft)),
       Reason::kWrongState},
      {"reinstate nobody",
       anna.Refusal(&Stub::ReinstatePartner, Named<v1::ReinstatePartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"reinstate an active one",
       anna.Refusal(&Stub::ReinstatePartner, Named<v1::ReinstatePartnerRequest>(active)),
       Reason::kWrongState},
      {"terminate nobody",
       anna.Refusal(&Stub::TerminatePartner, Named<v1::TerminatePartnerRequest>(nobody)),
       Reason::kPartnerNotFound},
      {"terminate a draft",
       anna.Refusal(&Stub::TerminatePartner, Named<v1::TerminatePartnerRequest>(draft)),
       Reason::kWrongState},
      {"a store's bad id", anna.Refusal(&Stub::CreateStore, AStore(nobody, "S_1")),
       Reason::kRequestMalformed},
      {"nobody's store", anna.Refusal(&Stub::CreateStore, AStore(nobody, "s1")),
       Reason::kPartnerNotFound},
      {"a taken store", anna.Refusal(&Stub::CreateStore, AStore(active, "s1")),
       Reason::kAlreadyExists},
      {"nobody's stores",
       anna.Refusal(&Stub::ListStores, with_token(Below<v1::ListStoresRequest>(nobody))),
       Reason::kPartnerNotFound},
      {"stores' token",
       anna.Refusal(&Stub::ListStores, with_token(Below<v1::ListStoresRequest>(active))),
       Reason::kPageTokenInvalid},
      {"a store's bad zone", anna.Refusal(&Stub::UpdateStore, update_store("x", "time_zone")),
       Reason::kRequestMalformed},
      {"no store", anna.Refusal(&Stub::UpdateStore, update_store(active + "/stores/x", "open")),
       Reason::kStoreNotFound},
      {"a till's bad id", anna.Refusal(&Stub::RegisterTerminal, terminal("x", "T 1")),
       Reason::kRequestMalformed},
      {"no store's till", anna.Refusal(&Stub::RegisterTerminal, terminal(nobody, "T1")),
       Reason::kStoreNotFound},
      {"a taken till", anna.Refusal(&Stub::RegisterTerminal, terminal(store, "T1")),
       Reason::kAlreadyExists},
      {"a contract without terms",
       anna.Refusal(&Stub::ProposeContract, proposal(nobody, [](auto& c) { c.clear_terms(); })),
       Reason::kRequestMalformed},
      {"a contract without a date",
       anna.Refusal(&Stub::ProposeContract,
                    proposal(nobody, [](auto& c) { c.clear_effective_from(); })),
       Reason::kRequestMalformed},
      {"another currency", anna.Refusal(&Stub::ProposeContract, proposal(nobody, set_currency)),
       Reason::kCurrencyNotSupported},
      {"nobody's contract",
       anna.Refusal(&Stub::ProposeContract, AnIssuanceContract(nobody, InDays(1))),
       Reason::kPartnerNotFound},
      {"no contract", world.Approve(active + "/contracts/9"), Reason::kContractNotFound},
      {"a contract's huge number", world.Approve(active + "/contracts/99999999999"),
       Reason::kContractNotFound},
      {"nobody's contracts",
       anna.Refusal(&Stub::ListContracts, with_token(Below<v1::ListContractsRequest>(nobody))),
       Reason::kPartnerNotFound},
      {"contracts' token",
       anna.Refusal(&Stub::ListContracts, with_token(Below<v1::ListContractsRequest>(active))),
       Reason::kPageTokenInvalid},
      {"a credential without a name", anna.Refusal(&Stub::IssueCredential, nameless_credential),
       Reason::kRequestMalformed},
      {"a credential of yesterday", anna.Refusal(&Stub::IssueCredential, expired_credential),
       Reason::kRequestMalformed},
      {"nobody's credential", anna.Refusal(&Stub::IssueCredential, ACredential(nobody)),
       Reason::kPartnerNotFound},
      {"a credential after the end", anna.Refusal(&Stub::IssueCredential, ACredential(left)),
       Reason::kWrongState},
      {"nobody's credentials",
       anna.Refusal(&Stub::ListCredentials, with_token(Below<v1::ListCredentialsRequest>(nobody))),
       Reason::kPartnerNotFound},
      {"credentials' token",
       anna.Refusal(&Stub::ListCredentials, with_token(Below<v1::ListCredentialsRequest>(active))),
       Reason::kPageTokenInvalid},
      {"no credential",
       anna.Refusal(&Stub::RevokeCredential,
                    Named<v1::RevokeCredentialRequest>(active + "/credentials/x")),
       Reason::kCredentialNotFound},
  };
  for (const Row& row : rows) {
    INFO(row.what << ": " << (row.given ? ReasonName(*row.given) : "done"));
    CHECK(row.given == row.expected);
  }

  v1::CreatePartnerRequest bare;
  bare.set_partner_id("bare");
  bare.mutable_partner()->set_display_name("Bare");
  anna.Get(&Stub::CreatePartner, bare);
  const auto incomplete =
      anna.Try(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>("partners/bare"));
  CHECK(ReasonOf(incomplete.status()) == Reason::kRequestMalformed);
  CHECK(DetailsOf(incomplete.status())["missing"] ==
        "legal_name,registration_number,tax_id,iban,merchant_category_code");
}

}  // namespace
}  // namespace guilder::partner
