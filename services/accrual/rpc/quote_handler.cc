// Quotes: the deciders that record a purchase, run on a copy.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/payable.h"
#include "libs/ledger/core/unwritten.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/reader.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/keys.h"
#include "services/accrual/rpc/accrual_handlers.h"
#include "services/accrual/rpc/earned_lots.h"
#include "services/accrual/rpc/explanations.h"
#include "services/accrual/rpc/member_facts.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/accrual/store/earning_rows.h"

namespace guilder::accrual {
namespace {

// What a purchase would be decided over now, read without locking anything.
struct Ground {
  ledger::AccountAsOfNow account;
  ledger::CardView card;
  std::shared_ptr<const RuleBook> rules;
  EarningTerms terms;
  std::vector<ledger::ExhaustedLimit> left;
};

void ReadTerms(postgres::Transaction& tx, const ledger::Configuration& configuration,
               const security::MemberDataReader& reader, PartnerId partner,
               const Purchase& purchase, Ground& ground) {
  const AccountId account = ground.account.state.id;
  // Whatever rules ask: the till shows the tier.
  ground.terms.member = ReadMemberFacts(tx, reader, {{account, purchase.occurred_at}})[0];
  const DatedRuleSet* const set = ground.rules->At(purchase.occurred_at);
  if (set == nullptr) return;
  std::vector<CounterKey> keys;
  std::vector<CapLimit> limits;
  for (const CountedCap& cap :
       CountedCapsOf(*set, partner, purchase.occurred_at, configuration.calendar().time_zone())) {
    if (cap.of_member) {
      keys.push_back({ledger::BookOf(account), account, cap.counter});
    } else {
      limits.push_back({cap.counter, cap.points});
    }
  }
  for (const auto& [key, points] : ReadCounters(tx, keys))
    ground.terms.counts[key.counter] = points;
  const std::vector<Points> left = ReadLeft(tx, limits);
  for (size_t i = 0; i < limits.size(); ++i) {
    ground.left.push_back({LimitOf(limits[i].counter), left[i]});
  }
  if (!set->rules->PlanFor(partner).needs_first_purchase) return;
  const HasPurchased has = ReadPurchasers(tx, {{account, partner}})[0];
  ground.terms.member.first_at_partner = !has.at_partner;
  ground.terms.member.first_in_programme = !has.in_programme;
}

// What QuoteRedemption says of the same basket.
Points SpendableOn(const Purchase& purchase, const ledger::Configuration& configuration,
                   const ledger::Partner& partner, const ledger::AccountAsOfNow& account) {
  const ledger::Contract* const contract =
      partner.ContractAt(ledger::ContractKind::kRedemption, account.now);
  if (contract == nullptr || !partner.MayRedeem(account.now)) return Points(0);
  if (contract->currency != purchase.currency) return Points(0);
  std::vector<ledger::BasketLine> basket;
  for (const PurchaseLine& line : purchase.lines) {
    basket.push_back({line.sku, line.category, line.amount});
  }
  // A record that is never written.
  const ledger::Posting posting(account.state, ledger::kUnwrittenRecord, account.now);
  return ledger::PayableNow(configuration, *contract, basket, posting, {.partner = partner.id});
}

void AddMember(const ledger::AccountAsOfNow& account, PartnerId partner, Points spendable,
               v1::QuotedMember& out) {
  const ledger::AccountState& state = account.state;
  out.set_available_points(state.available.value());
  out.set_pending_points(state.pending.value());
  out.set_owed_points(state.debt.value());
  out.set_spendable_points(spendable.value());
  // A record that is never written.
  const ledger::Posting posting(state, ledger::kUnwrittenRecord, account.now);
  const Points here = posting.SpendableOn({.partner = partner});
  out.set_elsewhere_points((state.available - here).value());
}

}  // namespace

absl::StatusOr<v1::QuotePurchaseResponse> AccrualHandlers::QuotePurchase(
    const rpc::Call& call, const v1::QuotePurchaseRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::string slug, OwnSlug(call));
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  v1::QuotePurchaseRequest timed = request;
  if (!timed.has_occurred_at()) {
    GUILDER_ASSIGN_OR_RETURN(
        const Timestamp now,
        pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<Timestamp> {
          return ledger::ReadProgrammeClock(tx, programme);
        }));
    *timed.mutable_occurred_at() = rpc::ToProto(now);
  }
  GUILDER_ASSIGN_OR_RETURN(const Purchase purchase, FromProto(timed, slug));
  GUILDER_RETURN_IF_ERROR(call.CheckActsIn(purchase.receipt.store));
  const PartnerId partner = call.principal().partner;
  // A card that is shown for the first time gets its account; of others it is read below.
  GUILDER_RETURN_IF_ERROR(cards_.Find(purchase.card, call.deadline()).status());
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::QuotePurchaseResponse> {
    GUILDER_ASSIGN_OR_RETURN(const auto configuration,
                             ledger::CurrentConfiguration(tx, lanes_.configuration()));
    GUILDER_ASSIGN_OR_RETURN(const auto rules, rule_books_.Read(tx, *configuration));
    Ground ground{{}, ledger::ReadCard(tx, purchase.card), rules, EarningTerms{*rules}, {}};
    if (!ground.card.found) return Refuse(Reason::kCardNotFound);
    auto account = ledger::ReadAccountWithLots(tx, ground.card.account);
    if (!account) return Refuse(Reason::kCardNotFound);
    ground.account = *std::move(account);
    ReadTerms(tx, *configuration, member_data_, partner, purchase, ground);
    GUILDER_ASSIGN_OR_RETURN(v1::QuotePurchaseResponse response,
                             AnswerQuote(*configuration, partner, purchase, ground.account,
                                         ground.card, ground.terms, std::move(ground.left)));
    response.mutable_member()->set_name(member_names_.Of(call.principal(), ground.card.account));
    return response;
  });
}

