#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "tests/service/operator_world.h"
#include "tests/support/catch2.h"

namespace guilder::operator_ {
namespace {

bool Has(const std::vector<v1::ExplanationStep>& steps, const std::string& kind,
         const std::string& name, const std::string& text = "") {
  for (const v1::ExplanationStep& step : steps) {
    if (step.kind() == kind && step.name() == name && absl::StrContains(step.text(), text)) {
      return true;
    }
  }
  return false;
}

std::string Text(const std::vector<v1::ExplanationStep>& steps) {
  std::string text;
  for (const v1::ExplanationStep& step : steps) {
    absl::StrAppend(&text, std::string(2 * static_cast<size_t>(step.depth()), ' '), step.kind(),
                    " ", step.name(), ": ", step.text(), "\n");
  }
  return text;
}

}  // namespace

TEST_CASE("Explain: a payment leads to the purchases and the rules that it comes from",
          "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  const std::vector<v1::ExplanationStep> steps = world.Explain("GLD-1-1");
  INFO(Text(steps));
  CHECK(Has(steps, "payment", "GLD-1-1", "1.55 EUR from Fresh"));
  CHECK(Has(steps, "obligation", "settlements/1/obligations/fresh", "issuance 1.30 EUR"));
  CHECK(Has(steps, "invoice", "invoices/INV-2026-000001"));
  CHECK(Has(steps, "invoice line", "settlements/1/lines/1", "ISSUANCE of 130 points"));
  CHECK(Has(steps, "contract", "partners/fresh/contracts/1", "0.010000 EUR a point"));
  CHECK(Has(steps, "entry", "entries/1-1-1", "30 points from ISSUED of partners/fresh"));
  CHECK(Has(steps, "purchase", "purchases/1-2", "2 lines for 12.50 EUR, receipt R-17"));
  CHECK(Has(steps, "rule", "ruleSets/4", "approved by bert"));
  int last_depth = -1;
  for (const v1::ExplanationStep& step : steps) {
    CHECK(step.depth() <= last_depth + 1);
    last_depth = step.depth();
  }
}

TEST_CASE("Explain: every kind of name has an explanation", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  world.network.database().Query(
      "insert into accrual.parked_items (request_id, partner_id, reason, created_at_us, refers_to, "
      "content) values ('0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5', 1, 'RECEIPT_CONFLICT', 1, "
      "'purchases/1-1', 'receipt R-17')");
  const auto window = world.network.database().Query(
      "select to_char(to_timestamp(window_start_us / 1000000) at time zone 'UTC', "
      "'YYYYMMDD\"T\"HH24MISS\"Z\"') from settlement.windows");
  const std::vector<std::pair<std::string, std::string>> names = {
      {"purchases/1-1", "purchase"},
      {"redemptions/1-3", "redemption"},
      {"entries/1-2-1", "entry"},
      {"lots/1-1024", "lot"},
      {absl::StrCat("members/", world.account.value()), "member"},
      {"partners/diner/contracts/1", "contract"},
      {"ruleSets/4", "rule"},
      {"settlements/1", "settlement"},
      {"settlements/1/lines/1", "invoice line"},
      {"settlements/1/obligations/fresh", "obligation"},
      {"invoices/INV-2026-000001", "invoice"},
      {"GLD-1-1", "payment"},
      {absl::StrCat("windows/", ToAbsl(window[0].Text(0))), "window"},
      {"parkedItems/1-0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5", "parked item"},
  };
  for (const auto& [name, kind] : names) {
    INFO(name);
    const std::vector<v1::ExplanationStep> steps = world.Explain(name);
    REQUIRE_FALSE(steps.empty());
    CHECK(steps[0].depth() == 0);
    CHECK(steps[0].name() == name);
    CHECK(steps[0].kind() == kind);
    CHECK_FALSE(steps[0].text().empty());
  }
  CHECK(Has(world.Explain(names.back().first), "purchase", "purchases/1-1"));
}

TEST_CASE("Explain: what has no such name is not found", "[service][operator]") {
  const LivingWorld world;
  for (const char* name : {"",
                           "/",
                           "purchases/",
                           "purchases/1-9",
                           "purchases/9-1",
                           "purchases/1",
                           "purchases/1-1-1",
                           "purchases/-1-1",
                           "purchases/1-99999999999999999999",
                           "lots/1-1",
                           "entries/1-1-99",
                           "members/7",
                           "windows/20260101",
                           "windows/20000101T000000Z",
                           "settlements/9",
                           "settlements/99999999999",
                           "settlements/1/lines/9",
                           "invoices/x",
                           "nothing",
                           "a b",
                           "\x01",
                           "partners/none/contracts/1",
                           "parkedItems/1-x",
                           "parkedItems/x"}) {
    INFO(name);
    v1::ExplainRequest request;
    request.set_name(name);
    CHECK(ReasonOf(world.Try("auditor", &Stub::Explain, request).status()) ==
          Reason::kNameNotFound);
  }
}

}  // namespace guilder::operator_
