#include "services/cli/demo/steps.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/base/text.h"
#include "services/cli/demo/partners.h"

namespace guilder::cli::demo {
namespace {

constexpr int kDaysPerStep = 7;

Timestamp FirstOccurrence(const TillWork& work) {
  Timestamp first = kNever;
  if (!work.receipts.empty()) first = work.receipts.front().occurred_at;
  if (!work.returns.empty()) first = std::min(first, work.returns.front().occurred_at);
  return first;
}

}  // namespace

Timestamp ProgrammeStart(const TillWork& work, const absl::TimeZone& zone) {
  const absl::CivilDay first = absl::ToCivilDay(ToAbslTime(FirstOccurrence(work)), zone);
  return FromAbslTime(absl::FromCivil(absl::CivilMonth(first), zone));
}

std::vector<Step> CutIntoSteps(const TillWork& work, absl::CivilDay today,
                               const absl::TimeZone& zone) {
  std::vector<Step> steps;
  std::vector<bool> known(work.members.size(), false);
  const auto meet = [&](Step& step, std::optional<size_t> member, size_t partner) {
    if (!member || known[*member]) return;
    known[*member] = true;
    step.members.push_back(*member);
    step.first_partner.push_back(partner);
  };
  size_t receipt = 0;
  size_t returned = 0;
  absl::CivilDay day = absl::ToCivilDay(ToAbslTime(FirstOccurrence(work)), zone);
  while (day < today) {
    day = std::min(day + kDaysPerStep, today);
    Step step;
    step.end = FromAbslTime(absl::FromCivil(day, zone));
    for (; receipt < work.receipts.size() && work.receipts[receipt].occurred_at < step.end;
         ++receipt) {
      step.receipts.push_back(receipt);
      meet(step, work.receipts[receipt].member, work.receipts[receipt].partner);
    }
    for (; returned < work.returns.size() && work.returns[returned].occurred_at < step.end;
         ++returned) {
      step.returns.push_back(returned);
      meet(step, work.returns[returned].member, work.returns[returned].partner);
    }
    steps.push_back(std::move(step));
  }
  // Whoever cancelled nothing but charges has sent nothing, and still is a member.
  for (size_t member = 0; member < known.size() && !steps.empty(); ++member) {
    meet(steps.back(), member, WebShopPartner());
  }
  return steps;
}

TillWork TakeShare(TillWork work, int share) {
  if (share <= 1) return work;
  TillWork taken;
  taken.stores = std::move(work.stores);
  const auto is_taken = [share](size_t place) { return place % static_cast<size_t>(share) == 0; };
  const auto member_of = [share](std::optional<size_t> member) {
    return member ? std::optional(*member / static_cast<size_t>(share)) : std::nullopt;
  };
  for (size_t i = 0; i < work.members.size(); ++i) {
    if (is_taken(i)) taken.members.push_back(std::move(work.members[i]));
  }
  std::vector<size_t> place(work.receipts.size());
  for (size_t i = 0; i < work.receipts.size(); ++i) {
    Receipt& receipt = work.receipts[i];
    if (!is_taken(receipt.member.value_or(i))) continue;
    place[i] = taken.receipts.size();
    receipt.member = member_of(receipt.member);
    taken.counts.lines_read += static_cast<int64_t>(receipt.lines.size());
    taken.receipts.push_back(std::move(receipt));
  }
  for (size_t i = 0; i < work.returns.size(); ++i) {
    Return& one = work.returns[i];
    if (!is_taken(one.member.value_or(i))) continue;
    one.member = member_of(one.member);
    if (one.receipt) one.receipt = place[*one.receipt];
    taken.counts.lines_read += static_cast<int64_t>(one.lines.size());
    taken.returns.push_back(std::move(one));
  }
  return taken;
}

}  // namespace guilder::cli::demo
