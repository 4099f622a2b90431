#include "services/cli/demo/demo.h"

#include <chrono>
#include <future>
#include <iostream>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "services/cli/demo/csv.h"
#include "services/cli/demo/files.h"
#include "services/cli/demo/ground.h"
#include "services/cli/demo/parallel.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/plan.h"
#include "services/cli/demo/posting.h"
#include "services/cli/demo/redeeming.h"
#include "services/cli/demo/report.h"
#include "services/cli/demo/settling.h"
#include "services/cli/demo/steps.h"
#include "services/cli/output/progress.h"

namespace guilder::cli::demo {
namespace {

constexpr size_t kOnboardingThreads = 4;
constexpr char kFiguresFile[] = "demo.json";

struct Days {
  absl::TimeZone zone;
  absl::CivilDay today;
};

absl::StatusOr<Days> ReadCalendar() {
  Days days;
  if (!absl::LoadTimeZone(kTimeZone, &days.zone)) {
    return absl::FailedPreconditionError(
        absl::StrCat("this machine does not know the time zone ", kTimeZone, "; install tzdata"));
  }
  days.today = absl::ToCivilDay(absl::Now(), days.zone);
  return days;
}

absl::StatusOr<TillWork> LoadWork(const DemoOptions& options, const Days& days) {
  PurchaseFiles files = ShippedFiles(options.data);
  if (!options.purchases.empty()) {
    GUILDER_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(options.purchases));
    const std::string header = text.substr(0, text.find('\n'));
    (absl::StrContains(header, "household_id") ? files.transactions : files.online_retail) =
        options.purchases;
  }
  PurchaseOptions purchases;
  purchases.today = days.today;
  purchases.zone = days.zone;
  GUILDER_ASSIGN_OR_RETURN(TillWork work, LoadPurchases(files, purchases));
  work = TakeShare(std::move(work), options.share);
  if (work.receipts.empty()) return absl::FailedPreconditionError("the data has no purchases");
  return work;
}

PartnerPlan PlanWithStores(const TillWork& work, size_t partner) {
  PartnerPlan plan = PlanOf(partner);
  plan.stores = work.stores[partner];
  return plan;
}

// Partners with their keys, and the rules.
absl::StatusOr<std::vector<NetworkPartner>> OnboardAll(const Network& network, const TillWork& work,
                                                       Timestamp effective_from) {
  Terms terms;
  terms.currency = kCurrency;
  terms.time_zone = kTimeZone;
  terms.effective_from = effective_from;
  GUILDER_RETURN_IF_ERROR(Onboard(network, PlanOfOperator(), terms));
  std::vector<NetworkPartner> partners(DemoPartners().size());
  std::vector<EarnPlan> rules(partners.size());
  GUILDER_RETURN_IF_ERROR(
      InParallel(partners.size(), kOnboardingThreads, [&](size_t i) -> absl::Status {
        const PartnerPlan plan = PlanWithStores(work, i);
        GUILDER_RETURN_IF_ERROR(Onboard(network, plan, terms));
        rules[i] = EarnPlanOf(i);
        NetworkPartner& partner = partners[i];
        partner.name = plan.id;
        partner.display_name = plan.display_name;
        partner.terminal = plan.terminals.front();
        if (!plan.stores.empty()) {
          partner.store = absl::StrCat("partners/", plan.id, "/stores/", plan.stores.front());
        }
        GUILDER_ASSIGN_OR_RETURN(partner.api_key, IssueKey(network, plan.id));
        return absl::OkStatus();
      }));
  GUILDER_RETURN_IF_ERROR(PutRulesInForce(network, rules, kNotGoodsCategory, effective_from));
  return partners;
}

absl::Status OpenShops(Run& run, const std::vector<NetworkPartner>& partners) {
  GUILDER_ASSIGN_OR_RETURN(const std::string accrual, run.network.Endpoint("accrual"));
  GUILDER_ASSIGN_OR_RETURN(const std::string member, run.network.Endpoint("member"));
  GUILDER_ASSIGN_OR_RETURN(const std::string redemption, run.network.Endpoint("redemption"));
  using clients::Channel;
  using clients::Client;
  for (const NetworkPartner& partner : partners) {
    const std::string& key = partner.api_key;
    run.shops.push_back({"partners/" + partner.name,
                         Client<accrual::v1::AccrualService>(Channel(accrual, key)),
                         Client<member::v1::MemberService>(Channel(member, key)),
                         Client<redemption::v1::RedemptionService>(Channel(redemption, key))});
  }
  return absl::OkStatus();
}

// A week of the programme: while the tills send their purchases, the windows that ended are sealed.
absl::StatusOr<int> PlayStep(Run& run, Redeemer& redeemer, const std::vector<Step>& steps,
                             size_t number) {
  const Step& step = steps[number];
  {
    const Stopwatch watch(run, "clock");
    GUILDER_RETURN_IF_ERROR(AdvanceClockTo(run.network, step.end));
  }
  auto sealing = std::async(std::launch::async, [&] {
    const Stopwatch watch(run, "sealing");
    return SealEndedWindows(run.network);
  });
  const auto post = [&]() -> absl::Status {
    GUILDER_RETURN_IF_ERROR(EnrolMembers(run, step));
    const Timestamp began = number == 0 ? Timestamp() : steps[number - 1].end;
    GUILDER_ASSIGN_OR_RETURN(const auto carried, redeemer.AuthorizeCarried(number, step, began));
    GUILDER_RETURN_IF_ERROR(PostReceipts(run, step, carried));
    GUILDER_RETURN_IF_ERROR(redeemer.NoteCarried(carried));
    GUILDER_RETURN_IF_ERROR(ConfirmReceipts(run, step));
    GUILDER_RETURN_IF_ERROR(PostReturns(run, step));
    return redeemer.Redeem(number, step);
  };
  const absl::Status posted = post();
  const absl::StatusOr<int> sealed = sealing.get();
  GUILDER_RETURN_IF_ERROR(posted);
  return sealed;
}

absl::StatusOr<int> Play(Run& run, const std::vector<Step>& steps, const Terminal& error_terminal) {
  ProgressBar bar(std::cerr, error_terminal, "Purchases",
                  static_cast<int64_t>(run.work.receipts.size() + run.work.returns.size()));
  run.on_progress = [&bar](int64_t count) { bar.Advance(count); };
  Redeemer redeemer(run, steps.size());
  int sealed = 0;
  for (size_t number = 0; number < steps.size(); ++number) {
    GUILDER_ASSIGN_OR_RETURN(const int sealed_now, PlayStep(run, redeemer, steps, number));
    sealed += sealed_now;
  }
  GUILDER_RETURN_IF_ERROR(redeemer.RefundAll());
  run.on_progress = [](int64_t) {};
  return sealed;
}

absl::StatusOr<operator_::v1::VerifyLedgerResponse> Verify(const Network& network,
                                                           const Terminal& error_terminal) {
  std::optional<ProgressBar> bar;
  int64_t done = 0;
  return VerifyLedger(network, [&](const operator_::v1::VerifyLedgerResponse& progress) {
    if (!bar) bar.emplace(std::cerr, error_terminal, "Records checked", progress.records_total());
    bar->Advance(progress.records_done() - done);
    done = progress.records_done();
  });
}

absl::Status WriteFiles(const DemoOptions& options, Results& results) {
  GUILDER_ASSIGN_OR_RETURN(results.redemptions_file,
                           WriteFile(options.output_directory, "redemptions.csv",
                                     RedemptionsCsv(results.work, results.outcome)));
  results.payment_file_check = "not written";
  if (!results.settled.payment_file_name.empty()) {
    GUILDER_ASSIGN_OR_RETURN(results.payment_file,
                             WriteFile(options.output_directory, results.settled.payment_file_name,
                                       results.settled.payment_file));
    results.payment_file_check = CheckPaymentFile(results.payment_file, options.data);
  }
  return absl::OkStatus();
}

absl::Status CheckResults(const Results& results) {
  if (!results.verified.ok()) return absl::DataLossError("a check of the ledger does not hold");
  if (results.payment_file_check == "NOT VALID") {
    return absl::DataLossError("the payment file does not validate");
  }
  return absl::OkStatus();
}

template <typename Part>
auto Timed(Run& run, const char* name, Part part) {
  const Stopwatch watch(run, name);
  return part();
}

// At once, because what follows may take a while.
void Say(Output& output, const std::string& what) {
  output.Text(what);
  std::cout.flush();
}

void SetSampleCards(const Run& run, std::vector<NetworkPartner>& partners) {
  for (size_t i = run.work.receipts.size(); i-- > 0;) {
    const Receipt& receipt = run.work.receipts[i];
    NetworkPartner& partner = partners[receipt.partner];
    if (partner.card.empty() && receipt.member) partner.card = run.outcome.cards[*receipt.member];
  }
}

}  // namespace

