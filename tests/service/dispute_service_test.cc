// Disputes of billed lines, from the objection to the credit in a later settlement.
#include <string>

#include "absl/strings/str_cat.h"

#include "libs/postgres/pool.h"
#include "services/settlement/store/computing.h"
#include "tests/service/settled_world.h"

namespace guilder::settlement {
namespace {

using Stub = SettledWorld::Stub;

// The first line of the settlement bills the grocer's issuance: 123.45 EUR and 23.46 EUR tax.
constexpr char kGrocersLine[] = "settlements/1/lines/1";

v1::OpenDisputeRequest AnObjection(const std::string& line = kGrocersLine) {
  v1::OpenDisputeRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_line(line);
  request.set_reason("these points were cancelled");
  request.set_evidence_sha256(std::string(32, 'e'));
  request.set_evidence_name("tickets.csv");
  return request;
}

v1::Dispute Open(const SettledWorld& world) {
  return world.Get("grocer", &Stub::OpenDispute, AnObjection()).dispute();
}

v1::ResolveDisputeRequest ADecision(const std::string& name, v1::DisputeState outcome,
                                    int64_t credited = 0) {
  v1::ResolveDisputeRequest request;
  request.set_name(name);
  request.set_outcome(outcome);
  request.set_credited_minor_units(credited);
  request.set_note("looked at the tickets");
  return request;
}

void SetPolicy(const SettledWorld& world, v1::DisputeProvision provision,
               v1::DisputeState default_outcome) {
  v1::UpdateDisputePolicyRequest request;
  request.mutable_policy()->set_open_days(60);
  request.mutable_policy()->set_resolve_days(30);
  request.mutable_policy()->set_provision(provision);
  request.mutable_policy()->set_default_outcome(default_outcome);
  world.Get("bert", &Stub::UpdateDisputePolicy, request);
}

v1::Dispute Read(const SettledWorld& world, const std::string& name) {
  v1::GetDisputeRequest request;
  request.set_name(name);
  return world.Get("auditor", &Stub::GetDispute, request).dispute();
}

TEST_CASE("OpenDispute: a partner objects to its own line, once", "[service][settlement][inv-91]") {
  SettledWorld world;
  v1::OpenDisputeRequest request = AnObjection();

  const v1::Dispute dispute = world.Get("grocer", &Stub::OpenDispute, request).dispute();

  CHECK(dispute.name() == "disputes/1");
  CHECK(dispute.line() == kGrocersLine);
  CHECK(dispute.partner() == "partners/grocer");
  CHECK(dispute.amount().minor_units() == 12'345);
  CHECK(dispute.state() == v1::DISPUTE_STATE_OPEN);
  CHECK(dispute.opened_by() == "partners/grocer");
  CHECK(dispute.evidence_sha256() == std::string(32, 'e'));
  CHECK(world.Get("grocer", &Stub::OpenDispute, request).dispute().name() == dispute.name());
  request.set_reason("something else");
  CHECK(world.Refusal("grocer", &Stub::OpenDispute, request) == Reason::kRequestIdReused);
  CHECK(world.Refusal("grocer", &Stub::OpenDispute, AnObjection()) == Reason::kAlreadyExists);
}

TEST_CASE("OpenDispute: what may not be disputed, and who may not",
          "[service][settlement][inv-91]") {
  SettledWorld world;
  const auto refused = [&](const std::string& who, const v1::OpenDisputeRequest& request) {
    return world.Refusal(who, &Stub::OpenDispute, request);
  };

  CHECK(refused("florist", AnObjection()) == Reason::kNameNotFound);
  CHECK(refused("grocer", AnObjection("settlements/1/lines/99")) == Reason::kNameNotFound);
  CHECK(refused("grocer", AnObjection("settlements/9/lines/1")) == Reason::kNameNotFound);
  CHECK(refused("grocer", AnObjection("lines/1")) == Reason::kNameNotFound);
  CHECK(refused("auditor", AnObjection()) == Reason::kPermissionDenied);
  v1::OpenDisputeRequest request = AnObjection();
  request.set_amount_minor_units(12'346);
  CHECK(refused("grocer", request) == Reason::kAmountOutOfRange);
  request = AnObjection();
  request.set_evidence_sha256("short");
  CHECK(refused("grocer", request) == Reason::kRequestMalformed);
  request = AnObjection();
  request.clear_reason();
  CHECK(refused("grocer", request) == Reason::kRequestMalformed);
  request = AnObjection();
  request.set_request_id("1");
  CHECK(refused("grocer", request) == Reason::kRequestIdMalformed);
  world.ledger().MoveClockTo(SettledWorld::Day(100));
  CHECK(refused("grocer", AnObjection()) == Reason::kWrongState);
}

TEST_CASE("ResolveDispute: upheld, it credits the open window, and the note names the invoice",
          "[service][settlement][inv-84][inv-91]") {
  SettledWorld world;
  const v1::Dispute dispute = Open(world);
  const int64_t payable = world.Balance("PARTNER_PAYABLE");

  const v1::ResolveDisputeRequest request =
      ADecision(dispute.name(), v1::DISPUTE_STATE_UPHELD, 10'000);
  const v1::Dispute decided = world.Get("bert", &Stub::ResolveDispute, request).dispute();

  CHECK(decided.state() == v1::DISPUTE_STATE_UPHELD);
  CHECK(decided.credited().minor_units() == 10'000);
  CHECK(decided.adjustment() == "adjustments/1");
  CHECK(decided.credit_note() == "invoices/CN-2026-000001");
  CHECK(world.Balance("PARTNER_PAYABLE") == payable - 11'900);
  CHECK(world.Get("bert", &Stub::ResolveDispute, request).dispute().SerializeAsString() ==
        decided.SerializeAsString());
  v1::GetInvoiceRequest note;
  note.set_name(decided.credit_note());
  const v1::Invoice credit = world.Get("grocer", &Stub::GetInvoice, note).invoice();
  CHECK(credit.kind() == v1::INVOICE_KIND_CREDIT_NOTE);
  CHECK(credit.credited_invoice() == "invoices/INV-2026-000001");
  CHECK(credit.net_minor_units() == 10'000);
  CHECK(credit.gross_minor_units() == 11'900);
  CHECK(world.Refusal("florist", &Stub::GetInvoice, note) == Reason::kNotYours);
  // The sealed window is as it was; the settlement of the open one pays the credit.
  world.Settle(2);
  const v1::Obligation paid = world.ObligationOf("grocer", 2);
  CHECK(paid.partner_is_paid());
  CHECK(paid.amount().minor_units() == 11'900);
}

TEST_CASE("ResolveDispute: rejected, nothing is posted", "[service][settlement][inv-91]") {
  SettledWorld world;
  const v1::Dispute dispute = Open(world);
  const auto transactions = [&] {
    return world.db().Query("select count(*) from settlement.money_transactions")[0].Int(0);
  };
  const int64_t before = transactions();

  const v1::Dispute decided =
      world
          .Get("bert", &Stub::ResolveDispute, ADecision(dispute.name(), v1::DISPUTE_STATE_REJECTED))
          .dispute();

  CHECK(decided.state() == v1::DISPUTE_STATE_REJECTED);
  CHECK(decided.adjustment().empty());
  CHECK(transactions() == before);
  CHECK(world.Refusal("grocer", &Stub::OpenDispute, AnObjection()) == Reason::kAlreadyExists);
}

TEST_CASE("ResolveDispute: by another person, once, and for no more than was disputed",
          "[service][settlement][inv-91][inv-97]") {
  SettledWorld world;
  const v1::Dispute dispute = world.Get("anna", &Stub::OpenDispute, AnObjection()).dispute();
  const auto refused = [&](const std::string& who, const v1::ResolveDisputeRequest& request) {
    return world.Refusal(who, &Stub::ResolveDispute, request);
  };
  const auto uphold = ADecision(dispute.name(), v1::DISPUTE_STATE_UPHELD);

  CHECK(refused("anna", uphold) == Reason::kSamePerson);
  CHECK(refused("grocer", uphold) == Reason::kPermissionDenied);
  CHECK(refused("bert", ADecision("disputes/9", v1::DISPUTE_STATE_UPHELD)) ==
        Reason::kNameNotFound);
  CHECK(refused("bert", ADecision(dispute.name(), v1::DISPUTE_STATE_OPEN)) ==
        Reason::kRequestMalformed);
  CHECK(refused("bert", ADecision(dispute.name(), v1::DISPUTE_STATE_UPHELD, 12'346)) ==
        Reason::kAmountOutOfRange);
  world.Get("bert", &Stub::ResolveDispute, uphold);
  CHECK(refused("cleo", uphold) == Reason::kWrongState);
}

TEST_CASE("Dispute: at its deadline it has its default outcome, whenever somebody looks",
          "[service][settlement][inv-91]") {
  SettledWorld world;
  SetPolicy(world, v1::DISPUTE_PROVISION_INCLUDED, v1::DISPUTE_STATE_UPHELD);
  const v1::Dispute dispute = Open(world);
  world.ledger().MoveClockTo(SettledWorld::Day(1 + 31));

  const v1::Dispute shown = Read(world, dispute.name());

  CHECK(shown.state() == v1::DISPUTE_STATE_UPHELD);
  CHECK(shown.resolved_by() == "deadline");
  CHECK(world.Refusal("bert", &Stub::ResolveDispute,
                      ADecision(dispute.name(), v1::DISPUTE_STATE_REJECTED)) ==
        Reason::kWrongState);
  // Computing a settlement posts what is due.
  world.Settle(32);
  CHECK(Read(world, dispute.name()).credit_note() == "invoices/CN-2026-000001");
}

TEST_CASE("Dispute: the clearing job posts the default outcome when it is due",
          "[service][settlement][inv-91]") {
  SettledWorld world;
  SetPolicy(world, v1::DISPUTE_PROVISION_EXCLUDED, v1::DISPUTE_STATE_UPHELD);
  const v1::Dispute dispute = Open(world);
  postgres::Pool pool(world.db().dsn(), 1);
  const auto credited = [&] {
    return world.db().Query("select count(*) from settlement.adjustments")[0].Int(0);
  };
  world.ledger().MoveClockTo(SettledWorld::Day(1 + 29));
  REQUIRE(ComputeDueSettlements(pool).ok());
  CHECK(credited() == 0);
  world.ledger().MoveClockTo(SettledWorld::Day(1 + 31));

  REQUIRE(ComputeDueSettlements(pool).ok());

  CHECK(credited() == 1);
  CHECK(Read(world, dispute.name()).credit_note() == "invoices/CN-2026-000001");
  // It was not overdue while it was disputed, and is from now on.
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_OVERDUE);
  REQUIRE(ComputeDueSettlements(pool).ok());
  CHECK(credited() == 1);
}

// What members can spend is owed to them whatever their issuer was credited: the liability stays
// the price of what is outstanding, and the income of these points is less by the credit for ever.
TEST_CASE("ResolveDispute: a credit for issuance lowers income once, and no liability",
          "[service][settlement][inv-83][inv-91]") {
  SettledWorld world;
  const int64_t liability = -world.Balance("POINTS_LIABILITY");
  CHECK(liability == 13'345);
  const v1::Dispute dispute = Open(world);

  world.Get("bert", &Stub::ResolveDispute,
            ADecision(dispute.name(), v1::DISPUTE_STATE_UPHELD, 10'000));

  CHECK(-world.Balance("POINTS_LIABILITY") == liability);
  CHECK(-world.Balance("ISSUANCE_REVENUE") == -10'000);
  // Members spend all of them: the whole liability becomes income.
  world.db().Query(absl::StrCat("insert into settlement.lot_positions values (1, ",
                                SettledWorld::Day(1).value(), ", 1, ", SettledWorld::Day(0).value(),
                                ", 0, 3, 12345), (1, ", SettledWorld::Day(1).value(), ", 2, ",
                                SettledWorld::Day(0).value(), ", 0, 3, 1000)"));
  world.Settle(2);
  CHECK(-world.Balance("POINTS_LIABILITY") == 0);
  CHECK(-world.Balance("ISSUANCE_REVENUE") == 13'345 - 10'000);
}

TEST_CASE("Dispute: what is excluded is not overdue before it is decided",
          "[service][settlement][inv-91]") {
  SettledWorld world;
  SetPolicy(world, v1::DISPUTE_PROVISION_EXCLUDED, v1::DISPUTE_STATE_REJECTED);
  const v1::Dispute dispute = Open(world);
  CHECK(dispute.provision() == v1::DISPUTE_PROVISION_EXCLUDED);
  world.ledger().MoveClockTo(SettledWorld::Day(1 + 20));

  const v1::GetAgeingResponse open = world.Get("auditor", &Stub::GetAgeing, {});

  REQUIRE(open.lines_size() == 1);
  CHECK(open.lines(0).disputed_minor_units() == 14'691);
  CHECK(open.lines(0).days_1_to_30_minor_units() == 0);
  world.Get("bert", &Stub::ResolveDispute, ADecision(dispute.name(), v1::DISPUTE_STATE_REJECTED));
  const v1::GetAgeingResponse decided = world.Get("auditor", &Stub::GetAgeing, {});
  CHECK(decided.lines(0).disputed_minor_units() == 0);
  CHECK(decided.lines(0).days_1_to_30_minor_units() == 14'691);
}

TEST_CASE("ListDisputes: a partner lists and reads its own", "[service][settlement][inv-89]") {
  SettledWorld world;
  const v1::Dispute dispute = Open(world);
  const auto count = [&](const std::string& who) {
    return world.Get(who, &Stub::ListDisputes, v1::ListDisputesRequest()).disputes_size();
  };

  CHECK(count("grocer") == 1);
  CHECK(count("florist") == 0);
  CHECK(count("auditor") == 1);
  v1::GetDisputeRequest read;
  read.set_name(dispute.name());
  CHECK(world.Refusal("florist", &Stub::GetDispute, read) == Reason::kNameNotFound);
  v1::ListDisputesRequest list;
  list.set_parent("partners/grocer");
  CHECK(world.Refusal("florist", &Stub::ListDisputes, list) == Reason::kNotYours);
  list.set_parent("partners/nobody");
  CHECK(world.Refusal("auditor", &Stub::ListDisputes, list) == Reason::kPartnerNotFound);
  list.Clear();
  list.set_page_token("forged");
  CHECK(world.Refusal("auditor", &Stub::ListDisputes, list) == Reason::kPageTokenInvalid);
}

TEST_CASE("UpdateDisputePolicy: it is read back, and within reason",
          "[service][settlement][inv-91]") {
  SettledWorld world;
  CHECK(world.Get("auditor", &Stub::GetDisputePolicy, {}).policy().open_days() == 60);
  SetPolicy(world, v1::DISPUTE_PROVISION_EXCLUDED, v1::DISPUTE_STATE_UPHELD);
  const v1::DisputePolicy policy = world.Get("auditor", &Stub::GetDisputePolicy, {}).policy();
  CHECK(policy.provision() == v1::DISPUTE_PROVISION_EXCLUDED);
  CHECK(policy.default_outcome() == v1::DISPUTE_STATE_UPHELD);
  v1::UpdateDisputePolicyRequest request;
  CHECK(world.Refusal("bert", &Stub::UpdateDisputePolicy, request) == Reason::kRequestMalformed);
  CHECK(world.Refusal("auditor", &Stub::UpdateDisputePolicy, request) == Reason::kPermissionDenied);
}

TEST_CASE("ResolveBreak: money that puts a break right is credited in the open window",
          "[service][settlement][inv-90]") {
  SettledWorld world;
  world.db().Query(
      "insert into settlement.reconciliations (partner_id, window_start_us, submitted_at_us, "
      "submitted_by, request_id, fingerprint, lines, matched, missing_here, missing_there, "
      "amount_differs, duplicates, cleared) values (2, 0, 0, 'x', gen_random_uuid(), "
      "decode(repeat('00', 32), 'hex'), 1, 0, 0, 0, 1, 0, 0); "
      "insert into settlement.breaks (reconciliation_id, partner_id, window_start_us, kind, item, "
      "subject, reference, points_here, points_there, state, owner, opened_at_us) "
      "values (1, 2, 0, 'AMOUNT_DIFFERS', 'PURCHASE', 'total', '', 10, 5, 'ASSIGNED', 'anna', 0)");
  v1::ResolveBreakRequest request;
  request.set_name("breaks/1");
  request.set_note("five points were billed twice");
  request.set_line("settlements/1/lines/2");
  request.set_credited_minor_units(5);
  CHECK(world.Refusal("bert", &Stub::ResolveBreak, request) == Reason::kNameNotFound);
  request.set_line(kGrocersLine);
  CHECK(world.Refusal("anna", &Stub::ResolveBreak, request) == Reason::kSamePerson);
  request.set_credited_minor_units(12'346);
  CHECK(world.Refusal("bert", &Stub::ResolveBreak, request) == Reason::kAmountOutOfRange);
  request.set_credited_minor_units(5);

  const v1::Break resolved = world.Get("bert", &Stub::ResolveBreak, request).break_();

  CHECK(resolved.resolution() == v1::BREAK_RESOLUTION_ADJUSTED);
  CHECK(resolved.fix() == "adjustments/1");
  CHECK(world.Get("bert", &Stub::ResolveBreak, request).break_().SerializeAsString() ==
        resolved.SerializeAsString());
  CHECK(world.Balance("ISSUANCE_REVENUE") == 5);
  CHECK(world.db().Query("select count(*) from settlement.adjustments")[0].Int(0) == 1);
}

TEST_CASE("ResolveBreak: all credits of a line are never more than the line, whoever asks for them",
          "[service][settlement][inv-90][inv-91]") {
  SettledWorld world;
  world.db().Query(
      "insert into settlement.reconciliations (partner_id, window_start_us, submitted_at_us, "
      "submitted_by, request_id, fingerprint, lines, matched, missing_here, missing_there, "
      "amount_differs, duplicates, cleared) values (2, 0, 0, 'x', gen_random_uuid(), "
      "decode(repeat('00', 32), 'hex'), 1, 0, 0, 0, 3, 0, 0); "
      "insert into settlement.breaks (reconciliation_id, partner_id, window_start_us, kind, item, "
      "subject, reference, points_here, points_there, state, owner, opened_at_us) "
      "select 1, 2, 0, 'AMOUNT_DIFFERS', 'PURCHASE', 'total ' || i, '', 10, 5, "
      "case when i = 3 then 'OPEN' else 'ASSIGNED' end, case when i = 3 then '' else 'anna' end, 0 "
      "from generate_series(1, 3) i");
  const auto resolve = [&](int number, int64_t cents) {
    v1::ResolveBreakRequest request;
    request.set_name(absl::StrCat("breaks/", number));
    request.set_note("billed twice");
    request.set_line(kGrocersLine);
    request.set_credited_minor_units(cents);
    return world.Refusal("bert", &Stub::ResolveBreak, request);
  };
  // Nobody looks after it: it would be one person's money.
  CHECK(resolve(3, 1) == Reason::kWrongState);
  CHECK_FALSE(resolve(1, 12'000));
  CHECK(resolve(2, 346) == Reason::kAmountOutOfRange);
  CHECK_FALSE(resolve(2, 345));
  // The tax of the line is given back to the minor unit, however it was split.
  CHECK(world.db()
            .Query("select sum(net)::bigint, sum(tax)::bigint from settlement.adjustments")[0]
            .Int(1) == world.db()
                           .Query("select tax from settlement.lines where settlement_id = 1 and "
                                  "partner_id = 2")[0]
                           .Int(0));
}

}  // namespace
}  // namespace guilder::settlement
