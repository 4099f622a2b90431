// Watches what partners owe, and degrades or restores them.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/status/status.h"

#include "libs/ledger/store/programme.h"
#include "libs/postgres/pool.h"
#include "services/partner/domain/partner.h"
#include "services/partner/store/exposure_state.h"

namespace guilder::partner {

// Everything that GetExposure and the keeper need to know. In the caller's transaction. Error:
// AMOUNT_OUT_OF_RANGE.
absl::StatusOr<ExposureFigures> ReadFigures(postgres::Transaction& transaction, PartnerId partner,
                                            ProgrammeId programme);

// Brings one partner to the stage that its figures ask for: stores it, notes it in the audit log,
// and raises the configuration's version, so that every lane knows before its next batch. Buys its
// next block where its policy says so. Errors: PARTNER_NOT_FOUND, and what the database says.
absl::Status KeepExposure(postgres::Pool& pool, const ledger::ProgrammeFacts& programme,
                          const std::string& slug);

// Does so every second for all partners that have a policy, in a thread of its own. Several
// processes may: each change is made under the partner's lock.
class ExposureKeeper {
 public:
  // The pool outlives the keeper.
  ExposureKeeper(postgres::Pool& pool, const ledger::ProgrammeFacts& programme);
  ~ExposureKeeper();

 private:
  void Work();
  absl::Status KeepAll();

  postgres::Pool& pool_;
  const ledger::ProgrammeFacts programme_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace guilder::partner
