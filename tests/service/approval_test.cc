// Requests that a second person approves: bound to what exactly is asked for, in time, and by
// nobody themselves.
#include "absl/strings/str_cat.h"

#include "tests/service/operator_world.h"

namespace guilder::operator_ {
namespace {

v1::CreateOperatorRequest Dora(const std::string& name = "Dora") {
  v1::CreateOperatorRequest request;
  request.set_operator_id("dora");
  request.set_display_name(name);
  request.add_roles(v1::ROLE_APPROVER);
  return request;
}

struct Asking : World {
  v1::Approval Request(const google::protobuf::Message& request, const std::string& by = "anna") {
    v1::RequestApprovalRequest ask;
    ask.mutable_request()->PackFrom(request);
    ask.set_note("for the new shop");
    return Get(by, &Stub::RequestApproval, ask).approval();
  }
  std::optional<Reason> Approve(const std::string& by, const std::string& name,
                                const std::string& etag) {
    v1::ApproveRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return ReasonOf(Try(by, &Stub::Approve, request).status());
  }
  std::optional<Reason> Reject(const std::string& by, const std::string& name) {
    v1::RejectRequest request;
    request.set_name(name);
    return ReasonOf(Try(by, &Stub::Reject, request).status());
  }
  std::optional<Reason> Make(const v1::CreateOperatorRequest& request,
                             const std::string& by = "anna") {
    return ReasonOf(Try(by, &Stub::CreateOperator, request).status());
  }
  void Expire() { network.database().Query("update operator.approvals set expires_at_us = 1"); }
};

TEST_CASE("Approvals: nobody approves their own, and what was approved is done once",
          "[service][operator][inv-97]") {
  Asking world;
  CHECK(world.Make(Dora()) == Reason::kApprovalRequired);
  const v1::Approval asked = world.Request(Dora());
  CHECK(asked.state() == "WAITING");
  CHECK(asked.change().find("\"dora\"") != std::string::npos);
  CHECK(world.Make(Dora()) == Reason::kApprovalRequired);

  CHECK(world.Approve("anna", asked.name(), asked.etag()) == Reason::kSamePerson);
  CHECK(world.Approve("bert", asked.name(), std::string(64, '0')) == Reason::kChangeDiffers);
  CHECK(world.Approve("bert", asked.name(), "") == Reason::kChangeDiffers);
  CHECK(world.Approve("auditor", asked.name(), asked.etag()) == Reason::kPermissionDenied);
  CHECK_FALSE(world.Approve("bert", asked.name(), asked.etag()));
  CHECK(world.Approve("cleo", asked.name(), asked.etag()) == Reason::kWrongState);

  // Neither another request nor another caller.
  CHECK(world.Make(Dora("Dorothea")) == Reason::kApprovalRequired);
  CHECK(world.Make(Dora(), "bert") == Reason::kApprovalRequired);
  CHECK_FALSE(world.Make(Dora()));
  CHECK(world.Make(Dora()) == Reason::kAlreadyExists);
  world.network.database().Query("delete from operator.operators where operator_id = 'dora'");
  CHECK(world.Make(Dora()) == Reason::kApprovalRequired);
  CHECK(world.Get("auditor", &Stub::VerifyAuditLog, v1::VerifyAuditLogRequest()).intact());
}

TEST_CASE("Approvals: a request that fails leaves its approval unused",
          "[service][operator][inv-97]") {
  Asking world;
  v1::CreateOperatorRequest taken = Dora();
  taken.set_operator_id("cleo");
  const v1::Approval asked = world.Request(taken);
  REQUIRE_FALSE(world.Approve("bert", asked.name(), asked.etag()));

  CHECK(world.Make(taken) == Reason::kAlreadyExists);

  const auto listed = world.Get("auditor", &Stub::ListApprovals, v1::ListApprovalsRequest());
  REQUIRE(listed.approvals_size() == 1);
  CHECK(listed.approvals(0).state() == "APPROVED");
  CHECK(listed.approvals(0).waits_for() == "USE");
}

TEST_CASE("Approvals: what waits too long is neither approved nor used",
          "[service][operator][inv-97]") {
  Asking world;
  const v1::Approval asked = world.Request(Dora());
  world.Expire();
  CHECK(world.Approve("bert", asked.name(), asked.etag()) == Reason::kApprovalExpired);
  const v1::Approval again = world.Request(Dora());
  CHECK_FALSE(world.Approve("bert", again.name(), again.etag()));
  world.Expire();
  CHECK(world.Make(Dora()) == Reason::kApprovalRequired);
  CHECK(world.Get("auditor", &Stub::ListApprovals, v1::ListApprovalsRequest()).approvals_size() ==
        0);
}

TEST_CASE("Approvals: who asked or approves may reject, also what was approved and not used",
          "[service][operator][inv-97]") {
  Asking world;
  const v1::Approval asked = world.Request(Dora());
  CHECK(world.Reject("auditor", asked.name()) == Reason::kPermissionDenied);
  CHECK_FALSE(world.Approve("bert", asked.name(), asked.etag()));
  CHECK_FALSE(world.Reject("cleo", asked.name()));
  CHECK(world.Make(Dora()) == Reason::kApprovalRequired);
  CHECK(world.Reject("cleo", asked.name()) == Reason::kWrongState);
  CHECK(world.Approve("bert", asked.name(), asked.etag()) == Reason::kWrongState);
  CHECK(world.Reject("anna", "approvals/4711") == Reason::kApprovalNotFound);
  CHECK(world.Reject("anna", "approvals/01") == Reason::kApprovalNotFound);
}

TEST_CASE("ListApprovals: what waits anywhere is in one list, with who may not approve it",
          "[service][operator][inv-97]") {
  Asking world;
  world.network.database().Query(R"sql(
    insert into partner.partners (slug, programme_id, display_name, legal_name, state, submitted_by)
    values ('fresh', 1, 'Fresh', 'Fresh plc', 'SUBMITTED', 'anna');
    insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                   currency, tax_code, tax_ppm, proposed_by, proposed_at_us)
    select partner_id, 1, 'ISSUANCE', 'PROPOSED', 0, 10000, 'EUR', '', 0, 'anna', 4000000000000000
      from partner.partners;
    insert into accrual.parked_items (request_id, partner_id, reason, created_at_us, refers_to, content,
                                      proposed_purchase, proposed_by)
    select '00000000-0000-4000-8000-000000000001', partner_id, 'x', 0, '', '', 'purchases/1-1', 'anna'
      from partner.partners;
    insert into accrual.rule_sets (state, effective_from_us, rules, proposed_by)
    values ('PROPOSED', 0, '', 'anna');
  )sql");
  world.Request(Dora());

