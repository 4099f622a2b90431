#include "services/partner/domain/run_off.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::partner {
namespace {

Timestamp DaysAfter(Timestamp from, int64_t days) {
  return Timestamp(from.value() + days * kMicrosPerDay);
}

absl::Status CheckAsked(const char* field, const std::optional<Timestamp>& asked,
                        Timestamp earliest) {
  if (!asked || *asked >= earliest) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, "the date is in the past or out of order",
                {{"field", field}, {"earliest", FormatTimestamp(earliest)}});
}

absl::Status CheckNotice(const char* field, Timestamp planned, Timestamp notice_ends) {
  if (planned >= notice_ends) return absl::OkStatus();
  return Refuse(Reason::kNoticeTooShort, {},
                {{"field", field}, {"earliest", FormatTimestamp(notice_ends)}});
}

}  // namespace

absl::StatusOr<RunOff> PlanRunOff(const AskedRunOff& asked, const NoticeDays& notice,
                                  Timestamp now) {
  const bool at_once = !asked.for_cause.empty();
  const Timestamp issue_notice = DaysAfter(now, at_once ? 0 : notice.issuance);
  const Timestamp redemption_notice = DaysAfter(now, at_once ? 0 : notice.redemption);
  RunOff plan;
  GUILDER_RETURN_IF_ERROR(CheckAsked("last_issue_time", asked.last_issue, now));
  GUILDER_RETURN_IF_ERROR(CheckAsked("last_redemption_time", asked.last_redemption, now));
  plan.last_issue = asked.last_issue.value_or(issue_notice);
  plan.last_redemption = asked.last_redemption.value_or(redemption_notice);
  const Timestamp last_sale = std::max(plan.last_issue, plan.last_redemption);
  GUILDER_RETURN_IF_ERROR(CheckAsked("last_return_time", asked.last_return, last_sale));
  plan.last_return = asked.last_return.value_or(DaysAfter(last_sale, kUsualReturnDays));
  GUILDER_RETURN_IF_ERROR(
      CheckAsked("final_settlement_time", asked.final_settlement, plan.last_return));
  plan.final_settlement = asked.final_settlement.value_or(
      DaysAfter(plan.last_return, kUsualSettlementDays - kUsualReturnDays));
  GUILDER_RETURN_IF_ERROR(CheckNotice("last_issue_time", plan.last_issue, issue_notice));
  GUILDER_RETURN_IF_ERROR(
      CheckNotice("last_redemption_time", plan.last_redemption, redemption_notice));
  return plan;
}

}  // namespace guilder::partner
