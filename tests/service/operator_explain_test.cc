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

// What a bank, a partner and operators said of the settlement afterwards.
constexpr char kEvidence[] = R"sql(
  insert into settlement.bank_files (kind, message_id, digest, request_id, imported_by, imported_at_us)
  values ('STATEMENT', 'M-1', '\x01', gen_random_uuid(), 'anna', 1);
  insert into settlement.bank_entries (file_id, account, bank_reference, booking_date, credit, currency,
                                       amount, end_to_end_id, counterparty_name, counterparty_account,
                                       remittance, return_reason, identity, outcome, settlement_id,
                                       partner_id, applied)
  values (1, 'DE', 'B-1', '2026-01-03', true, 'EUR', 100, 'GLD-1-1', 'Fresh', '', 'thanks', '',
          '\x01', 'PARTIAL', 1, 1, 100);
  insert into settlement.reconciliations (partner_id, window_start_us, submitted_at_us, submitted_by,
                                          request_id, fingerprint, lines, matched, missing_here,
                                          missing_there, amount_differs, duplicates, cleared)
  values (1, 0, 0, 'till', gen_random_uuid(), '\x01', 2, 1, 0, 0, 1, 0, 0);
  insert into settlement.breaks (reconciliation_id, partner_id, window_start_us, kind, item, subject,
                                 reference, points_here, points_there, state, opened_at_us)
  values (1, 1, 0, 'AMOUNT_DIFFERS', 'PURCHASE', 'purchases/1-1', '', 30, 31, 'OPEN', 0);
  insert into settlement.adjustments (partner_id, settlement_id, line, source, net, tax, posted_by,
                                      posted_at_us)
  values (1, 1, 1, 'disputes/1', 10, 2, 'bert', 1);
  insert into settlement.credit_notes (credit_note_number, invoice_number, adjustment_id, issued_at_us)
  values ('CN-2026-000001', 'INV-2026-000001', 1, 1);
  insert into settlement.disputes (partner_id, settlement_id, line, amount, reason, evidence,
                                   evidence_name, state, excluded, opened_by, opened_at_us, deadline_us,
                                   default_outcome, resolved_by, resolved_at_us, note, credited,
                                   adjustment_id, request_id)
  values (1, 1, 1, 20, 'cancelled', decode(repeat('00', 32), 'hex'), '', 'UPHELD', false, 'till', 1, 2,
          'REJECTED', 'bert', 2, 'yes', 10, 1, gen_random_uuid());
)sql";

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
  CHECK(Has(steps, "obligation", "settlements/1/obligations/fresh",
            "for issuance 1.30 EUR, tax 0.25 EUR"));
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

TEST_CASE("Explain: what was said of a settlement leads to it", "[service][operator][inv-92]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  world.network.database().Query(kEvidence);
  const std::vector<std::pair<std::string, std::string>> names = {
      {"bankFiles/1", "bank file"},
      {"bankEntries/1", "bank entry"},
      {"breaks/1", "break"},
      {"reconciliations/1", "reconciliation"},
      {"disputes/1", "dispute"},
      {"adjustments/1", "adjustment"},
      {"invoices/CN-2026-000001", "credit note"}};
  for (const auto& [name, kind] : names) {
    INFO(name);
    const std::vector<v1::ExplanationStep> steps = world.Explain(name);
    REQUIRE_FALSE(steps.empty());
    CHECK(steps[0].name() == name);
    CHECK(steps[0].kind() == kind);
    CHECK_FALSE(steps[0].text().empty());
  }

  CHECK(Has(world.Explain("bankEntries/1"), "purchase", "purchases/1-2"));
  CHECK(Has(world.Explain("breaks/1"), "purchase", "purchases/1-1"));
  CHECK(Has(world.Explain("disputes/1"), "invoice line", "settlements/1/lines/1"));
  CHECK(Has(world.Explain("invoices/CN-2026-000001"), "adjustment", "adjustments/1",
            "for invoices/INV-2026-000001"));
  CHECK(Has(world.Explain("GLD-1-1"), "bank entry", "bankEntries/1", "1.00 EUR in"));
}