absl::Status RunDemo(const DemoOptions& options, Output& output, const Terminal& error_terminal) {
  const auto began = std::chrono::steady_clock::now();
  GUILDER_ASSIGN_OR_RETURN(const Days days, ReadCalendar());
  GUILDER_ASSIGN_OR_RETURN(const TillWork work, LoadWork(options, days));
  const Timestamp start = ProgrammeStart(work, days.zone);
  // Better now than after a minute.
  GUILDER_RETURN_IF_ERROR(WriteFile(options.output_directory, kFiguresFile, "").status());
  Say(output, absl::StrCat("Read ", work.counts.lines_read, " lines of purchases; starting ",
                           options.network_file.empty() ? "PostgreSQL and six services"
                                                        : "on the network given"));
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<Ground> ground, Ground::Prepare(options, start));

  const Network& network = ground->network();
  Run run(work, network,
          absl::StrCat("demo/", absl::FormatCivilTime(days.today), "/", options.share));
  Say(output, absl::StrCat("Onboarding ", DemoPartners().size() + 1,
                           " partners: submitted, reviewed and approved by three people"));
  GUILDER_ASSIGN_OR_RETURN(std::vector<NetworkPartner> partners, Timed(run, "onboarding", [&] {
                             return OnboardAll(network, work, start);
                           }));
  GUILDER_RETURN_IF_ERROR(OpenShops(run, partners));

  const std::vector<Step> steps = CutIntoSteps(work, days.today, days.zone);
  Say(output, absl::StrCat("Playing ", steps.size(), " weeks"));
  Results results{.work = work, .outcome = run.outcome};
  GUILDER_ASSIGN_OR_RETURN(results.sealed_while_posting, Play(run, steps, error_terminal));
  GUILDER_ASSIGN_OR_RETURN(results.settled,
                           Timed(run, "settlement", [&] { return Settle(network); }));
  GUILDER_ASSIGN_OR_RETURN(results.verified, Timed(run, "verification", [&] {
                             return Verify(network, error_terminal);
                           }));
  GUILDER_ASSIGN_OR_RETURN(results.trial_balance, ReadTrialBalance(network));
  SetSampleCards(run, partners);
  GUILDER_RETURN_IF_ERROR(ground->RememberPartners(std::move(partners)));

  GUILDER_RETURN_IF_ERROR(WriteFiles(options, results));
  results.network_file = ground->network_file();
  results.restart = ground->restart();
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const nlohmann::ordered_json json = ToJson(results);
  GUILDER_RETURN_IF_ERROR(
      WriteFile(options.output_directory, kFiguresFile, json.dump(2) + "\n").status());
  output.Json(json);
  if (!output.json()) Show(results, output);
  return CheckResults(results);
}

}  // namespace guilder::cli::demo
