#include "libs/rules/evaluate.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/rules/conditions.h"
#include "libs/rules/share.h"

namespace guilder::rules {
namespace {

using Int128 = __int128;

bool Has(const uint64_t* bits, size_t position) {
  return (bits[position / 64] >> (position % 64) & 1) != 0;
}

// The lowest bit of `a` and `b` together; −1 for none.
int32_t FirstOfBoth(const uint64_t* a, const Bits& b) {
  for (size_t i = 0; i < b.size(); ++i) {
    const uint64_t both = a[i] & b[i];
    if (both != 0) return static_cast<int32_t>(i * 64 + std::countr_zero(both));
  }
  return -1;
}

template <typename Value, typename Key>
const Bits& Fitting(const SlotIndex<Value>& index, const Key& key) {
  if (index.by_value.empty()) return index.any;
  const auto found = index.by_value.find(key);
  return found == index.by_value.end() ? index.any : found->second;
}

// One evaluation. Everything that grows is in the workspace or the award.
class Evaluation {
 public:
  Evaluation(const CompiledRules& rules, const Basket& basket, const Facts& facts, Workspace& w,
             Award& award)
      : set_(rules.rule_set()),
        plan_(rules.PlanFor(basket.partner)),
        basket_(basket),
        facts_(facts),
        w_(w),
        award_(award),
        lines_(basket.lines.size()) {}

  void Run() {
    Reset();
    CountAmounts(basket_, plan_.needs_net_amounts, w_);
    FindApplicable();
    MatchLines();
    AwardBaseRates();
    w_.base_points = w_.points;
    if (!facts_.base_rates_only) {
      ForEach(plan_.others, [this](size_t slot) { AwardOther(slot); });
    }
    for (size_t i = 0; i < lines_; ++i) {
      award_.lines[i].points = Points(w_.points[i]);
      award_.total += Points(w_.points[i]);
    }
  }

 private:
  void Reset() {
    award_.total = Points(0);
    award_.lines.assign(lines_, LineAward());
    award_.rules.clear();
    award_.parts.clear();
    award_.caps_used.assign(set_.caps.size(), Points(0));
    w_.stopped.assign(lines_, 0);
    w_.points.assign(lines_, 0);
    w_.groups_taken.assign(static_cast<size_t>(plan_.groups), 0);
    w_.caps_left.resize(set_.caps.size());
    for (const int32_t cap : plan_.caps) {
      const auto index = static_cast<size_t>(cap);
      const bool known = index < facts_.caps_left.size();
      w_.caps_left[index] = set_.caps[index].scope == CapScope::kReceipt ? set_.caps[index].points
                            : known ? std::max(facts_.caps_left[index], Points(0))
                                    : kUnlimited;
    }
  }

  // The slots whose partner, store and conditions fit.
  void FindApplicable() {
    const Bits& fitting = Fitting(plan_.stores, basket_.store);
    w_.applicable.assign(fitting.begin(), fitting.end());
    Moment moment;
    if (plan_.needs_local_time) moment = MomentOf(basket_);
    ForEach(plan_.conditional, [&](size_t slot) {
      if (FirstUnmet(plan_.slots[slot].what->conditions, moment, facts_.member)) Drop(slot);
    });
  }

  // Finds each line's slots, then its exclusion: an excluded line has none.
  void MatchLines() {
    w_.line_bits.resize(lines_ * plan_.words);
    w_.any_line.assign(plan_.words, 0);
    for (size_t i = 0; i < lines_; ++i) {
      const Line& line = basket_.lines[i];
      const Bits& by_category = Fitting(plan_.categories, ToAbsl(line.category));
      const Bits& by_sku = Fitting(plan_.skus, ToAbsl(line.sku));
      uint64_t* const bits = BitsOf(i);
      for (size_t word = 0; word < plan_.words; ++word) {
        bits[word] = w_.applicable[word] & by_category[word] & by_sku[word];
      }
      const int32_t exclusion = FirstOfBoth(bits, plan_.exclusions);
      if (exclusion >= 0) {
        award_.lines[i] = {Points(0), plan_.slots[static_cast<size_t>(exclusion)].rule,
                           Why::kExcluded};
        std::fill(bits, bits + plan_.words, 0);
        continue;
      }
      for (size_t word = 0; word < plan_.words; ++word) w_.any_line[word] |= bits[word];
    }
    matched_ = true;
  }

