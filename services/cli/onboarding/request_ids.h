// Request ids that follow from what they are for, so that a program that was interrupted repeats
// its requests instead of making new ones.
#pragma once

#include <string>
#include <string_view>

namespace guilder::cli {

// A UUID of version 8 (RFC 9562) in text form: the first bits of SHA-256 over both texts.
std::string RequestIdFor(std::string_view seed, std::string_view what);

}  // namespace guilder::cli
