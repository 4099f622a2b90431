// The partners of the demonstration: which shop sells what of the purchase data.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace guilder::cli::demo {

struct DemoPartner {
  std::string_view key;           // "florist": short, stable, lower case.
  std::string_view display_name;  // An invented business.
};

// All partners; a receipt names its partner by the place in this list. The general store takes
// every department that has no shop of its own; the web shop is the only one of the Online Retail
// data.
std::span<const DemoPartner> DemoPartners();

// The place of the partner that sells a department of the Complete Journey data.
size_t PartnerOfDepartment(std::string_view department);

size_t WebShopPartner();

}  // namespace guilder::cli::demo
