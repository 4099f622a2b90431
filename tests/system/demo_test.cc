// `guilder demo` as a newcomer runs it, on a share of the data.
#include <algorithm>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch2.h"
#include "tests/support/child_process.h"

namespace guilder {
namespace {

using testing::ChildProcess;
using testing::ProgramPath;
using testing::SourcePath;
using testing::TemporaryDirectory;

TEST_CASE("guilder demo: goes from purchases to a payment file, and the books hold",
          "[system][demo][inv-4]") {
  const TemporaryDirectory directory;
  const std::string output = directory.path() + "/output";
  ChildProcess demo(
      {ProgramPath("guilder"), "demo", "--share", "40", "--data", SourcePath("tests/data"),
       "--data-dir", directory.path() + "/data", "--output-dir", output, "-o", "json"},
      directory.path() + "/log");
  const int exit_code = demo.Wait();
  INFO(testing::ReadFile(directory.path() + "/log").substr(0, 4'000));
  REQUIRE(exit_code == 0);

  const auto json = nlohmann::json::parse(testing::ReadFile(output + "/demo.json"));
  CHECK(json["verify"]["ok"] == true);
  CHECK(json["partners"] == 17);
  CHECK(json["purchases"] > 1'000);
  CHECK(json["redemptions"] > 20);
  int64_t nets = 0;
  int64_t to_pay = 0;
  for (const auto& partner : json["per_partner"]) {
    const int64_t net = partner["net_minor_units"];
    nets += net;
    to_pay += std::max<int64_t>(net, 0);
    CHECK(net == partner["reimbursement_minor_units"].get<int64_t>() -
                     partner["issuance_minor_units"].get<int64_t>() -
                     partner["point_blocks_minor_units"].get<int64_t>() -
                     partner["fee_minor_units"].get<int64_t>() -
                     partner["tax_minor_units"].get<int64_t>());
  }
  CHECK(json["operator_net_minor_units"] == nets);
  CHECK(json["payments_minor_units"] == to_pay);
  CHECK(json["payment_file_check"] != "NOT VALID");
  CHECK(json["windows_sealed_while_posting"] > 0);
}

}  // namespace
}  // namespace guilder
