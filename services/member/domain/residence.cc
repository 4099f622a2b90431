#include "services/member/domain/residence.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder::member {
namespace {

constexpr size_t kCountry = 2;
constexpr size_t kLongestPlace = 6;

const ResidencePolicy* PolicyAt(const std::vector<ResidencePolicy>& policies, Timestamp at) {
  const ResidencePolicy* so = nullptr;
  for (const ResidencePolicy& policy : policies) {
    const bool later =
        so == nullptr || std::tie(so->from, so->version) < std::tie(policy.from, policy.version);
    if (policy.from <= at && later) so = &policy;
  }
  return so;
}

bool Lists(const ResidencePolicy& policy, const std::string& place) {
  return std::any_of(policy.places.begin(), policy.places.end(), [&](const std::string& listed) {
    return listed == place || listed == place.substr(0, kCountry);
  });
}

bool IsSpared(const std::vector<Residence>& residences,
              const std::vector<ResidencePolicy>& policies, Timestamp at) {
  const Residence* const residence = ResidenceAt(residences, at);
  const ResidencePolicy* const policy = PolicyAt(policies, at);
  return residence != nullptr && policy != nullptr && Lists(*policy, residence->place);
}

}  // namespace

absl::Status CheckPlace(const char* field, std::string_view place) {
  bool good = place.size() == kCountry || (place.size() > kCountry + 1 && place[kCountry] == '-' &&
                                           place.size() <= kLongestPlace);
  for (size_t i = 0; i < place.size(); ++i) {
    const auto c = static_cast<unsigned char>(place[i]);
    const bool digit = i > kCountry && absl::ascii_isdigit(c);
    good = good && (i == kCountry || absl::ascii_isupper(c) || digit);
  }
  if (good) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " is no code of ISO 3166"),
                {{"field", field}});
}

const Residence* ResidenceAt(const std::vector<Residence>& residences, Timestamp at) {
  const Residence* so = nullptr;
  for (const Residence& residence : residences) {
    const bool later = so == nullptr ||
                       std::tie(so->from, so->number) < std::tie(residence.from, residence.number);
    if (residence.from <= at && later) so = &residence;
  }
  return so;
}

SparingPlan PlanSparing(const std::vector<Residence>& residences,
                        const std::vector<ResidencePolicy>& policies, Timestamp now,
                        const ledger::Configuration& configuration) {
  std::set<Timestamp> changes;
  for (const Residence& residence : residences) changes.insert(residence.from);
  for (const ResidencePolicy& policy : policies) changes.insert(policy.from);

  std::vector<ledger::Sparing> times;
  bool spared = false;
  const auto begin = [&](Timestamp at) {
    // Who comes back within the days of grace was never away.
    const bool goes_on = !times.empty() && at <= times.back().until;
    if (goes_on) times.back().until = kNever;
    if (!goes_on) times.push_back({at, kNever});
  };
  for (const Timestamp at : changes) {
    const bool was = std::exchange(spared, IsSpared(residences, policies, at));
    if (spared && !was) begin(at);
    if (!was || spared) continue;
    times.back().until = configuration.EndOfDayAfter(at, PolicyAt(policies, at)->grace_days);
  }
  for (const ledger::Sparing& time : times) {
    if (time.until > now) return {time, time.until};
  }
  return {};
}

Points DecideSparing(SparingPlan& plan, ledger::Posting& posting) {
  posting.Spare(plan.sparing.from, plan.sparing.until);
  const ledger::AccountState& account = posting.account();
  struct Lost {
    LotId lot;
    Points points;
    Timestamp end;
  };
  std::vector<Lost> lost;
  for (const ledger::Lot& lot : account.lots) {
    // As it was when they expired: what the member does since moves it no more.
    const Timestamp end = lot.ends_at();
    const bool lives = end <= posting.now() && account.Spared(end) > posting.now();
    const bool expired = lot.state == ledger::LotState::kActive && lot.lapsed() > Points(0);
    if (!lives || !expired) continue;
    if (lost.size() == ledger::kMostLotsSent) {
      plan.next_change = posting.now();
      break;
    }
    lost.push_back({lot.id, lot.lapsed(), end});
  }
  Points points;
  for (const Lost& back : lost) {
    posting.Reinstate(back.lot, back.points, back.end);
    points += back.points;
  }
  return points;
}

}  // namespace guilder::member
