#include "services/operator/domain/operator.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::operator_ {
namespace {

constexpr size_t kMaxDisplayName = 120;

bool IsId(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return id.size() >= 2 && id.size() <= 40 && std::all_of(id.begin(), id.end(), allowed);
}

}  // namespace

bool Operator::IsAdministrator() const {
  return std::find(roles.begin(), roles.end(), "admin") != roles.end();
}

absl::Status CheckOperator(const Operator& candidate) {
  if (!IsId(candidate.id)) {
    return Refuse(Reason::kRequestMalformed, "operator_id needs 2 to 40 of a-z, 0-9 and '-'");
  }
  if (candidate.display_name.empty() || candidate.display_name.size() > kMaxDisplayName) {
    return Refuse(Reason::kRequestMalformed, "display_name needs 1 to 120 bytes");
  }
  if (candidate.roles.empty()) return Refuse(Reason::kRequestMalformed, "roles is empty");
  return absl::OkStatus();
}

std::string ProgrammeName(std::string_view slug) {
  return absl::StrCat("programmes/", ToAbsl(slug));
}

std::string OperatorName(std::string_view id) {
  return absl::StrCat("operators/", ToAbsl(id));
}

}  // namespace guilder::operator_
