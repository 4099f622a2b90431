#include <cstdlib>
#include <fstream>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "guilder/accrual/v1/accrual_service.pb.h"
#include "guilder/member/v1/member_service.pb.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "services/cli/call.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/network.h"
#include "services/cli/verb.h"
#include "tests/support/catch2.h"

namespace guilder::cli {
namespace {

TEST_CASE("ToJson: numbers are numbers, enum values short, instants readable, bytes hexadecimal",
          "[unit][cli]") {
  accrual::v1::RecordPurchaseResponse response;
  response.set_name("purchases/7");
  response.set_points(9'007'199'254'740'993);  // Not a double.
  response.add_line_points(3);
  response.mutable_activates_at()->set_seconds(1'767'225'600);
  response.mutable_journal_receipt()->set_leaf_hash("\x01\xff");

  const nlohmann::ordered_json json = ToJson(response);

  CHECK(json["points"] == 9'007'199'254'740'993);
  CHECK(json["line_points"] == nlohmann::ordered_json{3});
  CHECK(json["activates_at"] == "2026-01-01T00:00:00Z");
  CHECK(json["journal_receipt"]["leaf_hash"] == "01ff");
  CHECK(json["captured_points"] == 0);
  CHECK_FALSE(json.contains("expires_at"));

  partner::v1::Partner partner;
  partner.set_state(partner::v1::PARTNER_STATE_IN_REVIEW);
  CHECK(ToJson(partner)["state"] == "IN_REVIEW");
}

TEST_CASE("Assign: sets nested fields by their types", "[unit][cli]") {
  partner::v1::ProposeContractRequest request;
  REQUIRE(Assign(request, "parent", "partners/a").ok());
  REQUIRE(Assign(request, "contract.effective_from", "2026-01-31").ok());
  REQUIRE(Assign(request, "contract.issuance.rate_micros", "0.01", Kind::kMicros).ok());
  REQUIRE(Assign(request, "contract.issuance.tax.rate_ppm", "7.5", Kind::kPercent).ok());
  REQUIRE(Assign(request, "contract.issuance.billed_at", "activation").ok());
  REQUIRE(Assign(request, "contract.issuance.lot_life_days", "365").ok());

  CHECK(request.parent() == "partners/a");
  CHECK(request.contract().effective_from().seconds() == 1'769'817'600);
  CHECK(request.contract().issuance().rate_micros() == 10'000);
  CHECK(request.contract().issuance().tax().rate_ppm() == 75'000);
  CHECK(request.contract().issuance().billed_at() == partner::v1::BILLING_MOMENT_ACTIVATION);
  CHECK(request.contract().issuance().lot_life_days() == 365);

  operator_::v1::AdvanceClockRequest clock;
  REQUIRE(Assign(clock, "duration", "14d").ok());
  CHECK(clock.duration().seconds() == 14 * 86'400);
  REQUIRE(Assign(clock, "duration", "36h").ok());
  CHECK(clock.duration().seconds() == 36 * 3'600);

  operator_::v1::CreateOperatorRequest person;
  REQUIRE(Assign(person, "roles", "finance-approver").ok());
  REQUIRE(Assign(person, "roles", "AUDITOR").ok());
  CHECK(person.roles_size() == 2);
}

TEST_CASE("Assign: says what was expected", "[unit][cli]") {
  partner::v1::ProposeContractRequest request;
  const auto message = [&](const std::string& path, const std::string& text, Kind kind) {
    return std::string(Assign(request, path, text, kind).message());
  };

  CHECK(message("contract.issuance.lot_life_days", "1e3", Kind::kPlain) ==
        "expected a whole number, not '1e3'");
  CHECK(message("contract.issuance.lot_life_days", "3000000000", Kind::kPlain) ==
        "expected a whole number, not '3000000000'");
  CHECK(message("contract.issuance.rate_micros", "0.0000001", Kind::kMicros) ==
        "expected a decimal number, not '0.0000001'");
  CHECK(message("contract.issuance.billed_at", "later", Kind::kPlain) ==
        "expected one of posting, activation, not 'later'");
  CHECK(message("contract.effective_from", "tomorrow", Kind::kPlain) ==
        "expected an instant as in 2026-01-31 or 2026-01-31T12:00:00Z, not 'tomorrow'");
}

TEST_CASE("Call: a request's type finds its RPC and service", "[unit][cli]") {
  const auto* method = FindMethod(member::v1::GetBalanceRequest::descriptor());
  REQUIRE(method != nullptr);
  CHECK(method->full_name() == "guilder.member.v1.MemberService.GetBalance");
  CHECK(ServiceOf(*method) == "member");
  CHECK(FindMethod(member::v1::Member::descriptor()) == nullptr);
}

TEST_CASE("Names: a prefix is put once, and a name tells its partner", "[unit][cli]") {
  CHECK(WithPrefix("partners/", "a/stores/s") == "partners/a/stores/s");
  CHECK(WithPrefix("partners/", "partners/a") == "partners/a");
  CHECK(PartnerIn("partners/a/stores/s") == "a");
  CHECK(PartnerIn("purchases/7").empty());
}

TEST_CASE("Network: tokens are found by role and by partner, and what is missing is said",
          "[unit][cli]") {
  const std::string path = std::string(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") +
                           "/guilder-cli-commands-test-" + std::to_string(getpid()) + ".json";
  std::ofstream(path) << R"({"endpoints":{"partner":"127.0.0.1:1"},"operators":{"approver":"t1"},
      "dsn":"x","programme":"p","partners":[{"name":"partners/fresh","display_name":"Fresh",
      "api_key":"k1","store":"partners/fresh/stores/s1","terminal":"t","card":"4"}]})";
  const absl::StatusOr<Network> network = ReadNetwork(path);
  std::remove(path.c_str());

  REQUIRE(network.ok());
  CHECK(network->Token("approver").value() == "t1");
  CHECK(network->Token("fresh").value() == "k1");
  CHECK(network->Token("partners/fresh").value() == "k1");
  CHECK(std::string(network->Token("nobody").status().message()) ==
        "no token for 'nobody' in the network's file, which has approver, fresh");
  CHECK(network->Endpoint("partner").value() == "127.0.0.1:1");
  CHECK(absl::IsFailedPrecondition(network->Endpoint("settlement").status()));
  CHECK(absl::IsFailedPrecondition(ReadNetwork("/no/such/file").status()));
}

// The commands under `app`, as in "partner show".
void Collect(CLI::App& app, const std::string& path, std::set<std::string>& commands) {
  const auto subcommands = app.get_subcommands([](CLI::App*) { return true; });
  if (subcommands.empty()) commands.insert(path);
  for (CLI::App* subcommand : subcommands) {
    Collect(*subcommand,
            path.empty() ? subcommand->get_name() : path + " " + subcommand->get_name(), commands);
  }
}

TEST_CASE("Commands: all can be built, so every option and column names a field", "[unit][cli]") {
  CLI::App app("test", "guilder");
  Context context;
  AddNetworkCommands(app, context);
  std::set<std::string> commands;
  Collect(app, "", commands);

  for (const char* command :
       {"partner approve", "store create", "terminal register", "contract propose-issuance",
        "credential issue", "rule-set propose", "purchase record", "parked resolve", "member show",
        "card block", "redemption capture", "window close", "settlement export", "statement show",
        "invoice show", "operator create", "clock advance", "ledger verify", "explain"}) {
    CAPTURE(command);
    CHECK(commands.count(command) == 1);
  }
}

TEST_CASE("Commands: an option that is not of the command is bad usage", "[unit][cli]") {
  CLI::App app("test", "guilder");
  Context context;
  AddNetworkCommands(app, context);

  CHECK_THROWS_AS(app.parse("partner show", false), CLI::ParseError);
  CHECK_THROWS_AS(app.parse("partner show a --no-such-option", false), CLI::ParseError);
  CHECK_THROWS_AS(app.parse("partner", false), CLI::ParseError);
}

}  // namespace
}  // namespace guilder::cli
