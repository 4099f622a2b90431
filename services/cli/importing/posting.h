// Sends what an imported file says, and keeps the answers.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"

#include "libs/clients/channel.h"
#include "services/cli/importing/answers.h"
#include "services/cli/importing/receipts.h"

namespace guilder::cli::importing {

struct Destination {
  std::string partner;  // "partners/{id}"
  clients::Channel accrual;
  clients::Channel member;
};

// Sends every item that has no answer yet: gives cards to customers who have none, streams the
// receipts, then the returns, those of one sale in their order. Repeats what may pass for minutes.
// `on_rows` is told how many rows were answered, from any thread.
//
// Error: what ended it. What was answered is in the log, and a later call goes on.
absl::Status PostItems(const Destination& destination, std::vector<Item>& items, AnswerLog& log,
                       const std::function<void(int64_t rows)>& on_rows);

}  // namespace guilder::cli::importing
