#include "libs/rpc/verify_answer.h"

#include "absl/time/time.h"

namespace guilder::rpc {

namespace v1 = operator_::v1;

v1::VerifyLedgerResponse ToProto(const ledger::VerifyReport& report) {
  v1::VerifyLedgerResponse out;
  out.set_records_done(report.records);
  out.set_records_total(report.records);
  out.set_ok(report.ok);
  for (const ledger::VerifyCheck& check : report.checks) {
    v1::LedgerCheck& added = *out.add_checks();
    added.set_name(check.name);
    added.set_ok(check.ok);
    added.set_examined(check.examined);
    added.set_first_failure(check.first_failure);
  }
  out.set_state(report.state);
  for (const ledger::VerifiedRange& range : report.ranges) {
    v1::VerifiedRange& added = *out.add_ranges();
    added.set_book(range.book);
    added.set_after(range.after);
    added.set_until(range.until);
  }
  out.set_processor_us(absl::ToInt64Microseconds(report.processor));
  out.set_elapsed_us(absl::ToInt64Microseconds(report.elapsed));
  return out;
}

}  // namespace guilder::rpc
