#include "services/cli/output/exit_code.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kDone;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return ExitCode::kOutcomeUnknown;
    default:
      return ExitCode::kRefused;
  }
}

std::string ErrorText(const absl::Status& status, const std::string& request_id) {
  const bool unknown = ExitCodeOf(status) == ExitCode::kOutcomeUnknown;
  const std::optional<Reason> reason = ReasonOf(status);
  const std::string name =
      reason ? std::string(ReasonName(*reason)) : absl::StatusCodeToString(status.code());
  const std::string message(status.message());

  std::string text = absl::StrCat(unknown ? "no answer: " : "refused: ", name, ": ", message, "\n");
  for (const auto& [key, value] : DetailsOf(status)) {
    absl::StrAppend(&text, "  ", key, ": ", value, "\n");
  }
  if (reason && !absl::StrContains(message, ToAbsl(ReasonAdvice(*reason)))) {
    absl::StrAppend(&text, "  ", ToAbsl(ReasonAdvice(*reason)), "\n");
  }
  if (unknown && !request_id.empty()) {
    absl::StrAppend(&text, "  the outcome is unknown: repeat the command with --request-id ",
                    request_id, "\n");
  }
  return text;
}

}  // namespace guilder::cli
