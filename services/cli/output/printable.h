// Text of others on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace guilder::cli {

// The text with a '?' for each character that a terminal would obey rather than show, or that would
// turn the order of what follows: control characters but line feeds, and Unicode's directional
// formatting (UAX #9). What somebody wrote into a note or a receipt must not change what a second
// person reads.
std::string Printable(std::string_view text);

}  // namespace guilder::cli
