#include "services/accrual/rpc/commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/batch.h"
#include "libs/ledger/store/programme.h"
#include "services/accrual/rpc/purchase_command.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/accrual/store/earning_rows.h"
#include "services/accrual/store/receipt_claim.h"
#include "services/accrual/store/sales.h"

namespace guilder::accrual {
namespace {

using ledger::DecisionContext;
using ledger::Posting;
using ledger::RecordKind;
using ledger::RecordName;

class ReturnCommand final : public AccrualCommand {
 public:
  ReturnCommand(Sale sale, Return returned, std::optional<ParkedItem> parked)
      : sale_(std::move(sale)),
        returned_(std::move(returned)),
        parked_(std::move(parked)),
        asked_(EncodeReturn(returned_, sale_.book, sale_.number)) {
    kind = RecordKind::kReturn;
    content = asked_;
    fingerprint = Sha256({asked_});
    refers_to = sale_.number;
    const PurchaseOutcome& outcome = sale_.recorded.outcome;
    const bool restores = outcome.captured > Points(0);
    if (outcome.points > Points(0) || restores) needs_lot = FirstLotOfReturn(sale_);
    if (restores) hold = sale_.recorded.purchase.redemption;
    // What is written off may be the operator-partner's to pay.
    issues = ledger::Issues::kOperatorPartnersPoints;
  }

  const Sale* sale() const override { return &sale_; }
  const ReturnOutcome& outcome() const { return outcome_; }

  // What two people let post may have been closed since, or be of another sale. Until the
  // transaction ends nobody does either.
  absl::Status CheckApproved(postgres::Transaction& tx) const {
    if (!parked_ || parked_->proposed_purchase.empty()) return absl::OkStatus();
    GUILDER_ASSIGN_OR_RETURN(const ParkedItem item, LockParkedItem(tx, partner, request_id));
    const bool approved =
        !item.resolved && !item.approved_by.empty() && EtagOf(item) == EtagOf(*parked_);
    return approved ? absl::OkStatus() : Refuse(Reason::kWrongState, "it is not approved any more");
  }

  // The limits that the return may give back to, and spend from besides the operator-partner's.
  void SetLimits(const ledger::Configuration& configuration) {
    limits.clear();
    payers.clear();
    const DatedRuleSet* const set = rules->Find(sale_.recorded.outcome.rule_set);
    if (set == nullptr) return;
    if (MayBeGivenBySeller(sale_, set->rules->rule_set().policies)) payers = {partner};
    for (const CountedCap& cap : CountedCapsOf(*set, partner, sale_.recorded.purchase.occurred_at,
                                               configuration.calendar().time_zone())) {
      const bool refilled = set->rules->rule_set().caps[cap.cap].refilled_by_returns;
      if (refilled && !cap.of_member) limits.push_back(LimitOf(cap.counter));
    }
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(load_status);
    const ledger::Partner* seller = context.configuration.FindPartner(partner);
    if (seller == nullptr || !seller->stores.contains(returned_.store)) {
      return Refuse(Reason::kStoreNotFound);
    }
    if (!seller->MayTakeReturns(posting.now())) return Refuse(Reason::kPartnerNotActive);
    const SaleTerms terms = TermsOfSale(sale_, context.configuration, *rules);
    const TakenBack before = FoldReturns(sale_, terms, returns);
    GUILDER_ASSIGN_OR_RETURN(
        outcome_,
        DecideReturn(sale_, returned_,
                     {terms, before, context.configuration, !context.exhausted.empty()}, posting));
    for (const CounterUse& use : outcome_.counted) {
      if (!use.of_member) spends[LimitOf(use.counter)] += use.points;
    }
    content = EncodeRecordedReturn(returned_, outcome_, sale_.book, sale_.number);
    v1::RecordReturnResponse response;
    response.set_name(RecordName(kind, book, posting.number()));
    FillReturn(sale_, outcome_, context.configuration, response);
    return response.SerializeAsString();
  }

  absl::Status OnNaturalKeyTaken(const ledger::JournalPlace& winner,
                                 RecordKind winner_kind) override {
    conflicts_with_ = RecordName(winner_kind, winner.book, winner.number);
    return Refuse(
        Reason::kReceiptConflict, "another return of the sale has this number",
        {{"parked_item", ParkedItemName(partner, request_id)}, {"return", conflicts_with_}});
  }
  ParkedItem ToParkedItem() const override {
    ParkedItem item = parked_.value_or(ParkedItem());
    item.partner = partner;
    item.request_id = request_id;
    item.account = account;
    item.reason = ReasonName(Reason::kReceiptConflict);
    item.created_at = place.posted_at;
    item.refers_to = conflicts_with_;
    item.kind = ParkedKind::kReturn;
    return item;
  }

