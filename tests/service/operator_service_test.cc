#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "tests/service/operator_world.h"
#include "tests/support/catch2.h"

namespace guilder::operator_ {

TEST_CASE("CreateOperator: the token of the answer opens what the roles allow",
          "[service][operator]") {
  const World world;
  const auto created = world.Create("dora", {v1::ROLE_AUDITOR, v1::ROLE_ADMIN});
  REQUIRE(created.ok());
  CHECK(created->operator_().name() == "operators/dora");

  clients::Client<v1::OperatorService> dora(world.network.WithKey(created->token()));
  const auto listed = dora.Invoke(&Stub::ListOperators, v1::ListOperatorsRequest());
  REQUIRE(listed.ok());
  REQUIRE(listed->operators_size() == 5);
  const v1::Operator& last = listed->operators(4);
  CHECK(last.name() == "operators/dora");
  CHECK(last.display_name() == "Dora");
  REQUIRE(last.roles_size() == 2);
  CHECK(last.roles(0) == v1::ROLE_ADMIN);
  CHECK(last.roles(1) == v1::ROLE_AUDITOR);
}

TEST_CASE("CreateOperator: what is malformed or taken is refused", "[service][operator]") {
  const World world;
  for (const char* id : {"", "d", "Dora", "d_ora", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    INFO(id);
    CHECK(ReasonOf(world.Create(id, {v1::ROLE_ADMIN}).status()) == Reason::kRequestMalformed);
  }
  CHECK(ReasonOf(world.Create("dora", {}).status()) == Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("dora", {v1::ROLE_UNSPECIFIED}).status()) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("dora", {static_cast<v1::Role>(77)}).status()) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("anna", {v1::ROLE_ADMIN}).status()) == Reason::kAlreadyExists);
}

