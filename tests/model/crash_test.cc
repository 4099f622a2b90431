// A process that dies with what it has not answered yet.
#include <future>
#include <string>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/security/keys.h"
#include "tests/model/history.h"
#include "tests/model/world.h"
#include "tests/support/catch2.h"
#include "tests/support/invariants.h"

namespace guilder::model {
namespace {

// Goal: what was committed is answered, although who committed it is gone. Method: the process is
// killed as soon as its record can be read, and the request is repeated to the other one.
TEST_CASE("Lanes: an answer that was lost with its process is given again, byte for byte",
          "[model][ledger][inv-11][inv-105]") {
  World world(/*lanes=*/1);
  Order open;
  open.request_id = security::RandomUuid();
  open.book = BookId(1);
  REQUIRE(world.Post(0, open).ok());
  const postgres::Rows accounts = world.database().Query("select account_id from ledger.accounts");
  constexpr int kRounds = 20;
  for (int round = 1; round <= kRounds; ++round) {
    Order order;
    order.request.verb = Verb::kEarn;
    order.request.partner = PartnerId(2);
    order.request.contract = IssuanceContract(PartnerId(2), 1);
    order.request.account = accounts[0].Id<AccountId>(0);
    order.request.points = Points(round);
    order.request_id = security::RandomUuid();
    const std::string record =
        absl::StrCat("select response, leaf from ledger.journal where request_id = '",
                     FormatUuid(order.request_id), "'");
    std::promise<absl::StatusOr<ledger::Answer>> first;
    world.Submit(kOtherProcess, order, [&](absl::StatusOr<ledger::Answer> answer) {
      first.set_value(std::move(answer));
    });
    world.database().AwaitRow(record);
    world.KillProcess();

    const absl::StatusOr<ledger::Answer> lost = first.get_future().get();
    const absl::StatusOr<ledger::Answer> again = world.Post(0, order);

    const postgres::Rows rows = world.database().Query(record);
    REQUIRE(rows.size() == 1);
    REQUIRE(again.ok());
    CHECK(again->replayed);
    CHECK(again->response == rows[0].Bytes(0));
    CHECK(again->place.leaf == rows[0].Digest(1));
    CHECK((lost.ok() ? lost->response == again->response
                     : ReasonOf(lost.status()) == Reason::kStoreUnavailable));
  }
  CHECK(world.database().Query("select available from ledger.accounts")[0].Int(0) ==
        kRounds * (kRounds + 1) / 2);
  world.Stop();
  CHECK(world.trouble() == "");
  testing::CheckInvariants(world.database());
}

}  // namespace
}  // namespace guilder::model
