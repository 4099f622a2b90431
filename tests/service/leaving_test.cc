// What a partner that leaves gets back, and what has to be settled before it is gone.
#include <string>

#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/iso20022/camt053.h"
#include "libs/ledger/store/sealing.h"
#include "tests/service/prepaid_world.h"
#include "tests/support/invariants.h"

namespace guilder::prepaid {
namespace {

namespace settlement_v1 = settlement::v1;
using Settlement = settlement_v1::SettlementService;

constexpr Currency kEuro{'E', 'U', 'R'};
constexpr char kHouseIban[] = "DE89370400440532013000";

struct Leaving : World {
  Leaving() {
    coalition.database().Query(absl::StrCat("update partner.partners set iban = '", kHouseIban,
                                            "' where slug = 'house'; update partner.partners set "
                                            "iban = 'DE02120300000000202051' where slug = "
                                            "'fresh'"));
  }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Try(const std::string& who,
                               grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                               const Request& request) const {
    return clients::Client<Service>(coalition.network().AsOperator(who))
        .Invoke(method, request, Once());
  }
  template <typename Service, typename Request, typename Response>
  Response Get(const std::string& who,
               grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
               const Request& request) const {
    auto answer = Try<Service>(who, method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }

  google::protobuf::Timestamp InDays(int days) const {
    return rpc::ToProto(coalition.Now() + Timestamp(days * kMicrosPerDay));
  }
  // Asks for a run-off of so many days; then, without, for the end.
  std::optional<Reason> Terminate(int days = 0) const {
    partner_v1::TerminatePartnerRequest request;
    request.set_name(kFresh);
    if (days > 0) {
      partner_v1::RunOff& run_off = *request.mutable_run_off();
      *run_off.mutable_last_issue_time() = *run_off.mutable_last_redemption_time() = InDays(days);
      *run_off.mutable_last_return_time() = *run_off.mutable_final_settlement_time() = InDays(days);
    }
    return ReasonOf(Try<Partners>("anna", &Partners::Stub::TerminatePartner, request).status());
  }
  // Settles what was posted until today; gives the net of `fresh` in cents, what it is owed if
  // positive.
  int64_t Settle() {
    coalition.AdvanceDays(1);
    postgres::Pool pool(coalition.database().dsn(), 1);
    REQUIRE(ledger::SealEndedWindows(pool).ok());
    last = Get<Settlement>("anna", &Settlement::Stub::ComputeSettlement,
                           settlement_v1::ComputeSettlementRequest())
               .settlement();
    settlement_v1::ApproveSettlementRequest approve;
    approve.set_name(last.name());
    approve.set_etag(last.etag());
    Get<Settlement>("bert", &Settlement::Stub::ApproveSettlement, approve);
    for (const settlement_v1::PartnerNet& net : last.nets()) {
      if (net.partner() != kFresh) continue;
      CHECK(net.carried_out_minor_units() == 0);
      return net.net_minor_units();
    }
    return 0;
  }
  // What the bank says: the last settlement's payment by the partner, or to it.
  void Pay(int64_t cents, const std::string& end_to_end_id) const {
    const bool to_partner = cents > 0;
    if (to_partner) {
      settlement_v1::ExportPaymentsRequest request;
      request.set_name(last.name());
      Get<Settlement>("anna", &Settlement::Stub::ExportPayments, request);
    }
    iso20022::StatementEntry entry;
    entry.bank_reference = end_to_end_id;
    entry.amount = {kEuro, std::abs(cents) * 1'000};
    entry.credit = !to_partner;
    entry.booked = true;
    entry.booked_on = absl::CivilDay(2026, 1, 3);
    entry.payments = {
        {.end_to_end_id = end_to_end_id, .amount = entry.amount, .credit = entry.credit}};
    iso20022::BankStatement statement;
    statement.id = end_to_end_id;
    statement.account = kHouseIban;
    statement.entries.push_back(std::move(entry));
    settlement_v1::ImportBankStatementRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_file(iso20022::WriteCamt053({statement.id, {statement}}, Timestamp(0),
                                            absl::CivilDay(2026, 1, 3)));
    Get<Settlement>("anna", &Settlement::Stub::ImportBankStatement, request);
  }
  // The service ends blocks by itself, within a second or two.
  void WaitUntilNoBlocksAreLeft() const {
    const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
    while (Exposure("fresh").remaining_points() != 0 && absl::Now() < give_up_at) {
    }
    CHECK(Exposure("fresh").remaining_points() == 0);
  }

  settlement_v1::Settlement last;
};

TEST_CASE(
    "Leaving: what is unused of blocks without an end is paid back, and then the partner goes",
    "[service][partner][inv-86][inv-88]") {
  Leaving world;
  REQUIRE(world.Sell(World::ABlock(10'000)).ok());
  auto kept = World::ABlock(5'000);
  *kept.mutable_end_time() = world.InDays(400);
  kept.set_when_ended(partner_v1::BLOCK_ENDING_FORFEIT);
  REQUIRE(world.Sell(kept).ok());
  REQUIRE(world.Buy("fresh", 2'500).ok());
  // 15,000 points at a cent, and 19 per cent tax.
  CHECK(world.Settle() == -17'850);
  world.Pay(-17'850, "GLD-1-1");
  REQUIRE_FALSE(world.Terminate(10));

  CHECK(world.Exposure("fresh").remaining_points() == 12'500);
  CHECK(world.Terminate() == Reason::kWrongState);
  world.coalition.AdvanceDays(11);
  world.WaitUntilNoBlocksAreLeft();
  // It is ended, and not paid back yet.
  CHECK(world.Terminate() == Reason::kWrongState);
  CHECK(world.Settle() == 8'925);
  CHECK(world.Terminate() == Reason::kWrongState);
  world.Pay(8'925, "GLD-2-1");

  CHECK_FALSE(world.Terminate());
  const auto& db = world.coalition.database();
  // What was paid is what was given, with the block that is kept: 2,500 and 5,000 points.
  CHECK(db.Query("select sum(case when credit_account = 'PREPAID_DEPOSIT' then amount "
                 "                when debit_account = 'PREPAID_DEPOSIT' then -amount "
                 "                else 0 end)::bigint from settlement.money_entries")[0]
            .Int(0) == 0);
  testing::CheckInvariants(db);
}

TEST_CASE("Leaving: what a leaving partner is owed is paid however little it is",
          "[service][partner][inv-88]") {
  Leaving world;
  world.coalition.database().Query(
      "update partner.contracts set minimum_payout = 1000 where kind = 'REDEMPTION'");
  REQUIRE(world.Sell(World::ABlock(500)).ok());
  CHECK(world.Settle() == -595);
  world.Pay(-595, "GLD-1-1");
  REQUIRE_FALSE(world.Terminate(10));
  world.coalition.AdvanceDays(11);
  world.WaitUntilNoBlocksAreLeft();

  CHECK(world.Settle() == 595);

  world.Pay(595, "GLD-2-1");
  CHECK_FALSE(world.Terminate());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Leaving: a partner does not go before what it issued is settled",
          "[service][partner][inv-88]") {
  Leaving world;
  world.coalition.database().Query(
      "update partner.contracts set funding = 'POSTPAID', when_exhausted = 'REFUSE' "
      "where kind = 'ISSUANCE'");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
  REQUIRE_FALSE(world.Terminate(10));
  REQUIRE(world.Buy("fresh", 100).ok());
  world.coalition.AdvanceDays(11);

  CHECK(world.Terminate() == Reason::kWrongState);
  CHECK(world.Settle() == -119);
  CHECK(world.Terminate() == Reason::kWrongState);
  world.Pay(-119, "GLD-1-1");
  CHECK_FALSE(world.Terminate());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Leaving: what was not paid for is not paid back before it is",
          "[service][partner][inv-88]") {
  Leaving world;
  REQUIRE(world.Sell(World::ABlock(500)).ok());
  CHECK(world.Settle() == -595);
  REQUIRE_FALSE(world.Terminate(10));
  world.coalition.AdvanceDays(11);
  world.WaitUntilNoBlocksAreLeft();
  CHECK(world.Settle() == 595);
  settlement_v1::ExportPaymentsRequest request;
  request.set_name(world.last.name());
  const auto exported = [&] {
    return ReasonOf(
        world.Try<Settlement>("anna", &Settlement::Stub::ExportPayments, request).status());
  };

  CHECK(exported() == Reason::kWrongState);
  world.Pay(-595, "GLD-1-1");
  CHECK_FALSE(exported());

  world.Pay(595, "GLD-2-1");
  CHECK_FALSE(world.Terminate());
}

TEST_CASE("Leaving: a contract costs nothing for windows after the final settlement",
          "[service][partner][inv-88]") {
  Leaving world;
  world.coalition.database().Query(
      "update partner.contracts set fee_per_window = 100 where kind = 'ISSUANCE'");
  REQUIRE_FALSE(world.Terminate(10));
  world.coalition.AdvanceDays(11);
  CHECK(world.Settle() < 0);
  world.coalition.AdvanceDays(5);

  CHECK(world.Settle() == 0);
}

TEST_CASE("Leaving: who pays when points are spent pays for those that are out, and nothing later",
          "[service][partner][inv-88]") {
  Leaving world;
  world.coalition.database().Query(
      "update partner.contracts set funding = 'POSTPAID_AT_REDEMPTION', when_exhausted = 'REFUSE' "
      "where kind = 'ISSUANCE'");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
  REQUIRE(world.Buy("fresh", 100).ok());
  CHECK(world.Settle() == 0);
  REQUIRE_FALSE(world.Terminate(10));
  CHECK(world.Settle() == 0);
  world.coalition.AdvanceDays(11);

  // All that was owed is paid, and not yet what will be.
  CHECK(world.Terminate() == Reason::kWrongState);
  CHECK(world.Settle() == -119);
  CHECK(world.Terminate() == Reason::kWrongState);
  world.Pay(-119, "GLD-3-1");
  CHECK_FALSE(world.Terminate());

  // The points expire, or are spent: either is the programme's now.
  world.coalition.AdvanceDays(800);
  REQUIRE(world.Buy("house", 1).ok());
  CHECK(world.Settle() == 0);
  testing::CheckInvariants(world.coalition.database());
}

}  // namespace
}  // namespace guilder::prepaid
