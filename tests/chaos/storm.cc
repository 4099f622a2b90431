#include "tests/chaos/storm.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "services/cli/dev/samples.h"
#include "tests/chaos/probe.h"

namespace guilder::testing {
namespace {

constexpr absl::Duration kRecoversWithin = absl::Seconds(5);
constexpr absl::Duration kTillsEndWithin = absl::Seconds(30);
constexpr int kWelcomePoints = 50;
constexpr int kLastLines = 40;
// How often the occasion for a fault is waited for that was not injected yet.
constexpr int kMostAttempts = 20;

// Where test programs are built.
std::string TestProgramPath(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

// PostgreSQL flushes to the disk as it would, but a small one.
std::map<std::string, std::string> PostgresSettings() {
  return {{"shared_buffers", "64MB"}, {"max_wal_size", "128MB"}, {"min_wal_size", "32MB"}};
}

class Storm {
 public:
  Storm(const std::string& directory, const StormOptions& options)
      : directory_(directory), options_(options), random_(options.seed) {
    MountDisk();
    ledger::ProgrammeSettings programme;
    programme.welcome_points = Points(kWelcomePoints);
    services_ = std::make_unique<ServiceProcesses>(
        ServiceProcesses::Options{.directory = directory,
                                  .programme = programme,
                                  .gates = true,
                                  .postgres_settings = PostgresSettings()});
    auto partners = cli::dev::AddSamplePartners(services_->network());
    if (!partners.ok()) throw std::runtime_error(partners.status().ToString());
    services_->SetPartners(*std::move(partners));
    faults_ = std::make_unique<Faults>(*services_, disk_.get(), options.seed);
    std::vector<std::string> logs = {directory + "/probe.till"};
    probe_ = std::make_unique<Probe>(services_->network(), logs[0]);
    for (int till = 0; till < options.tills; ++till) {
      logs.push_back(absl::StrCat(directory, "/", till, ".till"));
    }
    audit_ = std::make_unique<Audit>(services_->dsn(), logs);
    for (int till = 0; till < options.tills; ++till) {
      tills_.push_back(std::make_unique<ChildProcess>(
          std::vector<std::string>{TestProgramPath("guilder-test-till"), services_->NetworkFile(),
                                   logs[static_cast<size_t>(till) + 1],
                                   absl::StrCat(options.seed % 1'000'000 + till),
                                   absl::StrCat(options.customers_per_till)},
          directory + "/tills.log"));
    }
  }

  StormReport Run() {
    const absl::Time began = absl::Now();
    std::vector<FaultKind> deck = ShuffledDeck();
    // All of the first deck, so that no kind is left to chance.
    size_t first_deck = deck.size();
    while (report_.problem.empty() && (first_deck > 0 || report_.kills < options_.kills ||
                                       absl::Now() < began + options_.at_least)) {
      if (deck.empty()) deck = ShuffledDeck();
      const FaultKind kind = deck.back();
      deck.pop_back();
      if (first_deck > 0) --first_deck;
      Endure(kind);
    }
    InjectWhatNeverWas();
    report_.took = absl::Now() - began;
    EndTills();
    if (report_.problem.empty()) report_.problem = audit_->CheckAll();
    if (report_.problem.empty()) report_.problem = FindErrors();
    if (!report_.problem.empty()) report_.last_words = LastWords();
    report_.accepted = audit_->accepted();
    report_.refused = audit_->refused();
    std::sort(report_.recovery_ms.begin(), report_.recovery_ms.end());
    return std::move(report_);
  }

 private:
  void MountDisk() {
    const std::string mounted = directory_ + "/postgres";
    std::filesystem::create_directory(mounted);
    auto disk = SmallDisk::Mount(mounted);
    if (disk.ok()) {
      disk_ = *std::move(disk);
    } else {
      report_.no_disk = std::string(disk.status().message());
    }
  }

  std::vector<FaultKind> Kinds() const {
    std::vector<FaultKind> kinds = OrdinaryFaults();
    if (disk_ != nullptr) kinds.push_back(FaultKind::kFullDisk);
    return kinds;
  }

  // Each fault once, and kills so much more often that they are most of all.
  std::vector<FaultKind> ShuffledDeck() {
    std::vector<FaultKind> deck;
    for (const FaultKind kind : Kinds()) {
      deck.insert(deck.end(), IsKill(kind) ? 5 : 1, kind);
    }
    std::shuffle(deck.begin(), deck.end(), random_);
    return deck;
  }

  // There may have been no occasion for a fault; a harness that cannot make one tests nothing.
  void InjectWhatNeverWas() {
    for (const FaultKind kind : Kinds()) {
      for (int attempt = 0;
           report_.problem.empty() && report_.injected.count(kind) == 0 && attempt < kMostAttempts;
           ++attempt) {
        Endure(kind);
      }
      if (report_.problem.empty() && report_.injected.count(kind) == 0) {
        report_.problem = absl::StrCat("never injected: ", FaultName(kind));
      }
    }
  }

  // A fault, and what must be true after it.
  void Endure(FaultKind kind) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random_() % 200));
    if (!faults_->Inject(kind)) {
      ++report_.no_occasion[kind];
      return;
    }
    ++report_.injected[kind];
    report_.kills += IsKill(kind);
    const absl::Duration recovered = probe_->TimeToRecover(kRecoversWithin);
    report_.recovery_ms.push_back(absl::ToDoubleMilliseconds(recovered));
    if (recovered > kRecoversWithin) {
      report_.problem = absl::StrCat("not healthy in time: ", probe_->last_failure());
    }
    for (const auto check : {&Audit::CheckAnswered, &Audit::CheckLedgerAtTimes}) {
      if (report_.problem.empty()) report_.problem = (*audit_.*check)();
    }
    for (const std::string& service : services_->Ended()) {
      report_.problem = absl::StrCat("guilder-", service, " ended");
    }
    if (!report_.problem.empty()) {
      report_.problem = absl::StrCat("after ", FaultName(kind), ": ", report_.problem);
    }
  }

