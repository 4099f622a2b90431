#include "services/cli/output/progress.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"

#include "services/cli/output/format.h"

namespace guilder::cli {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr int kBarColumns = 20;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

ProgressBar::ProgressBar(std::ostream& out, const Terminal& terminal, std::string label,
                         int64_t total, std::function<double()> seconds)
    : out_(out),
      terminal_(terminal),
      label_(std::move(label)),
      total_(total),
      seconds_(seconds ? std::move(seconds) : SteadySeconds) {
  started_ = drawn_at_ = seconds_();
}

ProgressBar::~ProgressBar() {
  Finish();
}

void ProgressBar::Advance(int64_t done) {
  const std::lock_guard lock(mutex_);
  done_ += done;
  const double now = seconds_();
  if (!finished_ && now - drawn_at_ >= kRedrawSeconds) Draw(now);
}

void ProgressBar::Finish() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  Draw(seconds_());
  if (terminal_.interactive) out_ << "\n" << std::flush;
}

std::string ProgressBar::Line(double now) const {
  const double elapsed = now - started_;
  const double rate = elapsed > 0 ? done_ / elapsed : 0;
  std::string line = label_;
  if (total_ > 0) {
    const int full = static_cast<int>(std::min<int64_t>(done_, total_) * kBarColumns / total_);
    std::string bar;
    for (int i = 0; i < kBarColumns; ++i) {
      bar += i < full ? (terminal_.utf8 ? "█" : "#") : (terminal_.utf8 ? "░" : ".");
    }
    absl::StrAppend(&line, " [", bar, "] ", WithThousands(done_), " / ", WithThousands(total_));
  } else {
    absl::StrAppend(&line, " ", WithThousands(done_));
  }
  const char* dot = terminal_.utf8 ? " · " : " - ";
  absl::StrAppend(&line, dot, WithThousands(static_cast<int64_t>(rate + 0.5)), "/s", dot);
  if (finished_) return absl::StrCat(line, "in ", DurationText(elapsed));
  if (total_ == 0 || rate <= 0) return absl::StrCat(line, DurationText(elapsed));
  const double left = std::max<int64_t>(0, total_ - done_) / rate;
  return absl::StrCat(line, DurationText(left), " left");
}

void ProgressBar::Draw(double now) {
  drawn_at_ = now;
  if (!terminal_.interactive) return;
  // To the line's start, and clear what a longer line left.
  out_ << "\r"
       << Ellipsize(Line(now), terminal_.width > 1 ? terminal_.width - 1 : 79, terminal_.utf8)
       << "\x1b[K" << std::flush;
}

}  // namespace guilder::cli
