// Every reason that the partner service's contract documents, in its order of precedence: each
// row's request is wrong in what it names and, where it can be, in all that comes later.
// SAME_PERSON, NOT_YOURS and the dates of contracts are in partner_service_test.cc.
#include <optional>
#include <string>
#include <vector>

#include "tests/service/partner_world.h"

namespace guilder::partner {
namespace {

constexpr char kNobody[] = "partners/nobody";

struct Row {
  const char* what;
  std::optional<Reason> given;
  Reason expected;
};

void CheckRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.what << ": " << (row.given ? ReasonName(*row.given) : "done"));
    CHECK(row.given == row.expected);
  }
}

template <typename Request, typename Change>
Request With(Request request, Change change) {
  change(request);
  return request;
}

template <typename Request>
Request WithForgedToken(Request request) {
  request.set_page_token("forged");
  return request;
}

v1::UpdatePartnerRequest AnUpdate(const std::string& name, const char* path,
                                  const std::string& value) {
  v1::UpdatePartnerRequest request;
  request.mutable_partner()->set_name(name);
  request.mutable_partner()->set_etag("older");
  request.mutable_partner()->set_iban(value);
  request.mutable_partner()->set_tax_id(value);
  request.mutable_partner()->set_merchant_category_code(value);
  request.mutable_update_mask()->add_paths(path);
  return request;
}

v1::UpdateStoreRequest AStoreUpdate(const std::string& name, const char* path) {
  v1::UpdateStoreRequest request;
  request.mutable_store()->set_name(name);
  request.mutable_update_mask()->add_paths(path);
  return request;
}

v1::RegisterTerminalRequest ATerminal(const std::string& store, const std::string& id) {
  v1::RegisterTerminalRequest request;
  request.set_store(store);
  request.set_terminal_id(id);
  return request;
}

TEST_CASE("PartnerService: refusals about partners' details are as documented",
          "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string draft = world.Draft("draft");
  const Caller anna = world.By("anna");
  const auto create = [&](const v1::CreatePartnerRequest& request) {
    return anna.Refusal(&Stub::CreatePartner, request);
  };
  const auto update = [&](const std::string& name, const char* path, const std::string& value) {
    return anna.Refusal(&Stub::UpdatePartner, AnUpdate(name, path, value));
  };
  const auto get = [&](const std::string& name) {
    return anna.Refusal(&Stub::GetPartner, Named<v1::GetPartnerRequest>(name));
  };
  const auto bad_iban = [](auto& request) {
    request.mutable_partner()->set_iban("DE89370400440532013001");
  };
  const auto no_name = [](auto& request) { request.mutable_partner()->clear_display_name(); };
  const auto as_operator = [](auto& request) { request.set_programme_operator(true); };
  anna.Get(&Stub::CreatePartner, With(ACreation("programme"), as_operator));

  CheckRows({
      {"a bad id", create(With(ACreation("Bad Id"), bad_iban)), Reason::kRequestMalformed},
      {"no display name", create(With(ACreation("active"), no_name)), Reason::kRequestMalformed},
      {"a bad IBAN", create(With(ACreation("active"), bad_iban)), Reason::kIbanInvalid},
      {"a taken id", create(ACreation("active")), Reason::kAlreadyExists},
      {"a second operator", create(With(ACreation("new"), as_operator)), Reason::kAlreadyExists},
      {"get nobody", get(kNobody), Reason::kPartnerNotFound},
      {"get what is no name", get("active"), Reason::kPartnerNotFound},
      {"a forged token",
       anna.Refusal(&Stub::ListPartners, WithForgedToken(v1::ListPartnersRequest())),
       Reason::kPageTokenInvalid},
      {"update the state", update(kNobody, "state", ""), Reason::kRequestMalformed},
      {"a bad code", update(kNobody, "merchant_category_code", "54"), Reason::kRequestMalformed},
      {"update to a bad IBAN", update(kNobody, "iban", "bad"), Reason::kIbanInvalid},
      {"update to a bad tax id", update(kNobody, "tax_id", "DE123456789"), Reason::kTaxIdInvalid},
      {"update nobody", update(kNobody, "iban", ""), Reason::kPartnerNotFound},
      {"update what was reviewed", update(active, "iban", "GB29NWBK60161331926819"),
       Reason::kWrongState},
      {"update an older state", update(draft, "iban", kIban), Reason::kEtagMismatch},
  });
}

