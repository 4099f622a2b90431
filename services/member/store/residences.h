// Keeps where members live, sealed, and tells the ledger what of their points is spared by it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/residence.h"
#include "services/member/domain/vault.h"

namespace guilder::member {

// Where a member lives, in the order of times. Of an account of which nothing was noted, what was
// noted of those that were merged into it, numbered in the order in which it was. What does not
// open any more is not known.
std::vector<Residence> ReadResidences(postgres::Transaction& transaction, const Vault& vault,
                                      AccountId account);

// Adds one under the member's lock (LockStanding), as the last that was noted, to what is `known`
// (ReadResidences), and says that the ledger is to be told. Error: kStoreUnavailable, this process
// lacks the keys.
absl::Status InsertResidence(postgres::Transaction& transaction, const Vault& vault,
                             AccountId account, const std::vector<Residence>& known,
                             Residence residence);

// After a merge: says that the ledger is to be told of `into`, where either's residence is known.
void NoteMergedResidence(postgres::Transaction& transaction, AccountId from, AccountId into);

// An account of which the ledger is to be told what is spared of it.
struct Untold {
  AccountId account;
  int64_t tellings = 0;  // so far
};

// Open accounts, at most `limit`; of that account alone when one is given.
std::vector<Untold> FindUntold(postgres::Transaction& transaction, ProgrammeId programme,
                               Timestamp now, AccountId account, int limit);

// Tells the ledger about one account. What is so is read under locks, so commands may come late,
// twice, and in any order.
class SparingCommand final : public ledger::Command {
 public:
  explicit SparingCommand(const Untold& untold);
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override;

  // Set by SparingRows::Load.
  std::vector<Residence> residences;
  std::vector<ResidencePolicy> policies;
  // Set by Decide.
  SparingPlan plan;
};

// Of SparingCommands alone. Thread safe.
class SparingRows final : public ledger::RowStore {
 public:
  explicit SparingRows(const Vault& vault) : vault_(vault) {}
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;

 private:
  const Vault& vault_;
};

}  // namespace guilder::member
