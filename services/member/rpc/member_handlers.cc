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

namespace guilder::member {
namespace {

constexpr int kMostCardsAtOnce = 10;
constexpr size_t kMaxReasonCharacters = 200;

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

absl::StatusOr<ledger::AccountKey> ParseBalanceKey(const v1::GetBalanceRequest& request) {
  using Request = v1::GetBalanceRequest;
  ledger::AccountKey key;
  switch (request.of_case()) {
    case Request::kCardNumber: {
      GUILDER_ASSIGN_OR_RETURN(key.card, ParseAskedCard(request.card_number()));
      return key;
    }
    case Request::kMember: {
      GUILDER_ASSIGN_OR_RETURN(key.account, ParseMemberName(request.member()));
      return key;
    }
    case Request::OF_NOT_SET:
      break;
  }
  return Refuse(Reason::kRequestMalformed, "card_number or member");
}

// Names of members can be guessed. So a partner that does not have the card at hand names only
// members that it served, and a member itself.
absl::Status CheckMayName(const rpc::Call& call, postgres::Transaction& transaction,
                          AccountId account, CardNumber card) {
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  const bool knows = !call.principal().IsPartner() || card ||
                     WasServedBy(transaction, account, call.principal().partner);
  return knows ? absl::OkStatus() : Refuse(Reason::kMemberNotFound);
}

absl::StatusOr<AccountId> OrRefuse(std::optional<AccountId> account, Reason reason) {
  if (!account) return Refuse(reason);
  return *account;
}

}  // namespace

absl::StatusOr<AccountId> ParseMemberName(std::string_view name) {
  const auto parts = rpc::ParseNumberedName(kMemberName, name);
  if (!parts) return Refuse(Reason::kMemberNotFound);
  return AccountId((*parts)[0]);
}

std::string MemberName(AccountId account) {
  return absl::StrCat("members/", account.value());
}

absl::StatusOr<CardNumber> ParseAskedCard(std::string_view digits) {
  if (digits.empty()) return Refuse(Reason::kRequestMalformed, "card_number");
  return rpc::ParseCardNumber(digits);
}

v1::GetBalanceResponse BalanceToProto(const ledger::AccountAsOfNow& account) {
  v1::GetBalanceResponse response;
  response.set_member(MemberName(account.state.id));
  response.set_available_points(account.state.available.value());
  response.set_pending_points(account.state.pending.value());
  response.set_held_points(account.state.held.value());
  response.set_debt_points(account.state.debt.value());
  return response;
}

v1::Card CardToProto(const CardRow& card) {
  v1::Card proto;
  proto.set_number(std::to_string(card.number.value()));
  proto.set_name(absl::StrCat("cards/", card.number.value()));
  proto.set_state(card.blocked ? v1::CARD_STATE_BLOCKED : v1::CARD_STATE_ACTIVE);
  return proto;
}

MemberHandlers::MemberHandlers(const MemberServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      balances_(workers_,
                [this](const std::vector<ledger::AccountKey>& keys) {
                  return ledger::ReadAccounts(pool_, keys);
                }),
      vault_(dependencies.secrets),
      tokens_(dependencies.secrets),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")),
      enrolment_rows_(vault_),
      card_serials_(dependencies.pool) {}

absl::StatusOr<v1::Member> MemberHandlers::ToProto(const rpc::Call& call, const MemberRow& member,
                                                   CardNumber shown_card) const {
  Profile profile;
  if (member.sealed) {
    const auto opened = vault_.Open(member.account, *member.sealed);
    if (!opened) return absl::InternalError("a sealed profile does not open with these secrets");
    profile = call.principal().IsPartner() ? Masked(*opened) : *opened;
  }
  v1::Member proto;
  proto.set_name(MemberName(member.account));
  proto.set_given_name(profile.given_name);
  proto.set_family_name(profile.family_name);
  proto.set_phone(profile.phone);
  proto.set_email(profile.email);
  *proto.mutable_enrol_time() = rpc::ToProto(member.enrolled_at);
  for (const CardRow& card : member.cards) {
    const bool shown = !call.principal().IsPartner() || card.number == shown_card;
    if (shown) *proto.add_cards() = CardToProto(card);
  }
  return proto;
}

absl::StatusOr<v1::Member> MemberHandlers::ReadVisible(const rpc::Call& call,
                                                       postgres::Transaction& transaction,
                                                       AccountId account, CardNumber shown_card,
                                                       const char* action) const {
  GUILDER_RETURN_IF_ERROR(CheckMayName(call, transaction, account, shown_card));
  const auto member = ReadMember(transaction, account);
  if (!member) return Refuse(Reason::kMemberNotFound);
  GUILDER_ASSIGN_OR_RETURN(v1::Member seen, ToProto(call, *member, shown_card));
  if (call.principal().IsOperator()) {
    rpc::AuditReading(transaction, call, action, MemberName(account));
  }
  return seen;
}

absl::StatusOr<v1::GetMemberResponse> MemberHandlers::GetMember(
    const rpc::Call& call, const v1::GetMemberRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMemberName(request.name()));
  v1::GetMemberResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_member(),
                           Inspect(call, [&](postgres::Transaction& tx) {
                             return ReadVisible(call, tx, account, {}, "MemberService/GetMember");
                           }));
  return response;
}