  // What everybody said last, for whoever looks for the cause.
  std::string LastWords() const {
    std::vector<std::string> files = {services_->cluster().log_path(), directory_ + "/tills.log"};
    for (const std::string& service : ServiceNames()) files.push_back(services_->LogFile(service));
    std::string words;
    for (const std::string& file : files) {
      std::vector<std::string> lines = absl::StrSplit(ReadFile(file), '\n', absl::SkipEmpty());
      // A database on its way up says so to everybody who tries.
      std::erase_if(lines, [](const std::string& line) {
        return absl::StrContains(line, "accepting connections") ||
               absl::StrContains(line, " DETAIL: ");
      });
      if (lines.size() > kLastLines) lines.erase(lines.begin(), lines.end() - kLastLines);
      absl::StrAppend(&words, "-- ", file, "\n", absl::StrJoin(lines, "\n"), "\n");
    }
    return words;
  }

  // Each finishes what it has begun, so that nothing stays open.
  void EndTills() {
    for (const auto& till : tills_) {
      if (till->IsRunning()) kill(till->pid(), SIGTERM);
    }
    const absl::Time deadline = absl::Now() + kTillsEndWithin;
    for (const auto& till : tills_) {
      while (till->IsRunning() && absl::Now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      if (till->IsRunning() && report_.problem.empty()) {
        report_.problem = "a till waits for an answer that does not come";
      }
    }
  }

  // What a service calls its own mistake.
  std::string FindErrors() const {
    for (const std::string& service : ServiceNames()) {
      for (const absl::string_view line :
           absl::StrSplit(ReadFile(services_->LogFile(service)), '\n')) {
        if (absl::StrContains(line, "\"severity\":\"ERROR\"")) {
          return absl::StrCat("guilder-", service, " logged ", line);
        }
      }
    }
    return "";
  }

  const std::string directory_;
  const StormOptions options_;
  std::mt19937 random_;
  StormReport report_;
  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<ServiceProcesses> services_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<Audit> audit_;
  std::vector<std::unique_ptr<ChildProcess>> tills_;
};

double Percentile(const std::vector<double>& sorted, int percent) {
  if (sorted.empty()) return 0;
  const size_t place = (sorted.size() * static_cast<size_t>(percent) + 99) / 100;
  return sorted[std::max<size_t>(place, 1) - 1];
}

}  // namespace

std::string StormReport::ToText() const {
  std::string text;
  for (const auto& [kind, times] : injected) {
    absl::StrAppendFormat(&text, "%6d  %s\n", times, FaultName(kind));
  }
  for (const auto& [kind, times] : no_occasion) {
    absl::StrAppendFormat(&text, "%6d  times no occasion for: %s\n", times, FaultName(kind));
  }
  if (!no_disk.empty()) {
    absl::StrAppendFormat(&text, "SKIPPED  %s: %s\n", FaultName(FaultKind::kFullDisk), no_disk);
  }
  absl::StrAppendFormat(&text, "%6d  kills and stops\n", kills);
  absl::StrAppendFormat(&text, "%6d  requests accepted, %d refused\n", accepted, refused);
  absl::StrAppendFormat(&text, "%6.0f  seconds\n", absl::ToDoubleSeconds(took));
  absl::StrAppendFormat(&text,
                        "        recovery: p50 %.0f ms, p90 %.0f ms, p99 %.0f ms, max %.0f ms\n",
                        Percentile(recovery_ms, 50), Percentile(recovery_ms, 90),
                        Percentile(recovery_ms, 99), Percentile(recovery_ms, 100));
  return text;
}

StormReport RunStorm(const std::string& directory, const StormOptions& options) {
  return Storm(directory, options).Run();
}

}  // namespace guilder::testing
