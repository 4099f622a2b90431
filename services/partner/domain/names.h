// The forms of what operators type: ids, names, codes.
//
// Errors: REQUEST_MALFORMED, with the detail `field`.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace guilder::partner {

inline constexpr size_t kMaxTextBytes = 200;

// 3 to 40 of a-z, 0-9 and '-', beginning with a letter.
absl::Status CheckPartnerSlug(std::string_view slug);
// 1 to 40 of a-z, 0-9 and '-'.
absl::Status CheckStoreCode(std::string_view code);
// 1 to 40 of a-z, A-Z, 0-9 and '-'.
absl::Status CheckTerminalCode(std::string_view code);

// At most kMaxTextBytes of UTF-8, without control characters, and without spaces at its ends. May
// be empty.
absl::Status CheckText(std::string_view field, std::string_view text);
// CheckText, and not empty.
absl::Status CheckRequiredText(std::string_view field, std::string_view text);

// One of ISO 18245: four digits.
absl::Status CheckMerchantCategoryCode(std::string_view code);
// A code of ISO 3166-2 by its form, as in "DE-BE". May be empty.
absl::Status CheckRegion(std::string_view region);
// An IANA time zone that this machine knows.
absl::Status CheckTimeZone(const std::string& time_zone);

}  // namespace guilder::partner