TEST_CASE("ListOperators: pages give everyone once, in order", "[service][operator]") {
  const World world;
  v1::ListOperatorsRequest request;
  request.set_page_size(3);
  std::string names;
  do {
    const auto page = world.Get("auditor", &Stub::ListOperators, request);
    for (const v1::Operator& one : page.operators()) absl::StrAppend(&names, one.name(), " ");
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  CHECK(names == "operators/anna operators/auditor operators/bert operators/cleo ");

  request.set_page_token("made up");
  CHECK(ReasonOf(world.Try("auditor", &Stub::ListOperators, request).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("AdvanceClock: moves every book forward, with partitions ahead", "[service][operator]") {
  const World world;
  const v1::Programme before = world.Programme();
  CHECK(before.name() == "programmes/guilder");
  CHECK(before.mode() == "DEVELOPMENT");
  const std::string read_offsets =
      "select count(*), count(distinct clock_offset_us), min(clock_offset_us) from ledger.books";
  const int64_t offset_before = world.network.database().Query(read_offsets)[0].Int(2);
  v1::AdvanceClockRequest request;
  request.mutable_duration()->set_seconds(400 * 86'400);
  const v1::Programme after = world.Get("anna", &Stub::AdvanceClock, request).programme();

  const int64_t moved = after.clock().seconds() - before.clock().seconds();
  CHECK(moved >= 400 * 86'400);
  CHECK(moved < 400 * 86'400 + 60);
  const auto offsets = world.network.database().Query(read_offsets);
  CHECK(offsets[0].Int(0) == 2);
  CHECK(offsets[0].Int(1) == 1);
  CHECK(offsets[0].Int(2) - offset_before == 400 * kMicrosPerDay);
  // Two for each month of 400 and 62 days, and the default ones.
  const auto partitions = world.network.database().Query(
      "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhparent "
      "where c.relname in ('journal', 'entries')");
  CHECK(partitions[0].Int(0) >= 2 * 16);

  request.Clear();
  *request.mutable_until() = after.clock();
  request.mutable_until()->set_seconds(after.clock().seconds() + 86'400);
  const v1::Programme later = world.Get("anna", &Stub::AdvanceClock, request).programme();
  CHECK(later.clock().seconds() == request.until().seconds());
}

TEST_CASE("AdvanceClock: neither backwards nor too far, and never a live programme's",
          "[service][operator]") {
  const World world;
  const auto refusal = [](const World& of, const v1::AdvanceClockRequest& request) {
    return ReasonOf(of.Try("anna", &Stub::AdvanceClock, request).status());
  };
  v1::AdvanceClockRequest request;
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(0);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(-5);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(INT64_MAX);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_until()->set_seconds(1'000);
  CHECK(refusal(world, request) == Reason::kClockNotMovable);
  request.mutable_until()->set_seconds(250'000'000'000);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);

  const World live("LIVE");
  request.mutable_duration()->set_seconds(60);
  CHECK(refusal(live, request) == Reason::kClockNotMovable);
}

TEST_CASE("VerifyLedger: tells its progress, and at last every check", "[service][operator]") {
  const LivingWorld world;
  const std::vector<v1::VerifyLedgerResponse> messages = world.Verify();
  REQUIRE(messages.size() > 1);
  for (size_t i = 0; i + 1 < messages.size(); ++i) CHECK_FALSE(messages[i].done());
  const v1::VerifyLedgerResponse& last = messages.back();
  CHECK(last.done());
  CHECK(last.records_done() == 3);
  CHECK(last.checks_size() == 25);
  for (const v1::LedgerCheck& check : last.checks()) {
    INFO(check.name() << ": " << check.first_failure());
    CHECK(check.ok());
  }
  CHECK(last.ok());
}

TEST_CASE("VerifyLedger: what was tampered with is named", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query("update ledger.journal set content = 'other' where number = 2");
  const v1::VerifyLedgerResponse last = world.Verify().back();
  CHECK_FALSE(last.ok());
  for (const v1::LedgerCheck& check : last.checks()) {
    CHECK(check.ok() == (check.name() != "leaves digest what is stored"));
    if (!check.ok()) CHECK(check.first_failure() == "record 1-2");
  }
}

TEST_CASE("GetTrialBalance: debits equal credits, in points and in money", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  const auto balance = world.Get("auditor", &Stub::GetTrialBalance, v1::GetTrialBalanceRequest());
  const auto find = [](const auto& lines, const std::string& account) {
    for (const v1::TrialBalanceLine& line : lines) {
      if (line.account() == account) return std::pair(line.debit(), line.credit());
    }
    return std::pair<int64_t, int64_t>(-1, -1);
  };
  const auto sums_agree = [](const auto& lines) {
    int64_t sum = 0;
    for (const v1::TrialBalanceLine& line : lines) sum += line.debit() - line.credit();
    return sum == 0;
  };
  using Sides = std::pair<int64_t, int64_t>;
  CHECK(find(balance.points(), "ISSUED partners/fresh") == Sides(130, 0));
  CHECK(find(balance.points(), "AVAILABLE") == Sides(0, 110));
  CHECK(find(balance.points(), "HELD") == Sides(0, 20));
  CHECK(find(balance.money(), "PARTNER_RECEIVABLE partners/fresh") == Sides(155, 0));
  CHECK(find(balance.money(), "TAX:S19") == Sides(0, 25));
  CHECK(sums_agree(balance.points()));
  CHECK(sums_agree(balance.money()));
}

TEST_CASE("OperatorService: only those may whose role it is", "[service][operator]") {
  const World world;
  v1::CreateOperatorRequest create;
  CHECK(ReasonOf(world.Try("auditor", &Stub::CreateOperator, create).status()) ==
        Reason::kPermissionDenied);
  CHECK(ReasonOf(world.Try("auditor", &Stub::AdvanceClock, v1::AdvanceClockRequest()).status()) ==
        Reason::kPermissionDenied);
  clients::Client<v1::OperatorService> nobody(world.network.WithKey(""));
  CHECK(ReasonOf(nobody.Invoke(&Stub::GetTrialBalance, v1::GetTrialBalanceRequest()).status()) ==
        Reason::kCredentialsMissing);
}

}  // namespace guilder::operator_
