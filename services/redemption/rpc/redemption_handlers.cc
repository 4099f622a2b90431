#include "services/redemption/rpc/redemption_handlers.h"

#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/unwritten.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/ledger/store/reader.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/names.h"
#include "services/redemption/rpc/commands.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "services/redemption/store/spending.h"

namespace guilder::redemption {

RedemptionHandlers::RedemptionHandlers(const RedemptionServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      pins_(dependencies.secrets),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      cards_(dependencies.cards, workers_),
      redemptions_(dependencies.pool) {}

absl::Status RedemptionHandlers::CheckOwnStore(const rpc::Call& call,
                                               const Authorization& asked) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const partner = configuration->FindPartner(call.principal().partner);
  if (partner == nullptr) return absl::OkStatus();
  if (partner->slug != asked.partner_slug) return Refuse(Reason::kNotYours);
  if (!partner->stores.contains(asked.store_code)) return Refuse(Reason::kStoreNotFound);
  return absl::OkStatus();
}

void RedemptionHandlers::AuthorizeRedemption(
    std::shared_ptr<const rpc::Call> call, const v1::AuthorizeRedemptionRequest& request,
    rpc::Responder<v1::AuthorizeRedemptionResponse> respond) {
  auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  if (const absl::Status own = call->CheckActsIn(asked->store_code); !own.ok()) {
    return respond(own);
  }
  Asking asking{std::move(call),   *request_id,   AccountId(),
                *std::move(asked), request.pin(), request.one_time_code()};
  const CardNumber card = asking.asked.card;
  const absl::Time deadline = asking.call->deadline();
  cards_.Find(
      card, deadline,
      [this, asking = std::move(asking), respond](absl::StatusOr<AccountId> account) mutable {
        if (!account.ok()) {
          // A store that is wrong is said before a card that is.
          const absl::Status store = CheckOwnStore(*asking.call, asking.asked);
          return respond(store.ok() ? account.status() : store);
        }
        asking.account = *account;
        CompareAndSubmit(std::move(asking), respond);
      });
}

void RedemptionHandlers::CompareAndSubmit(Asking asking,
                                          rpc::Responder<v1::AuthorizeRedemptionResponse> respond) {
  Shown shown;
  if (!asking.code.empty()) shown.code = pins_.HashCode(asking.account, asking.code);
  if (shown.code || asking.pin.empty()) {
    return SubmitAuthorization(asking, shown, respond);
  }
  const bool queued = workers_.TrySubmit([this, asking = std::move(asking), respond] {
    const auto secrets = pool_.Read(
        [&](postgres::Transaction& tx) -> absl::StatusOr<MemberSecrets> {
          return ReadMemberSecrets(tx, asking.account);
        },
        asking.call->deadline());
    if (!secrets.ok()) return respond(secrets.status());
    Shown compared;
    // One that is locked is told so, right or wrong.
    if (!secrets->pin_hash.empty()) {
      compared.pin = true;
      compared.pin_set_at = secrets->pin_set_at;
      compared.pin_right =
          !secrets->locked_at && pins_.Matches(asking.account, asking.pin, secrets->pin_hash);
    }
    SubmitAuthorization(asking, compared, respond);
  });
  if (!queued) respond(Refuse(Reason::kQueueFull));
}

void RedemptionHandlers::SubmitAuthorization(
    const Asking& asking, const Shown& shown,
    rpc::Responder<v1::AuthorizeRedemptionResponse> respond) {
  const PartnerId partner = asking.call->principal().partner;
  auto command =
      MakeCommand(rows_, partner, asking.request_id, asking.account, asking.asked, shown);
  command->deadline = asking.call->deadline();
  lanes_.Submit(std::move(command), [this, call = asking.call, account = asking.account, partner,
                                     respond](absl::StatusOr<ledger::Answer> answer) {
    if (!answer.ok()) return respond(answer.status());
    // The capture comes soon, and then needs no look at the database.
    redemptions_.Add({answer->place.book, answer->place.number}, {account, partner});
    respond(rpc::ToResponse<v1::AuthorizeRedemptionResponse>(*answer, *call));
  });
}

absl::Status RedemptionHandlers::CheckActsInStoreOf(const rpc::Call& call,
                                                    const RedemptionId& redemption) {
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::Status {
        const auto row = ReadRedemption(tx, redemption);
        if (!row || row->partner != call.principal().partner) {
          return Refuse(Reason::kRedemptionNotFound);
        }
        return call.CheckActsIn(row->store_code);
      },
      call.deadline());
}

template <typename Response, typename Request>
void RedemptionHandlers::Act(std::shared_ptr<const rpc::Call> call, const Request& request,
                             rpc::Responder<Response> respond) {
  const auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  const auto submit = [this, call, request_id = *request_id, asked = *asked,
                       respond](const absl::StatusOr<RedemptionOwner>& owner) {
    if (!owner.ok()) return respond(owner.status());
    const PartnerId partner = call->principal().partner;
    if (owner->partner != partner) return respond(Refuse(Reason::kRedemptionNotFound));
    rpc::SubmitAndRespond<Response>(lanes_, MakeCommand(partner, request_id, owner->account, asked),
                                    call, respond);
  };
  const RedemptionId& redemption = asked->redemption;
  const bool some_stores = call->principal().stores != nullptr;
  const auto owner = redemptions_.FindCached(redemption);
  if (owner && !some_stores) return submit(*owner);
  const bool queued = workers_.TrySubmit([this, call, redemption, submit, some_stores] {
    const absl::Status own = some_stores ? CheckActsInStoreOf(*call, redemption) : absl::OkStatus();
    submit(own.ok() ? redemptions_.Find(redemption, call->deadline())
                    : absl::StatusOr<RedemptionOwner>(own));
  });
  if (!queued) respond(Refuse(Reason::kQueueFull));
}

