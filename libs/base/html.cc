#include "libs/base/html.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder {
namespace {

// No script, no outside address: whatever gets into a page by mistake cannot do anything there.
constexpr char kHead[] = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>)html";

constexpr char kStyle[] = R"html(</title>
<style>
body { font: 14px/1.45 sans-serif; color: #1c2330; margin: 2.5em auto; max-width: 60em; padding: 0 1em }
h1 { font-size: 1.5em; margin: 0 0 .2em } h2 { font-size: 1.1em; margin: 2em 0 .5em }
p.note { color: #5b6472; margin: .2em 0 }
table { border-collapse: collapse; width: 100% }
th, td { padding: .3em .6em; border-bottom: 1px solid #d9dee6; text-align: left; vertical-align: top }
th { font-weight: 600; color: #5b6472 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
tr.sum td { font-weight: 600; border-top: 2px solid #1c2330 }
svg { width: 100%; height: auto } svg text { font: 12px sans-serif; fill: #1c2330 }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } tr, svg { break-inside: avoid } }
</style>
</head>
<body>
)html";

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string HtmlPage(std::string_view title, std::string_view body) {
  return absl::StrCat(kHead, EscapeHtml(title), kStyle, ToAbsl(body), "</body>\n</html>\n");
}

}  // namespace guilder
