#include "services/settlement/domain/bank_matching.h"

#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

ObligationKey Key(int settlement, int partner) {
  return {SettlementId(settlement), PartnerId(partner)};
}

Owed PartnerOwes(int64_t amount, int64_t paid = 0, int64_t written_off = 0) {
  return {false, MinorUnits(amount), MinorUnits(paid), MinorUnits(written_off)};
}

BookedPayment In(int64_t amount, bool returned = false) {
  return {true, MinorUnits(amount), returned};
}
BookedPayment Out(int64_t amount, bool returned = false) {
  return {false, MinorUnits(amount), returned};
}

void CheckMatch(const BookedPayment& payment, const std::optional<Owed>& owed, BankOutcome outcome,
                int64_t applied, int64_t suspense, bool named = true) {
  INFO(payment.amount << " " << BankOutcomeName(outcome));
  const BankMatch match = MatchPayment(payment, named, owed, MinorUnits());
  CHECK(match.outcome == outcome);
  CHECK(match.applied == MinorUnits(applied));
  CHECK(match.suspense == MinorUnits(suspense));
}

TEST_CASE("ObligationsNamedIn: references are words of their own", "[unit][settlement][inv-92]") {
  const std::vector<ObligationKey> none;

  CHECK(ObligationsNamedIn("GLD-12-7") == std::vector{Key(12, 7)});
  CHECK(ObligationsNamedIn("Payment of GLD-12-7, thank you.") == std::vector{Key(12, 7)});
  CHECK(ObligationsNamedIn("GLD-1-2/GLD-1-3 GLD-1-2") == std::vector{Key(1, 2), Key(1, 3)});
  for (const char* const text :
       {"", "GLD", "GLD-12", "GLD-12-", "GLD-0-7", "GLD-12-07", "gld-12-7", "XGLD-12-7",
        "GLD-12-7-1", "GLD-12-7x", "GLD--12-7", "GLD-99999999999-1", "GLD-+1-2"}) {
    INFO(text);
    CHECK(ObligationsNamedIn(text) == none);
  }
}

TEST_CASE("InvoicesNamedIn: invoice numbers are words of their own", "[unit][settlement][inv-92]") {
  CHECK(InvoicesNamedIn("INV-2026-000001 and SB-2026-000017") ==
        std::vector<std::string>{"INV-2026-000001", "SB-2026-000017"});
  CHECK(InvoicesNamedIn("INV-2026-1 INV-20260-00001 XINV-2026-000001 INV-2026-00000a").empty());
}

TEST_CASE(
    "FileOfMessage: only a payment file's id names a settlement, and none is an end-to-end id",
    "[unit][settlement][inv-92]") {
  for (const PaymentFileKey file :
       {PaymentFileKey{SettlementId(12), 1}, PaymentFileKey{SettlementId(12), 3}}) {
    CHECK(FileOfMessage(MessageIdOf(file)) == file);
    CHECK(ObligationsNamedIn(MessageIdOf(file)).empty());
  }
  CHECK(FileOfMessage("GLD-12-2") == PaymentFileKey{SettlementId(12), 2});
  CHECK_FALSE(FileOfMessage("GLD-").has_value());
  CHECK_FALSE(FileOfMessage("GLD-12.").has_value());
  CHECK_FALSE(FileOfMessage("OrgnlMsgId").has_value());
}

TEST_CASE("MatchPayment: exact, partial, over and second payments of a partner",
          "[unit][settlement][inv-92]") {
  CheckMatch(In(100), PartnerOwes(100), BankOutcome::kExact, 100, 0);
  CheckMatch(In(99), PartnerOwes(100), BankOutcome::kPartial, 99, 0);
  CheckMatch(In(1), PartnerOwes(100, 99), BankOutcome::kExact, 1, 0);
  CheckMatch(In(101), PartnerOwes(100), BankOutcome::kOver, 100, 1);
  CheckMatch(In(50), PartnerOwes(100, 30, 40), BankOutcome::kOver, 30, 20);
  CheckMatch(In(100), PartnerOwes(100, 100), BankOutcome::kAlreadyPaid, 0, 100);
  CheckMatch(In(60), PartnerOwes(100, 0, 100), BankOutcome::kRecovered, 60, 0);
  CheckMatch(In(130), PartnerOwes(100, 0, 100), BankOutcome::kRecovered, 100, 30);
}

TEST_CASE("MatchPayment: what names nothing, or nothing that is, goes to suspense",
          "[unit][settlement][inv-92]") {
  CheckMatch(In(100), std::nullopt, BankOutcome::kUnknown, 0, 100, /*named=*/false);
  CheckMatch(In(100), std::nullopt, BankOutcome::kWrongReference, 0, 100);
  CheckMatch(Out(100), PartnerOwes(100), BankOutcome::kWrongReference, 0, 100);
}

TEST_CASE("MatchPayment: a return takes back what was paid, and no more",
          "[unit][settlement][inv-92]") {
  const Owed paid{true, MinorUnits(100), MinorUnits(100), MinorUnits()};
  const Owed unpaid{true, MinorUnits(100), MinorUnits(), MinorUnits()};

  CheckMatch(In(100, true), paid, BankOutcome::kReturned, -100, 0);
  CheckMatch(In(100), paid, BankOutcome::kReturned, -100, 0);
  CheckMatch(In(120, true), paid, BankOutcome::kReturned, -100, 20);
  CheckMatch(In(100, true), unpaid, BankOutcome::kWrongReference, 0, 100);
  CheckMatch(Out(60, true), PartnerOwes(100, 100), BankOutcome::kReturned, -60, 0);
  CheckMatch(Out(60, true), PartnerOwes(100, 60, 40), BankOutcome::kWrongReference, 0, 60);
  // Somebody's refund opens nothing that was paid.
  CheckMatch(Out(60), PartnerOwes(100, 100), BankOutcome::kWrongReference, 0, 60);
  // What came back does not pay what it names.
  CheckMatch(Out(100, true), unpaid, BankOutcome::kWrongReference, 0, 100);
}

TEST_CASE("MatchPayment: what goes back is first what was too much", "[unit][settlement][inv-92]") {
  const auto check = [](const BookedPayment& payment, int64_t countersuspense, BankOutcome outcome,
                        int64_t from_suspense, int64_t applied, int64_t suspense) {
    const BankMatch match =
        MatchPayment(payment, true, PartnerOwes(100, 100), MinorUnits(countersuspense));
    CHECK(match.outcome == outcome);
    CHECK(match.from_suspense == MinorUnits(from_suspense));
    CHECK(match.applied == MinorUnits(applied));
    CHECK(match.suspense == MinorUnits(suspense));
  };
  check(Out(130, true), 30, BankOutcome::kReturned, 30, -100, 0);
  check(Out(20, true), 30, BankOutcome::kReturned, 20, 0, 0);
  check(Out(30), 30, BankOutcome::kRefunded, 30, 0, 0);
  check(Out(50), 30, BankOutcome::kRefunded, 30, 0, 20);
}

}  // namespace
}  // namespace guilder::settlement
