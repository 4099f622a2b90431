#include "libs/ledger/core/entry.h"

namespace guilder::ledger {

std::string_view BucketName(Bucket bucket) {
  switch (bucket) {
    case Bucket::kIssued:
      return "ISSUED";
    case Bucket::kRedeemed:
      return "REDEEMED";
    case Bucket::kExpired:
      return "EXPIRED";
    case Bucket::kInTransit:
      return "IN_TRANSIT";
    case Bucket::kPending:
      return "PENDING";
    case Bucket::kAvailable:
      return "AVAILABLE";
    case Bucket::kHeld:
      return "HELD";
    case Bucket::kDebt:
      return "DEBT";
  }
  return "UNKNOWN";
}

Movement MovementOf(Bucket debit, Bucket credit) {
  if (debit == Bucket::kIssued) return Movement::kIssued;
  if (credit == Bucket::kIssued) {
    return debit == Bucket::kPending ? Movement::kReversedPending : Movement::kReversed;
  }
  if (credit == Bucket::kRedeemed) return Movement::kRedeemed;
  if (debit == Bucket::kRedeemed) return Movement::kRefunded;
  if (credit == Bucket::kExpired) {
    return debit == Bucket::kPending ? Movement::kExpiredPending : Movement::kExpired;
  }
  if (debit == Bucket::kExpired) return Movement::kReinstated;
  if (debit == Bucket::kPending && credit == Bucket::kAvailable) return Movement::kActivated;
  return Movement::kNone;
}

std::string_view MovementName(Movement movement) {
  switch (movement) {
    case Movement::kNone:
      return "NONE";
    case Movement::kIssued:
      return "ISSUED";
    case Movement::kActivated:
      return "ACTIVATED";
    case Movement::kReversedPending:
      return "REVERSED_PENDING";
    case Movement::kReversed:
      return "REVERSED";
    case Movement::kRedeemed:
      return "REDEEMED";
    case Movement::kRefunded:
      return "REFUNDED";
    case Movement::kExpired:
      return "EXPIRED";
    case Movement::kExpiredPending:
      return "EXPIRED_PENDING";
    case Movement::kReinstated:
      return "REINSTATED";
  }
  return "UNKNOWN";
}

}  // namespace guilder::ledger
