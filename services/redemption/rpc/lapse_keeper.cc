#include "services/redemption/rpc/lapse_keeper.h"

#include <chrono>
#include <future>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/telemetry/log.h"

namespace guilder::redemption {
namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr int kMostAtOnce = 500;

// The same for everybody who ends that order.
Uuid RequestIdOf(const Order& order) {
  return ledger::ClaimKey(PartnerId(), "order lapsed",
                          absl::StrCat(order.book.value(), "-", order.number.value()));
}

}  // namespace

LapseKeeper::LapseKeeper(const CatalogServiceDependencies& dependencies, CatalogRows& rows)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      rows_(rows),
      thread_([this] { Work(); }) {}

LapseKeeper::~LapseKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LapseKeeper::Work() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kInterval, [this] { return stopping_; })) {
    lock.unlock();
    if (const absl::Status ended = EndLapsed(); !ended.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "orders that lapsed were not ended",
                     {{"status", ended.ToString()}});
    }
    lock.lock();
  }
}

absl::Status LapseKeeper::EndLapsed() {
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<Order> lapsed,
      pool_.Read([](postgres::Transaction& tx) -> absl::StatusOr<std::vector<Order>> {
        return FindLapsed(tx, kMostAtOnce);
      }));
  std::vector<std::future<absl::Status>> answers;
  for (const Order& order : lapsed) {
    auto answered = std::make_shared<std::promise<absl::Status>>();
    answers.push_back(answered->get_future());
    auto command = MakeStepCommand(rows_, PartnerId(), RequestIdOf(order), order,
                                   OrderState::kCancelled, Actor::kTime);
    lanes_.Submit(std::move(command), [answered](const absl::StatusOr<ledger::Answer>& answer) {
      answered->set_value(answer.status());
    });
  }
  absl::Status first;
  for (auto& answer : answers) {
    const absl::Status status = answer.get();
    // Somebody else was faster, or the book's own time is not there yet.
    if (guilder::ReasonOf(status) != Reason::kWrongState) first.Update(status);
  }
  return first;
}

}  // namespace guilder::redemption
