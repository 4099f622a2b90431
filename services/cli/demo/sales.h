// Finds the sales that a cancellation takes back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace guilder::cli::demo {

// What a cancellation and its sale have in common: it names no invoice.
struct SaleKey {
  std::string customer;
  std::string code;
  int64_t price = 0;
  friend bool operator<(const SaleKey& a, const SaleKey& b) {
    return std::tie(a.customer, a.code, a.price) < std::tie(b.customer, b.code, b.price);
  }
};

// A line of a receipt, and how much of it is sold or taken back.
struct SoldLine {
  size_t receipt = 0;
  std::string line_id;
  int64_t quantity = 0;
};

// The sales that are not yet cancelled. Sales are added in the order of time.
class OpenSales {
 public:
  void Add(SaleKey key, SoldLine line) { open_[std::move(key)].push_back(std::move(line)); }

  // Takes up to `quantity` off the latest sales first. What is taken can not be taken again.
  std::vector<SoldLine> Take(const SaleKey& key, int64_t quantity) {
    std::vector<SoldLine> taken;
    const auto found = open_.find(key);
    if (found == open_.end()) return taken;
    std::vector<SoldLine>& sales = found->second;
    while (quantity > 0 && !sales.empty()) {
      SoldLine& latest = sales.back();
      const int64_t part = std::min(quantity, latest.quantity);
      taken.push_back({latest.receipt, latest.line_id, part});
      quantity -= part;
      latest.quantity -= part;
      if (latest.quantity == 0) sales.pop_back();
    }
    return taken;
  }

 private:
  std::map<SaleKey, std::vector<SoldLine>> open_;  // Latest last.
};

}  // namespace guilder::cli::demo
