// A member's document as people read it.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "guilder/member/v1/document_service.pb.h"

namespace guilder::member {

// Lines of 80 columns at most but for addresses and names. Days are those of the zone.
std::string TextPage(std::string_view title, const v1::MemberDocument& document,
                     const absl::TimeZone& zone);

// A whole page that loads and runs nothing, and prints as it is.
std::string HtmlDocument(std::string_view title, const v1::MemberDocument& document,
                         const absl::TimeZone& zone);

}  // namespace guilder::member
