#include "tests/model/shrink.h"

#include <algorithm>
#include <vector>

#include "absl/time/clock.h"

namespace guilder::model {
namespace {

std::vector<size_t> Left(const History& history) {
  std::vector<size_t> steps;
  for (size_t i = 0; i < history.steps.size(); ++i) {
    if (!history.steps[i].removed) steps.push_back(i);
  }
  return steps;
}

}  // namespace

History Shrink(History failing, const std::function<bool(const History&)>& fails,
               absl::Time deadline) {
  size_t chunk = std::max<size_t>(1, Left(failing).size() / 2);
  for (;;) {
    bool shorter = false;
    const std::vector<size_t> steps = Left(failing);
    // From the end, because what comes after the failure goes first.
    for (size_t end = steps.size(); end > 0 && absl::Now() < deadline;) {
      const size_t begin = end > chunk ? end - chunk : 0;
      History candidate = failing;
      for (size_t i = begin; i < end; ++i) candidate.steps[steps[i]].removed = true;
      if (fails(candidate)) {
        failing = std::move(candidate);
        shorter = true;
      }
      end = begin;
    }
    if (absl::Now() >= deadline || (chunk == 1 && !shorter)) return failing;
    if (!shorter || chunk > 1) chunk = std::max<size_t>(1, chunk / 2);
  }
}

}  // namespace guilder::model
