// How much a run of the benchmark measures.
#pragma once

#include <cstddef>
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
};

// About a minute on two processors.
inline Profile QuickProfile() {
  Profile profile;
  profile.name = "quick";
  return profile;
}

// The one that counts.
inline Profile FullProfile() {
  Profile profile;
  profile.name = "full";
  profile.rounds = 3;
  profile.seconds = 8;
  profile.warm_up_seconds = 2;
  profile.tpcb_scale = 50;
  profile.tpcb_seconds = 10;
  profile.members = 20'000;
  return profile;
}

}  // namespace guilder::cli::bench
