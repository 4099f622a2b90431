// Points on cards whose owner did not enrol in time.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"

namespace guilder::member {

class LapseCommand : public ledger::Command {
 public:
  // Set by LapseRows::Load: the account is nobody's still, and its time is over.
  bool lapsed = false;
};

// Of LapseCommands alone. Thread safe.
class LapseRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
};

}  // namespace guilder::member
