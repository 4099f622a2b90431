// Where alone points may be spent.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "libs/base/types.h"

namespace guilder::ledger {

// In the place of a partner's id: points that may only be spent on gifts.
inline constexpr PartnerId kOnlyGifts{-1};
// The same: points that may only be spent at several partners, whom a list names.
inline constexpr PartnerId kOnlyListed{-2};

// Anywhere, at one partner, at any of several, or on gifts. A value: cheap to copy where it names
// no list, which is nearly always.
class Restriction {
 public:
  Restriction() = default;
  // At that partner, or kOnlyGifts; anywhere for none.
  Restriction(PartnerId where) : where_(where) {}  // NOLINT: a partner is a restriction.
  // At any of these; in any order, repeats do not matter. Anywhere for none.
  static Restriction OnlyAt(std::vector<PartnerId> partners) {
    std::sort(partners.begin(), partners.end());
    partners.erase(std::unique(partners.begin(), partners.end()), partners.end());
    if (partners.empty()) return Restriction();
    if (partners.size() == 1) return Restriction(partners.front());
    return Restriction(kOnlyListed, std::move(partners));
  }

  // As it was stored, whether or not it makes sense: what names nobody admits nobody.
  Restriction(PartnerId where, std::vector<PartnerId> listed) : where_(where) {
    if (listed.empty()) return;
    listed_ = std::make_shared<const std::vector<PartnerId>>(std::move(listed));
  }

  // Whether the points may not be spent anywhere.
  explicit operator bool() const { return static_cast<bool>(where_); }
  // A partner, kOnlyGifts or kOnlyListed; none for anywhere.
  PartnerId where() const { return where_; }
  // Of kOnlyListed, ascending; empty otherwise.
  const std::vector<PartnerId>& listed() const {
    static const std::vector<PartnerId> kNobody;
    return listed_ == nullptr ? kNobody : *listed_;
  }
  bool Admits(PartnerId partner, bool gift) const {
    if (!where_) return true;
    if (where_ == kOnlyGifts) return gift;
    if (where_ != kOnlyListed) return where_ == partner;
    return std::binary_search(listed().begin(), listed().end(), partner);
  }

  friend bool operator==(const Restriction& a, const Restriction& b) {
    return a.where_ == b.where_ && a.listed() == b.listed();
  }

 private:
  PartnerId where_;
  std::shared_ptr<const std::vector<PartnerId>> listed_;
};

}  // namespace guilder::ledger
