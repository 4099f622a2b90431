// What the journal's record of a purchase tells, as far as an explanation needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::operator_ {

struct PurchaseFacts {
  std::string store;
  // The receipt's number, or the order's id.
  std::string receipt;
  Timestamp occurred_at;
  int64_t lines = 0;
  MinorUnits amount;
  // "ruleSets/{id}" in force at its occurrence; 0 for none.
  int64_t rule_set = 0;
};

// Reads what the accrual service wrote. Nothing for any other bytes.
std::optional<PurchaseFacts> ReadPurchase(std::string_view content);

}  // namespace guilder::operator_
