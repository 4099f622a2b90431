#include "services/member/rpc/card_handlers.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/stock_cards.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/keys.h"
#include "services/member/domain/enrolment.h"
#include "services/member/rpc/member_handlers.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

constexpr size_t kMostReasonBytes = 800;
// Accounts of a page, each a command of its own.
constexpr int kLapsesAtOnce = 200;

absl::StatusOr<CardNumber> ParseCard(std::string_view name) {
  const auto parts = rpc::ParseName(kCardName, name);
  if (!parts) return Refuse(Reason::kCardNotFound);
  return rpc::ParseCardNumber((*parts)[0]);
}

std::string CardName(CardNumber card) {
  return absl::StrCat("cards/", card.value());
}

// Its answer is how many points lapsed.
class DoLapse final : public LapseCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    if (!lapsed) return Refuse(Reason::kWrongState, "somebody enrolled with the card");
    Encoder encoder;
    encoder.Quantity(DecideLapse(posting));
    return encoder.Take();
  }
};

}  // namespace

CardHandlers::CardHandlers(const MemberServiceDependencies& dependencies, const MemberView& view)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      view_(view),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

Doing CardHandlers::DoingOf(const rpc::Call& call, Transaction& transaction,
                            const Uuid& request) const {
  // Tills are many, and stand in the journal with what they post.
  const std::string actor = call.principal().IsPartner() ? "" : rpc::ActorOf(call.principal());
  return {actor, ledger::ReadProgrammeClock(transaction, lanes_.configuration()->programme().id),
          request};
}

absl::StatusOr<v1::GetCardResponse> CardHandlers::GetCard(const rpc::Call& call,
                                                          const v1::GetCardRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const CardNumber card, ParseCard(request.name()));
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::GetCardResponse> {
        const auto facts = ReadCard(tx, card);
        if (!facts) return Refuse(Reason::kCardNotFound);
        v1::GetCardResponse response;
        *response.mutable_card() = CardToProto(facts->card);
        if (facts->account) response.set_member(MemberName(facts->account));
        if (facts->batch != 0) response.set_batch(absl::StrCat("cardBatches/", facts->batch));
        response.set_unclaimed(facts->unclaimed);
        response.set_waiting(facts->waiting);
        if (facts->claim_by) *response.mutable_claim_by() = rpc::ToProto(*facts->claim_by);
        for (const CardEventRow& event : facts->events) {
          v1::CardEvent& out = *response.add_events();
          *out.mutable_at() = rpc::ToProto(event.at);
          out.set_event(std::string(CardEventName(event.event)));
          out.set_actor(event.actor);
          out.set_reason(event.reason);
          if (event.other) out.set_other_card(CardName(event.other));
        }
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ActivateCardResponse> CardHandlers::ActivateCard(
    const rpc::Call& call, const v1::ActivateCardRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const CardNumber card, ParseCard(request.name()));
  v1::ActivateCardResponse response;
  *response.mutable_card() = CardToProto({card, false});
  if (!request.member().empty()) {
    if (call.principal().IsPartner()) {
      return Refuse(Reason::kPermissionDenied, "partners let members enrol with a card");
    }
    GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMemberName(request.member()));
    GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
        pool_, call, "CardService/ActivateCard", request.name(), &request, [&](Transaction& tx) {
          const auto member = ReadMember(tx, account);
          if (!member) return Refuse(Reason::kMemberNotFound);
          return GiveCard(tx, card, member->account, DoingOf(call, tx, security::RandomUuid()));
        }));
    return response;
  }
  GUILDER_ASSIGN_OR_RETURN(const auto facts, pool_.Read(
                                                 [&](Transaction& tx) -> absl::StatusOr<CardFacts> {
                                                   auto found = ReadCard(tx, card);
                                                   if (!found) return Refuse(Reason::kCardNotFound);
                                                   return *std::move(found);
                                                 },
                                                 call.deadline()));
  if (facts.card.blocked) return Refuse(Reason::kCardBlocked);
  if (facts.account) return response;
  const auto opened = ledger::OpenStockCard(lanes_, card, call.deadline());
  // Somebody enrolled with it meanwhile.
  if (!opened.ok() && !absl::IsAlreadyExists(opened.status())) return opened.status();
  return response;
}

