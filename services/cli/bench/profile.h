// How much a run of the benchmark measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace guilder::cli::bench {

struct Profile {
  std::string name;
  // Every figure is the median of so many rounds.
  int rounds = 1;
  // How long each figure is measured in a round, and warmed up before.
  int seconds = 2;
  int warm_up_seconds = 1;
  int tpcb_scale = 10;
  int tpcb_seconds = 3;

  size_t partners = 50;
  size_t members = 10'000;
  int in_flight = 256;
  size_t streams = 8;
  int in_flight_per_stream = 256;

  // Records of a large window.
  int64_t large_window = 100'000;
  // The ledger is grown to so many records, and then to so many members, to see whether it stays as
  // fast. What is there already counts.
  int64_t long_history = 0;
  size_t many_members = 100'000;

  // Names of the figures to measure, as in figures.h; empty for all.
  std::set<std::string> only;
  bool Wants(const std::string& figure) const { return only.empty() || only.contains(figure); }
};

// About two minutes on two processors.
inline Profile QuickProfile() {
  Profile profile;
  profile.name = "quick";
  return profile;
}

// The one that counts: half an hour, most of it for growing the ledger. Takes 15 GB of disk.
inline Profile FullProfile() {
  Profile profile;
  profile.name = "full";
  profile.rounds = 3;
  profile.seconds = 8;
  profile.warm_up_seconds = 2;
  profile.tpcb_scale = 50;
  profile.tpcb_seconds = 10;
  profile.large_window = 1'000'000;
  profile.long_history = 10'000'000;
  profile.many_members = 1'000'000;
  return profile;
}

}  // namespace guilder::cli::bench