 private:
  const Sale sale_;
  const Return returned_;
  // What to keep when it conflicts with another.
  const std::optional<ParkedItem> parked_;
  std::string conflicts_with_;
  const std::string asked_;
  ReturnOutcome outcome_;
};

class ConfirmationCommand final : public AccrualCommand {
 public:
  ConfirmationCommand(Sale sale, bool confirmed) : sale_(std::move(sale)), confirmed_(confirmed) {
    kind = RecordKind::kConfirmation;
    Encoder encoded;
    encoded.Unsigned(1).Id(sale_.book).Id(sale_.number).Unsigned(confirmed_ ? 1 : 0);
    content = encoded.Take();
    fingerprint = Sha256({content});
    refers_to = sale_.number;
    if (sale_.recorded.outcome.points > Points(0)) needs_lot = LotOf(sale_);
  }

  // Lots of other funders may be available, and returned in part, when a sale is cancelled.
  const Sale* sale() const override {
    const bool needs_returns = !confirmed_ && !sale_.recorded.outcome.parts.empty();
    return needs_returns ? &sale_ : nullptr;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    TakenBack taken_back;
    if (sale() != nullptr) {
      GUILDER_RETURN_IF_ERROR(load_status);
      const SaleTerms terms = TermsOfSale(sale_, context.configuration, *rules);
      taken_back = FoldReturns(sale_, terms, returns);
    }
    GUILDER_ASSIGN_OR_RETURN(const Points points,
                             DecideConfirmation(sale_, confirmed_, taken_back, posting));
    v1::Confirmation confirmation;
    confirmation.set_purchase(RecordName(RecordKind::kPurchase, sale_.book, sale_.number));
    confirmation.set_points(points.value());
    return confirmation.SerializeAsString();
  }

 private:
  const Sale sale_;
  const bool confirmed_;
};

// What all commands have in common.
void Address(ledger::Command& command, AccrualRows& rows, PartnerId partner, const Uuid& request_id,
             AccountId account) {
  command.rows = &rows;
  command.partner = partner;
  command.request_id = request_id;
  command.account = account;
  command.book = ledger::BookOf(account);
}

std::unique_ptr<PurchaseCommand> AddressedPurchase(AccrualRows& rows, PartnerId partner,
                                                   const Uuid& request_id, AccountId account,
                                                   Purchase purchase, std::optional<Quote> quote,
                                                   std::optional<Timestamp> terminal_time) {
  const Uuid natural_key = ReceiptClaim(partner, purchase.receipt);
  auto command =
      std::make_unique<PurchaseCommand>(std::move(purchase), std::move(quote), terminal_time);
  Address(*command, rows, partner, request_id, account);
  command->natural_key = natural_key;
  return command;
}

}  // namespace

std::string ParkedItemName(PartnerId partner, const Uuid& request_id) {
  return absl::StrCat("parkedItems/", partner.value(), "-", FormatUuid(request_id));
}

void AccrualRows::Load(postgres::Transaction& tx, const ledger::Configuration& configuration,
                       const std::vector<ledger::Command*>& commands) {
  const absl::StatusOr<std::shared_ptr<const RuleBook>> rules = rule_books_.Read(tx, configuration);
  std::vector<SaleId> sales;
  std::vector<PurchaseCommand*> purchases;
  for (ledger::Command* command : commands) {
    auto& ours = static_cast<AccrualCommand&>(*command);
    ours.load_status = rules.status();
    if (rules.ok()) ours.rules = *rules;
    if (const Sale* sale = ours.sale()) sales.emplace_back(sale->book, sale->number);
    if (ours.kind == RecordKind::kPurchase) {
      purchases.push_back(static_cast<PurchaseCommand*>(&ours));
    }
  }
  if (rules.ok()) LoadPurchases(tx, configuration, **rules, purchases);
  if (sales.empty() || !rules.ok()) return;
  const auto returns = ReadReturns(tx, sales);
  for (ledger::Command* command : commands) {
    auto& ours = static_cast<AccrualCommand&>(*command);
    const Sale* sale = ours.sale();
    if (sale == nullptr) continue;
    ours.load_status = returns.status();
    ours.returns.clear();
    if (!returns.ok()) continue;
    const auto found = returns->find({sale->book, sale->number});
    if (found != returns->end()) ours.returns = found->second;
    if (ours.kind != RecordKind::kReturn) continue;
    auto& returning = static_cast<ReturnCommand&>(ours);
    ours.load_status = returning.CheckApproved(tx);
    returning.SetLimits(configuration);
  }
}

void AccrualRows::LoadPurchases(postgres::Transaction& tx,
                                const ledger::Configuration& configuration, const RuleBook& rules,
                                const std::vector<PurchaseCommand*>& purchases) {
  if (purchases.empty()) return;
  const bool moves = std::any_of(purchases.begin(), purchases.end(),
                                 [](const PurchaseCommand* p) { return p->KnowsTerminalTime(); });
  if (moves) {
    const Timestamp now = ledger::ReadProgrammeClock(tx, configuration.programme().id);
    for (PurchaseCommand* purchase : purchases) purchase->NormaliseClock(now);
  }
  std::vector<EarningOf> earnings;
  earnings.reserve(purchases.size());
  for (const PurchaseCommand* purchase : purchases) earnings.push_back(purchase->earning());
  const auto batch =
      std::make_shared<EarningBatch>(tx, configuration, rules, reader_, earnings, known_limits_);
  for (size_t i = 0; i < purchases.size(); ++i) {
    purchases[i]->batch = batch;
    purchases[i]->limits.clear();
    for (const CounterId counter : batch->LimitsOf(i)) {
      purchases[i]->limits.push_back(LimitOf(counter));
    }
    purchases[i]->payers = batch->PayersOf(i);
  }
}

absl::Status AccrualRows::Take(postgres::Transaction& tx,
                               const std::vector<ledger::Command*>& commands) {
  std::vector<UsedQuote> quotes;
  for (const ledger::Command* command : commands) {
    if (command->parked || command->kind != RecordKind::kPurchase) continue;
    const auto& quote = static_cast<const PurchaseCommand&>(*command).quote();
    if (quote) quotes.push_back({quote->id, command->place.book, command->place.number});
  }
  return UseQuotes(tx, std::move(quotes)) ? absl::OkStatus() : ledger::ClaimTaken();
}

void AccrualRows::Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) {
  std::vector<ParkedItem> parked;
  std::shared_ptr<EarningBatch> batch;
  Counts given_back;
  for (const ledger::Command* command : commands) {
    const auto& ours = static_cast<const AccrualCommand&>(*command);
    if (ours.parked) {
      parked.push_back(ours.ToParkedItem());
    } else if (ours.kind == RecordKind::kReturn) {
      ResolvePosted(tx, ours.partner, ours.request_id, ours.place.posted_at);
      for (const CounterUse& use : static_cast<const ReturnCommand&>(ours).outcome().counted) {
        given_back[{ours.book, use.of_member ? ours.account : AccountId(), use.counter}] -=
            use.points;
      }
    } else if (ours.kind == RecordKind::kPurchase) {
      batch = static_cast<const PurchaseCommand&>(ours).batch;
    }
  }
  if (batch != nullptr) AddToCounters(tx, batch->added());
  GiveBackToCounters(tx, given_back);
  ParkItems(tx, parked);
}

