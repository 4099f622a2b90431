#include <utility>

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/ledger_answers.h"
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

class Enrol final : public EnrolmentCommand {
 public:
  Enrol(const rpc::MemberNames& names, const rpc::Principal& caller,
        std::shared_ptr<AccountId> existing)
      : names_(names), caller_(caller), existing_(std::move(existing)) {}

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    *existing_ = Existing();
    if (*existing_) return Refuse(Reason::kAlreadyExists, "a member has this phone number");
    GUILDER_ASSIGN_OR_RETURN(const Points gift, DecideWelcomeGift(context, posting));
    opened = posting.account().id;
    v1::EnrolMemberResponse response;
    response.set_member(names_.Of(caller_, opened));
    response.set_card_number(std::to_string(cards.front().value()));
    response.set_welcome_points(gift.value());
    return response.SerializeAsString();
  }

 private:
  const rpc::MemberNames& names_;
  const rpc::Principal caller_;
  const std::shared_ptr<AccountId> existing_;
};

}  // namespace

void MemberHandlers::EnrolMember(std::shared_ptr<const rpc::Call> call,
                                 const v1::EnrolMemberRequest& request,
                                 rpc::Responder<v1::EnrolMemberResponse> respond) {
  const auto profile = CheckedProfile(ProfileOf(request.member()));
  if (!profile.ok()) return respond(profile.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());

  if (const auto serial = card_serials_.TryTake()) {
    return SubmitEnrolment(std::move(call), *request_id, *profile, *serial, std::move(respond));
  }
  auto draw = [this, call, request_id = *request_id, profile = *profile, respond] {
    const auto serial = card_serials_.Take(call->deadline());
    if (!serial.ok()) return respond(serial.status());
    SubmitEnrolment(call, request_id, profile, *serial, respond);
  };
  if (!workers_.TrySubmit(std::move(draw))) respond(Refuse(Reason::kQueueFull));
}

void MemberHandlers::SubmitEnrolment(std::shared_ptr<const rpc::Call> call, const Uuid& request_id,
                                     Profile profile, int64_t card_serial,
                                     rpc::Responder<v1::EnrolMemberResponse> respond) {
  const auto existing = std::make_shared<AccountId>();
  auto command = std::make_unique<Enrol>(view_.names(), call->principal(), existing);
  command->kind = ledger::RecordKind::kEnrolment;
  command->partner = call->principal().partner;
  command->request_id = request_id;
  command->fingerprint = view_.vault().Fingerprint(profile);
  command->book = lanes_.BookForNewAccount(request_id);
  command->rows = &enrolment_rows_;
  command->issues = ledger::Issues::kOperatorPartnersPoints;
  command->cards = {MakeCardNumber(card_serial)};
  command->content = EncodeContent(command->cards.front());
  command->profile = std::move(profile);
  command->deadline = call->deadline();
  lanes_.Submit(std::move(command),
                [this, call, respond, existing](const absl::StatusOr<ledger::Answer>& answer) {
                  if (answer.ok())
                    return respond(rpc::ToResponse<v1::EnrolMemberResponse>(*answer, *call));
                  if (!*existing || ReasonOf(answer.status()) != Reason::kAlreadyExists) {
                    return respond(answer.status());
                  }
                  NoteLookup(*call, /*found=*/true);
                  v1::EnrolMemberResponse response;
                  response.set_member(view_.names().Of(call->principal(), *existing));
                  response.set_existed(true);
                  respond(std::move(response));
                });
}

}  // namespace guilder::member
