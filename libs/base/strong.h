// Types that wrap an integer so that two meanings of it cannot be swapped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>

namespace guilder {

// An identifier: compares and hashes, but has no arithmetic. Zero is "none".
template <typename Tag, typename Rep = int64_t>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, StrongId id) { return out << +id.value_; }

 private:
  Rep value_ = 0;
};

// A quantity: adds, subtracts and compares with its own kind, and nothing else.
template <typename Tag>
class StrongQuantity {
 public:
  constexpr StrongQuantity() = default;
  constexpr explicit StrongQuantity(int64_t value) : value_(value) {}

  constexpr int64_t value() const { return value_; }

  friend constexpr auto operator<=>(StrongQuantity, StrongQuantity) = default;

  constexpr StrongQuantity& operator+=(StrongQuantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr StrongQuantity& operator-=(StrongQuantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr StrongQuantity operator+(StrongQuantity a, StrongQuantity b) { return a += b; }
  friend constexpr StrongQuantity operator-(StrongQuantity a, StrongQuantity b) { return a -= b; }
  constexpr StrongQuantity operator-() const { return StrongQuantity(-value_); }

  friend std::ostream& operator<<(std::ostream& out, StrongQuantity q) { return out << q.value_; }

 private:
  int64_t value_ = 0;
};

}  // namespace guilder

template <typename Tag, typename Rep>
struct std::hash<guilder::StrongId<Tag, Rep>> {
  size_t operator()(guilder::StrongId<Tag, Rep> id) const { return std::hash<Rep>()(id.value()); }
};
