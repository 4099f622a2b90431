// A partner's view of a window, from its messages.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/types.h"
#include "services/settlement/domain/reconciliation.h"

namespace guilder::settlement {

struct SubmittedLine {
  // Without a place as long as only the receipt is known.
  TheirLine line;
  // The claim of the receipt that it names.
  std::optional<Uuid> claim;
};

struct SubmittedView {
  Tolerances tolerances;
  std::set<ReconciledItem> complete;
  std::vector<SubmittedLine> lines;
};

// The header of a request: its first part, and no other. Checks the number of lines, too.
//
// Error: REQUEST_MALFORMED.
absl::StatusOr<v1::ReconciliationHeader> HeaderOf(
    const std::vector<v1::SubmitReconciliationRequest>& parts);

// What the parts say of that partner's window. Errors: REQUEST_MALFORMED, AMOUNT_OUT_OF_RANGE, with
// the number of the line.
absl::StatusOr<SubmittedView> ReadView(const std::vector<v1::SubmitReconciliationRequest>& parts,
                                       PartnerId partner, const std::string& slug);

// Over everything but the request id.
Digest FingerprintOf(const std::vector<v1::SubmitReconciliationRequest>& parts);

// "purchases/3-1042" of one of those collections.
std::optional<RecordPlace> ParseRecord(const std::vector<std::string>& collections,
                                       const std::string& name);

}  // namespace guilder::settlement
