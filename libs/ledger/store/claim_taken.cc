// Claims that a batch met without having looked them up.
#include "absl/strings/match.h"

#include "libs/ledger/store/batch.h"
#include "libs/postgres/status.h"

namespace guilder::ledger {
namespace {

constexpr char kClaimTaken[] = "a claim is taken";
// As PostgreSQL names it in the violation's message, in whatever language.
constexpr char kClaimsConstraint[] = "claims_pk";

}  // namespace

absl::Status ClaimTaken() {
  return absl::AbortedError(kClaimTaken);
}

bool IsClaimTaken(const absl::Status& status) {
  if (postgres::IsUniqueViolation(status)) {
    return absl::StrContains(status.message(), kClaimsConstraint);
  }
  return absl::IsAborted(status) && status.message() == kClaimTaken;
}

}  // namespace guilder::ledger
