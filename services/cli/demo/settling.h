// The operator's side of the demonstration: the clock, windows, settlement, payments, proof.
//
// Every function repeats its calls through outages, and may be repeated.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/types.h"
#include "services/cli/network.h"

namespace guilder::cli::demo {

absl::StatusOr<operator_::v1::Programme> ReadProgramme(const Network& network);

// Moves the programme's clock to that instant, unless it shows more already.
absl::Status AdvanceClockTo(const Network& network, Timestamp at);

// Seals every window that has ended, the first one first. Gives how many were.
absl::StatusOr<int> SealEndedWindows(const Network& network);

// Ends the open window, seals what is left, computes a settlement as finance, approves it as
// finance_approver, and exports its payments.
struct Settled {
  // All settlements of the programme.
  std::vector<settlement::v1::Settlement> settlements;
  std::vector<std::string> invoices;
  // Of the last settlement in which somebody is paid.
  std::string payment_file;  // The bytes.
  std::string payment_file_name;
  int payments = 0;
  // Of all settlements.
  int64_t payments_minor_units = 0;
};
absl::StatusOr<Settled> Settle(const Network& network);

absl::StatusOr<operator_::v1::VerifyLedgerResponse> VerifyLedger(
    const Network& network,
    const std::function<void(const operator_::v1::VerifyLedgerResponse&)>& on_progress);

absl::StatusOr<operator_::v1::GetTrialBalanceResponse> ReadTrialBalance(const Network& network);

}  // namespace guilder::cli::demo
