#include "services/member/store/leaving.h"

#include "libs/ledger/core/account.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"
#include "services/member/store/people.h"

namespace guilder::member {
namespace {

using postgres::Params;

// Waits for who changes the member's data, so that nothing is written after the erasure.
constexpr postgres::Statement kLockMember{"member.lock_leaving", R"sql(
  select erased_at_us is not null
    from member.members
   where book = $1 and account_id = $2
     for no key update
)sql"};

}  // namespace

void LeavingRows::Load(postgres::Transaction& transaction,
                       const ledger::Configuration& configuration,
                       const std::vector<ledger::Command*>& commands) {
  const Timestamp now = ledger::ReadProgrammeClock(transaction, configuration.programme().id);
  for (ledger::Command* command : commands) {
    auto& leaving = static_cast<LeavingCommand&>(*command);
    const postgres::Rows rows = transaction.Execute(
        kLockMember, Params().Int(ledger::BookOf(leaving.account)).Int(leaving.account));
    leaving.is_member = !rows.empty();
    leaving.erased = leaving.is_member && rows[0].Bool(0);
    leaving.postponed.reset();
    if (leaving.erases()) {
      leaving.postponed = FindPostponement(transaction, leaving.account, now);
    }
  }
}

void LeavingRows::Write(postgres::Transaction& transaction,
                        const std::vector<ledger::Command*>& commands) {
  for (const ledger::Command* command : commands) {
    const auto& leaving = static_cast<const LeavingCommand&>(*command);
    if (leaving.erases()) {
      Erase(transaction, leaving.account, leaving.place.posted_at, leaving.place.number);
    }
  }
  // Last: from here to the commit nobody else is noted.
  for (const ledger::Command* command : commands) {
    const auto& leaving = static_cast<const LeavingCommand&>(*command);
    if (leaving.note) leaving.note(transaction);
  }
}

}  // namespace guilder::member