TEST_CASE("PartnerService: refusals of steps are as documented", "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string draft = world.Draft("draft");
  const Caller cleo = world.By("cleo");
  const auto submit = [&](const std::string& name) {
    return cleo.Refusal(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
  };
  const auto review = [&](const std::string& name) {
    return cleo.Refusal(&Stub::ReviewPartner, AReview(name));
  };
  const auto approve = [&](const std::string& name) {
    return cleo.Refusal(&Stub::ApprovePartner, Named<v1::ApprovePartnerRequest>(name));
  };
  const auto suspend = [&](const std::string& name) {
    return cleo.Refusal(&Stub::SuspendPartner, Named<v1::SuspendPartnerRequest>(name));
  };
  const auto reinstate = [&](const std::string& name) {
    return cleo.Refusal(&Stub::ReinstatePartner, Named<v1::ReinstatePartnerRequest>(name));
  };
  const auto terminate = [&](const std::string& name) {
    return cleo.Refusal(&Stub::TerminatePartner, Named<v1::TerminatePartnerRequest>(name));
  };
  const auto attach = [&](const std::string& name, const std::string& kind) {
    auto request = ADocument(name);
    request.mutable_document()->set_kind(kind);
    return cleo.Refusal(&Stub::AttachDocument, request);
  };
  auto unscreened = AReview(draft);
  unscreened.clear_sanctions_result();
  auto past = Named<v1::TerminatePartnerRequest>(active);
  *past.mutable_run_off()->mutable_last_issue_time() = rpc::ToProto(Timestamp(1));
  CheckRows({
      {"attach nothing", attach(kNobody, ""), Reason::kPartnerNotFound},
      {"attach to an active one", attach(active, "licence"), Reason::kWrongState},
      {"attach without a kind", attach(draft, ""), Reason::kRequestMalformed},
      {"review unscreened", cleo.Refusal(&Stub::ReviewPartner, unscreened),
       Reason::kRequestMalformed},
      {"terminate in the past", cleo.Refusal(&Stub::TerminatePartner, past),
       Reason::kRequestMalformed},
      {"submit nobody", submit(kNobody), Reason::kPartnerNotFound},
      {"submit an active one", submit(active), Reason::kWrongState},
      {"review nobody", review(kNobody), Reason::kPartnerNotFound},
      {"review a draft", review(draft), Reason::kWrongState},
      {"approve nobody", approve(kNobody), Reason::kPartnerNotFound},
      {"approve a draft", approve(draft), Reason::kWrongState},
      {"suspend nobody", suspend(kNobody), Reason::kPartnerNotFound},
      {"suspend a draft", suspend(draft), Reason::kWrongState},
      {"reinstate nobody", reinstate(kNobody), Reason::kPartnerNotFound},
      {"reinstate an active one", reinstate(active), Reason::kWrongState},
      {"terminate nobody", terminate(kNobody), Reason::kPartnerNotFound},
      {"terminate a draft", terminate(draft), Reason::kWrongState},
  });

  v1::CreatePartnerRequest bare;
  bare.set_partner_id("bare");
  bare.mutable_partner()->set_display_name("Bare");
  cleo.Get(&Stub::CreatePartner, bare);
  const auto incomplete =
      cleo.Try(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>("partners/bare"));
  CHECK(ReasonOf(incomplete.status()) == Reason::kRequestMalformed);
  CHECK(DetailsOf(incomplete.status())["missing"] ==
        "legal_name,registration_number,tax_id,iban,merchant_category_code,documents");
}

TEST_CASE("PartnerService: refusals about stores are as documented", "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string store = active + "/stores/s1";
  const Caller anna = world.By("anna");
  anna.Get(&Stub::CreateStore, AStore(active, "s1"));
  anna.Get(&Stub::RegisterTerminal, ATerminal(store, "T1"));
  const auto create = [&](const std::string& parent, const std::string& id) {
    return anna.Refusal(&Stub::CreateStore, AStore(parent, id));
  };
  const auto list = [&](const std::string& parent) {
    return anna.Refusal(&Stub::ListStores, WithForgedToken(Below<v1::ListStoresRequest>(parent)));
  };
  const auto update = [&](const std::string& name, const char* path) {
    return anna.Refusal(&Stub::UpdateStore, AStoreUpdate(name, path));
  };
  const auto add_terminal = [&](const std::string& at, const std::string& id) {
    return anna.Refusal(&Stub::RegisterTerminal, ATerminal(at, id));
  };
  CheckRows({
      {"a store's bad id", create(kNobody, "S_1"), Reason::kRequestMalformed},
      {"nobody's store", create(kNobody, "s1"), Reason::kPartnerNotFound},
      {"a taken store", create(active, "s1"), Reason::kAlreadyExists},
      {"nobody's stores", list(kNobody), Reason::kPartnerNotFound},
      {"a forged token", list(active), Reason::kPageTokenInvalid},
      {"a bad time zone", update("none", "time_zone"), Reason::kRequestMalformed},
      {"a field that does not change", update("none", "name"), Reason::kRequestMalformed},
      {"no such store", update(active + "/stores/none", "open"), Reason::kStoreNotFound},
      {"a till's bad id", add_terminal("none", "T 1"), Reason::kRequestMalformed},
      {"no store's till", add_terminal(kNobody, "T1"), Reason::kStoreNotFound},
      {"a taken till", add_terminal(store, "T1"), Reason::kAlreadyExists},
  });
}

TEST_CASE("PartnerService: refusals about contracts are as documented", "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const Caller anna = world.By("anna");
  const auto propose = [&](const std::string& parent, auto change) {
    return anna.Refusal(&Stub::ProposeContract,
                        With(AnIssuanceContract(parent, InDays(1)),
                             [&](auto& request) { change(*request.mutable_contract()); }));
  };
  const auto list = [&](const std::string& parent) {
    return anna.Refusal(&Stub::ListContracts,
                        WithForgedToken(Below<v1::ListContractsRequest>(parent)));
  };
  const auto in_dollars = [](v1::Contract& contract) {
    contract.mutable_issuance()->set_currency_code("usd");
  };
  const auto billed_never = [&](v1::Contract& contract) {
    in_dollars(contract);
    contract.mutable_issuance()->clear_billed_at();
  };
  const auto prepaid = [](v1::Contract& contract) {
    contract.mutable_issuance()->set_funding(v1::FUNDING_PREPAID_BLOCK);
  };
  const auto postpaid_policy = [](v1::Contract& contract) {
    contract.mutable_issuance()->set_when_exhausted(v1::EXHAUSTION_POLICY_ISSUE_NOTHING);
  };
  CheckRows({
      {"a block that falls at activation", propose(kNobody, prepaid), Reason::kRequestMalformed},
      {"a policy without blocks", propose(kNobody, postpaid_policy), Reason::kRequestMalformed},
      {"no terms", propose(kNobody, [](auto& c) { c.clear_terms(); }), Reason::kRequestMalformed},
      {"no date", propose(kNobody, [](auto& c) { c.clear_effective_from(); }),
       Reason::kRequestMalformed},
      {"no billing moment", propose(kNobody, billed_never), Reason::kRequestMalformed},
      {"another currency", propose(kNobody, in_dollars), Reason::kCurrencyNotSupported},
      {"nobody's", propose(kNobody, [](auto&) {}), Reason::kPartnerNotFound},
      {"no such number", world.Approve(active + "/contracts/9"), Reason::kContractNotFound},
      {"a huge number", world.Approve(active + "/contracts/99999999999"),
       Reason::kContractNotFound},
      {"no name", world.Approve(active), Reason::kContractNotFound},
      {"nobody's list", list(kNobody), Reason::kPartnerNotFound},
      {"a forged token", list(active), Reason::kPageTokenInvalid},
  });
}

TEST_CASE("PartnerService: refusals about point blocks are as documented", "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string leaving = world.Active("leaving");
  world.By("cleo").Get(&Stub::TerminatePartner, Named<v1::TerminatePartnerRequest>(leaving));
  const Caller anna = world.By("anna");
  const auto buy = [&](const std::string& parent, const std::string& request_id, int64_t points) {
    auto request = Below<v1::BuyPointBlockRequest>(parent);
    request.set_request_id(request_id);
    request.set_points(points);
    return anna.Refusal(&Stub::BuyPointBlock, request);
  };
  const auto show = [&](const std::string& name) {
    return anna.Refusal(&Stub::GetExposure, Named<v1::GetExposureRequest>(name));
  };
  const auto new_id = [] { return clients::NewRequestId(); };
  const std::string used = new_id();
  CHECK(buy(active, used, 100) == Reason::kContractNotFound);
  auto prepaid = AnIssuanceContract(active, InDays(1));
  prepaid.mutable_contract()->mutable_issuance()->set_funding(v1::FUNDING_PREPAID_BLOCK);
  prepaid.mutable_contract()->mutable_issuance()->set_billed_at(v1::BILLING_MOMENT_POSTING);
  REQUIRE_FALSE(world.Approve(world.Propose(prepaid)));
  REQUIRE_FALSE(buy(active, used, 100));
  CheckRows({
      {"no request id", buy(kNobody, "", 0), Reason::kRequestIdMalformed},
      {"no points", buy(kNobody, new_id(), 0), Reason::kAmountOutOfRange},
      {"too many points", buy(kNobody, new_id(), 1'000'000'000'001), Reason::kAmountOutOfRange},
      {"for nobody", buy(kNobody, used, 7), Reason::kPartnerNotFound},
      {"an id of another's block", buy(leaving, used, 100), Reason::kRequestIdReused},
      {"an id of another size", buy(active, used, 101), Reason::kRequestIdReused},
      {"for one that leaves", buy(leaving, new_id(), 7), Reason::kWrongState},
      {"exposure of nobody", show(kNobody), Reason::kPartnerNotFound},
  });
}

TEST_CASE("PartnerService: refusals about credentials are as documented", "[service][partner]") {
  const World world;
  const std::string active = world.Active("active");
  const std::string left = world.Active("left");
  world.network.database().Query(
      "update partner.partners set state = 'TERMINATED' where slug = 'left'");
  const Caller anna = world.By("anna");
  const auto issue = [&](const v1::IssueCredentialRequest& request) {
    return anna.Refusal(&Stub::IssueCredential, request);
  };
  const auto list = [&](const std::string& parent) {
    return anna.Refusal(&Stub::ListCredentials,
                        WithForgedToken(Below<v1::ListCredentialsRequest>(parent)));
  };
  const auto revoke = [&](const std::string& name) {
    return anna.Refusal(&Stub::RevokeCredential, Named<v1::RevokeCredentialRequest>(name));
  };
  const auto nameless = [](auto& request) { request.clear_display_name(); };
  const auto expired = [](auto& request) {
    *request.mutable_expire_time() = rpc::ToProto(InDays(-1));
  };
  CheckRows({
      {"no name", issue(With(ACredential(kNobody), nameless)), Reason::kRequestMalformed},
      {"expired already", issue(With(ACredential(kNobody), expired)), Reason::kRequestMalformed},
      {"nobody's", issue(ACredential(kNobody)), Reason::kPartnerNotFound},
      {"of one that has left", issue(ACredential(left)), Reason::kWrongState},
      {"nobody's list", list(kNobody), Reason::kPartnerNotFound},
      {"a forged token", list(active), Reason::kPageTokenInvalid},
      {"none", revoke(active + "/credentials/none"), Reason::kCredentialNotFound},
      {"no name of one", revoke(active), Reason::kCredentialNotFound},
  });
}

}  // namespace
}  // namespace guilder::partner
