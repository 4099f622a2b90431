#include "services/cli/bench/bench.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "services/cli/bench/calls.h"
#include "services/cli/bench/load.h"
#include "services/cli/bench/network_process.h"
#include "services/cli/bench/pgbench.h"
#include "services/cli/bench/store/databases.h"
#include "services/cli/bench/store/raw_sql.h"

namespace guilder::cli::bench {
namespace {

constexpr int kTpcbClients = 8;
// Enough for every redemption that a run can make.
constexpr int64_t kWelcomePoints = 1'000'000;
// What raw SQL tries: connections and the size of a batch.
constexpr std::pair<int, int> kRawWays[] = {{2, 64}, {2, 256}, {2, 512}, {4, 256}, {4, 512}};

constexpr int64_t kSmallWindow = 10'000;
// How long purchases come while a window is sealed: its boundary is two to three seconds ahead.
constexpr absl::Duration kSealingLoad = absl::Seconds(6);

struct VerifyOutcome {
  bool ok = false;
  int64_t records = 0;
};

absl::StatusOr<VerifyOutcome> VerifyLedger(const Network& network) {
  namespace v1 = operator_::v1;
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("operator"));
  GUILDER_ASSIGN_OR_RETURN(const std::string token, network.Token("auditor"));
  const clients::Client<v1::OperatorService> client(clients::Channel(endpoint, token));
  grpc::ClientContext context;
  client.channel().Prepare(context, absl::Now() + absl::Minutes(30));
  const auto reader = client.stub().VerifyLedger(&context, v1::VerifyLedgerRequest());
  v1::VerifyLedgerResponse last;
  while (reader->Read(&last)) {
  }
  GUILDER_RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
  if (!last.done()) return absl::UnavailableError("the verification ended without a result");
  return VerifyOutcome{last.ok(), last.records_done()};
}

// Ends the open window on demand. Gives how long after its end it was sealed.
absl::StatusOr<absl::Duration> CloseWindow(const Network& network) {
  namespace v1 = settlement::v1;
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("settlement"));
  GUILDER_ASSIGN_OR_RETURN(const std::string token, network.Token("finance"));
  const clients::Client<v1::SettlementService> client(clients::Channel(endpoint, token));
  v1::CloseWindowResponse response;
  grpc::ClientContext context;
  client.channel().Prepare(context, absl::Now() + absl::Seconds(30));
  GUILDER_RETURN_IF_ERROR(rpc::FromGrpcStatus(
      client.stub().CloseWindow(&context, v1::CloseWindowRequest(), &response)));
  const google::protobuf::Timestamp& end = response.window().end_time();
  return absl::Now() - absl::FromUnixSeconds(end.seconds()) - absl::Nanoseconds(end.nanos());
}

class Bench {
 public:
  Bench(const Profile& profile, const std::function<void(const std::string&)>& on_step)
      : profile_(profile), on_step_(on_step) {}

  absl::StatusOr<Figures> Run() {
    const auto began = std::chrono::steady_clock::now();
    figures_.profile = profile_.name;
    GUILDER_RETURN_IF_ERROR(Prepare());
    for (round_ = 1; round_ <= profile_.rounds; ++round_) GUILDER_RETURN_IF_ERROR(Round());
    if (profile_.Wants("latency")) GUILDER_RETURN_IF_ERROR(Latencies());
    if (profile_.Wants("overload")) GUILDER_RETURN_IF_ERROR(Overload());
    if (profile_.Wants("seal")) GUILDER_RETURN_IF_ERROR(Seals());
    if (profile_.Wants("growth")) GUILDER_RETURN_IF_ERROR(Growth());
    on_step_("TPC-B again");
    GUILDER_RETURN_IF_ERROR(Tpcb(kTpcbAfter, kTpcbClients));
    on_step_("ledger verify");
    GUILDER_ASSIGN_OR_RETURN(const VerifyOutcome verified, VerifyLedger(network_->facts()));
    figures_.verify_ok = verified.ok;
    figures_.verified_records = verified.records;
    figures_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return std::move(figures_);
  }

 private:
  absl::Status Prepare() {
    on_step_("starting PostgreSQL and six services");
    GUILDER_ASSIGN_OR_RETURN(network_, NetworkProcess::Start(kWelcomePoints));
    on_step_("TPC-B");
    GUILDER_ASSIGN_OR_RETURN(Pgbench pgbench, Pgbench::Prepare(dsn(), profile_.tpcb_scale));
    pgbench_ = std::make_unique<Pgbench>(std::move(pgbench));
    GUILDER_RETURN_IF_ERROR(Checkpoint(dsn()));
    GUILDER_RETURN_IF_ERROR(Tpcb(kTpcbBefore, kTpcbClients));
    GUILDER_RETURN_IF_ERROR(Tpcb(kTpcbSingle, 1));
    on_step_(absl::StrCat("onboarding ", profile_.partners, " partners"));
    GUILDER_ASSIGN_OR_RETURN(std::vector<Shop> shops, OnboardShops(network_->facts(), profile_));
    GUILDER_ASSIGN_OR_RETURN(calls_, Calls::Open(network_->facts(), std::move(shops)));
    on_step_(absl::StrCat("enrolling ", profile_.members, " members"));
    GUILDER_RETURN_IF_ERROR(calls_->EnrolMembers(profile_.members));
    figures_.members = static_cast<int64_t>(profile_.members);
    on_step_("warming up");
    GUILDER_RETURN_IF_ERROR(calls_->ShopOnce(profile_));
    GUILDER_ASSIGN_OR_RETURN(shape_, ReadPurchaseShape(dsn()));
    GUILDER_ASSIGN_OR_RETURN(raw_, RawSql::Prepare(dsn(), static_cast<int>(profile_.members),
                                                   static_cast<int>(profile_.partners), shape_));
    return absl::OkStatus();
  }