TEST_CASE("Explain: what money was posted for leads to it, and what is carried is no obligation",
          "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  world.network.database().Query(R"sql(
    insert into settlement.write_offs (settlement_id, partner_id, amount, note, proposed_by,
                                       proposed_at_us)
    values (1, 1, 55, 'gone', 'anna', 1);
    insert into settlement.payment_files (settlement_id, number, file_name, content, payments, total)
    values (1, 1, 'settlement-1.xml', '', 2, 700);
    insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, request_id,
                                      contract_id)
    select 1, 7, 500, start_us, 'anna', gen_random_uuid(), 1 from settlement.settlements;
    insert into settlement.lines (settlement_id, line, partner_id, contract_id, leg, points,
                                  cumulative_points, amount, tax_code, tax_ppm, tax)
    values (1, 2, 1, 1, 'POINT_BLOCK', 500, 500, 500, 'S19', 190000, 95);
    insert into settlement.nets (settlement_id, partner_id, points_issued, points_reversed,
                                 points_redeemed, issuance, reimbursement, fee, tax, net, breakage,
                                 carried_in, carried_out)
    values (1, 2, 0, 0, 0, 0, 300, 0, 0, 340, 40, 10, 350);
  )sql");
  const std::vector<std::pair<std::string, std::string>> names = {
      {"settlements/1/writeOffs/1", "write-off"},
      {"GLD-1", "payment file"},
      {"partners/fresh/pointBlocks/7", "point block"},
      {"moneyTransactions/1", "money transaction"}};
  for (const auto& [name, kind] : names) {
    INFO(name);
    const std::vector<v1::ExplanationStep> steps = world.Explain(name);
    REQUIRE_FALSE(steps.empty());
    CHECK(steps[0].name() == name);
    CHECK(steps[0].kind() == kind);
  }

  CHECK(Has(world.Explain("INV-2026-000001"), "invoice", "invoices/INV-2026-000001"));
  CHECK(Has(world.Explain("settlements/1/lines/2"), "point block", "partners/fresh/pointBlocks/7",
            "500 points sold to partners/fresh by anna"));
  CHECK(Has(world.Explain("moneyTransactions/1"), "money entry", "",
            "1.30 EUR from POINTS_LIABILITY to PARTNER_RECEIVABLE of partners/fresh"));
  CHECK(Has(world.Explain("moneyTransactions/1"), "settlement", "settlements/1"));
  CHECK(
      Has(world.Explain("settlements/1"), "net", "partners/diner",
          "no obligation: reimbursement 3.00 EUR, breakage 0.40 EUR; carried in 0.10 EUR; carried "
          "forward 3.50 EUR"));
  CHECK_FALSE(Has(world.Explain("settlements/1"), "obligation", "settlements/1/obligations/diner"));
  v1::ExplainRequest request;
  request.set_name("settlements/1/obligations/diner");
  CHECK(ReasonOf(world.Try("auditor", &Stub::Explain, request).status()) == Reason::kNameNotFound);
}

TEST_CASE("Explain: a redemption says which lots it could not be paid with, and why",
          "[service][operator][inv-54]") {
  LivingWorld world;
  const ledger::Restriction several = ledger::Restriction::OnlyAt({PartnerId(1), PartnerId(2)});
  for (const ledger::Restriction& only :
       {ledger::Restriction(PartnerId(1)), ledger::Restriction(ledger::kOnlyGifts), several}) {
    world.Post(ledger::RecordKind::kAdjustment, "", [&only](ledger::Posting& posting) {
      return ledger::DecideEarn(posting, {.issuer = PartnerId(1),
                                          .contract = ContractId(1),
                                          .points = Points(5),
                                          .activates_at = Timestamp(0),
                                          .restricted_to = only});
    });
  }
  world.Post(ledger::RecordKind::kAuthorization, "", [](ledger::Posting& posting) {
    return ledger::DecideHold(posting, {.partner = PartnerId(2),
                                        .store = StoreId(1),
                                        .contract = ContractId(2),
                                        .points = Points(1),
                                        .expires_at = kNever - Timestamp(1)});
  });

  const std::vector<v1::ExplanationStep> steps = world.Explain("redemptions/1-7");

  INFO(Text(steps));
  CHECK(
      Has(steps, "lot", "lots/1-4096", "not used: its points may be spent only at partners/fresh"));
  CHECK(Has(steps, "lot", "lots/1-5120", "not used: its points may be spent only on gifts"));
  CHECK_FALSE(Has(steps, "lot", "lots/1-6144"));
  CHECK_FALSE(Has(steps, "lot", "lots/1-2048"));
  // That was before they came.
  CHECK_FALSE(Has(world.Explain("redemptions/1-3"), "lot", "lots/1-4096"));
  CHECK(Has(world.Explain("lots/1-6144"), "lot", "lots/1-6144",
            "may be spent only at partners/diner, partners/fresh"));
}

