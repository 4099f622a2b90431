// What a partner may do in each state of its life, from the till's side; and what the audit log
// keeps.
#include "tests/service/life_world.h"
#include "tests/support/invariants.h"

namespace guilder::access {
namespace {

TEST_CASE("Life: a suspended partner takes goods back, and its points are spent elsewhere",
          "[service][partner][inv-88]") {
  Life life;
  partner::v1::SuspendPartnerRequest suspend;
  suspend.set_name("partners/fresh");
  REQUIRE(life.Ask<Partners>("anna", &Partners::Stub::SuspendPartner, suspend).ok());

  CHECK(life.Buy() == Reason::kPartnerNotActive);
  CHECK(life.TakePoints(life.fresh, "fresh") == Reason::kPartnerNotActive);
  CHECK_FALSE(life.Return());
  CHECK_FALSE(life.TakePoints(life.books, "books"));
  testing::CheckInvariants(life.coalition().database());
}

TEST_CASE("Life: a partner that leaves does each thing until its date, and then no more",
          "[service][partner][inv-88]") {
  Life life;
  partner::v1::TerminatePartnerRequest leave;
  leave.set_name("partners/fresh");
  *leave.mutable_run_off()->mutable_last_issue_time() = life.InDays(10);
  *leave.mutable_run_off()->mutable_last_redemption_time() = life.InDays(20);
  *leave.mutable_run_off()->mutable_last_return_time() = life.InDays(30);
  *leave.mutable_run_off()->mutable_final_settlement_time() = life.InDays(40);
  REQUIRE_FALSE(life.Terminate(leave));

  CHECK_FALSE(life.Buy());
  CHECK_FALSE(life.TakePoints(life.fresh, "fresh"));
  life.coalition().AdvanceDays(11);
  CHECK(life.Buy() == Reason::kPartnerNotActive);
  CHECK_FALSE(life.TakePoints(life.fresh, "fresh"));
  CHECK_FALSE(life.Return());
  life.coalition().AdvanceDays(10);
  CHECK(life.TakePoints(life.fresh, "fresh") == Reason::kPartnerNotActive);
  CHECK_FALSE(life.Return());
  life.coalition().AdvanceDays(10);
  CHECK(life.Return() == Reason::kPartnerNotActive);
  CHECK_FALSE(life.TakePoints(life.books, "books"));
  leave.clear_run_off();
  CHECK(life.Terminate(leave) == Reason::kWrongState);
  life.coalition().AdvanceDays(10);
  // What it issued is not settled; then an obligation of its is open.
  CHECK(life.Terminate(leave) == Reason::kWrongState);
  life.Query(
      "insert into settlement.settlements (settlement_id, programme_id, currency, state, start_us, "
      "end_us, computed_by, approved_by, approved_at_us, digest) select 99, 1, 'EUR', 'SETTLED', "
      "1, "
      "greatest(max(window_start_us), (select max(final_settlement_us) from partner.partners)) + "
      "1, "
      "'anna', 'bert', 1, sha256('') from ledger.positions");
  CHECK(life.Terminate(leave) == Reason::kWrongState);
  life.Query("update settlement.obligations set state = 'PAID', paid = amount");
  CHECK_FALSE(life.Terminate(leave));
  CHECK_FALSE(life.TakePoints(life.books, "books"));
}

TEST_CASE("Life: a partner leaves when its notice is over, unless there is a cause",
          "[service][partner]") {
  Life life;
  life.Query("update partner.contracts set notice_days = 30 where kind = 'ISSUANCE'");
  partner::v1::TerminatePartnerRequest leave;
  leave.set_name("partners/fresh");
  *leave.mutable_run_off()->mutable_last_issue_time() = life.InDays(29);
  CHECK(life.Terminate(leave) == Reason::kNoticeTooShort);
  leave.set_for_cause("insolvent");
  CHECK_FALSE(life.Terminate(leave));
}

TEST_CASE("Life: an unknown terminal is refused or accepted as its store says",
          "[service][partner]") {
  Life life;
  const auto buy_at = [&](const std::string& terminal) {
    return life.Try(life.fresh, "accrual.v1.AccrualService.RecordPurchase",
                    absl::StrCat("request_id:'<uuid>' receipt{store:'partners/fresh/stores/s1' "
                                 "terminal:'",
                                 terminal, "' receipt_number:'", terminal,
                                 "' business_date:'2026-03-01'} <sale>"));
  };
  CHECK(buy_at("unheard-of") == Reason::kTerminalNotFound);
  partner::v1::UpdateStoreRequest update;
  update.mutable_store()->set_name("partners/fresh/stores/s1");
  update.mutable_store()->set_unknown_terminals(partner::v1::UNKNOWN_TERMINALS_ACCEPT);
  update.mutable_store()->set_region("DE-BE");
  update.mutable_store()->set_address("Unter den Linden 1, 10117 Berlin");
  for (const char* const path : {"unknown_terminals", "region", "address"}) {
    update.mutable_update_mask()->add_paths(path);
  }
  const auto updated = life.Ask<Partners>("anna", &Partners::Stub::UpdateStore, update);
  REQUIRE(updated.ok());
  CHECK(updated->store().region() == "DE-BE");
  CHECK_FALSE(buy_at("unheard-of"));
  testing::CheckInvariants(life.coalition().database());
}

TEST_CASE("AuditLog: keeps who did what to what, and finds what was changed of it",
          "[service][operator][inv-99]") {
  Life life;
  partner::v1::SuspendPartnerRequest suspend;
  suspend.set_name("partners/fresh");
  REQUIRE(life.Ask<Partners>("anna", &Partners::Stub::SuspendPartner, suspend).ok());
  member::v1::GetMemberRequest read;
  read.set_name(life.fact("own-member"));
  REQUIRE(
      life.Ask<member::v1::MemberService>("bert", &member::v1::MemberService::Stub::GetMember, read)
          .ok());

  const auto listed = life.Ask<Operators>("auditor", &Operators::Stub::ListAuditRecords,
                                          operator_::v1::ListAuditRecordsRequest());

  REQUIRE(listed.ok());
  // After what filled the network in.
  const int last = listed->records_size() - 1;
  REQUIRE(last >= 1);
  const auto& did = listed->records(last - 1);
  CHECK(did.actor() == "operators/anna");
  CHECK(did.action() == "PartnerService/SuspendPartner");
  CHECK(did.resource() == "partners/fresh");
  CHECK(did.peer().find("127.0.0.1") != std::string::npos);
  CHECK(did.before().find("PARTNER_STATE_ACTIVE") != std::string::npos);
  CHECK(did.after().find("PARTNER_STATE_SUSPENDED") != std::string::npos);
  CHECK(listed->records(last).actor() == "operators/bert");
  CHECK(listed->records(last).resource() == life.fact("own-member"));
  operator_::v1::ListAuditRecordsRequest by_resource;
  by_resource.set_resource("partners/fresh");
  CHECK(life.Ask<Operators>("auditor", &Operators::Stub::ListAuditRecords, by_resource)
            ->records_size() == 1);

  const auto verify = [&] {
    return *life.Ask<Operators>("auditor", &Operators::Stub::VerifyAuditLog,
                                operator_::v1::VerifyAuditLogRequest());
  };
  CHECK(verify().intact());
  CHECK(verify().records() == last + 1);
  const std::string its_row = " where number = " + std::to_string(last);
  life.Query("update operator.audit_log set actor = 'operators/nobody'" + its_row);
  CHECK_FALSE(verify().intact());
  CHECK(verify().broken_at() == last);
  life.Query("update operator.audit_log set actor = 'operators/anna'" + its_row);
  CHECK(verify().intact());
  life.Query("delete from operator.audit_log where number = 2");
  CHECK(verify().broken_at() == 2);
}

TEST_CASE("Approvals: what waits is listed with who may not, and a rejected one waits no more",
          "[service][partner][inv-97]") {
  Life life;
  partner::v1::ProposeContractRequest propose;
  propose.set_parent("partners/fresh");
  *propose.mutable_contract()->mutable_effective_from() = life.InDays(400);
  auto& terms = *propose.mutable_contract()->mutable_redemption();
  terms.set_rate_micros(9'000);
  terms.set_currency_code("EUR");
  terms.mutable_tax()->set_code("OUTSIDE");
  terms.mutable_fee_tax()->set_code("S19");
  const auto proposed = life.Ask<Partners>("anna", &Partners::Stub::ProposeContract, propose);
  REQUIRE(proposed.ok());
  const std::string name = proposed->contract().name();
  const auto waiting = [&] {
    const auto list = life.Ask<Operators>("auditor", &Operators::Stub::ListApprovals,
                                          operator_::v1::ListApprovalsRequest());
    REQUIRE(list.ok());
    for (const auto& approval : list->approvals()) {
      if (approval.name() == name) return approval.signed_by(0);
    }
    return std::string();
  };
  CHECK(waiting() == "anna");
  partner::v1::ApproveContractRequest approve;
  approve.set_name(name);
  approve.set_etag("another");
  CHECK(ReasonOf(life.Ask<Partners>("bert", &Partners::Stub::ApproveContract, approve).status()) ==
        Reason::kChangeDiffers);
  approve.set_etag(proposed->contract().etag());
  life.coalition().AdvanceDays(30);
  CHECK(ReasonOf(life.Ask<Partners>("bert", &Partners::Stub::ApproveContract, approve).status()) ==
        Reason::kApprovalExpired);
  CHECK(waiting().empty());
  partner::v1::RejectContractRequest reject;
  reject.set_name(name);
  reject.set_note("too dear");
  CHECK(life.Ask<Partners>("bert", &Partners::Stub::RejectContract, reject).ok());
  CHECK(ReasonOf(life.Ask<Partners>("bert", &Partners::Stub::ApproveContract, approve).status()) ==
        Reason::kWrongState);
}

}  // namespace
}  // namespace guilder::access
