#include "services/settlement/domain/names.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "libs/base/text.h"

namespace guilder::settlement {
namespace {

// Exactly four digits of the year: %Y would read on through month and day.
constexpr char kWindowFormat[] = "%E4Y%m%dT%H%M%SZ";
constexpr std::string_view kWindows = "windows/";
constexpr std::string_view kSettlements = "settlements/";

std::optional<std::string_view> After(std::string_view prefix, std::string_view name) {
  if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
  return name.substr(prefix.size());
}

}  // namespace

std::string WindowName(Timestamp start) {
  return absl::StrCat(ToAbsl(kWindows),
                      absl::FormatTime(kWindowFormat, ToAbslTime(start), absl::UTCTimeZone()));
}

std::optional<Timestamp> ParseWindowName(std::string_view name) {
  const auto text = After(kWindows, name);
  absl::Time time;
  std::string error;
  if (!text || !absl::ParseTime(kWindowFormat, std::string(*text), &time, &error)) {
    return std::nullopt;
  }
  const Timestamp start = FromAbslTime(time);
  // The one spelling only: parsing forgives spaces and missing digits.
  if (WindowName(start) != name) return std::nullopt;
  return start;
}

std::string SettlementName(SettlementId id) {
  return absl::StrCat(ToAbsl(kSettlements), id.value());
}

std::optional<SettlementId> ParseSettlementName(std::string_view name) {
  const auto text = After(kSettlements, name);
  if (!text) return std::nullopt;
  const std::optional<int64_t> number = ParseInt(*text);
  if (!number || *number < 1 || *number > INT32_MAX) return std::nullopt;
  const SettlementId id(static_cast<int32_t>(*number));
  if (SettlementName(id) != name) return std::nullopt;
  return id;
}

std::string LineName(SettlementId id, int line) {
  return absl::StrCat(SettlementName(id), "/lines/", line);
}

std::string ObligationName(SettlementId id, std::string_view partner_slug) {
  return absl::StrCat(SettlementName(id), "/obligations/", ToAbsl(partner_slug));
}

std::string PartnerName(std::string_view slug) {
  return absl::StrCat("partners/", ToAbsl(slug));
}

std::string ContractName(std::string_view slug, int number) {
  return absl::StrCat(PartnerName(slug), "/contracts/", number);
}

std::string InvoiceName(std::string_view number) {
  return absl::StrCat("invoices/", ToAbsl(number));
}

}  // namespace guilder::settlement
