#include "services/member/rpc/bonus_handlers.h"

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/forwards.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "services/member/rpc/member_handlers.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

// Members of a page of birthdays.
constexpr int kPage = 2'000;

class DoReferral final : public ReferralCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&, ledger::Posting&) override {
    return absl::InternalError("a command on several accounts was decided over one");
  }
  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext& context,
                                             std::vector<ledger::Posting>& postings) override {
    GUILDER_RETURN_IF_ERROR(CheckReferral(policy, facts, postings[0].now()));
    GUILDER_RETURN_IF_ERROR(GiveBonus(context, policy.payer, policy.referred, postings[0]));
    GUILDER_RETURN_IF_ERROR(GiveBonus(context, policy.payer, policy.referrer, postings[1]));
    referrers_record = postings[1].number();
    v1::ReferMemberResponse response;
    response.set_referred_points(policy.referred.value());
    response.set_referrer_points(policy.referrer.value());
    return response.SerializeAsString();
  }
};

// Its answer is how many points were given.
class DoBirthday final : public BirthdayCommand {
 public:
  explicit DoBirthday(const BonusPolicy& policy) : policy_(policy) {}

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    if (!MayFollow(last, posting.now(), context.configuration.calendar().time_zone())) {
      return Refuse(Reason::kWrongState, "the person had a birthday's bonus");
    }
    GUILDER_RETURN_IF_ERROR(GiveBonus(context, policy_.payer, policy_.birthday, posting));
    given = policy_.birthday;
    Encoder encoder;
    encoder.Quantity(given);
    return encoder.Take();
  }

 private:
  const BonusPolicy policy_;
};

}  // namespace

BonusHandlers::BonusHandlers(const MemberServiceDependencies& dependencies, const MemberView& view)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      view_(view),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

v1::BonusPolicy BonusHandlers::ToProto(const BonusPolicy& policy) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const payer = configuration->FindPartner(policy.payer);
  v1::BonusPolicy proto;
  proto.set_version(policy.version);
  if (payer != nullptr) proto.set_payer("partners/" + payer->slug);
  proto.set_birthday_points(policy.birthday.value());
  proto.set_referrer_points(policy.referrer.value());
  proto.set_referred_points(policy.referred.value());
  proto.set_referral_days(policy.referral_days);
  return proto;
}

absl::StatusOr<BonusPolicy> BonusHandlers::FromProto(const v1::BonusPolicy& proto) const {
  BonusPolicy policy;
  policy.version = proto.version();
  policy.birthday = Points(proto.birthday_points());
  policy.referrer = Points(proto.referrer_points());
  policy.referred = Points(proto.referred_points());
  if (proto.referral_days() != 0) policy.referral_days = proto.referral_days();
  GUILDER_RETURN_IF_ERROR(CheckPolicy(policy));
  const auto parts = rpc::ParseName("partners/{}", proto.payer());
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const payer =
      parts ? configuration->FindPartner(std::string_view((*parts)[0])) : nullptr;
  if (payer == nullptr) return Refuse(Reason::kPartnerNotFound, "payer");
  policy.payer = payer->id;
  return policy;
}

absl::StatusOr<v1::GetBonusPolicyResponse> BonusHandlers::GetBonusPolicy(
    const rpc::Call& call, const v1::GetBonusPolicyRequest&) {
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::GetBonusPolicyResponse> {
        v1::GetBonusPolicyResponse response;
        *response.mutable_policy() = ToProto(ReadBonusPolicy(tx, programme()));
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateBonusPolicyResponse> BonusHandlers::UpdateBonusPolicy(
    const rpc::Call& call, const v1::UpdateBonusPolicyRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(BonusPolicy policy, FromProto(request.policy()));
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::UpdateBonusPolicyResponse> {
        const BonusPolicy before = ReadBonusPolicy(tx, programme());
        if (request.policy().version() != before.version) return Refuse(Reason::kEtagMismatch);
        policy.version = before.version + 1;
        if (!InsertBonusPolicy(tx, programme(), policy, ledger::ReadProgrammeClock(tx, programme()),
                               call.principal().id)) {
          return Refuse(Reason::kEtagMismatch);
        }
        v1::UpdateBonusPolicyResponse response;
        *response.mutable_policy() = ToProto(policy);
        const v1::BonusPolicy was = ToProto(before);
        rpc::Audit(tx, call, "BonusService/UpdateBonusPolicy", "bonusPolicy", &was,
                   &response.policy());
        return response;
      },
      call.deadline());
}

absl::StatusOr<ledger::Answer> BonusHandlers::Post(const rpc::Call& call,
                                                   std::unique_ptr<ledger::Command> command) const {
  command->kind = ledger::RecordKind::kBonus;
  command->deadline = call.deadline();
  auto promise = std::make_shared<std::promise<absl::StatusOr<ledger::Answer>>>();
  auto answer = promise->get_future();
  lanes_.Submit(std::move(command), [promise](absl::StatusOr<ledger::Answer> outcome) {
    promise->set_value(std::move(outcome));
  });
  return answer.get();
}

void BonusHandlers::AllowPayer(const BonusPolicy& policy, ledger::Command& command) const {
  command.payers = {policy.payer};
}

absl::StatusOr<BonusHandlers::Referral> BonusHandlers::FindReferral(
    const rpc::Call& call, const v1::ReferMemberRequest& request) const {
  GUILDER_ASSIGN_OR_RETURN(const CardNumber card, ParseAskedCard(request.referrer_card_number()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId named,
                           view_.names().Parse(call.principal(), request.member()));
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<Referral> {
        GUILDER_RETURN_IF_ERROR(view_.CheckMayName(call, tx, named, {}));
        const auto member = ReadMember(tx, named);
        if (!member) return Refuse(Reason::kMemberNotFound);
        const auto account = FindByCard(tx, card);
        const auto referrer = account ? ReadMember(tx, *account) : std::nullopt;
        if (!referrer) return Refuse(Reason::kCardNotFound);
        return Referral{member->account, referrer->account, ReadBonusPolicy(tx, programme())};
      },
      call.deadline());
}

absl::StatusOr<v1::ReferMemberResponse> BonusHandlers::ReferMember(
    const rpc::Call& call, const v1::ReferMemberRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const Referral referral, FindReferral(call, request));
  if (referral.member == referral.referrer) return RefuseReferral("SELF");
  auto command = std::make_unique<DoReferral>();
  command->partner = call.principal().partner;
  command->request_id = request_id;
  command->account = referral.member;
  command->book = ledger::BookOf(referral.member);
  command->others = {referral.referrer};
  command->policy = referral.policy;
  command->rows = &referral_rows_;
  const std::string content =
      absl::StrCat("referral/", referral.member.value(), "/", request.referrer_card_number());
  command->fingerprint = Sha256({content});
  AllowPayer(referral.policy, *command);
  if (call.principal().IsOperator()) {
    // Post waits for the lane, so the call is there when it is noted.
    command->note = [&call, &request](Transaction& tx) {
      rpc::Audit(tx, call, "BonusService/ReferMember", request.member(), nullptr, &request);
    };
  }
  const std::unique_lock lock(one_referral_, absl::ToChronoTime(call.deadline()));
  if (!lock.owns_lock()) return Refuse(Reason::kQueueFull);
  GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, Post(call, std::move(command)));
  return rpc::ToResponse<v1::ReferMemberResponse>(answer, call);
}