absl::StatusOr<v1::ReplaceCardResponse> CardHandlers::ReplaceCard(
    const rpc::Call& call, const v1::ReplaceCardRequest& request) {
  if (request.reason().size() > kMostReasonBytes ||
      request.reason().find('\0') != std::string::npos) {
    return Refuse(Reason::kRequestMalformed, "reason", {{"field", "reason"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const CardNumber card, ParseCard(request.name()));
  CardNumber replacement;
  if (!request.new_card_number().empty()) {
    GUILDER_ASSIGN_OR_RETURN(replacement, rpc::ParseCardNumber(request.new_card_number()));
  }
  const Uuid key = ledger::ClaimKey(call.principal().partner, "replacement", AsView(request_id));
  v1::ReplaceCardResponse response;
  // Without what was asked: a reason may name people, and nothing is erased from the log.
  GUILDER_ASSIGN_OR_RETURN(const CardRow made,
                           rpc::RunAudited(pool_, call, "CardService/ReplaceCard", request.name(),
                                           nullptr, [&](Transaction& tx) {
                                             return member::ReplaceCard(tx, card, replacement,
                                                                        request.reason(),
                                                                        DoingOf(call, tx, key));
                                           }));
  *response.mutable_card() = CardToProto(made);
  return response;
}

absl::StatusOr<Points> CardHandlers::Lapse(AccountId account, absl::Time deadline) {
  auto command = std::make_unique<DoLapse>();
  command->kind = ledger::RecordKind::kExpiry;
  command->account = account;
  command->book = ledger::BookOf(account);
  command->needs_lots = true;
  // A second time there is nothing to lapse, so each attempt has an id of its own.
  command->request_id = security::RandomUuid();
  command->fingerprint = Sha256({"lapse", absl::StrCat(account.value())});
  command->rows = &lapse_rows_;
  command->deadline = deadline;
  auto promise = std::make_shared<std::promise<absl::StatusOr<ledger::Answer>>>();
  auto answered = promise->get_future();
  lanes_.Submit(std::move(command), [promise](absl::StatusOr<ledger::Answer> outcome) {
    promise->set_value(std::move(outcome));
  });
  const absl::StatusOr<ledger::Answer> answer = answered.get();
  if (guilder::ReasonOf(answer.status()) == Reason::kWrongState) return Points(0);
  if (!answer.ok()) return answer.status();
  Decoder decoder(answer->response);
  return decoder.ReadQuantity<Points>();
}

absl::StatusOr<v1::LapseUnclaimedCardsResponse> CardHandlers::LapseUnclaimedCards(
    const rpc::Call& call, const v1::LapseUnclaimedCardsRequest& request) {
  constexpr char kList[] = "lapses";
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  const AccountId after(position.empty() ? 0 : std::stoll(position));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<AccountId> accounts,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<std::vector<AccountId>> {
                                 return ReadLapsed(tx, after, DoingOf(call, tx).at, kLapsesAtOnce);
                               },
                               call.deadline()));
  v1::LapseUnclaimedCardsResponse response;
  for (const AccountId account : accounts) {
    GUILDER_ASSIGN_OR_RETURN(const Points points, Lapse(account, call.deadline()));
    if (points == Points(0)) continue;
    response.set_accounts(response.accounts() + 1);
    response.set_points(response.points() + points.value());
  }
  if (accounts.size() == static_cast<size_t>(kLapsesAtOnce)) {
    response.set_next_page_token(page_tokens_.Make(kList, absl::StrCat(accounts.back().value())));
  }
  return response;
}

}  // namespace guilder::member
