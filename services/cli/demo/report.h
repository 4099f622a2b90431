// What the demonstration says in the end: to people as tables, to machines as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"

#include "services/cli/demo/insights.h"
#include "services/cli/demo/outcome.h"
#include "services/cli/demo/purchases.h"
#include "services/cli/demo/settling.h"
#include "services/cli/output/output.h"

namespace guilder::cli::demo {

struct Results {
  const TillWork& work;
  const Outcome& outcome;
  Settled settled;
  operator_::v1::VerifyLedgerResponse verified;
  operator_::v1::GetTrialBalanceResponse trial_balance;
  int sealed_while_posting = 0;
  double seconds = 0;
  // Paths.
  std::string redemptions_file;
  std::string payment_file;
  // What xmllint said of it: "valid", "not checked" or "NOT VALID".
  std::string payment_file_check;
  // What the suggestions name; empty when nothing of the network is left.
  std::string network_file;
  // How to start it again, where it was private.
  std::string restart;
};

// A line for each captured redemption: partner,member,points,refunded_points,kind.
std::string RedemptionsCsv(const TillWork& work, const Outcome& outcome);

nlohmann::ordered_json ToJson(const Results& results);
void Show(const Results& results, Output& output);

}  // namespace guilder::cli::demo
