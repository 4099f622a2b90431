// What becomes of money that pays nothing, comes back, or does not come: suspense and write-offs.
#include <string>
#include <vector>

#include "libs/postgres/pool.h"
#include "services/operator/store/approvals.h"
#include "tests/service/bank_world.h"

namespace guilder::settlement {
namespace {

TEST_CASE("ImportBankStatement: what comes back is first what was too much",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string entry =
      Import(world, AStatement("S-1", {{true, 15'000, "GLD-1-2"}})).entries(0).name();

  // The bank takes all of it back: nothing is left in suspense that could pay anything.
  const auto returned = Import(world, AStatement("S-2", {{false, 15'000, "GLD-1-2", "", "MD06"}}));
  CHECK(OutcomesOf(returned) == std::vector{v1::BANK_OUTCOME_RETURNED});
  CHECK(returned.entries(0).applied_minor_units() == -14'691);
  CHECK(returned.entries(0).suspense_minor_units() == 0);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 0);
  v1::AllocateSuspenseRequest allocate;
  allocate.set_request_id(clients::NewRequestId());
  allocate.set_entry(entry);
  allocate.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, allocate) == Reason::kWrongState);
  CheckBooks(world);

  // A refund of what was too much leaves what was paid; one of more does, too.
  Import(world, AStatement("S-3", {{true, 15'000, "GLD-1-2"}}));
  const auto refunded =
      Import(world, AStatement("S-4", {{false, 300, "", "refund of GLD-1-2"},
                                       {false, 100, "", "refund of GLD-1-2 again"}}));
  CHECK(OutcomesOf(refunded) == std::vector{v1::BANK_OUTCOME_REFUNDED, v1::BANK_OUTCOME_REFUNDED});
  CHECK(refunded.entries(1).suspense_minor_units() == 91);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  CheckBooks(world);
}

TEST_CASE("AllocateSuspense: what went out is balanced by what came in, or takes a payment back",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const auto told = Import(world, AStatement("S-1", {{true, 500, "", "by mistake"},
                                                     {false, 400, "", "back"},
                                                     {true, 14'691, "GLD-1-2"},
                                                     {false, 691, "", "who knows"}}));
  v1::AllocateSuspenseRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_entry(told.entries(1).name());
  request.set_obligation(told.entries(3).name());
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  request.set_obligation("bankEntries/99");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kNameNotFound);
  request.set_obligation(told.entries(0).name());
  for (int i = 0; i < 2; ++i) {
    CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() == 0);
  }
  request.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kRequestIdReused);
  CheckBooks(world);

  request.set_request_id(clients::NewRequestId());
  request.set_entry(told.entries(3).name());
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() == 0);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 14'000);
  CheckBooks(world);
}

TEST_CASE("AllocateSuspense: an operator says what a payment was for",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string entry =
      Import(world, AStatement("S-1", {{true, 20'000, "", "for the points"}})).entries(0).name();
  v1::AllocateSuspenseRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_entry(entry);
  // What came in pays nobody, and takes nothing back that was not paid.
  request.set_obligation("settlements/1/obligations/florist");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  request.set_obligation("settlements/1/obligations/nobody");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kNameNotFound);
  request.set_obligation("settlements/1/obligations/grocer");
  request.set_amount_minor_units(20'001);
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kAmountOutOfRange);
  request.set_amount_minor_units(691);
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() ==
        19'309);
  // Repeated, it is the same allocation.
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() ==
        19'309);
  request.set_amount_minor_units(692);
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kRequestIdReused);
  CheckBooks(world);
  request.set_request_id(clients::NewRequestId());
  request.set_amount_minor_units(0);

  const v1::BankEntry rest = world.Get("anna", &Stub::AllocateSuspense, request).entry();

  CHECK(rest.suspense_minor_units() == 20'000 - 14'691);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  request.set_request_id(clients::NewRequestId());
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  CheckBooks(world);
}

TEST_CASE("WriteOff: what is paid after it is a loss no more", "[service][settlement][inv-92]") {
  SettledWorld world;
  v1::ProposeWriteOffRequest propose;
  propose.set_obligation("settlements/1/obligations/grocer");
  propose.set_note("insolvent");
  world.Get("anna", &Stub::ProposeWriteOff, propose);
  v1::ApproveWriteOffRequest approve;
  approve.set_obligation("settlements/1/obligations/grocer");
  world.Get("bert", &Stub::ApproveWriteOff, approve);
  REQUIRE(world.Balance("LOSSES") == 14'691);

  const auto part = Import(world, AStatement("S-1", {{true, 4'691, "GLD-1-2"}}));
  CHECK(OutcomesOf(part) == std::vector{v1::BANK_OUTCOME_RECOVERED});
  CHECK(world.Balance("LOSSES") == 10'000);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_WRITTEN_OFF);
  CheckBooks(world);
  // One that bounces is a loss again, once somebody has said so.
  const auto bounced =
      Import(world, AStatement("S-3", {{false, 4'691, "GLD-1-2", "", "MD06"}})).entries(0);
  v1::AllocateSuspenseRequest allocate;
  allocate.set_request_id(clients::NewRequestId());
  allocate.set_entry(bounced.name());
  allocate.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Get("anna", &Stub::AllocateSuspense, allocate).entry().suspense_minor_units() == 0);
  CHECK(world.Balance("LOSSES") == 14'691);
  CheckBooks(world);
  REQUIRE(Import(world, AStatement("S-4", {{true, 4'691, "GLD-1-2"}})).entries_size() == 1);
  const auto rest = Import(world, AStatement("S-2", {{true, 10'500, "GLD-1-2"}}));
  CHECK(rest.entries(0).suspense_minor_units() == 500);
  CHECK(world.Balance("LOSSES") == 0);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  CheckBooks(world);
}

TEST_CASE("WriteOff: one person proposes and another approves, and the loss is posted",
          "[service][settlement][inv-92][inv-97]") {
  SettledWorld world;
  Import(world, AStatement("S-1", {{true, 10'000, "GLD-1-2"}, {false, 5'796, "GLD-1-3"}}));
  v1::ApproveWriteOffRequest approve;
  approve.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kWrongState);
  v1::ProposeWriteOffRequest propose;
  propose.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kRequestMalformed);
  // Whoever approves it must see what is written.
  propose.set_note("insolvent\x1b[2K");
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kRequestMalformed);
  propose.set_note("insolvent");
  CHECK(world.Get("anna", &Stub::ProposeWriteOff, propose).write_off().amount().minor_units() ==
        4'691);
  CHECK(world.Refusal("anna", &Stub::ApproveWriteOff, approve) == Reason::kSamePerson);
  // Money that comes meanwhile makes it another write-off.
  Import(world, AStatement("S-2", {{true, 691, "GLD-1-2"}}));
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kWrongState);
  world.Get("anna", &Stub::ProposeWriteOff, propose);

  const v1::WriteOff approved = world.Get("bert", &Stub::ApproveWriteOff, approve).write_off();

  CHECK(approved.amount().minor_units() == 4'000);
  CHECK(approved.approved_by() == "bert");
  CHECK(world.Get("bert", &Stub::ApproveWriteOff, approve).write_off().SerializeAsString() ==
        approved.SerializeAsString());
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_WRITTEN_OFF);
  CHECK(world.Balance("LOSSES") == 4'000);
  v1::GetSettlementRequest settlement;
  settlement.set_name("settlements/1");
  CHECK(world.Get("auditor", &Stub::GetSettlement, settlement).settlement().state() ==
        v1::SETTLEMENT_STATE_SETTLED);
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kWrongState);
  propose.set_obligation("settlements/9/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kNameNotFound);
  CheckBooks(world);
}

TEST_CASE("WriteOff: one that is rejected is approved no more, and why is noted",
          "[service][settlement][inv-97]") {
  SettledWorld world;
  v1::RejectWriteOffRequest reject;
  reject.set_obligation("settlements/1/obligations/grocer");
  reject.set_note("they pay in May");
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kWrongState);
  v1::ProposeWriteOffRequest propose;
  propose.set_obligation(reject.obligation());
  propose.set_note("insolvent");
  const v1::WriteOff first = world.Get("anna", &Stub::ProposeWriteOff, propose).write_off();
  propose.set_note("they have moved, nobody knows where");
  const v1::WriteOff proposed = world.Get("anna", &Stub::ProposeWriteOff, propose).write_off();
  v1::ApproveWriteOffRequest approve;
  approve.set_obligation(reject.obligation());
  approve.set_etag(first.etag());
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kChangeDiffers);
  reject.set_etag(first.etag());
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kChangeDiffers);
  CHECK(world.Refusal("auditor", &Stub::RejectWriteOff, reject) == Reason::kPermissionDenied);
  // What waits for approval is listed with the same etag.
  postgres::Pool pool(world.db().dsn(), 1);
  using Waiting = std::vector<operator_::WaitingApproval>;
  const auto waiting = pool.Read([](postgres::Transaction& tx) -> absl::StatusOr<Waiting> {
    return operator_::ListWaitingApprovals(tx, Timestamp(0), "", 10);
  });
  REQUIRE(waiting.ok());
  REQUIRE(waiting->size() == 1);
  CHECK(waiting->front().etag == proposed.etag());
  reject.set_etag(waiting->front().etag);

  const v1::WriteOff rejected = world.Get("bert", &Stub::RejectWriteOff, reject).write_off();

  CHECK(rejected.SerializeAsString() == proposed.SerializeAsString());
  approve.set_etag(proposed.etag());
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kWrongState);
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kWrongState);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_OPEN);
  CHECK(world.Balance("LOSSES") == 0);
  CHECK(world.db()
            .Query("select count(*) from operator.audit_log "
                   "where action = 'SettlementService/RejectWriteOff' and actor = 'operators/bert' "
                   "and before like '%nobody knows where%' and after like '%they pay in May%'")[0]
            .Int(0) == 1);
  // It may be proposed anew; what is approved is not rejected.
  const v1::WriteOff again = world.Get("anna", &Stub::ProposeWriteOff, propose).write_off();
  approve.set_etag(again.etag());
  world.Get("bert", &Stub::ApproveWriteOff, approve);
  CHECK(world.Balance("LOSSES") == 14'691);
  reject.clear_etag();
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kWrongState);
  reject.set_note(std::string(501, 'x'));
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kRequestMalformed);
  reject.clear_note();
  reject.set_obligation("settlements/9/obligations/grocer");
  CHECK(world.Refusal("bert", &Stub::RejectWriteOff, reject) == Reason::kNameNotFound);
  CheckBooks(world);
}

}  // namespace
}  // namespace guilder::settlement
