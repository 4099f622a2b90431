// Members by the operators' program on a running network: people, cards, another programme's
// members, residence and expiry, as support would.
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

class Support {
 public:
  Support() : network_(directory_.path() + "/data") { REQUIRE(network_.WaitUntilUp()); }

  // What a command says, on both streams.
  std::string Run(std::vector<std::string> arguments, int expected_exit_code = 0) {
    const std::string log = directory_.path() + "/log." + std::to_string(++runs_);
    arguments.insert(arguments.begin(), testing::ProgramPath("guilder"));
    arguments.insert(arguments.end(),
                     {"--network", directory_.path() + "/data/network.json", "-o", "json"});
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
    return json::parse(output.substr(output.find_first_of("{[")));
  }
  bool Refuses(const std::vector<std::string>& arguments, const std::string& reason) {
    return Run(arguments, 1).find(reason) != std::string::npos;
  }
  json Enrol(const std::string& name, const std::string& phone) {
    return Answer({"member", "enrol", "--given-name", name, "--phone", phone});
  }
  int64_t Available(const std::string& member) {
    return Answer({"member", "balance", member}).at("available_points");
  }
  std::string File(const std::string& name, const std::string& content) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

 private:
  testing::TemporaryDirectory directory_;
  testing::DevNetwork network_;
  int runs_ = 0;
};

// The number with another last digit.
std::string Mistyped(std::string card) {
  card.back() = card.back() == '9' ? '0' : static_cast<char>(card.back() + 1);
  return card;
}

TEST_CASE("guilder member, card: found, corrected, shared, replaced, merged, exported and erased",
          "[system][member][inv-71][inv-100][inv-101]") {
  Support support;
  const json ada = support.Enrol("Ada", "+49301234567");
  const std::string name = ada.at("member");
  const std::string card = ada.at("card_number");

  CHECK(support.Enrol("Ada", "0049 30 1234567").at("member") == name);
  CHECK(support.Answer({"member", "find", "--phone", "+49 30 1234567"}).at("name") == name);
  CHECK(support.Refuses({"member", "find", "--card", Mistyped(card)}, "CARD_NUMBER_MISTYPED"));
  CHECK(support.Refuses({"member", "find", "--phone", "+49309999999"}, "MEMBER_NOT_FOUND"));
  support.Run({"member", "update", name, "--family-name", "Lovelace"});
  support.Run({"member", "add-person", name, "--given-name", "Bert", "--phone", "+49307654321"});
  CHECK(support.Answer({"member", "find", "--phone", "+49307654321"}).at("name") == name);

  const json replaced = support.Answer({"card", "replace", card, "--reason", "lost"});
  const std::string card_now = replaced.at("number");
  CHECK(support.Run({"card", "show", card}).find(card_now) != std::string::npos);
  support.Run({"card", "block", card_now});
  const json further = support.Answer({"card", "issue", name});

  const std::string other = support.Enrol("Ada", "+49305555555").at("member");
  support.Run({"member", "merge", other, name, "--note", "twice"});
  CHECK(support.Available(other) == 100);
  const std::string page = support.File("ada.txt", "");
  support.Run({"member", "export", name, "--format", "text", "--out", page});
  const std::string exported = testing::ReadFile(page);
  CHECK(exported.find("Lovelace") != std::string::npos);

  support.Run({"member", "erase", name});
  CHECK(support.Refuses({"member", "find", "--phone", "+49301234567"}, "MEMBER_NOT_FOUND"));
  CHECK(support.Run({"member", "show", name}).find("Lovelace") == std::string::npos);
  CHECK(support.Enrol("Ada", "+49301234567").at("member") != name);
  support.Run({"ledger", "verify"});
}

TEST_CASE("guilder member import, residence, expiry: opening balances that expire where they do",
          "[system][member][inv-70][inv-110]") {
  Support support;
  const std::string file = support.File("members.csv",
                                        "ref,given,phone,issuer,points,expires\n"
                                        "1,Ann,+49301000001,florist,300,2030-01-31\n"
                                        "2,Ben,+49301000002,florist,200,2030-01-31\n");
  const std::string mapping =
      support.File("members.toml",
                   "[member]\nreference = { column = \"ref\" }\n"
                   "given_name = { column = \"given\" }\nphone = { column = \"phone\" }\n"
                   "[lot]\nissuer = { column = \"issuer\" }\npoints = { column = \"points\" }\n"
                   "expires = { column = \"expires\" }\ndate_format = \"%Y-%m-%d\"\n"
                   "billed = true\n");
  const std::vector<std::string> import = {"member", "import", file, "--mapping", mapping};
  const auto with_total = [&](const char* points) {
    std::vector<std::string> arguments = import;
    arguments.insert(arguments.end(), {"--control-points", points});
    return arguments;
  };
  support.Run(with_total("501"), 2);
  support.Run(with_total("500"));
  // Again, and nobody is there twice.
  support.Run(with_total("500"));
  const std::string ann = support.Answer({"member", "find", "--phone", "+49301000001"}).at("name");
  const std::string ben = support.Answer({"member", "find", "--phone", "+49301000002"}).at("name");
  CHECK(support.Available(ann) == 300);

  CHECK(support.Answer({"expiry", "preview", "--until", "2030-03-01"}).at("points") == 500);
  support.Run({"points-policy", "set", "--no-expiry-in", "DE,US-CA"});
  CHECK(support.Refuses({"residence", "set", ann, "--place", "Germany"}, "REQUEST_MALFORMED"));
  support.Run({"residence", "set", ann, "--place", "US-CA"});
  support.Run({"residence", "set", ben, "--place", "US-NY"});
  CHECK(support.Run({"residence", "history", ann}).find("US-CA") != std::string::npos);
  CHECK(support.Answer({"expiry", "preview", "--until", "2030-03-01"}).at("points") == 200);
  CHECK(support.Answer({"expiry", "run"}).at("accounts_brought_up") == 0);
  const std::string given =
      support.Run({"expiry", "reinstate", "--from", "2020-01-01", "--until", "2026-01-01",
                   "--life-days", "30", "--reason", "GOODWILL", "--payer", "florist"});
  CHECK(given.find("\"points\": 0") != std::string::npos);
  // All pages are one request.
  CHECK(given.find("request_id") == given.rfind("request_id"));
  support.Run({"ledger", "verify"});
}

}  // namespace
}  // namespace guilder
