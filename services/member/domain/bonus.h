// Bonuses that a person gets once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"

namespace guilder::member {

// The numbers are stored.
enum class BonusKind : int16_t { kWelcome = 1, kBirthday = 2, kReferred = 3, kReferrer = 4 };

// The defaults are those of a programme that has set nothing.
struct BonusPolicy {
  int64_t version = 0;
  PartnerId payer;
  Points birthday;
  Points referrer;
  Points referred;
  int referral_days = 30;
  friend bool operator==(const BonusPolicy&, const BonusPolicy&) = default;
};

inline constexpr Points kMostBonusPoints{1'000'000};

// Refuses: kRequestMalformed, naming the field.
absl::Status CheckPolicy(const BonusPolicy& policy);

// A birthday is kept for so many days, so that a late job does no harm.
inline constexpr int kBirthdayDays = 7;

// Whether who was born on `birth_date` ("1990-12-31") has a birthday on the local day of `now`, or
// had one within kBirthdayDays before, and not before the enrolment. Who was born on a leap day has
// it on 28 February in other years.
bool HasBirthday(std::string_view birth_date, Timestamp enrolled_at, Timestamp now,
                 const absl::TimeZone& zone);

// Whether a birthday bonus may follow one that was given at `last`: in another calendar year, and
// so long after it that changing the date of birth does not give another one.
bool MayFollow(std::optional<Timestamp> last, Timestamp now, const absl::TimeZone& zone);

// What is known of two members when one says that the other referred it.
struct ReferralFacts {
  // It got a welcome as a person who was not known before, and could be told from others.
  bool is_new_person = false;
  bool was_referred = false;
  // The member is among those who referred the referrer, directly or not.
  bool is_circular = false;
  Timestamp enrolled_at;
};

// Refuses: kWrongState, with the detail `why`, in the order of the API.
absl::Status CheckReferral(const BonusPolicy& policy, const ReferralFacts& facts, Timestamp now);
absl::Status RefuseReferral(const char* why);

// Gives a bonus at the payer's expense, available at once. Nothing for none.
//
// Refuses: kAccountClosed; kPartnerNotActive and kNoContract, by the payer.
absl::Status GiveBonus(const ledger::DecisionContext& context, PartnerId payer, Points points,
                       ledger::Posting& posting);

}  // namespace guilder::member
