#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/names.h"
#include "services/member/domain/card_number.h"
#include "services/member/domain/enrolment.h"
#include "services/member/rpc/member_handlers.h"

namespace guilder::member {
namespace {

// The content that the journal keeps: the format's version and the card's number. Who it is stands
// nowhere in the journal.
std::string EncodeContent(CardNumber card) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat).Id(card);
  return encoder.Take();
}

// What the answer of a refused enrolment depends on.
struct EnrolmentOutcome {
  AccountId existing;
  // The card got an account after it was looked for.
  bool card_moved = false;
};

class Enrol final : public EnrolmentCommand {
 public:
  Enrol(const rpc::MemberNames& names, const rpc::Principal& caller,
        std::shared_ptr<EnrolmentOutcome> outcome)
      : names_(names), caller_(caller), outcome_(std::move(outcome)) {}

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    *outcome_ = {Existing(), false};
    if (handed_out) GUILDER_RETURN_IF_ERROR(CheckCard());
    if (outcome_->existing) return Refuse(Reason::kAlreadyExists, "a member has this phone number");
    // Who enrols too late finds no points.
    if (found.claim_by && *found.claim_by <= posting.now()) DecideLapse(posting);
    welcome = Points(0);
    if (!WasWelcomed()) {
      GUILDER_ASSIGN_OR_RETURN(welcome, DecideWelcomeGift(context, posting));
    }
    opened = posting.account().id;
    v1::EnrolMemberResponse response;
    response.set_member(names_.Of(caller_, opened));
    response.set_card_number(std::to_string(cards.front().value()));
    response.set_welcome_points(welcome.value());
    return response.SerializeAsString();
  }

 private:
  absl::Status CheckCard() const {
    if (!found.of_batch) return Refuse(Reason::kCardNotFound);
    if (found.blocked) return Refuse(Reason::kCardBlocked);
    const bool is_members = IsCardTaken() || (found.account && !found.unclaimed);
    if (is_members) return Refuse(Reason::kAlreadyExists, "the card is a member's");
    outcome_->card_moved = found.account != account;
    return outcome_->card_moved ? Refuse(Reason::kStoreUnavailable) : absl::OkStatus();
  }

  const rpc::MemberNames& names_;
  const rpc::Principal caller_;
  const std::shared_ptr<EnrolmentOutcome> outcome_;
};

}  // namespace

void MemberHandlers::EnrolMember(std::shared_ptr<const rpc::Call> call,
                                 const v1::EnrolMemberRequest& request,
                                 rpc::Responder<v1::EnrolMemberResponse> respond) {
  const auto profile = CheckedProfile(ProfileOf(request.member()));
  if (!profile.ok()) return respond(profile.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());

  if (!request.card_number().empty()) {
    const auto card = rpc::ParseCardNumber(request.card_number());
    if (!card.ok()) return respond(card.status());
    return EnrolWithCard({std::move(call), *request_id, *profile, *card}, std::move(respond));
  }
  Enrolment enrolment{std::move(call), *request_id, *profile};
  if (const auto serial = card_serials_.TryTake()) {
    enrolment.card = MakeCardNumber(*serial);
    return SubmitEnrolment(enrolment, std::move(respond));
  }
  auto draw = [this, enrolment = std::move(enrolment), respond]() mutable {
    const auto serial = card_serials_.Take(enrolment.call->deadline());
    if (!serial.ok()) return respond(serial.status());
    enrolment.card = MakeCardNumber(*serial);
    SubmitEnrolment(enrolment, respond);
  };
  if (!workers_.TrySubmit(std::move(draw))) respond(Refuse(Reason::kQueueFull));
}

void MemberHandlers::EnrolWithCard(Enrolment enrolment,
                                   rpc::Responder<v1::EnrolMemberResponse> respond) {
  enrolment.handed_out = true;
  auto look = [this, enrolment = std::move(enrolment), respond]() mutable {
    const auto account = pool_.Read(
        [&](postgres::Transaction& tx) -> absl::StatusOr<AccountId> {
          return UnclaimedAccountOf(tx, enrolment.card);
        },
        enrolment.call->deadline());
    if (!account.ok()) return respond(account.status());
    enrolment.account = *account;
    SubmitEnrolment(enrolment, respond);
  };
  if (!workers_.TrySubmit(std::move(look))) respond(Refuse(Reason::kQueueFull));
}

void MemberHandlers::SubmitEnrolment(const Enrolment& enrolment,
                                     rpc::Responder<v1::EnrolMemberResponse> respond) {
  const std::shared_ptr<const rpc::Call>& call = enrolment.call;
  const auto outcome = std::make_shared<EnrolmentOutcome>();
  auto command = std::make_unique<Enrol>(view_.names(), call->principal(), outcome);
  command->kind = ledger::RecordKind::kEnrolment;
  command->partner = call->principal().partner;
  command->request_id = enrolment.request_id;
  command->rows = &enrolment_rows_;
  command->issues = ledger::Issues::kOperatorPartnersPoints;
  command->cards = {enrolment.card};
  command->content = EncodeContent(enrolment.card);
  command->welcomes = true;
  command->handed_out = enrolment.handed_out;
  command->cards_given = enrolment.handed_out;
  const std::string card_asked =
      enrolment.handed_out ? absl::StrCat("card/", enrolment.card.value()) : "";
  command->fingerprint = view_.vault().Fingerprint(enrolment.profile, card_asked);
  command->account = enrolment.account;
  command->needs_lots = static_cast<bool>(enrolment.account);
  command->book = enrolment.account ? ledger::BookOf(enrolment.account)
                                    : lanes_.BookForNewAccount(enrolment.request_id);
  if (call->principal().IsOperator()) command->actor = rpc::ActorOf(call->principal());
  command->profile = enrolment.profile;
  command->deadline = call->deadline();
  lanes_.Submit(std::move(command),
                [this, enrolment, respond, outcome](const absl::StatusOr<ledger::Answer>& answer) {
                  const rpc::Call& call = *enrolment.call;
                  if (answer.ok())
                    return respond(rpc::ToResponse<v1::EnrolMemberResponse>(*answer, call));
                  if (outcome->card_moved) return EnrolWithCard(enrolment, respond);
                  if (!outcome->existing || ReasonOf(answer.status()) != Reason::kAlreadyExists) {
                    return respond(answer.status());
                  }
                  NoteLookup(call, /*found=*/true);
                  v1::EnrolMemberResponse response;
                  response.set_member(view_.names().Of(call.principal(), outcome->existing));
                  response.set_existed(true);
                  respond(std::move(response));
                });
}

}  // namespace guilder::member
