#include "services/member/store/lapses.h"

#include "libs/ledger/store/programme.h"
#include "services/member/store/cards.h"

namespace guilder::member {

void LapseRows::Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
                     const std::vector<ledger::Command*>& commands) {
  const Timestamp now = ledger::ReadProgrammeClock(transaction, configuration.programme().id);
  for (ledger::Command* command : commands) {
    static_cast<LapseCommand&>(*command).lapsed = LockLapsed(transaction, command->account, now);
  }
}

}  // namespace guilder::member
