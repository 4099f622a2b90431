// Paying with points by the operators' program on a running network, as a till and its support
// would.
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/catch2.h"
#include "tests/support/child_process.h"
#include "tests/support/dev_network.h"

namespace guilder {
namespace {

using nlohmann::json;

constexpr char kStore[] = "florist/stores/branch-1";

class Till {
 public:
  Till() : network_(directory_.path() + "/data") {
    REQUIRE(network_.WaitUntilUp());
    card_ = json::parse(testing::ReadFile(NetworkFile()))["partners"][0]["card"].get<std::string>();
  }

  // The answer of a command, or its refusal as text.
  std::string Run(std::vector<std::string> arguments, int expected_exit_code = 0) {
    const std::string log = directory_.path() + "/log." + std::to_string(++runs_);
    arguments.insert(arguments.begin(), testing::ProgramPath("guilder"));
    arguments.insert(arguments.end(), {"--network", NetworkFile(), "-o", "json"});
    testing::ChildProcess process(arguments, log);
    const int exit_code = process.Wait();
    const std::string output = testing::ReadFile(log);
    INFO(output);
    CHECK(exit_code == expected_exit_code);
    return output;
  }
  json Answer(const std::vector<std::string>& arguments) {
    const std::string output = Run(arguments);
    // What stderr says stands before the answer.
    return json::parse(output.substr(output.find("{\n")));
  }
  json Pay(const std::string& points, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"redemption", "authorize", "--store",  kStore,
                                          "--card",     card_,       "--points", points};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Answer(arguments);
  }
  std::string File(const std::string& name, const std::string& content) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << content << "\n";
    return path;
  }
  const std::string& card() const { return card_; }

 private:
  std::string NetworkFile() const { return directory_.path() + "/data/network.json"; }

  testing::TemporaryDirectory directory_;
  testing::DevNetwork network_;
  std::string card_;
  int runs_ = 0;
};

TEST_CASE("guilder redemption: quote, pay in one step, find, PIN, lock and review",
          "[system][redemption][inv-58][inv-103]") {
  Till till;

  // The welcome gift is 50 points.
  const json quote = till.Answer({"redemption", "quote", "--store", kStore, "--card", till.card(),
                                  "--line", "sku=rose,amount=3.00"});
  CHECK(quote.at("available_points") == 50);
  CHECK(quote.at("payable_points") == 50);
  // Points that can be spent at once, of a member whom its book's first record welcomed: a quote
  // makes no lot that is there already.
  const json purchase = till.Answer({"purchase", "quote", "--store", "fuel/stores/branch-1",
                                     "--card", till.card(), "--line", "amount=4.00"});
  CHECK(purchase.at("points") == 2);
  CHECK(purchase.at("member").at("available_points") == 50);
  const json paid = till.Pay("10", {"--capture", "--reference", "receipt 1"});
  CHECK(paid.at("state") == "CAPTURED");
  const json found =
      till.Answer({"redemption", "find", "--store", kStore, "--reference", "receipt 1"});
  CHECK(found.at("name") == paid.at("name"));
  CHECK(till.Run({"redemption", "authorize", "--store", kStore, "--card", till.card(), "--points",
                  "1", "--reference", "receipt 1"},
                 1)
            .find("ORDER_HAS_REDEMPTION") != std::string::npos);

  till.Answer({"redemption-policy", "set", "--replaces", "0", "--pin-from-points", "20",
               "--wrong-pins", "1", "--review-from", "3", "--review-period-seconds", "3600"});
  const json shown = till.Answer({"member", "show", till.card()});
  const std::string member = shown.at("member").at("name");
  const std::string pin = till.File("pin", "4711");
  till.Run({"member", "set-pin", member, "--pin-file", pin});
  till.Pay("20", {"--pin-file", pin});
  const json held = till.Pay("1", {"--capture"});
  CHECK(held.at("state") == "IN_REVIEW");
  CHECK(till.Run({"review", "list"}).find(held.at("name").get<std::string>()) != std::string::npos);
  const json released = till.Answer({"review", "release", held.at("name"), "--note", "known"});
  CHECK(released.at("state") == "CAPTURED");

  CHECK(till.Run({"redemption", "authorize", "--store", kStore, "--card", till.card(), "--points",
                  "20", "--pin-file", till.File("wrong", "0000")},
                 1)
            .find("PIN_WRONG") != std::string::npos);
  CHECK(till.Answer({"member", "spending", member}).at("locked") == true);
  till.Run({"member", "unlock", member});
  const json rejected = till.Pay("1", {});
  CHECK(till.Answer({"review", "reject", rejected.at("name")}).at("released_points") == 1);
  till.Run({"ledger", "verify"});
}

