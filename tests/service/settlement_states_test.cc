// What becomes of a settlement after it is computed, over a socket.
#include <string>

#include "absl/strings/str_cat.h"

#include "services/settlement/store/obligations.h"
#include "services/settlement/store/settlements.h"
#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

std::string ApprovedExample(World& world) {
  world.PostExample(0);
  world.SealUntil(1);
  const std::string name = world.Compute("anna").name();
  world.Approve("bert", name);
  return name;
}

v1::Obligation ObligationOf(const World& world, const std::string& partner) {
  v1::GetPartnerStatementRequest request;
  request.set_settlement("settlements/1");
  request.set_partner(partner);
  return world.Get("auditor", &Stub::GetPartnerStatement, request).obligation();
}

void SetPolicy(const World& world, v1::PayoutPolicy payout, int64_t reserve) {
  v1::UpdateSettlementPolicyRequest request;
  request.mutable_policy()->set_payment_days(3);
  request.mutable_policy()->set_payout(payout);
  request.mutable_policy()->mutable_reserve()->set_minor_units(reserve);
  world.Get("cleo", &Stub::UpdateSettlementPolicy, request);
}

TEST_CASE("ApproveSettlement: an approval is of what was looked at, and of nothing else",
          "[service][settlement][inv-97]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  const v1::Settlement looked_at = world.Compute("anna");
  v1::ApproveSettlementRequest request;
  request.set_name(looked_at.name());
  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, request) == Reason::kRequestMalformed);
  world.ledger().AddPosition(1, kGrocerIssues, Day(1), Movement::kIssued, 1);
  world.SealUntil(2);
  const v1::Settlement computed_again = world.Compute("anna");
  request.set_etag(looked_at.etag());
  CHECK(computed_again.etag() != looked_at.etag());

  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, request) == Reason::kEtagMismatch);

  CHECK(world.Compute("cleo").etag() == computed_again.etag());
  request.set_etag(computed_again.etag());
  world.Get("bert", &Stub::ApproveSettlement, request);
  world.Get("bert", &Stub::ApproveSettlement, request);
  request.set_etag(looked_at.etag());
  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, request) == Reason::kEtagMismatch);
}