  void AwardBaseRates() {
    // A rate that its lines are too cheap for leaves them to the next one.
    ForEach(plan_.base_rates, [this](size_t slot) {
      if (plan_.slots[slot].what->conditions.min_amount > MinorUnits(0)) {
        FindMembers(slot);
        if (BelowThreshold(plan_.slots[slot])) Drop(slot);
      }
    });
    w_.base_slots.assign(lines_, -1);
    for (size_t i = 0; i < lines_; ++i) {
      if (award_.lines[i].why == Why::kExcluded) continue;
      const int32_t slot = FirstOfBoth(BitsOf(i), plan_.base_rates);
      if (slot < 0) continue;
      const Slot& taken = plan_.slots[static_cast<size_t>(slot)];
      const bool paid = AmountOf(taken, i) > 0;
      award_.lines[i] = {Points(0), taken.rule, paid ? Why::kEarned : Why::kZeroAmount};
      if (paid) w_.base_slots[i] = slot;
    }
    ForEach(plan_.base_rates, [this](size_t slot) { AwardBaseRate(slot); });
  }

  void AwardBaseRate(size_t position) {
    w_.members.clear();
    for (size_t i = 0; i < lines_; ++i) {
      if (w_.base_slots[i] == static_cast<int32_t>(position)) w_.members.push_back(i);
    }
    if (w_.members.empty()) return;
    const Slot& slot = plan_.slots[position];
    const auto& rate = std::get<BaseRate>(slot.what->effect);
    WeighByAmount(slot);
    Give(slot, rate.rounding, [&rate](int64_t amount) {
      return Int128{amount / rate.per_minor_units.value()} * rate.points.value();
    });
  }

  void AwardOther(size_t position) {
    const Slot& slot = plan_.slots[position];
    if (slot.group >= 0 && w_.groups_taken[static_cast<size_t>(slot.group)] != 0) return;
    FindMembers(position);
    if (w_.members.empty() || BelowThreshold(slot)) return;
    if (const auto* multiplier = std::get_if<Multiplier>(&slot.what->effect)) {
      WeighBy(multiplier->of == Multiplicand::kBasePoints ? w_.base_points : w_.points);
      Give(slot, multiplier->rounding, [multiplier](int64_t points) {
        return Int128{points} * (multiplier->numerator - multiplier->denominator) /
               multiplier->denominator;
      });
    } else if (const auto* fixed = std::get_if<FixedBonus>(&slot.what->effect)) {
      WeighByAmount(slot);
      Give(slot, Rounding::kPerBasket, [fixed](int64_t) { return Int128{fixed->points.value()}; });
    } else if (const auto* product = std::get_if<ProductBonus>(&slot.what->effect)) {
      w_.weights.clear();
      for (const size_t line : w_.members) w_.weights.push_back(basket_.lines[line].quantity);
      Give(slot, product->rounding, [product](int64_t quantity) {
        return Int128{quantity / product->per_quantity} * product->points.value();
      });
    }
  }

  // The lines of a slot that no earlier rule has stopped.
  void FindMembers(size_t position) {
    w_.members.clear();
    for (size_t i = 0; i < lines_; ++i) {
      if (w_.stopped[i] == 0 && Has(BitsOf(i), position)) w_.members.push_back(i);
    }
  }

  bool BelowThreshold(const Slot& slot) const {
    const MinorUnits least = slot.what->conditions.min_amount;
    if (least <= MinorUnits(0)) return false;
    int64_t sum = 0;
    for (const size_t line : w_.members) sum += AmountOf(slot, line);
    return sum < least.value();
  }

  void WeighBy(const std::vector<int64_t>& values) {
    w_.weights.clear();
    for (const size_t line : w_.members) w_.weights.push_back(values[line]);
  }
  void WeighByAmount(const Slot& slot) { WeighBy(w_.amounts[slot.basis]); }

  // Gives the members what `points_for` makes of their weights: of all together, or of each. What
  // the caps do not allow is trimmed, and what is left shared over the lines.
  template <typename PointsFor>
  void Give(const Slot& slot, Rounding rounding, const PointsFor& points_for) {
    RuleAward given;
    given.rule = slot.rule;
    for (const int64_t weight : w_.weights) given.input += weight;
    Int128 raw = 0;
    if (rounding == Rounding::kPerLine) {
      for (int64_t& weight : w_.weights) {
        weight = static_cast<int64_t>(
            std::min<Int128>(points_for(weight), kMaxPointsPerCommand.value()));
        raw += weight;
      }
    } else {
      raw = points_for(given.input);
    }
    if (raw == 0) return;
    // Above what a purchase may give the exact figure does not matter, only that it is trimmed.
    const Int128 most = Int128{kMaxPointsPerCommand.value()} + 1;
    given.raw = Points(static_cast<int64_t>(std::min(raw, most)));
    given.points = Trim(slot, given);
    ShareByLargestRemainder(given.points.value(), w_);
    given.first_part = award_.parts.size();
    for (size_t i = 0; i < w_.members.size(); ++i) {
      if (w_.shares[i] > 0) award_.parts.push_back({w_.members[i], Points(w_.shares[i])});
      w_.points[w_.members[i]] += w_.shares[i];
    }
    given.parts = award_.parts.size() - given.first_part;
    given_ += given.points;
    award_.rules.push_back(given);
    if (given.points == Points(0)) return;
    if (slot.group >= 0) w_.groups_taken[static_cast<size_t>(slot.group)] = 1;
    if (slot.what->stop) {
      for (const size_t line : w_.members) w_.stopped[line] = 1;
    }
  }

