// The command that records a purchase, as lanes run it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/base/reason.h"
#include "services/accrual/domain/earning.h"
#include "services/accrual/rpc/commands.h"
#include "services/accrual/rpc/earning_batch.h"

namespace guilder::accrual {

class PurchaseCommand final : public AccrualCommand {
 public:
  // `terminal_time` is what the terminal's clock showed as it sent it; none where it is not known.
  PurchaseCommand(Purchase asked, std::optional<Quote> quote,
                  std::optional<Timestamp> terminal_time);

  EarningOf earning() const {
    return {book, account, partner, &purchase_, quote_ ? &*quote_ : nullptr, request_id};
  }
  const std::optional<Quote>& quote() const { return quote_; }

  bool KnowsTerminalTime() const { return terminal_time_.has_value(); }
  // Before it is loaded: moves the purchase by what its terminal's clock is off.
  void NormaliseClock(Timestamp now);

  // Somebody has looked at it: however often its member came, it is recorded.
  void SetReviewed() { reviewed_ = true; }

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override;
  void OnAccepted() override;
  absl::Status OnNaturalKeyTaken(const ledger::JournalPlace& winner,
                                 ledger::RecordKind winner_kind) override;
  ParkedItem ToParkedItem() const override;

  // Set by Load: what the purchases of its batch share.
  std::shared_ptr<EarningBatch> batch;

 private:
  // Whether the member has come to the till more often than the rules take for usual, now or as it
  // was asked for before: what waits for somebody, or was closed, is not recorded by asking later.
  bool ComesTooOften() const;
  // A refusal that the rules in force say is parked.
  absl::Status ParkedIfDeclared(absl::Status refusal, Timestamp now);
  absl::Status Parked(const absl::Status& refusal);

  const Purchase asked_;
  const std::optional<Quote> quote_;
  const std::optional<Timestamp> terminal_time_;
  // As it is recorded.
  Purchase purchase_;
  std::string encoded_;
  bool clock_is_wrong_ = false;
  bool reviewed_ = false;
  PurchaseOutcome outcome_;
  std::string conflicts_with_;
  // Why it is parked.
  Reason parked_for_ = Reason::kReceiptConflict;
};

}  // namespace guilder::accrual
