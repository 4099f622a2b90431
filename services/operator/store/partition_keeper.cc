#include "services/operator/store/partition_keeper.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "libs/base/status_macros.h"
#include "libs/telemetry/log.h"
#include "services/operator/store/programme.h"

namespace guilder::operator_ {
namespace {

using postgres::Transaction;

constexpr std::chrono::hours kInterval{1};
constexpr Timestamp kYear{365 * kMicrosPerDay};

}  // namespace

absl::Status EnsurePartitionsAhead(postgres::Pool& pool, Timestamp from, Timestamp until) {
  const Timestamp end = until + kPartitionsAhead;
  for (Timestamp start = from; start <= end; start += kYear) {
    GUILDER_RETURN_IF_ERROR(pool.Run([&](Transaction& transaction) {
      EnsurePartitions(transaction, start, std::min(start + kYear, end));
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

PartitionKeeper::PartitionKeeper(postgres::Pool& pool) : pool_(pool), thread_([this] { Work(); }) {}

PartitionKeeper::~PartitionKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void PartitionKeeper::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (const absl::Status kept = Keep(); !kept.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "partitions of the journal were not made",
                     {{"status", kept.ToString()}});
    }
    lock.lock();
    wake_.wait_for(lock, kInterval, [this] { return stopping_; });
  }
}

absl::Status PartitionKeeper::Keep() {
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, pool_.Read(ReadProgramme));
  return EnsurePartitionsAhead(pool_, programme.clock, programme.clock);
}

}  // namespace guilder::operator_