TEST_CASE("Explain: lots that were empty by then are not among those that could not pay",
          "[service][operator][inv-54]") {
  LivingWorld world;
  const auto spend = [&world](PartnerId partner, int64_t points) {
    world.Post(ledger::RecordKind::kAuthorization, "", [&](ledger::Posting& posting) {
      return ledger::DecideHold(posting, {.partner = partner,
                                          .store = StoreId(1),
                                          .contract = ContractId(2),
                                          .points = Points(points),
                                          .expires_at = kNever - Timestamp(1)});
    });
  };
  world.Post(ledger::RecordKind::kAdjustment, "", [](ledger::Posting& posting) {
    return ledger::DecideEarn(posting, {.issuer = PartnerId(1),
                                        .contract = ContractId(1),
                                        .points = Points(5),
                                        .activates_at = Timestamp(0),
                                        .restricted_to = ledger::Restriction(PartnerId(1))});
  });
  spend(PartnerId(1), 4);
  spend(PartnerId(2), 1);
  spend(PartnerId(1), 1);
  spend(PartnerId(2), 1);

  CHECK(Has(world.Explain("redemptions/1-6"), "lot", "lots/1-4096",
            "not used: its points may be spent only at partners/fresh"));
  CHECK_FALSE(Has(world.Explain("redemptions/1-8"), "lot", "lots/1-4096"));
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
      {"moneyTransactions/1", "money transaction"},
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

TEST_CASE("Explain: partners, stores, cards and rewards lead to contracts, members and prices",
          "[service][operator]") {
  const LivingWorld world;
  // The redemption 1-3 of that world passes for an order and a voucher.
  world.network.database().Query(absl::StrCat(
      "insert into member.cards (card_number, account_id, book, state, issued_at_us, request_id) "
      "values (9780000000002, ",
      world.account.value(),
      ", 1, 1, 1, gen_random_uuid());"
      "insert into partner.stores (partner_id, code, display_name, time_zone) "
      "values (1, 's1', 'Store', 'Europe/Berlin');"
      "insert into catalogue.rewards (slug, kind, display_name, description, withdrawn, "
      "price_ttl_seconds, stock_limited, per_member_limit, valid_from_us, valid_until_us, regions, "
      "confirm_within_days, face_amount, partner_ids, single_use, validity_days, revision) values "
      "('ten-euros', 2, 'Ten euros', '', false, 60, false, 0, 0, 9, '', 0, 1000, '{}', false, 30, "
      "1);"
      "insert into catalogue.reward_prices (reward_id, version, points, money_amount) "
      "values (1, 1, 900, 0), (1, 2, 950, 50);"
      "insert into catalogue.vouchers (book, single_use, number, account_id, reward_id, "
      "price_version, points, face_amount, used_amount, issued_at_us, expires_at_us, partner_ids) "
      "values (1, false, 3, 1, 1, 2, 950, 1000, 250, 1, 9, '{}')"));
  const std::string member = absl::StrCat("members/", world.account.value());

  CHECK(Has(world.Explain("partners/fresh"), "partner", "partners/fresh", "ACTIVE"));
  CHECK(Has(world.Explain("partners/fresh"), "contract", "partners/fresh/contracts/1"));
  CHECK(Has(world.Explain("partners/fresh/stores/s1"), "store", "partners/fresh/stores/s1"));
  CHECK(Has(world.Explain("partners/fresh/stores/s1"), "contract", "partners/fresh/contracts/1"));
  CHECK(Has(world.Explain("cards/9780000000002"), "card", "cards/9780000000002", member));
  CHECK(Has(world.Explain("cards/9780000000002"), "member", member));
  CHECK(Has(world.Explain("rewards/ten-euros"), "reward", "rewards/ten-euros", "Ten euros"));
  CHECK(Has(world.Explain("rewards/ten-euros"), "price", "", "version 2: 950 points and 0.50 EUR"));
  CHECK(Has(world.Explain("redemptions/1-3"), "voucher's worth", "rewards/ten-euros",
            "10.00 EUR for 950 points by price version 2, 2.50 EUR of it used"));
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
                           "bankEntries/9",
                           "bankFiles/9",
                           "breaks/9",
                           "reconciliations/9",
                           "disputes/9",
                           "adjustments/9",
                           "invoices/CN-2026-000009",
                           "GLD-9-9",
                           "GLD-1-99999999999",
                           "GLD--",
                           "settlements/99999999999",
                           "settlements/1/lines/9",
                           "invoices/x",
                           "nothing",
                           "a b",
                           "\x01",
                           "partners/none",
                           "partners/none/contracts/1",
                           "partners/fresh/stores/none",
                           "cards/9",
                           "rewards/none",
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
