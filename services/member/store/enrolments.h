// Writes the rows of new members in the transaction that opens their accounts.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/profile.h"
#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::member {

// A command that enrols a member. Decide sets `opened`.
class EnrolmentCommand : public ledger::Command {
 public:
  Profile profile;
  CardNumber card_number;
  AccountId opened;
};

// Of EnrolmentCommands alone. Thread safe. The vault outlives it.
class EnrolmentRows final : public ledger::RowStore {
 public:
  explicit EnrolmentRows(const Vault& vault) : vault_(vault) {}
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;

 private:
  const Vault& vault_;
};

// Serials of cards, drawn from their sequence some at a time. What a stopping process had drawn is
// never used. Thread safe.
class CardSerials {
 public:
  // The pool outlives it.
  explicit CardSerials(postgres::Pool& pool) : pool_(pool) {}

  // Never blocks; nothing when the next ones have to be drawn.
  std::optional<int64_t> TryTake();
  // Errors: kQueueFull, kStoreUnavailable.
  absl::StatusOr<int64_t> Take(absl::Time deadline);

 private:
  postgres::Pool& pool_;
  std::mutex mutex_;
  std::deque<int64_t> drawn_;  // guarded by mutex_
};

}  // namespace guilder::member