absl::StatusOr<Points> BonusHandlers::GiveBirthday(const rpc::Call& call, const BonusPolicy& policy,
                                                   const BirthdayCandidate& member,
                                                   const Profile& profile) {
  auto command = std::make_unique<DoBirthday>(policy);
  command->account = member.account;
  command->book = ledger::BookOf(member.account);
  command->marks = view_.vault().MarksOf(profile);
  command->rows = &birthday_rows_;
  command->needs_lots = true;
  AllowPayer(policy, *command);
  // Two jobs at once ask for the same. Days a person has one birthday in are in one year, or two.
  const absl::TimeZone zone = lanes_.configuration()->calendar().time_zone();
  GUILDER_ASSIGN_OR_RETURN(const Timestamp now,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<Timestamp> {
                                 return ledger::ReadProgrammeClock(tx, programme());
                               },
                               call.deadline()));
  const auto year = absl::ToCivilDay(ToAbslTime(now), zone).year();
  command->fingerprint = Sha256({"birthday", absl::StrCat(member.account.value(), " ", year)});
  std::copy_n(command->fingerprint.begin(), command->request_id.size(),
              command->request_id.begin());
  const absl::StatusOr<ledger::Answer> answer = Post(call, std::move(command));
  if (!answer.ok()) {
    const auto reason = guilder::ReasonOf(answer.status());
    // Had before, or gone meanwhile.
    const bool none = reason == Reason::kWrongState || reason == Reason::kAccountClosed;
    return none ? absl::StatusOr<Points>(Points(0)) : answer.status();
  }
  if (answer->replayed) return Points(0);
  Decoder decoder(answer->response);
  return decoder.ReadQuantity<Points>();
}

absl::StatusOr<v1::GrantBirthdayBonusesResponse> BonusHandlers::GrantBirthdayBonuses(
    const rpc::Call& call, const v1::GrantBirthdayBonusesRequest& request) {
  constexpr char kList[] = "birthdays";
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  const AccountId after(position.empty() ? 0 : std::stoll(position));
  BonusPolicy policy;
  Timestamp now;
  std::vector<BirthdayCandidate> members;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        policy = ReadBonusPolicy(tx, programme());
        now = ledger::ReadProgrammeClock(tx, programme());
        if (policy.birthday > Points(0)) members = ReadCandidates(tx, after, kPage);
        return absl::OkStatus();
      },
      call.deadline()));
  const absl::TimeZone zone = lanes_.configuration()->calendar().time_zone();
  v1::GrantBirthdayBonusesResponse response;
  response.set_looked_at(static_cast<int64_t>(members.size()));
  std::vector<std::pair<const BirthdayCandidate*, Profile>> birthdays;
  for (const BirthdayCandidate& member : members) {
    // Nothing for who came with a backup from before an erasure of the keys.
    auto profile = view_.vault().Open(member.account, member.sealed);
    const bool has_birthday =
        profile && HasBirthday(profile->birth_date, member.enrolled_at, now, zone);
    if (has_birthday) birthdays.emplace_back(&member, *std::move(profile));
  }
  if (!birthdays.empty() && call.principal().IsOperator()) {
    GUILDER_RETURN_IF_ERROR(pool_.Run(
        [&](Transaction& tx) {
          rpc::Audit(tx, call, "BonusService/GrantBirthdayBonuses", "bonusPolicy", nullptr,
                     &request);
          return absl::OkStatus();
        },
        call.deadline()));
  }
  for (const auto& [member, profile] : birthdays) {
    GUILDER_ASSIGN_OR_RETURN(const Points given, GiveBirthday(call, policy, *member, profile));
    if (given == Points(0)) continue;
    response.set_members(response.members() + 1);
    response.set_points(response.points() + given.value());
  }
  if (members.size() == static_cast<size_t>(kPage)) {
    response.set_next_page_token(
        page_tokens_.Make(kList, absl::StrCat(members.back().account.value())));
  }
  return response;
}

}  // namespace guilder::member
