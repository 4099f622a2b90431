// What of a member's records counts as activity, and what undoes it. Pure.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/expiry.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/record.h"

namespace guilder::ledger {

// A record of an account that says until when lots live: it was an activity, or undid one.
struct NotedActivity {
  RecordNumber number;
  RecordKind kind{};
  RecordNumber refers_to;
  Timestamp until;
};

// The sum of the Activities that a decided command is. `refers_to` is the record that it acts on.
int ActivitiesOf(RecordKind kind, RecordNumber refers_to, const Posting& posting);

// Whether records of that kind may undo an activity. They are none themselves.
bool UndoesActivity(RecordKind kind);

// Whether a decided command left nothing of what it acts on: every point that it gave was taken
// back, and every point that it took was given back.
bool LeavesNothing(RecordNumber acted_on, const Posting& posting);

// Until when the activities that nothing has undone let lots live: the past where there is none.
// `undone` is what is being undone now.
Timestamp ActiveUntil(const std::vector<NotedActivity>& noted, RecordNumber undone);

}  // namespace guilder::ledger
