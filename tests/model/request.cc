#include "tests/model/request.h"

#include "libs/base/codec.h"

namespace guilder::model {

std::string VerbName(Verb verb) {
  switch (verb) {
    case Verb::kOpen:
      return "open";
    case Verb::kEarn:
      return "earn";
    case Verb::kConfirm:
      return "confirm";
    case Verb::kCancel:
      return "cancel";
    case Verb::kReverse:
      return "reverse";
    case Verb::kHold:
      return "hold";
    case Verb::kCapture:
      return "capture";
    case Verb::kRelease:
      return "release";
    case Verb::kRefund:
      return "refund";
    case Verb::kPay:
      return "pay";
    case Verb::kReleaseReview:
      return "release review";
    case Verb::kUse:
      return "use";
    case Verb::kUnuse:
      return "unuse";
    case Verb::kTransfer:
      return "transfer";
    case Verb::kReverseTransfer:
      return "reverse transfer";
    case Verb::kMerge:
      return "merge";
  }
  return "unknown";
}

std::string Request::Encode() const {
  Encoder encoder;
  encoder.Unsigned(static_cast<uint64_t>(verb))
      .Id(partner)
      .Id(contract)
      .Id(account)
      .Id(other)
      .Quantity(points)
      .Quantity(activates_after)
      .Quantity(expires_after)
      .Unsigned(cancel_on_due)
      .Id(funder)
      .Id(funder_contract)
      .Quantity(funder_points)
      .Unsigned(final)
      .Id(restricted_to)
      .Unsigned(gift)
      .Unsigned(first_in)
      .Unsigned(at_once)
      .Unsigned(reviewed)
      .Quantity(grace)
      .Id(target)
      .Signed(receipt)
      .Id(card)
      .Quantity(transferred_at)
      .Id(received_by);
  return encoder.Take();
}

}  // namespace guilder::model
