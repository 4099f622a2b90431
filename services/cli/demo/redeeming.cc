#include "services/cli/demo/redeeming.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "services/cli/demo/parallel.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::demo {
namespace {

namespace v1 = redemption::v1;
using Stub = v1::RedemptionService::Stub;

constexpr size_t kThreads = 8;
// Over the whole run; some are voided.
constexpr size_t kRedemptionsWanted = 800;
constexpr size_t kFirstStep = 2;
constexpr size_t kCarriedPerStep = 1;
constexpr int64_t kLeastCarried = 100;
constexpr int64_t kMostCarried = 400;
constexpr int32_t kHoldSeconds = 86'400;

}  // namespace

absl::StatusOr<std::string> Redeemer::Authorize(const std::string& id, size_t partner,
                                                const std::string& store, size_t member,
                                                int64_t points) {
  v1::AuthorizeRedemptionRequest request;
  request.set_request_id(RequestIdFor(run_.seed, absl::StrCat("authorization/", id)));
  request.set_store(StoreName(run_, partner, store));
  request.set_card_number(run_.outcome.cards[member]);
  request.set_points(points);
  request.set_time_to_live_seconds(kHoldSeconds);
  GUILDER_ASSIGN_OR_RETURN(
      const v1::AuthorizeRedemptionResponse held,
      Ask(run_.shops[partner].redemptions, &Stub::AuthorizeRedemption, request));
  return held.name();
}

absl::StatusOr<std::map<size_t, std::string>> Redeemer::AuthorizeCarried(size_t number,
                                                                         const Step& step,
                                                                         Timestamp at) {
  std::map<size_t, std::string> carried;
  if (number < kFirstStep) return carried;
  for (const size_t index : step.receipts) {
    if (carried.size() == kCarriedPerStep) break;
    const Receipt& receipt = run_.work.receipts[index];
    if (!receipt.member || receipt.expected != Expected::kRecorded || receipt.is_order) continue;
    if (run_.wallets.ShopsAt(*receipt.member, receipt.partner)) continue;
    const int64_t points =
        std::min(kMostCarried, run_.wallets.AvailableAt(*receipt.member, at) / 2);
    if (points < kLeastCarried) continue;
    GUILDER_ASSIGN_OR_RETURN(carried[index],
                             Authorize(absl::StrCat("carried/", number, "/", carried.size()),
                                       receipt.partner, receipt.store, *receipt.member, points));
    run_.wallets.Spend(*receipt.member, points);
  }
  return carried;
}

absl::Status Redeemer::NoteCarried(const std::map<size_t, std::string>& carried) {
  for (const auto& [index, name] : carried) {
    const Receipt& receipt = run_.work.receipts[index];
    const int64_t captured = run_.outcome.receipts[index].captured_points;
    if (captured == 0) {
      return absl::InternalError(
          absl::StrCat("receipt ", receipt.number, " did not capture ", name));
    }
    run_.outcome.redemptions.push_back({receipt.partner, *receipt.member, captured, 0, "purchase"});
  }
  return absl::OkStatus();
}

absl::Status Redeemer::RefundAll() {
  const std::vector<Refund> due = std::exchange(refunds_, {});
  return InParallel(due.size(), kThreads, [&](size_t i) -> absl::Status {
    CapturedRedemption& captured = run_.outcome.redemptions[due[i].redemption];
    v1::RefundRedemptionRequest request;
    request.set_request_id(RequestIdFor(run_.seed, absl::StrCat("refund/", due[i].name)));
    request.set_name(due[i].name);
    request.set_points(due[i].points);
    GUILDER_ASSIGN_OR_RETURN(
        const v1::RefundRedemptionResponse refunded,
        Ask(run_.shops[captured.partner].redemptions, &Stub::RefundRedemption, request));
    const std::lock_guard lock(run_.mutex);
    captured.refunded_points += refunded.refunded_points();
    run_.wallets.Restore(captured.member, refunded.refunded_points());
    return absl::OkStatus();
  });
}

absl::Status Redeemer::RedeemOne(size_t number, const PlannedRedemption& planned) {
  const auto& redemptions = run_.shops[planned.partner].redemptions;
  const std::string id = absl::StrCat(number, "/", planned.member);
  GUILDER_ASSIGN_OR_RETURN(const std::string name,
                           Authorize(id, planned.partner, run_.work.stores[planned.partner].front(),
                                     planned.member, planned.points));
  if (planned.ending == Ending::kVoid) {
    v1::VoidRedemptionRequest request;
    request.set_request_id(RequestIdFor(run_.seed, absl::StrCat("void/", id)));
    request.set_name(name);
    GUILDER_RETURN_IF_ERROR(Ask(redemptions, &Stub::VoidRedemption, request).status());
    const std::lock_guard lock(run_.mutex);
    ++run_.outcome.voided_redemptions;
    return absl::OkStatus();
  }
  v1::CaptureRedemptionRequest request;
  request.set_request_id(RequestIdFor(run_.seed, absl::StrCat("capture/", id)));
  request.set_name(name);
  request.set_points(planned.capture_points);
  request.set_final(true);
  GUILDER_ASSIGN_OR_RETURN(const v1::CaptureRedemptionResponse captured,
                           Ask(redemptions, &Stub::CaptureRedemption, request));
  const std::lock_guard lock(run_.mutex);
  run_.wallets.Spend(planned.member, captured.captured_points());
  if (planned.refund_points > 0) {
    refunds_.push_back({run_.outcome.redemptions.size(), name, planned.refund_points});
  }
  run_.outcome.redemptions.push_back({planned.partner, planned.member, captured.captured_points(),
                                      0, planned.ending == Ending::kPartial ? "partial" : "full"});
  return absl::OkStatus();
}

absl::Status Redeemer::Redeem(size_t number, const Step& step) {
  const Stopwatch watch(run_, "redemptions");
  GUILDER_RETURN_IF_ERROR(RefundAll());
  if (number < kFirstStep) return absl::OkStatus();
  const size_t left = steps_ > kFirstStep ? steps_ - kFirstStep : 1;
  const std::vector<PlannedRedemption> planned = ChooseRedemptions(
      run_.wallets, step.end, number, run_.shops.size(), (kRedemptionsWanted + left - 1) / left);
  return InParallel(planned.size(), kThreads,
                    [&](size_t i) { return RedeemOne(number, planned[i]); });
}

}  // namespace guilder::cli::demo
