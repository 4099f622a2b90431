// Finds a short history that still fails.
#pragma once

#include <functional>

#include "absl/time/time.h"

#include "tests/model/history.h"

namespace guilder::model {

// Leaves out as many steps as it can while `fails` says so of what is left: halves, then quarters,
// and at last single steps. Stops at `deadline` with the shortest so far.
History Shrink(History failing, const std::function<bool(const History&)>& fails,
               absl::Time deadline);

}  // namespace guilder::model