  absl::Status Round() {
    GUILDER_RETURN_IF_ERROR(Checkpoint(dsn()));
    if (profile_.Wants(kRawSql)) GUILDER_RETURN_IF_ERROR(Raw());
    GUILDER_RETURN_IF_ERROR(Posting());
    GUILDER_RETURN_IF_ERROR(Closed(kHotPartner, "", [this] { return calls_->Purchase(1); }));
    GUILDER_RETURN_IF_ERROR(Closed(kPairs, "", [this] { return calls_->Pair(); }));
    GUILDER_RETURN_IF_ERROR(Closed(kBalance, "", [this] { return calls_->Balance(); }));
    GUILDER_RETURN_IF_ERROR(Closed(kFindByCard, "", [this] { return calls_->FindByCard(); }));
    GUILDER_RETURN_IF_ERROR(Closed(kFindByPhone, "", [this] { return calls_->FindByPhone(); }));
    GUILDER_RETURN_IF_ERROR(Closed(kEmpty, "", [this] { return calls_->Empty(); }));
    if (!profile_.Wants(kSingle)) return absl::OkStatus();
    Callers one;
    one.push_back(calls_->Purchase());
    return Rate(kSingle, "", *ClosedLoop(std::move(one)));
  }

  // Unary and streamed purchases, and what they leave on the disk.
  absl::Status Posting() {
    GUILDER_ASSIGN_OR_RETURN(const int64_t bytes_before, PostingBytes(dsn()));
    GUILDER_ASSIGN_OR_RETURN(const PurchaseShape before, ReadPurchaseShape(dsn()));
    GUILDER_RETURN_IF_ERROR(Closed(kUnary, kUnaryCpu, [this] { return calls_->Purchase(); }));
    if (figures_.short_history == 0) {
      GUILDER_ASSIGN_OR_RETURN(figures_.short_history, CountRecords(dsn()));
    }
    if (profile_.Wants(kStreamed)) GUILDER_RETURN_IF_ERROR(Streamed(kStreamed, kStreamedCpu));
    GUILDER_ASSIGN_OR_RETURN(const int64_t bytes_after, PostingBytes(dsn()));
    GUILDER_ASSIGN_OR_RETURN(const PurchaseShape after, ReadPurchaseShape(dsn()));
    if (after.purchases == before.purchases) return absl::OkStatus();
    figures_.samples[kBytes].push_back(static_cast<double>(bytes_after - bytes_before) /
                                       static_cast<double>(after.purchases - before.purchases));
    return absl::OkStatus();
  }

  // As many callers as the profile has in flight.
  template <typename Make>
  absl::Status Closed(const char* name, const char* cpu_name, const Make& make) {
    if (!profile_.Wants(name)) return absl::OkStatus();
    Callers callers;
    for (int i = 0; i < profile_.in_flight; ++i) callers.push_back(make());
    return Rate(name, cpu_name, *ClosedLoop(std::move(callers)));
  }

  absl::Status Streamed(const char* name, const char* cpu_name) {
    return Rate(name, cpu_name,
                *calls_->PurchaseStreams(profile_.streams, profile_.in_flight_per_stream));
  }

  absl::Status Raw() {
    on_step_(kRawSql);
    double best = 0;
    for (const auto& [connections, batch] : kRawWays) {
      const bool was_best =
          connections == figures_.raw_sql_connections && batch == figures_.raw_sql_batch;
      // The first round finds the best way.
      if (round_ > 1 && !was_best) continue;
      GUILDER_ASSIGN_OR_RETURN(const double rate,
                               raw_->Run(connections, batch, WarmUp() / 2, Seconds()));
      figures_.samples[absl::StrCat("raw_sql_", connections, "x", batch)].push_back(rate);
      if (rate <= best) continue;
      best = rate;
      figures_.raw_sql_connections = connections;
      figures_.raw_sql_batch = batch;
    }
    figures_.samples[kRawSql].push_back(best);
    return absl::OkStatus();
  }

  absl::Status Rate(const std::string& name, const std::string& cpu_name, Load& load) {
    on_step_(name);
    GUILDER_ASSIGN_OR_RETURN(
        const Throughput measured,
        Measure(load, Window{WarmUp(), Seconds(), [this] { return network_->CpuMicros(); }}));
    figures_.samples[name].push_back(measured.per_second);
    if (!cpu_name.empty()) figures_.samples[cpu_name].push_back(measured.cpu_us_each);
    return absl::OkStatus();
  }

