// What a run measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/time/time.h"

#include "services/cli/bench/statistics.h"
#include "services/cli/output/output.h"

namespace guilder::cli::bench {

// Names of figures, as in the samples' file and, mostly, in the JSON.
inline constexpr char kTpcbBefore[] = "tpcb_before";
inline constexpr char kTpcbAfter[] = "tpcb_after";
inline constexpr char kTpcbSingle[] = "tpcb_single_client";
inline constexpr char kRawSql[] = "raw_sql_per_second";
inline constexpr char kUnary[] = "unary_per_second";
inline constexpr char kStreamed[] = "streamed_per_second";
inline constexpr char kHotPartner[] = "hot_partner_per_second";
inline constexpr char kPairs[] = "pairs_per_second";
inline constexpr char kBalance[] = "get_balance_per_second";
inline constexpr char kFindByCard[] = "find_member_by_card_per_second";
inline constexpr char kFindByPhone[] = "find_member_by_phone_per_second";
inline constexpr char kEmpty[] = "empty_handler_per_second";
inline constexpr char kSingle[] = "single_caller_per_second";
// The streamed rate with more history, and with more members.
inline constexpr char kLongHistory[] = "streamed_long_history_per_second";
inline constexpr char kManyMembers[] = "streamed_many_members_per_second";
// From a window's end to its seal: one of all records so far, and one of some 10,000.
inline constexpr char kSealLarge[] = "seal_large_ms";
inline constexpr char kSealSmall[] = "seal_small_ms";
inline constexpr char kUnaryCpu[] = "cpu_us_per_purchase";
inline constexpr char kStreamedCpu[] = "cpu_us_per_streamed_purchase";
inline constexpr char kBytes[] = "bytes_per_purchase";

inline constexpr absl::Duration kOverload = absl::Seconds(5);
inline constexpr absl::Duration kRecovery = absl::Seconds(3);

// How a network bears twice what it can do.
struct OverloadFigures {
  double answered_per_second = 0;  // those that were not refused, after the first second
  double refused_p99_ms = 0;
  // Of calls due a second and more after the load fell.
  double recovered_p99_ms = 0;
};

struct Figures {
  std::string profile;
  // A value for each round.
  std::map<std::string, std::vector<double>> samples;
  std::vector<Latency> latencies;
  // The same while a window is sealed.
  std::vector<Latency> sealing_latencies;
  // Twice the peak for kOverload, then half of it for kRecovery.
  std::vector<Latency> overload;
  double peak_resident_megabytes = 0;
  double open_loop_per_second = 0;
  int raw_sql_batch = 0;
  int raw_sql_connections = 0;
  int64_t members = 0;
  int64_t most_members = 0;
  int64_t large_window_records = 0;
  // Records before the first streamed figure, and before the one with a long history.
  int64_t short_history = 0;
  int64_t long_history = 0;
  int64_t verified_records = 0;
  bool verify_ok = false;
  double seconds = 0;

  // The median; 0 for what was not measured.
  double Of(const std::string& name) const;
  double Share(const std::string& name, const std::string& of) const;
  std::vector<double> SortedLatencies() const;
  double SlowestWhileSealing() const;
  OverloadFigures Overload() const;
  // The rate with a long history against the first one measured.
  double HistoryShare() const;
};

nlohmann::ordered_json ToJson(const Figures& figures);
// Tables beside what must be reached, and the latencies as a picture.
void Show(const Figures& figures, Output& output);
// "figure,round,at_ms,value", a line for each sample.
std::string ToCsv(const Figures& figures);

}  // namespace guilder::cli::bench