  // What a rule may give: the least that its caps have left.
  Points Trim(const Slot& slot, RuleAward& given) {
    Points allowed = given.raw;
    if (const Points room = kMaxPointsPerCommand - given_; room < allowed) {
      allowed = room;
      given.trimmed_by = kPurchaseLimit;
    }
    for (const int32_t cap : slot.caps) {
      if (w_.caps_left[static_cast<size_t>(cap)] >= allowed) continue;
      allowed = w_.caps_left[static_cast<size_t>(cap)];
      given.trimmed_by = cap;
    }
    for (const int32_t cap : slot.caps) {
      const auto index = static_cast<size_t>(cap);
      if (w_.caps_left[index] != kUnlimited) w_.caps_left[index] -= allowed;
      award_.caps_used[index] += allowed;
    }
    return allowed;
  }

  uint64_t* BitsOf(size_t line) { return w_.line_bits.data() + line * plan_.words; }
  int64_t AmountOf(const Slot& slot, size_t line) const { return w_.amounts[slot.basis][line]; }

  // The slot does not apply after all.
  void Drop(size_t slot) {
    const uint64_t mask = ~(uint64_t{1} << (slot % 64));
    w_.applicable[slot / 64] &= mask;
    if (!matched_) return;
    for (size_t i = 0; i < lines_; ++i) BitsOf(i)[slot / 64] &= mask;
  }

  // The slots of `bits` that apply, and that a line has once lines were matched, in order.
  template <typename Body>
  void ForEach(const Bits& bits, const Body& body) {
    for (size_t word = 0; word < plan_.words; ++word) {
      uint64_t rest = bits[word] & w_.applicable[word];
      if (matched_) rest &= w_.any_line[word];
      for (; rest != 0; rest &= rest - 1) {
        body(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
      }
    }
  }

  const RuleSet& set_;
  const Plan& plan_;
  const Basket& basket_;
  const Facts& facts_;
  Workspace& w_;
  Award& award_;
  const size_t lines_;
  bool matched_ = false;
  Points given_;
};

}  // namespace

absl::Status Validate(const Basket& basket) {
  const auto out_of_range = [](size_t line, const char* what) {
    return Refuse(Reason::kAmountOutOfRange, absl::StrCat("line ", line + 1, ": ", what));
  };
  if (basket.lines.empty() || basket.lines.size() > kMaxLines) {
    return Refuse(Reason::kRequestMalformed,
                  absl::StrCat("a purchase has 1 to ", kMaxLines, " lines"));
  }
  MinorUnits sum;
  for (size_t i = 0; i < basket.lines.size(); ++i) {
    const Line& line = basket.lines[i];
    if (line.quantity < 1 || line.quantity > kMaxQuantity) return out_of_range(i, "quantity");
    if (line.amount < MinorUnits{0} || line.amount > kMaxAmount) return out_of_range(i, "amount");
    if (line.tax < MinorUnits{0} || line.tax > line.amount) return out_of_range(i, "tax");
    sum += line.amount;
  }
  if (sum > kMaxAmount) {
    return Refuse(Reason::kAmountOutOfRange, "the sum of the lines is too large");
  }
  if (basket.paid_with_points < MinorUnits{0} || basket.paid_with_points > sum) {
    return Refuse(Reason::kAmountOutOfRange, "more was paid with points than the lines cost");
  }
  return absl::OkStatus();
}

void Evaluate(const CompiledRules& rules, const Basket& basket, const Facts& facts,
              Workspace& workspace, Award& award) {
  Evaluation(rules, basket, facts, workspace, award).Run();
}

Award Evaluate(const RuleSet& rule_set, const Basket& basket, const Facts& facts) {
  const CompiledRules rules(rule_set);
  Workspace workspace;
  Award award;
  Evaluate(rules, basket, facts, workspace, award);
  return award;
}

}  // namespace guilder::rules