  absl::Status Latencies() {
    on_step_("latency on schedule");
    figures_.open_loop_per_second = figures_.Of(kUnary) / 2;
    GUILDER_ASSIGN_OR_RETURN(figures_.latencies,
                             OpenLoop([this] { return calls_->Purchase(); },
                                      {{figures_.open_loop_per_second, Seconds() * 2}}));
    return absl::OkStatus();
  }

  // Twice the peak for a while, then half of it at once.
  absl::Status Overload() {
    on_step_("overload");
    const double peak = figures_.Of(kUnary);
    GUILDER_ASSIGN_OR_RETURN(figures_.overload,
                             OpenLoop([this] { return calls_->Purchase(); },
                                      {{2 * peak, kOverload}, {peak / 2, kRecovery}}, true));
    figures_.peak_resident_megabytes = network_->PeakResidentMegabytes();
    return absl::OkStatus();
  }

  // Windows that end on demand: one with many records between some with few, and one under load.
  absl::Status Seals() {
    on_step_("sealing windows");
    GUILDER_RETURN_IF_ERROR(CloseWindow(network_->facts()).status());
    GUILDER_RETURN_IF_ERROR(SealSmall());
    GUILDER_RETURN_IF_ERROR(PostOverStreams(profile_.large_window));
    figures_.large_window_records = profile_.large_window;
    GUILDER_RETURN_IF_ERROR(Seal(kSealLarge));
    GUILDER_RETURN_IF_ERROR(SealSmall());
    GUILDER_RETURN_IF_ERROR(SealSmall());
    absl::Status sealed;
    std::thread sealing([&] { sealed = CloseWindow(network_->facts()).status(); });
    auto latencies =
        OpenLoop([this] { return calls_->Purchase(); }, {{figures_.Of(kUnary) / 2, kSealingLoad}});
    sealing.join();
    GUILDER_RETURN_IF_ERROR(sealed);
    GUILDER_ASSIGN_OR_RETURN(figures_.sealing_latencies, std::move(latencies));
    return absl::OkStatus();
  }

  absl::Status SealSmall() {
    GUILDER_RETURN_IF_ERROR(PostOverStreams(kSmallWindow));
    return Seal(kSealSmall);
  }

  absl::Status PostOverStreams(int64_t purchases) {
    return Complete(
        *calls_->PurchaseStreams(profile_.streams, profile_.in_flight_per_stream, purchases));
  }

  absl::Status Seal(const char* name) {
    GUILDER_ASSIGN_OR_RETURN(const absl::Duration took, CloseWindow(network_->facts()));
    figures_.samples[name].push_back(absl::ToDoubleMilliseconds(took));
    return absl::OkStatus();
  }

  absl::Status Growth() {
    GUILDER_ASSIGN_OR_RETURN(figures_.long_history, CountRecords(dsn()));
    if (const int64_t missing = profile_.long_history - figures_.long_history; missing > 0) {
      on_step_(absl::StrCat("posting ", missing, " purchases"));
      GUILDER_RETURN_IF_ERROR(PostOverStreams(missing));
      GUILDER_ASSIGN_OR_RETURN(figures_.long_history, CountRecords(dsn()));
    }
    GUILDER_RETURN_IF_ERROR(Checkpoint(dsn()));
    GUILDER_RETURN_IF_ERROR(Streamed(kLongHistory, ""));
    on_step_(absl::StrCat("enrolling up to ", profile_.many_members, " members"));
    GUILDER_RETURN_IF_ERROR(calls_->EnrolMembers(profile_.many_members - profile_.members));
    figures_.most_members = static_cast<int64_t>(profile_.many_members);
    GUILDER_RETURN_IF_ERROR(Checkpoint(dsn()));
    return Streamed(kManyMembers, "");
  }

  absl::Status Tpcb(const char* name, int clients) {
    GUILDER_ASSIGN_OR_RETURN(const double tps, pgbench_->Run(clients, profile_.tpcb_seconds));
    figures_.samples[name].push_back(tps);
    return absl::OkStatus();
  }

  std::string dsn() const { return network_->facts().dsn; }
  absl::Duration Seconds() const { return absl::Seconds(profile_.seconds); }
  absl::Duration WarmUp() const { return absl::Seconds(profile_.warm_up_seconds); }

  const Profile& profile_;
  const std::function<void(const std::string&)>& on_step_;
  std::unique_ptr<NetworkProcess> network_;
  std::unique_ptr<Pgbench> pgbench_;
  std::unique_ptr<Calls> calls_;
  std::unique_ptr<RawSql> raw_;
  PurchaseShape shape_;
  Figures figures_;
  int round_ = 0;
};

}  // namespace

absl::StatusOr<Figures> RunBench(const Profile& profile,
                                 const std::function<void(const std::string&)>& on_step) {
  return Bench(profile, on_step).Run();
}

}  // namespace guilder::cli::bench
