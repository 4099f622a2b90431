#include "services/member/rpc/member_handlers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "libs/security/secrets.h"
#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"
#include "services/member/rpc/history_proto.h"

namespace guilder::member {
namespace {

constexpr int kMostCardsAtOnce = 10;
constexpr size_t kMaxReasonCharacters = 200;

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

absl::StatusOr<ledger::AccountKey> ParseBalanceKey(const rpc::MemberNames& names,
                                                   const rpc::Call& call,
                                                   const v1::GetBalanceRequest& request) {
  using Request = v1::GetBalanceRequest;
  ledger::AccountKey key;
  switch (request.of_case()) {
    case Request::kCardNumber: {
      GUILDER_ASSIGN_OR_RETURN(key.card, ParseAskedCard(request.card_number()));
      return key;
    }
    case Request::kMember: {
      if (call.principal().IsPartner()) {
        return Refuse(Reason::kPermissionDenied, "partners ask by card");
      }
      GUILDER_ASSIGN_OR_RETURN(key.account, names.Parse(call.principal(), request.member()));
      return key;
    }
    case Request::OF_NOT_SET:
      break;
  }
  return Refuse(Reason::kRequestMalformed, "card_number or member");
}

}  // namespace

absl::StatusOr<CardNumber> ParseAskedCard(std::string_view digits) {
  if (digits.empty()) return Refuse(Reason::kRequestMalformed, "card_number");
  return rpc::ParseCardNumber(digits);
}

v1::GetBalanceResponse BalanceToProto(const ledger::AccountAsOfNow& account) {
  v1::GetBalanceResponse response;
  response.set_available_points(account.state.available.value());
  response.set_pending_points(account.state.pending.value());
  response.set_held_points(account.state.held.value());
  response.set_debt_points(account.state.debt.value());
  return response;
}

MemberHandlers::MemberHandlers(const MemberServiceDependencies& dependencies,
                               const MemberView& view)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      view_(view),
      balances_(workers_,
                [this](const std::vector<ledger::AccountKey>& keys) {
                  return ledger::ReadAccounts(pool_, keys);
                }),
      finds_(workers_,
             [this](const std::vector<MemberKeyAsked>& keys) { return FindMembers(pool_, keys); }),
      tokens_(dependencies.secrets),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")),
      enrolment_rows_(view.vault()),
      card_serials_(dependencies.pool) {}

absl::StatusOr<v1::GetMemberResponse> MemberHandlers::GetMember(
    const rpc::Call& call, const v1::GetMemberRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account,
                           view_.names().Parse(call.principal(), request.name()));
  v1::GetMemberResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_member(), view_.Inspect(call, [&](postgres::Transaction& tx) {
        return view_.ReadVisible(call, tx, account, {}, "MemberService/GetMember");
      }));
  return response;
}

absl::StatusOr<v1::IssueCardsResponse> MemberHandlers::IssueCards(
    const rpc::Call& call, const v1::IssueCardsRequest& request) {
  if (request.count() < 1 || request.count() > kMostCardsAtOnce) {
    return Refuse(Reason::kRequestMalformed, "count must be from 1 to 10", {{"field", "count"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account,
                           view_.names().Parse(call.principal(), request.member()));
  // The request ids of different partners, and those of enrolments, are different things.
  const Uuid key = ledger::ClaimKey(call.principal().partner, "cards", AsView(request_id));
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<CardRow> cards,
      rpc::RunAudited(pool_, call, "MemberService/IssueCards", request.member(), &request,
                      [&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<CardRow>> {
                        GUILDER_RETURN_IF_ERROR(view_.CheckMayName(call, tx, account, {}));
                        return member::IssueCards(tx, account, request.count(), key,
                                                  ledger::ReadProgrammeClock(tx, programme));
                      }));
  v1::IssueCardsResponse response;
  for (const CardRow& card : cards) *response.add_cards() = CardToProto(card);
  return response;
}

absl::StatusOr<v1::BlockCardResponse> MemberHandlers::BlockCard(
    const rpc::Call& call, const v1::BlockCardRequest& request) {
  const auto parts = rpc::ParseName(kCardName, request.name());
  if (!parts) return Refuse(Reason::kCardNotFound);
  GUILDER_ASSIGN_OR_RETURN(const CardNumber number, rpc::ParseCardNumber((*parts)[0]));
  if (Characters(request.reason()) > kMaxReasonCharacters) {
    return Refuse(Reason::kRequestMalformed, "reason is too long", {{"field", "reason"}});
  }
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_ASSIGN_OR_RETURN(
      const CardRow card,
      // Without what was asked: a reason may name people, and nothing is erased from the log.
      rpc::RunAudited(pool_, call, "MemberService/BlockCard", request.name(), nullptr,
                      [&](postgres::Transaction& tx) -> absl::StatusOr<CardRow> {
                        const auto blocked =
                            member::BlockCard(tx, number, request.reason(),
                                              {rpc::ActorOf(call.principal()),
                                               ledger::ReadProgrammeClock(tx, programme), Uuid()});
                        if (!blocked) return Refuse(Reason::kCardNotFound);
                        return *blocked;
                      }));
  v1::BlockCardResponse response;
  *response.mutable_card() = CardToProto(card);
  return response;
}

void MemberHandlers::GetBalance(std::shared_ptr<const rpc::Call> call,
                                const v1::GetBalanceRequest& request,
                                rpc::Responder<v1::GetBalanceResponse> respond) {
  const absl::StatusOr<ledger::AccountKey> key = ParseBalanceKey(view_.names(), *call, request);
  if (!key.ok()) return respond(key.status());
  balances_.Ask(*key, call->deadline(),
                [this, call, respond, with_restricted = request.with_restricted()](
                    const absl::StatusOr<ledger::AccountAsOfNow>& account) {
                  if (!account.ok()) return respond(account.status());
                  const absl::Status own = call->CheckActsForMember(account->state.id);
                  if (!own.ok()) return respond(own);
                  v1::GetBalanceResponse response = BalanceToProto(*account);
                  response.set_member(view_.names().Of(call->principal(), account->state.id));
                  if (!with_restricted) return respond(std::move(response));
                  const bool asked = workers_.TrySubmit(
                      [this, call, respond, name = response.member(), id = account->state.id] {
                        respond(BalanceWithRestricted(*call, id, name));
                      });
                  if (!asked) respond(Refuse(Reason::kQueueFull));
                });
}

absl::StatusOr<v1::GetBalanceResponse> MemberHandlers::BalanceWithRestricted(
    const rpc::Call& call, AccountId id, const std::string& name) const {
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::GetBalanceResponse> {
        auto account = ledger::ReadAccountWithLots(tx, id);
        if (!account) return Refuse(Reason::kMemberNotFound);
        v1::GetBalanceResponse response = BalanceToProto(*account);
        response.set_member(name);
        // What may be spent at competitors alone is not a partner's business.
        std::erase_if(account->state.lots, [&](const ledger::Lot& lot) {
          return call.principal().IsPartner() &&
                 !lot.restricted_to.Admits(call.principal().partner, /*gift=*/false);
        });
        AddRestricted(*lanes_.configuration(), account->state, response);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::member
