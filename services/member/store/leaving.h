// Commands by which members leave, and the rows that go with them.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/store/retention.h"

namespace guilder::member {

// Closes an account, or erases its member, which closes it too.
class LeavingCommand : public ledger::Command {
 public:
  bool erases() const { return kind == ledger::RecordKind::kErasure; }

  // Notes who did it, in the same transaction; may be empty.
  std::function<void(postgres::Transaction&)> note;

  // Set by LeavingRows::Load.
  bool is_member = false;
  bool erased = false;
  std::optional<Postponement> postponed;
};

// Of LeavingCommands alone. Thread safe.
class LeavingRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

}  // namespace guilder::member
