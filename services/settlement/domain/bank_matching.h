// What a payment in a bank statement settles. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// What one side of a settlement has to pay: its number and the partner.
struct ObligationKey {
  SettlementId settlement;
  PartnerId partner;
  friend auto operator<=>(const ObligationKey&, const ObligationKey&) = default;
};

// The obligations whose end-to-end ids ("GLD-12-7") stand in a text as words of their own, each
// once.
std::vector<ObligationKey> ObligationsNamedIn(std::string_view text);
// The invoice numbers that stand in a text as words of their own: "INV-2026-000001".
std::vector<std::string> InvoicesNamedIn(std::string_view text);
// A payment file: its settlement, and its number among the settlement's files.
struct PaymentFileKey {
  SettlementId settlement;
  int number = 1;
  friend bool operator==(const PaymentFileKey&, const PaymentFileKey&) = default;
};
// The file of a message id: "GLD-12", or "GLD-12.2" of a second file, which nobody takes for an
// end-to-end id.
std::optional<PaymentFileKey> FileOfMessage(std::string_view message_id);
std::string MessageIdOf(const PaymentFileKey& file);

// A payment as the bank has booked it.
struct BookedPayment {
  bool credit = false;  // It came in.
  MinorUnits amount;    // Above zero.
  // The bank says that it came back.
  bool returned = false;
};

// An obligation, as far as it is known to be paid.
struct Owed {
  bool partner_is_paid = false;
  MinorUnits amount;
  MinorUnits paid;
  MinorUnits written_off;
  MinorUnits Open() const { return amount - paid - written_off; }
};

// Names are those of settlement.bank_entries.outcome.
enum class BankOutcome {
  kPending,         // Not looked at yet.
  kExact,           // Pays what was open.
  kPartial,         // Pays a part of it.
  kOver,            // Pays it, and more: the rest is in suspense.
  kAlreadyPaid,     // Nothing was open any more: all of it is in suspense.
  kReturned,        // Takes an earlier payment back.
  kWrongReference,  // Names what it cannot pay, or more than one thing: in suspense.
  kUnknown,         // Names nothing: in suspense.
  kOtherAccount,    // Not of the programme's account: nothing is posted.
  kOtherCurrency,   // Not in the programme's currency: nothing is posted.
  kNotBooked,       // Announced only: nothing is posted.
  kDuplicate,       // The entry was in an earlier file: nothing is posted.
  kAccepted,        // A status report: the bank has the payment, or has carried it out.
  kRejected,        // A status report: nothing will come of the payment.
  kRefunded,        // Gives back what was too much, out of suspense.
  kRecovered,       // Pays what was written off: the loss is less.
  kSuperseded,      // A status report of a file whose payments are in a later one by now.
  kNoAmount,        // Booked, of nothing.
};
std::string_view BankOutcomeName(BankOutcome outcome);
std::optional<BankOutcome> BankOutcomeFromName(std::string_view name);

struct BankMatch {
  BankOutcome outcome = BankOutcome::kUnknown;
  // What it changes the obligation's paid amount by; below zero for a return.
  MinorUnits applied;
  // What it gives back of payments that are in suspense.
  MinorUnits from_suspense;
  // What is left, and waits for somebody.
  MinorUnits suspense;
};

// Matches a payment with the one obligation that it names, or with none. `named` is whether it
// named anything at all. |applied| + from_suspense + suspense is the payment's amount.
//
// What goes the other way gives back first what is in suspense of the obligation's payments: it was
// too much. Then it takes back what was paid, if the bank says that a payment came back, or if it
// is a payout that did; a refund that somebody made never opens what a partner has paid.
BankMatch MatchPayment(const BookedPayment& payment, bool named, const std::optional<Owed>& owed,
                       MinorUnits countersuspense);

}  // namespace guilder::settlement
