// From exceptions and SQLSTATEs to statuses. Not for use outside this library.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace guilder::postgres::internal {

// Carries a status out of a transaction's body to RunInTransaction.
class StatusError : public std::exception {
 public:
  explicit StatusError(absl::Status status)
      : status_(std::move(status)), text_(status_.message()) {}
  const absl::Status& status() const { return status_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  absl::Status status_;
  std::string text_;
};

// The statement was answered with this SQLSTATE, which may be empty.
absl::Status StatusOfSqlState(std::string_view sqlstate, std::string_view message);
// There was no answer.
absl::Status ConnectionLost(std::string_view message);
// There was no answer to the commit.
absl::Status OutcomeUnknown(std::string_view message);

// The server's message without its DETAIL, which quotes values of rows, and without a last line
// break.
std::string WithoutDetail(std::string_view message);

}  // namespace guilder::postgres::internal
