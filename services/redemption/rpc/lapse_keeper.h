// Ends orders that nobody confirmed in time.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/status/status.h"

#include "services/redemption/rpc/catalog_commands.h"
#include "services/redemption/rpc/catalog_service.h"

namespace guilder::redemption {

// Their points are free by themselves, as of every hold whose time is over; what is left to do is
// to give the goods back to the stock, which takes a record. Looks every second, in a thread of its
// own. Several processes may: each order's request id follows from the order, so it is done once.
class LapseKeeper {
 public:
  // What it depends on, but for the secrets, and the rows outlive the keeper, and the rows outlive
  // what the lanes still have to do.
  LapseKeeper(const CatalogServiceDependencies& dependencies, CatalogRows& rows);
  ~LapseKeeper();

 private:
  void Work();
  absl::Status EndLapsed();

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  CatalogRows& rows_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace guilder::redemption