  const auto listed = world.Get("auditor", &Stub::ListApprovals, v1::ListApprovalsRequest());

  std::string names;
  for (const v1::Approval& approval : listed.approvals()) {
    absl::StrAppend(&names, approval.name(), " ");
    REQUIRE(approval.signed_by_size() == 1);
    CHECK(approval.signed_by(0) == "anna");
  }
  CHECK(names ==
        "approvals/1 parkedItems/1-00000000-0000-4000-8000-000000000001 partners/fresh "
        "partners/fresh/contracts/1 ruleSets/1 ");

  // The same, page by page.
  std::string paged;
  v1::ListApprovalsRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = world.Get("auditor", &Stub::ListApprovals, request);
    for (const v1::Approval& approval : page.approvals()) {
      absl::StrAppend(&paged, approval.name(), " ");
    }
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  CHECK(paged == names);
  CHECK(pages == 3);
  request.set_page_size(-1);
  CHECK(ReasonOf(world.Try("auditor", &Stub::ListApprovals, request).status()) ==
        Reason::kRequestMalformed);
  request.set_page_size(0);
  request.set_page_token("x");
  CHECK(ReasonOf(world.Try("auditor", &Stub::ListApprovals, request).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("RequestApproval: only for requests that need one, by who may make them",
          "[service][operator]") {
  Asking world;
  v1::RequestApprovalRequest ask;
  const auto refused = [&](const std::string& by) {
    return ReasonOf(world.Try(by, &Stub::RequestApproval, ask).status());
  };
  CHECK(refused("anna") == Reason::kRequestMalformed);
  ask.mutable_request()->PackFrom(v1::GetProgrammeRequest());
  CHECK(refused("anna") == Reason::kRequestMalformed);
  ask.mutable_request()->PackFrom(Dora());
  CHECK(refused("auditor") == Reason::kPermissionDenied);
  ask.mutable_request()->set_value("\xff\xff");
  CHECK(refused("anna") == Reason::kRequestMalformed);
  ask.mutable_request()->PackFrom(Dora());
  ask.set_note(std::string(501, 'x'));
  CHECK(refused("anna") == Reason::kRequestMalformed);
}

TEST_CASE("DisableOperator: within a second, for good, and never the last administrator",
          "[service][operator]") {
  World world;
  v1::DisableOperatorRequest request;
  const auto refused = [&](const std::string& id) {
    request.set_name(absl::StrCat("operators/", id));
    return ReasonOf(world.Try("anna", &Stub::DisableOperator, request).status());
  };
  CHECK(refused("nobody") == Reason::kNameNotFound);
  CHECK_FALSE(refused("bert"));
  CHECK_FALSE(refused("bert"));
  CHECK_FALSE(refused("cleo"));

  const absl::Time give_up_at = absl::Now() + absl::Seconds(5);
  const absl::Time disabled_at = absl::Now();
  const auto bert_works = [&] {
    return world.Try("bert", &Stub::GetProgramme, v1::GetProgrammeRequest()).ok();
  };
  while (bert_works() && absl::Now() < give_up_at) {
  }
  CHECK_FALSE(bert_works());
  CHECK(absl::Now() - disabled_at < absl::Seconds(2));
  CHECK(refused("anna") == Reason::kWrongState);
  // Being the only one left makes nobody two people.
  CHECK(ReasonOf(world.Try("anna", &Stub::CreateOperator, Dora()).status()) ==
        Reason::kApprovalRequired);
  CHECK(world.Get("anna", &Stub::ListOperators, v1::ListOperatorsRequest()).operators_size() == 2);
}

}  // namespace
}  // namespace guilder::operator_
