// Operators: the people who work for the programme, as they may be created.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::operator_ {

struct Operator {
  std::string id;
  std::string display_name;
  // As in operator.operators.roles: "finance_approver". In the order of security::Role, each once.
  std::vector<std::string> roles;
  // When its access was taken away.
  std::optional<Timestamp> disabled_at{};

  bool IsAdministrator() const;
};

// OK when the id has 2 to 40 of a-z, 0-9 and '-', the display name 1 to 120 bytes, and there is a
// role. Refuses: kRequestMalformed.
absl::Status CheckOperator(const Operator& candidate);

// How far a clock may be moved at once.
inline constexpr Timestamp kMostClockAdvance{3'653 * kMicrosPerDay};

// "programmes/guilder", "operators/anna".
std::string ProgrammeName(std::string_view slug);
std::string OperatorName(std::string_view id);

}  // namespace guilder::operator_