absl::StatusOr<v1::FindMemberResponse> MemberHandlers::FindMember(
    const rpc::Call& call, const v1::FindMemberRequest& request) {
  using Request = v1::FindMemberRequest;
  CardNumber card;
  Digest index{};
  switch (request.by_case()) {
    case Request::kCardNumber: {
      GUILDER_ASSIGN_OR_RETURN(card, ParseAskedCard(request.card_number()));
      break;
    }
    case Request::kPhone: {
      const auto phone = NormalPhone(request.phone());
      if (!phone) return Refuse(Reason::kRequestMalformed, "phone", {{"field", "phone"}});
      index = vault_.PhoneIndex(*phone);
      break;
    }
    case Request::kEmail: {
      const auto email = NormalEmail(request.email());
      if (!email) return Refuse(Reason::kRequestMalformed, "email", {{"field", "email"}});
      index = vault_.EmailIndex(*email);
      break;
    }
    case Request::BY_NOT_SET:
      return Refuse(Reason::kRequestMalformed, "by card_number, phone or email");
  }
  if (!card && !call.principal().IsOperator()) {
    return Refuse(Reason::kPermissionDenied, "partners find members by card");
  }
  const auto find = [&](postgres::Transaction& tx) -> absl::StatusOr<AccountId> {
    if (card) return OrRefuse(FindByCard(tx, card), Reason::kCardNotFound);
    return OrRefuse(
        request.by_case() == Request::kPhone ? FindByPhone(tx, index) : FindByEmail(tx, index),
        Reason::kMemberNotFound);
  };
  const auto verdict =
      lookups_.Ask(call.principal().id, Timestamp(absl::ToUnixMicros(absl::Now())));
  if (!verdict.allowed) {
    return rpc::WithRetryDelay(Refuse(Reason::kRateLimited, "too many look-ups that found nobody"),
                               absl::Microseconds(verdict.wait_us));
  }
  const auto found = Inspect(call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::Member> {
    GUILDER_ASSIGN_OR_RETURN(const AccountId account, find(tx));
    return ReadVisible(call, tx, account, card, "MemberService/FindMember");
  });
  const bool missed = absl::IsNotFound(found.status());
  if (found.ok() || missed) NoteLookup(call, found.ok());
  v1::FindMemberResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_member(), found);
  return response;
}

void MemberHandlers::NoteLookup(const rpc::Call& call, bool found) {
  telemetry::GetCounter("guilder_member_lookups_total", "Members looked for, by what came of it",
                        {{"found", found ? "yes" : "no"}})
      .Add();
  const Timestamp now(absl::ToUnixMicros(absl::Now()));
  if (!lookups_.Note(call.principal().id, found, now)) return;
  telemetry::GetCounter("guilder_enumeration_alarms_total",
                        "Callers that looked for members in vain too often")
      .Add();
  telemetry::Log(telemetry::Severity::kWarning, "somebody tries numbers or addresses of members",
                 {{"caller", call.principal().id}, {"peer", call.peer()}});
}

absl::StatusOr<v1::IssueCardsResponse> MemberHandlers::IssueCards(
    const rpc::Call& call, const v1::IssueCardsRequest& request) {
  if (request.count() < 1 || request.count() > kMostCardsAtOnce) {
    return Refuse(Reason::kRequestMalformed, "count must be from 1 to 10", {{"field", "count"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMemberName(request.member()));
  // The request ids of different partners, and those of enrolments, are different things.
  const Uuid key = ledger::ClaimKey(call.principal().partner, "cards", AsView(request_id));
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<CardRow> cards,
      pool_.Run(
          [&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<CardRow>> {
            GUILDER_RETURN_IF_ERROR(CheckMayName(call, tx, account, {}));
            return member::IssueCards(tx, account, request.count(), key,
                                      ledger::ReadProgrammeClock(tx, programme));
          },
          call.deadline()));
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
  GUILDER_ASSIGN_OR_RETURN(const CardRow card,
                           pool_.Run(
                               [&](postgres::Transaction& tx) -> absl::StatusOr<CardRow> {
                                 const auto blocked =
                                     member::BlockCard(tx, number, request.reason());
                                 if (!blocked) return Refuse(Reason::kCardNotFound);
                                 return *blocked;
                               },
                               call.deadline()));
  v1::BlockCardResponse response;
  *response.mutable_card() = CardToProto(card);
  return response;
}

void MemberHandlers::GetBalance(std::shared_ptr<const rpc::Call> call,
                                const v1::GetBalanceRequest& request,
                                rpc::Responder<v1::GetBalanceResponse> respond) {
  const absl::StatusOr<ledger::AccountKey> key = ParseBalanceKey(request);
  if (!key.ok()) return respond(key.status());
  if (call->principal().IsPartner() && !key->card) {
    return respond(Refuse(Reason::kPermissionDenied, "partners ask by card"));
  }
  balances_.Ask(*key, call->deadline(),
                [call, respond](const absl::StatusOr<ledger::AccountAsOfNow>& account) {
                  if (!account.ok()) return respond(account.status());
                  const absl::Status own = call->CheckActsForMember(account->state.id);
                  if (!own.ok()) return respond(own);
                  respond(BalanceToProto(*account));
                });
}

}  // namespace guilder::member
