#include "services/member/domain/bonus.h"

#include <algorithm>

#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "services/member/domain/adjustment.h"

namespace guilder::member {
namespace {

// Less than a year, because last year's may have come late.
constexpr Timestamp kShortestBetweenBirthdays(300 * kMicrosPerDay);

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

absl::CivilDay DayOf(Timestamp at, const absl::TimeZone& zone) {
  return absl::ToCivilDay(ToAbslTime(at), zone);
}

bool IsAmount(Points points) {
  return points >= Points(0) && points <= kMostBonusPoints;
}

}  // namespace

absl::Status CheckPolicy(const BonusPolicy& policy) {
  if (!IsAmount(policy.birthday)) return Malformed("policy.birthday_points");
  if (!IsAmount(policy.referrer)) return Malformed("policy.referrer_points");
  if (!IsAmount(policy.referred)) return Malformed("policy.referred_points");
  if (policy.referral_days < 1 || policy.referral_days > 365) {
    return Malformed("policy.referral_days");
  }
  return absl::OkStatus();
}

bool HasBirthday(std::string_view birth_date, Timestamp enrolled_at, Timestamp now,
                 const absl::TimeZone& zone) {
  absl::CivilDay born;
  if (!absl::ParseCivilTime(std::string(birth_date), &born)) return false;
  const absl::CivilDay today = DayOf(now, zone);
  const absl::CivilDay enrolled = DayOf(enrolled_at, zone);
  // That of last year, too: the days after New Year's Eve.
  for (const auto year : {today.year() - 1, today.year()}) {
    const absl::CivilMonth month(year, born.month());
    const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
    const absl::CivilDay birthday = std::min(absl::CivilDay(month) + (born.day() - 1), last);
    const auto since = today - birthday;
    if (0 <= since && since < kBirthdayDays && birthday >= enrolled && birthday > born) return true;
  }
  return false;
}

bool MayFollow(std::optional<Timestamp> last, Timestamp now, const absl::TimeZone& zone) {
  if (!last) return true;
  const bool other_year = DayOf(*last, zone).year() != DayOf(now, zone).year();
  return other_year && now - *last >= kShortestBetweenBirthdays;
}

absl::Status RefuseReferral(const char* why) {
  return Refuse(Reason::kWrongState, "this referral gives nothing", {{"why", why}});
}

absl::Status CheckReferral(const BonusPolicy& policy, const ReferralFacts& facts, Timestamp now) {
  if (policy.referrer == Points(0) && policy.referred == Points(0)) {
    return RefuseReferral("NO_BONUS");
  }
  if (facts.is_circular) return RefuseReferral("CIRCULAR");
  if (!facts.is_new_person) return RefuseReferral("KNOWN_PERSON");
  if (now - facts.enrolled_at >= Timestamp(policy.referral_days * kMicrosPerDay)) {
    return RefuseReferral("TOO_LATE");
  }
  return facts.was_referred ? RefuseReferral("REFERRED_BEFORE") : absl::OkStatus();
}

absl::Status GiveBonus(const ledger::DecisionContext& context, PartnerId payer, Points points,
                       ledger::Posting& posting) {
  if (points == Points(0)) return absl::OkStatus();
  // What staff gives at a partner's expense is given alike.
  Adjustment gift;
  gift.points = points;
  gift.payer = payer;
  return DecideAdjustment(context, posting, gift);
}

}  // namespace guilder::member