void RedemptionHandlers::CaptureRedemption(std::shared_ptr<const rpc::Call> call,
                                           const v1::CaptureRedemptionRequest& request,
                                           rpc::Responder<v1::CaptureRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

void RedemptionHandlers::VoidRedemption(std::shared_ptr<const rpc::Call> call,
                                        const v1::VoidRedemptionRequest& request,
                                        rpc::Responder<v1::VoidRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

void RedemptionHandlers::RefundRedemption(std::shared_ptr<const rpc::Call> call,
                                          const v1::RefundRedemptionRequest& request,
                                          rpc::Responder<v1::RefundRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

absl::StatusOr<v1::QuoteRedemptionResponse> RedemptionHandlers::QuoteRedemption(
    const rpc::Call& call, const v1::QuoteRedemptionRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Authorization asked, FromProto(request));
  GUILDER_RETURN_IF_ERROR(call.CheckActsIn(asked.store_code));
  GUILDER_RETURN_IF_ERROR(CheckOwnStore(call, asked));
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::QuoteRedemptionResponse> {
        GUILDER_ASSIGN_OR_RETURN(const auto configuration,
                                 ledger::CurrentConfiguration(tx, lanes_.configuration()));
        const ledger::CardView card = ledger::ReadCard(tx, asked.card);
        if (!card.found) return Refuse(Reason::kCardNotFound);
        const auto account = ledger::ReadAccountWithLots(tx, card.account);
        if (!account) return Refuse(Reason::kCardNotFound);
        const ledger::DecisionContext context{*configuration, card, /*account_found=*/true};
        // A record that is never written.
        const ledger::Posting posting(account->state, ledger::kUnwrittenRecord, account->now);
        GUILDER_ASSIGN_OR_RETURN(const Quoted quoted,
                                 Quote(asked, call.principal().partner, context, posting));
        const Currency& currency = quoted.value.currency;
        v1::QuoteRedemptionResponse response;
        response.set_payable_points(quoted.payable.value());
        *response.mutable_value() = ToProto(currency, quoted.value.amount);
        *response.mutable_rest() = ToProto(currency, quoted.rest);
        response.set_available_points(quoted.available.value());
        response.set_owed_points(quoted.owed.value());
        const Points elsewhere = account->state.available - quoted.available;
        response.set_elsewhere_points(elsewhere.value());
        response.set_minimum_points(quoted.terms.minimum.value());
        response.set_step_points(quoted.terms.step.value());
        *response.mutable_payable_value() = ToProto(currency, quoted.payable_value);
        response.set_pin_from_points(configuration->programme().redemption.step_up_points.value());
        return response;
      },
      call.deadline());
}

absl::StatusOr<RedemptionId> RedemptionHandlers::FindAsked(
    postgres::Transaction& tx, const rpc::Call& call,
    const v1::GetRedemptionRequest& request) const {
  if (!request.name().empty()) return ParseRedemptionName(request.name());
  const PartnerId partner = call.principal().partner;
  std::optional<RedemptionId> found;
  if (!request.request_id().empty()) {
    GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
    found = FindByRequest(tx, partner, request_id);
  } else {
    found = FindByOrder(tx, partner, request.reference());
  }
  if (!found) return Refuse(Reason::kRedemptionNotFound);
  return *found;
}

absl::StatusOr<v1::GetRedemptionResponse> RedemptionHandlers::GetRedemption(
    const rpc::Call& call, const v1::GetRedemptionRequest& request) {
  const int asked = (request.name().empty() ? 0 : 1) + (request.request_id().empty() ? 0 : 1) +
                    (request.reference().empty() ? 0 : 1);
  if (asked != 1) {
    return Refuse(Reason::kRequestMalformed, "name, request_id or reference", {{"field", "name"}});
  }
  // Ids and references are each partner's own.
  if (request.name().empty() && !call.principal().IsPartner()) {
    return Refuse(Reason::kRequestMalformed, "only a partner asks by these", {{"field", "name"}});
  }
  if (!request.reference().empty()) {
    GUILDER_ASSIGN_OR_RETURN(const Authorization place, ParseStore(request.store()));
    GUILDER_RETURN_IF_ERROR(CheckOwnStore(call, place));
  }
  RedemptionId id;
  const auto row = pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<RedemptionRow> {
        GUILDER_ASSIGN_OR_RETURN(id, FindAsked(tx, call, request));
        auto read = ReadRedemption(tx, id);
        // Another partner's does not exist for this one.
        if (!read || !call.CheckActsFor(read->partner).ok()) {
          return Refuse(Reason::kRedemptionNotFound);
        }
        return *std::move(read);
      },
      call.deadline());
  if (!row.ok()) return row.status();
  v1::GetRedemptionResponse response;
  *response.mutable_redemption() = ToProto(id, *row, *lanes_.configuration());
  // Whose points a member spends is none of a partner's business.
  if (call.principal().IsPartner()) response.mutable_redemption()->clear_parts();
  return response;
}

}  // namespace guilder::redemption
