// Files that no bank sends, given to the operators' program: each is refused in a sentence.
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/iso20022/camt053.h"
#include "tests/chaos/service_processes.h"
#include "tests/support/catch2.h"

namespace guilder::testing {
namespace {

constexpr int kDone = 0;
constexpr int kRefused = 1;

struct Answer {
  int exit_code = 0;
  std::string text;
};

class Bank {
 public:
  Bank()
      : processes_({.directory = directory_.path(), .programme = {}, .services = {"settlement"}}) {}

  Answer Import(const std::string& name) const {
    const std::string output = Path(name + ".txt");
    ChildProcess program({ProgramPath("guilder"), "--network", processes_.NetworkFile(), "bank",
                          "import", Path(name)},
                         output);
    const int exit_code = program.Wait();
    return {exit_code, ReadFile(output)};
  }
  Answer Import(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Import(name);
  }
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

 private:
  const TemporaryDirectory directory_;
  const ServiceProcesses processes_;
};

std::string AStatement() {
  iso20022::StatementEntry entry;
  entry.bank_reference = "R-1";
  entry.amount = {Currency{'E', 'U', 'R'}, 5'000'000};
  entry.credit = true;
  entry.booked = true;
  entry.booked_on = absl::CivilDay(2026, 1, 3);
  entry.payments = {{.end_to_end_id = "GLD-9-9", .amount = entry.amount, .credit = true}};
  iso20022::BankStatement statement;
  statement.id = "S-1";
  statement.account = "DE89370400440532013000";
  statement.entries.push_back(std::move(entry));
  return iso20022::WriteCamt053({"M-1", {statement}}, Timestamp(0), absl::CivilDay(2026, 1, 3));
}

TEST_CASE("bank import: hostile and broken files are refused with a reason, and change nothing",
          "[system][settlement][inv-92]") {
  const Bank bank;
  const std::string good = AStatement();
  std::string wrong_namespace = good;
  wrong_namespace.replace(wrong_namespace.find("camt.053.001.08"), 15, "camt.053.001.99");
  const auto refused = [&](const std::string& name, const Answer& answer, const char* why) {
    INFO(name << ": " << answer.text);
    CHECK(answer.exit_code == kRefused);
    CHECK(absl::StrContains(answer.text, why));
  };

  refused("bomb",
          bank.Import("bomb",
                      "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c "
                      "\"&b;&b;&b;&b;&b;&b;&b;&b;\">]><Document>&c;</Document>"),
          "document type");
  refused("namespace", bank.Import("namespace", wrong_namespace), "namespace");
  refused("truncated", bank.Import("truncated", good.substr(0, good.size() / 2)), "ends");
  refused("empty", bank.Import("empty", ""), "not XML");
  std::ofstream(bank.Path("large")) << "<?xml version=\"1.0\"?>";
  std::filesystem::resize_file(bank.Path("large"), 100'000'000);
  refused("large", bank.Import("large"), "100000000 bytes");

  const Answer imported = bank.Import("good", good);
  INFO(imported.text);
  CHECK(imported.exit_code == kDone);
}

}  // namespace
}  // namespace guilder::testing
