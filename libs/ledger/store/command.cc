#include "libs/ledger/store/command.h"

#include "libs/base/reason.h"

namespace guilder::ledger {

absl::Status Command::OnNaturalKeyTaken(const JournalPlace&, RecordKind) {
  return Refuse(Reason::kAlreadyExists);
}

}  // namespace guilder::ledger
