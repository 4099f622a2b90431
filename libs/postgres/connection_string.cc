#include "libs/postgres/connection_string.h"

#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace guilder::postgres::internal {
namespace {

Parameters ParametersOf(const SessionSettings& settings) {
  return {{"application_name", settings.application_name},
          {"connect_timeout", absl::StrCat(settings.connect_timeout.count())},
          {"keepalives", "1"},
          {"keepalives_idle", "2"},
          {"keepalives_interval", "1"},
          {"keepalives_count", "3"},
          {"tcp_user_timeout", absl::StrCat(settings.tcp_user_timeout.count())}};
}

std::string PercentEncode(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.') {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

// libpq lets the last of several equal parameters win, so ours go first.
std::string WithParameters(const std::string& dsn, const Parameters& parameters) {
  if (!absl::StartsWith(dsn, "postgresql://") && !absl::StartsWith(dsn, "postgres://")) {
    std::string out;
    for (const auto& [key, value] : parameters) {
      absl::StrAppend(&out, key, "='", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}),
                      "' ");
    }
    return out + dsn;
  }
  const size_t question = dsn.find('?');
  std::string out = dsn.substr(0, question);
  out.push_back('?');
  for (const auto& [key, value] : parameters) {
    absl::StrAppend(&out, key, "=", PercentEncode(value), "&");
  }
  if (question == std::string::npos) {
    out.pop_back();
  } else {
    out.append(dsn, question + 1);
  }
  return out;
}

}  // namespace

std::string ConnectionString(const std::string& dsn, const SessionSettings& settings) {
  return WithParameters(dsn, ParametersOf(settings));
}

}  // namespace guilder::postgres::internal