TEST_CASE("DefaultObligation: an overdue debt becomes a loss that has an owner",
          "[service][settlement][inv-1]") {
  World world;
  SetPolicy(world, v1::PAYOUT_POLICY_WHEN_DUE, 0);
  ApprovedExample(world);
  v1::DefaultObligationRequest request;
  request.set_name("settlements/1/obligations/grocer");
  request.set_loss_owner("partners/club");
  CHECK(world.Refusal("bert", &Stub::DefaultObligation, request) == Reason::kWrongState);
  // Approved on the second day, due three days after it ends.
  world.SealUntil(5);
  for (const char* name : {"settlements/9/obligations/grocer", "obligations/grocer"}) {
    v1::DefaultObligationRequest other = request;
    other.set_name(name);
    CHECK(world.Refusal("bert", &Stub::DefaultObligation, other) == Reason::kSettlementNotFound);
  }
  v1::DefaultObligationRequest nobodys = request;
  nobodys.set_loss_owner("partners/nobody");
  CHECK(world.Refusal("bert", &Stub::DefaultObligation, nobodys) == Reason::kPartnerNotFound);

  const v1::Obligation defaulted =
      world.Get("bert", &Stub::DefaultObligation, request).obligation();

  CHECK(defaulted.state() == v1::OBLIGATION_STATE_DEFAULTED);
  CHECK(defaulted.loss_owner() == "partners/club");
  world.Get("bert", &Stub::DefaultObligation, request);
  int64_t losses = 0;
  const v1::GetBalanceSheetResponse sheet = world.BalanceSheet("");
  for (const v1::BalanceSheetAccount& account : sheet.accounts()) {
    if (account.account() == "LOSSES") losses += account.balance_minor_units();
    if (account.partner() == "partners/grocer") CHECK(account.balance_minor_units() == 0);
  }
  CHECK(losses == 14'691);
  // Who is owed is paid all the same.
  CHECK(world.Export("settlements/1").payments() == 1);
}

TEST_CASE("ExportPayments: when partners are paid out of what was collected, each is paid once",
          "[service][settlement][inv-92]") {
  World world;
  SetPolicy(world, v1::PAYOUT_POLICY_WHEN_COLLECTED, 5'000);
  const std::string name = ApprovedExample(world);
  v1::ExportPaymentsRequest request;
  request.set_name(name);
  CHECK(world.Refusal("anna", &Stub::ExportPayments, request) == Reason::kWrongState);
  world.db().Query(
      "update settlement.obligations set paid = 796, state = 'PARTLY_PAID' "
      "where partner_id = 2");

  const v1::ExportPaymentsResponse first = world.Export(name);

  CHECK(first.payments() == 1);
  CHECK(first.total().minor_units() == 5'796);
  CHECK(world.Export(name).SerializeAsString() == first.SerializeAsString());
  CHECK(ObligationOf(world, "partners/florist").state() == v1::OBLIGATION_STATE_INSTRUCTED);
  CHECK(world.GetNamed("auditor", &Stub::GetSettlement, name).settlement().state() ==
        v1::SETTLEMENT_STATE_INSTRUCTED);
  request.set_file_number(1);
  CHECK(world.Get("anna", &Stub::ExportPayments, request).SerializeAsString() ==
        first.SerializeAsString());
  request.set_file_number(2);
  CHECK(world.Refusal("anna", &Stub::ExportPayments, request) == Reason::kNameNotFound);
}

TEST_CASE("ExportPayments: the reserve is advanced once, not once for each settlement",
          "[service][settlement][inv-92]") {
  World world;
  SetPolicy(world, v1::PAYOUT_POLICY_WHEN_COLLECTED, 6'000);
  const std::string first = ApprovedExample(world);
  CHECK(world.Export(first).total().minor_units() == 5'796);
  world.PostExample(1);
  world.SealUntil(2);
  const std::string second = world.Compute("anna").name();
  world.Approve("bert", second);
  v1::ExportPaymentsRequest request;
  request.set_name(second);

  CHECK(world.Refusal("anna", &Stub::ExportPayments, request) == Reason::kWrongState);

  // What comes in for the first settlement brings the reserve back.
  world.db().Query(
      "update settlement.obligations set paid = 5796, state = 'PARTLY_PAID' "
      "where settlement_id = 1 and not partner_is_paid and partner_id = 2");
  CHECK(world.Export(second).payments() == 1);
}

TEST_CASE("UpdateSettlementPolicy: what is set is read, and what makes no sense is refused",
          "[service][settlement]") {
  World world;
  CHECK(world.Get("auditor", &Stub::GetSettlementPolicy, v1::GetSettlementPolicyRequest())
            .policy()
            .payment_days() == 14);
  SetPolicy(world, v1::PAYOUT_POLICY_WHEN_COLLECTED, 70);
  const v1::SettlementPolicy policy =
      world.Get("auditor", &Stub::GetSettlementPolicy, v1::GetSettlementPolicyRequest()).policy();
  CHECK(policy.reserve().minor_units() == 70);
  CHECK(policy.changed_by() == "cleo");
  CHECK(policy.revision() == 1);
  v1::UpdateSettlementPolicyRequest request;
  *request.mutable_policy() = policy;
  request.mutable_policy()->set_payment_days(366);
  CHECK(world.Refusal("cleo", &Stub::UpdateSettlementPolicy, request) == Reason::kRequestMalformed);
  *request.mutable_policy() = policy;
  request.mutable_policy()->mutable_reserve()->set_currency_code("USD");
  CHECK(world.Refusal("cleo", &Stub::UpdateSettlementPolicy, request) ==
        Reason::kCurrencyNotSupported);
}

}  // namespace
}  // namespace guilder::settlement
