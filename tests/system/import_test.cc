// Goal: an import that is killed again and again ends as one that was left alone, to the point.
// Method: the shipped slice of a web shop's invoices; `guilder purchase import` is killed ten
// times, each time after it has noted some answers more; its figures are recomputed by a program
// that shares no code.
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "tests/support/catch2.h"
#include "tests/support/child_process.h"
#include "tests/support/dev_network.h"

namespace guilder {
namespace {

using testing::ChildProcess;
using testing::ProgramPath;
using testing::SourcePath;
using testing::TemporaryDirectory;

constexpr int kKills = 10;
constexpr char kSlice[] = "tests/data/online_retail.csv.xz";

// The example of the README, with the dates of the data moved to the past year.
std::string WriteMapping(const TemporaryDirectory& directory) {
  const absl::CivilDay last(2011, 12, 9);
  const auto shift = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone()) - last - 3;
  const std::string path = directory.path() + "/mapping.toml";
  std::ofstream out(path);
  out << R"(
[receipt]
store = "web"
terminal = "shop"
order = { column = "InvoiceNo" }
occurred = { column = "InvoiceDate" }
occurred_format = "%m/%d/%Y %H:%M"
zone = "Europe/London"
shift_days = )"
      << shift << R"(

[card]
customer = { column = "CustomerID" }

[line]
sku = { column = "StockCode" }
quantity = { column = "Quantity" }
price = { column = "UnitPrice" }
skip_zero_amounts = true
category = { column = "StockCode", otherwise = "giftware", values = { POST = "not-goods", D = "not-goods", M = "not-goods", m = "not-goods", "BANK CHARGES" = "not-goods", C2 = "not-goods", DOT = "not-goods", CRUK = "not-goods", PADS = "not-goods", AMAZONFEE = "not-goods", S = "not-goods", B = "not-goods" } }

[returns]
marked = { column = "InvoiceNo", prefix = "C" }
latest_sale = true
)";
  return path;
}

// Waits for changes of a file that it makes.
class FileWatch {
 public:
  explicit FileWatch(const std::string& path) : path_(path), descriptor_(inotify_init1(0)) {
    std::ofstream(path, std::ios::app).close();
    REQUIRE(inotify_add_watch(descriptor_, path.c_str(), IN_MODIFY | IN_CLOSE_WRITE) >= 0);
  }
  ~FileWatch() { close(descriptor_); }

  // False when whoever writes it closed it first.
  bool WaitUntilLongerThan(off_t bytes) const {
    while (Size() <= bytes) {
      alignas(inotify_event) char buffer[4'096];
      const ssize_t got = read(descriptor_, buffer, sizeof buffer);
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if ((event->mask & IN_CLOSE_WRITE) != 0) return Size() > bytes;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return true;
  }
  off_t Size() const {
    struct stat facts {};
    return stat(path_.c_str(), &facts) == 0 ? facts.st_size : 0;
  }

 private:
  const std::string path_;
  const int descriptor_;
};

TEST_CASE("guilder purchase import: killed ten times, it ends as the recomputation says",
          "[system][accrual][inv-14][inv-105]") {
  const TemporaryDirectory directory;
  testing::DevNetwork network(directory.path() + "/data");
  REQUIRE(network.WaitUntilUp());
  const std::string progress = directory.path() + "/progress";
  const std::vector<std::string> import = {ProgramPath("guilder"),
                                           "purchase",
                                           "import",
                                           SourcePath(kSlice),
                                           "--partner",
                                           "web-shop",
                                           "--mapping",
                                           WriteMapping(directory),
                                           "--progress",
                                           progress,
                                           "--rejects",
                                           directory.path() + "/rejects.csv",
                                           "--network",
                                           directory.path() + "/data/network.json",
                                           "-o",
                                           "json"};

  for (int kill = 1; kill <= kKills; ++kill) {
    ChildProcess killed(import, directory.path() + "/killed.log");
    // A watch per run: the one before may have the end of a killed writer to tell of.
    const FileWatch watch(progress);
    INFO(testing::ReadFile(directory.path() + "/killed.log"));
    REQUIRE(watch.WaitUntilLongerThan(watch.Size() + 4'000));
    killed.Kill();
  }
  const std::string command = absl::StrCat("exec \"$0\" \"$@\" > ", directory.path(), "/result");
  std::vector<std::string> last = {"/bin/sh", "-c", command};
  last.insert(last.end(), import.begin(), import.end());
  ChildProcess whole(last, directory.path() + "/import.log");
  const int exit_code = whole.Wait();
  INFO(testing::ReadFile(directory.path() + "/import.log"));
  REQUIRE(exit_code == 0);

  ChildProcess check({"/usr/bin/env", "python3", SourcePath("tests/system/check_import.py"),
                      SourcePath(kSlice), directory.path() + "/result"},
                     directory.path() + "/check.log");
  const int different = check.Wait();
  INFO(testing::ReadFile(directory.path() + "/check.log"));
  CHECK(different == 0);
  CHECK(testing::ReadFile(directory.path() + "/import.log").find("goes on at line") !=
        std::string::npos);

  // The ledger has what the import was told, once.
  ChildProcess exposure({ProgramPath("guilder"), "exposure", "show", "web-shop", "--network",
                         directory.path() + "/data/network.json", "-o", "json"},
                        directory.path() + "/exposure");
  REQUIRE(exposure.Wait() == 0);
  ChildProcess verify({ProgramPath("guilder"), "ledger", "verify", "--network",
                       directory.path() + "/data/network.json"},
                      directory.path() + "/verify.log");
  const int verified = verify.Wait();
  INFO(testing::ReadFile(directory.path() + "/verify.log"));
  CHECK(verified == 0);
  const auto result = nlohmann::json::parse(testing::ReadFile(directory.path() + "/result"));
  const auto spent = nlohmann::json::parse(testing::ReadFile(directory.path() + "/exposure"));
  INFO(spent.dump(2));
  CHECK(spent["remaining_points"] == spent["bought_points"].get<int64_t>() -
                                         result["points_issued"].get<int64_t>() +
                                         result["points_reversed"].get<int64_t>());
}

}  // namespace
}  // namespace guilder
