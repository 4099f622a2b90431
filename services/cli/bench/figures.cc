#include "services/cli/bench/figures.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "services/cli/bench/plot.h"
#include "services/cli/bench/statistics.h"

namespace guilder::cli::bench {
namespace {

constexpr double kTpcbBinds = 2'500;

// Rounded for reading; what is small keeps its digits.
std::string Number(double value) {
  if (value == 0) return "–";
  return value >= 100 ? absl::StrFormat("%.0f", value) : absl::StrFormat("%.2f", value);
}

std::string AtLeast(double value, double must) {
  return value >= must ? "yes" : "no";
}
std::string AtMost(double value, double must) {
  return value <= must ? "yes" : "no";
}

void ShowRates(const Figures& figures, Output& output) {
  Table table({{"measured"}, {"per second", Align::kRight}, {"how"}});
  table.AddRow({"TPC-B before", Number(figures.Of(kTpcbBefore)), "pgbench, 8 clients, prepared"});
  table.AddRow({"TPC-B after", Number(figures.Of(kTpcbAfter)), ""});
  table.AddRow({"TPC-B, one client", Number(figures.Of(kTpcbSingle)), ""});
  table.AddRow({"raw SQL", Number(figures.Of(kRawSql)),
                absl::StrCat("purchases, libpq, ", figures.raw_sql_connections,
                             " connections, batches of ", figures.raw_sql_batch)});
  table.AddRule();
  table.AddRow({"RecordPurchase", Number(figures.Of(kUnary)), "256 in flight"});
  table.AddRow({"RecordPurchases", Number(figures.Of(kStreamed)), "streamed"});
  table.AddRow({"RecordPurchase, one partner", Number(figures.Of(kHotPartner)), "256 in flight"});
  table.AddRow({"RecordPurchase, one caller", Number(figures.Of(kSingle)), "one in flight"});
  table.AddRow({"Authorize + Capture", Number(figures.Of(kPairs)), "pairs, 256 in flight"});
  table.AddRow({"GetBalance", Number(figures.Of(kBalance)), "256 in flight"});
  table.AddRow({"FindMember by card", Number(figures.Of(kFindByCard)), "256 in flight"});
  table.AddRow({"FindMember by phone", Number(figures.Of(kFindByPhone)), "256 in flight"});
  table.AddRow({"empty handler", Number(figures.Of(kEmpty)), "256 in flight"});
  table.AddRule();
  table.AddRow({"RecordPurchases, long history", Number(figures.Of(kLongHistory)),
                absl::StrCat(figures.long_history, " records; before ", figures.short_history)});
  table.AddRow({"RecordPurchases, many members", Number(figures.Of(kManyMembers)),
                absl::StrCat(figures.most_members, " members; before ", figures.members)});
  output.Print(table);
}

void ShowBars(const Figures& figures, Output& output) {
  Table table({{"figure"},
               {"measured", Align::kRight},
               {"must", Align::kRight},
               {"aim", Align::kRight},
               {"reached"}});
  const auto share = [&](const char* what, double value, double must, double aim) {
    table.AddRow({what, absl::StrFormat("%.3f", value), absl::StrFormat("%g", must),
                  absl::StrFormat("%g", aim), AtLeast(value, must)});
  };
  share("unary, share of raw SQL", figures.Share(kUnary, kRawSql), 0.25, 0.4);
  share("streamed, share of raw SQL", figures.Share(kStreamed, kRawSql), 0.6, 0.8);
  const double tpcb = std::max(figures.Of(kTpcbBefore), figures.Of(kTpcbAfter));
  if (tpcb <= kTpcbBinds) {
    share("unary, against TPC-B", figures.Of(kUnary) / tpcb, 2, 4);
    share("streamed, against TPC-B", figures.Of(kStreamed) / tpcb, 5, 9);
  }
  share("one hot partner, against many", figures.Share(kHotPartner, kUnary), 0.9, 1.0);
  share("pairs, share of raw SQL", figures.Share(kPairs, kRawSql), 0.15, 0.25);
  share("GetBalance, share of the empty handler", figures.Share(kBalance, kEmpty), 0.6, 0.8);
  share("FindMember by card, share of the empty handler", figures.Share(kFindByCard, kEmpty), 0.5,
        0.6);
  share("FindMember by phone, share of the empty handler", figures.Share(kFindByPhone, kEmpty), 0.5,
        0.6);
  share("one caller, against TPC-B with one", figures.Share(kSingle, kTpcbSingle), 0.7, 1.0);
  const double p99 = Percentile(figures.SortedLatencies(), 99);
  const auto at_most = [&](const char* what, double value, double must, double aim) {
    table.AddRow({what, absl::StrFormat("%.2f", value), absl::StrFormat("%g", must),
                  absl::StrFormat("%g", aim), AtMost(value, must)});
  };
  at_most("p99 at half of the unary peak, ms", p99, 50, 20);
  at_most("slowest while a window is sealed, ms", figures.SlowestWhileSealing(), 250, 100);
  at_most("sealing a large window, against a small one", figures.Share(kSealLarge, kSealSmall), 1.2,
          1.0);
  const OverloadFigures overload = figures.Overload();
  share("answers at twice the peak, against the peak",
        overload.answered_per_second / std::max(1.0, figures.Of(kUnary)), 0.9, 1.0);
  at_most("p99 of refusals at twice the peak, ms", overload.refused_p99_ms, 50, 20);
  at_most("p99 a second after it, ms", overload.recovered_p99_ms, 50, 20);
  share("many members, against few", figures.Share(kManyMembers, kLongHistory), 0.8, 0.95);
  share("long history, against a short one", figures.HistoryShare(), 0.8, 0.95);
  const double bytes = figures.Of(kBytes);
  table.AddRow({"bytes on disk per purchase", Number(bytes), "1500", "1100", AtMost(bytes, 1'500)});
  table.AddRow({"ledger verify", figures.verify_ok ? "clean" : "NOT CLEAN", "clean", "clean",
                figures.verify_ok ? "yes" : "no"});
  output.Print(table);
}

}  // namespace

double Figures::Of(const std::string& name) const {
  const auto found = samples.find(name);
  return found == samples.end() ? 0 : Median(found->second);
}

double Figures::Share(const std::string& name, const std::string& of) const {
  const double whole = Of(of);
  return whole == 0 ? 0 : Of(name) / whole;
}

std::vector<double> Figures::SortedLatencies() const {
  std::vector<double> sorted;
  for (const Latency& latency : latencies) sorted.push_back(latency.ms);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double Figures::SlowestWhileSealing() const {
  double slowest = 0;
  for (const Latency& latency : sealing_latencies) slowest = std::max(slowest, latency.ms);
  return slowest;
}

OverloadFigures Figures::Overload() const {
  constexpr double kFirstSecond = 1'000;
  const double end = absl::ToDoubleMilliseconds(kOverload);
  std::vector<double> refused;
  std::vector<double> recovered;
  int64_t answered = 0;
  for (const Latency& latency : overload) {
    const double answered_at = latency.scheduled_ms + latency.ms;
    if (latency.refused) {
      refused.push_back(latency.ms);
    } else if (kFirstSecond <= answered_at && answered_at < end) {
      ++answered;
    }
    if (latency.scheduled_ms >= end + kFirstSecond) recovered.push_back(latency.ms);
  }
  std::sort(refused.begin(), refused.end());
  std::sort(recovered.begin(), recovered.end());
  return {static_cast<double>(answered) / (end - kFirstSecond) * 1'000, Percentile(refused, 99),
          Percentile(recovered, 99)};
}

double Figures::HistoryShare() const {
  const auto streamed = samples.find(kStreamed);
  if (streamed == samples.end() || streamed->second.empty()) return 0;
  return Of(kLongHistory) / streamed->second.front();
}

nlohmann::ordered_json ToJson(const Figures& figures) {
  const std::vector<double> latencies = figures.SortedLatencies();
  nlohmann::ordered_json json;
  json["profile"] = figures.profile;
  json["tpcb_tps"] = {{"before", figures.Of(kTpcbBefore)},
                      {"after", figures.Of(kTpcbAfter)},
                      {"single_client", figures.Of(kTpcbSingle)}};
  json["raw_sql_per_second"] = figures.Of(kRawSql);
  for (const char* name : {kUnary, kStreamed, kPairs, kBalance, kFindByCard, kFindByPhone, kEmpty,
                           kSingle, kHotPartner}) {
    json[name] = figures.Of(name);
  }
  json["shares"] = {{"unary", figures.Share(kUnary, kRawSql)},
                    {"streamed", figures.Share(kStreamed, kRawSql)},
                    {"pairs", figures.Share(kPairs, kRawSql)},
                    {"get_balance", figures.Share(kBalance, kEmpty)},
                    {"find_member_by_card", figures.Share(kFindByCard, kEmpty)},
                    {"find_member_by_phone", figures.Share(kFindByPhone, kEmpty)},
                    {"hot_partner", figures.Share(kHotPartner, kUnary)},
                    {"single_caller", figures.Share(kSingle, kTpcbSingle)}};
  json[kUnaryCpu] = figures.Of(kUnaryCpu);
  json[kStreamedCpu] = figures.Of(kStreamedCpu);
  json["latency_ms"] = {{"p50", Percentile(latencies, 50)},
                        {"p99", Percentile(latencies, 99)},
                        {"p999", Percentile(latencies, 99.9)},
                        {"offered_per_second", figures.open_loop_per_second},
                        {"requests", latencies.size()}};
  json["seal"] = {{"slowest_request_ms", figures.SlowestWhileSealing()},
                  {"ratio_large_small", figures.Share(kSealLarge, kSealSmall)},
                  {"large_ms", figures.Of(kSealLarge)},
                  {"small_ms", figures.Of(kSealSmall)},
                  {"large_window_records", figures.large_window_records}};
  const OverloadFigures overload = figures.Overload();
  const double peak = figures.Of(kUnary);
  json["overload"] = {{"answered_share", peak == 0 ? 0 : overload.answered_per_second / peak},
                      {"refused_p99_ms", overload.refused_p99_ms},
                      {"recovered_p99_ms", overload.recovered_p99_ms},
                      {"peak_resident_megabytes", figures.peak_resident_megabytes}};
  json["members_share"] = figures.Share(kManyMembers, kLongHistory);
  json["history_share"] = figures.HistoryShare();
  json[kBytes] = figures.Of(kBytes);
  json["raw_sql"] = {{"batch", figures.raw_sql_batch},
                     {"connections", figures.raw_sql_connections}};
  json["members"] = {{"few", figures.members}, {"many", figures.most_members}};
  json["history"] = {{"short", figures.short_history}, {"long", figures.long_history}};
  json["verified_records"] = figures.verified_records;
  json["verify_ok"] = figures.verify_ok;
  json["seconds"] = figures.seconds;
  return json;
}

void Show(const Figures& figures, Output& output) {
  ShowRates(figures, output);
  ShowBars(figures, output);
  output.Heading(absl::StrFormat("Latency of RecordPurchase, %.0f a second on schedule",
                                 figures.open_loop_per_second));
  const std::vector<double> latencies = figures.SortedLatencies();
  output.Text(PlotLatencies(latencies, output.terminal()));
  output.Text(absl::StrFormat(
      "p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms; processor time per purchase %.0f us unary, %.0f us "
      "streamed (services and PostgreSQL)",
      Percentile(latencies, 50), Percentile(latencies, 99), Percentile(latencies, 99.9),
      figures.Of(kUnaryCpu), figures.Of(kStreamedCpu)));
}

std::string ToCsv(const Figures& figures) {
  std::string csv = "figure,round,at_ms,value\n";
  for (const auto& [name, values] : figures.samples) {
    for (size_t round = 0; round < values.size(); ++round) {
      absl::StrAppend(&csv, name, ",", round + 1, ",,", values[round], "\n");
    }
  }
  const auto add = [&](const char* name, const std::vector<Latency>& latencies) {
    for (const Latency& latency : latencies) {
      absl::StrAppend(&csv, name, ",,", latency.scheduled_ms, ",", latency.ms, "\n");
    }
  };
  add("latency_ms", figures.latencies);
  add("sealing_latency_ms", figures.sealing_latencies);
  return csv;
}

}  // namespace guilder::cli::bench