absl::StatusOr<v1::QuotePurchaseResponse> AccrualHandlers::AnswerQuote(
    const ledger::Configuration& configuration, PartnerId partner, const Purchase& purchase,
    const ledger::AccountAsOfNow& account, const ledger::CardView& card, const EarningTerms& terms,
    std::vector<ledger::ExhaustedLimit> left) const {
  const ledger::DecisionContext context{configuration, card, /*account_found=*/true,
                                        std::move(left)};
  // A copy, and a record that is never written.
  ledger::Posting posting(account.state, ledger::kUnwrittenRecord, account.now);
  posting.BringUpToNow();
  GUILDER_ASSIGN_OR_RETURN(const PurchaseOutcome outcome,
                           DecidePurchase(purchase, partner, terms, context, posting));
  v1::QuotePurchaseResponse response;
  response.set_points(outcome.points.value());
  for (const Points points : outcome.line_points) response.add_line_points(points.value());
  if (outcome.points > Points(0)) {
    *response.mutable_activates_at() = rpc::ToProto(outcome.activates_at);
    if (outcome.expires_at != kNever) {
      *response.mutable_expires_at() = rpc::ToProto(outcome.expires_at);
    }
  }
  const View view{configuration, {partner}};
  AddLots(outcome, partner, view, response);
  const ledger::Partner& seller = *configuration.FindPartner(partner);
  if (const DatedRuleSet* set = terms.rules.Find(outcome.rule_set)) {
    response.set_rule_set(absl::StrCat("ruleSets/", outcome.rule_set));
    const RecordedPurchase recorded{purchase, outcome};
    const Replay replay =
        ReplayPurchase(recorded, partner, seller.stores.at(purchase.receipt.store), *set->rules);
    AddExplanation(recorded, partner, view, replay, *set->rules, response);
  }
  AddMember(account, partner, SpendableOn(purchase, configuration, seller, account),
            *response.mutable_member());
  const Quote quote{security::RandomUuid(),
                    partner,
                    BasketDigest(purchase),
                    outcome.rule_set,
                    outcome.member,
                    outcome.points,
                    Timestamp(account.now.value() + kQuoteLifeUs)};
  response.mutable_member()->set_tier(terms.member.tier);
  response.set_quote_token(quotes_.Seal(quote));
  *response.mutable_quote_expires_at() = rpc::ToProto(quote.expires_at);
  return response;
}

}  // namespace guilder::accrual