std::unique_ptr<ledger::Command> MakePurchaseCommand(AccrualRows& rows, PartnerId partner,
                                                     const Uuid& request_id, AccountId account,
                                                     Purchase purchase, std::optional<Quote> quote,
                                                     std::optional<Timestamp> terminal_time) {
  return AddressedPurchase(rows, partner, request_id, account, std::move(purchase),
                           std::move(quote), terminal_time);
}

std::unique_ptr<ledger::Command> MakeParkedPurchaseCommand(AccrualRows& rows, PartnerId partner,
                                                           const Uuid& request_id,
                                                           AccountId account, Purchase purchase,
                                                           bool reviewed) {
  auto command = AddressedPurchase(rows, partner, request_id, account, std::move(purchase),
                                   std::nullopt, std::nullopt);
  if (reviewed) command->SetReviewed();
  return command;
}

std::unique_ptr<ledger::Command> MakeReturnCommand(AccrualRows& rows, PartnerId partner,
                                                   const Uuid& request_id, Sale sale,
                                                   Return returned, absl::TimeZone zone,
                                                   std::optional<ParkedItem> asked) {
  const AccountId account = sale.account;
  std::optional<Uuid> claim;
  if (asked) claim = ReturnClaim(partner, sale, returned, zone);
  auto command =
      std::make_unique<ReturnCommand>(std::move(sale), std::move(returned), std::move(asked));
  Address(*command, rows, partner, request_id, account);
  command->natural_key = claim;
  return command;
}

std::unique_ptr<ledger::Command> MakeConfirmationCommand(AccrualRows& rows, PartnerId partner,
                                                         const Uuid& request_id, Sale sale,
                                                         bool confirmed) {
  const AccountId account = sale.account;
  auto command = std::make_unique<ConfirmationCommand>(std::move(sale), confirmed);
  Address(*command, rows, partner, request_id, account);
  return command;
}

}  // namespace guilder::accrual
