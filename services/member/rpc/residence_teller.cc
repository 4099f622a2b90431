#include "services/member/rpc/residence_teller.h"

#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

// Commands that wait for lanes at a time.
constexpr int kAtOnce = 64;

}  // namespace

absl::Status ResidenceTeller::Tell(AccountId account, absl::Time deadline) {
  return TellSome(account, 1, deadline).status();
}

absl::StatusOr<bool> ResidenceTeller::TellAll(absl::Time deadline) {
  while (absl::Now() < deadline) {
    GUILDER_ASSIGN_OR_RETURN(const int found, TellSome(AccountId(), kAtOnce, deadline));
    if (found < kAtOnce) return true;
  }
  return false;
}

absl::StatusOr<int> ResidenceTeller::TellSome(AccountId account, int limit, absl::Time deadline) {
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  std::vector<Untold> untold;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](postgres::Transaction& tx) {
        const Timestamp now = ledger::ReadProgrammeClock(tx, programme);
        untold = FindUntold(tx, programme, now, account, limit);
        return absl::OkStatus();
      },
      deadline));
  using Outcome = absl::StatusOr<ledger::Answer>;
  std::vector<std::future<Outcome>> answers;
  for (const Untold& one : untold) {
    auto command = std::make_unique<SparingCommand>(one);
    command->rows = &rows_;
    command->deadline = deadline;
    auto promise = std::make_shared<std::promise<Outcome>>();
    answers.push_back(promise->get_future());
    lanes_.Submit(std::move(command),
                  [promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
  }
  absl::Status status;
  for (auto& answer : answers) {
    const Outcome outcome = answer.get();
    // It was closed, or merged, meanwhile.
    const bool gone = ReasonOf(outcome.status()) == Reason::kAccountClosed;
    if (!outcome.ok() && !gone) status.Update(outcome.status());
  }
  if (!status.ok()) return status;
  return static_cast<int>(untold.size());
}

}  // namespace guilder::member
