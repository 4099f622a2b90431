// HTML that shows any text as it is. Pure.
#pragma once

#include <string>
#include <string_view>

namespace guilder {

// For text and for attributes in quotation marks: nothing of it is markup.
std::string EscapeHtml(std::string_view text);

// A whole page with a title: everything it needs is in it, and it loads and runs nothing.
std::string HtmlPage(std::string_view title, std::string_view body);

}  // namespace guilder