TEST_CASE("guilder reward, order, voucher: from the catalogue to the door, and back",
          "[system][redemption][inv-59][inv-60]") {
  Till till;
  const std::string member =
      till.Answer({"member", "show", till.card()}).at("member").at("name").get<std::string>();

  // For gold members, of whom there is none yet; two pieces.
  till.Answer({"reward", "create-gift", "teapot", "--display-name", "Teapot", "--supplier", kStore,
               "--points", "20", "--stock", "2", "--tier", "gold=1", "--region", "DE-BE",
               "--region", "DE-HH"});
  till.Answer({"reward", "update", "teapot", "--stock-change", "-1"});
  CHECK(till.Answer({"reward", "update", "teapot", "--stock-change", "1"}).at("remaining_stock") ==
        2);
  till.Run({"reward", "update", "teapot"}, 2);
  const json none_yet = till.Answer({"reward", "create-gift", "kettle", "--display-name", "Kettle",
                                     "--supplier", kStore, "--points", "20", "--stock", "0"});
  CHECK(none_yet.at("remaining_stock") == 0);
  const std::vector<std::string> place = {"order", "place",    "teapot", "--member",
                                          member,  "--region", "DE-BE"};
  CHECK(till.Run(place, 1).find("REWARD_NOT_AVAILABLE") != std::string::npos);
  till.Answer({"tier", "set", member, "--tier", "gold"});
  const json order = till.Answer(place);
  CHECK(order.at("points") == 20);
  CHECK(till.Run(place, 1).find("MEMBER_LIMIT_REACHED") != std::string::npos);
  const std::string name = order.at("name");
  for (const char* step : {"confirm", "ship", "deliver", "return"}) {
    till.Answer({"order", step, name, "--as", "florist"});
  }
  CHECK(till.Run({"order", "cancel", name}, 1).find("WRONG_STATE") != std::string::npos);
  CHECK(till.Answer({"reward", "show", "teapot"}).at("remaining_stock") == 2);

  till.Answer({"reward", "create-voucher", "treat", "--display-name", "Treat", "--points", "30",
               "--face", "300", "--currency", "EUR", "--partner", "florist", "--validity-days",
               "30"});
  const json voucher = till.Answer({"voucher", "issue", "treat", "--member", member});
  const std::string code = voucher.at("code");
  const json use = till.Answer(
      {"voucher", "redeem", code, "--store", kStore, "--amount", "100", "--currency", "EUR"});
  CHECK(use.at("remaining_value").at("minor_units") == 200);
  till.Answer({"voucher", "refund-use", use.at("name"), "--as", "florist"});
  CHECK(till.Answer({"voucher", "refund", voucher.at("name")}).at("refunded_points") == 20);
  CHECK(till.Run({"voucher", "redeem", code, "--store", kStore, "--amount", "100", "--currency",
                  "EUR"},
                 1)
            .find("VOUCHER_CLOSED") != std::string::npos);
  CHECK(till.Answer({"member", "balance", till.card()}).at("available_points") == 50);
  till.Run({"ledger", "verify"});
}

}  // namespace
}  // namespace guilder
