// That the model test would fail: whatever is wrong with an answer or a table is found.
#include "tests/model/check.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "tests/model/history.h"
#include "tests/model/player.h"
#include "tests/model/shrink.h"
#include "tests/model/world.h"
#include "tests/support/catch2.h"

namespace guilder::model {
namespace {

// A few histories, played to the end in fair weather.
class PlayedWorld {
 public:
  PlayedWorld() {
    std::vector<History> histories;
    for (uint64_t seed = 1; seed <= 6; ++seed) histories.push_back(GenerateHistory(seed, 120));
    PlayOptions options;
    options.lanes = 1;
    options.stormy = false;
    played_ = Play(world_, histories, options);
    world_.CloseOpenWindow();
    world_.Stop();
  }

  // What is found after `spoil` changed what clients say that they heard.
  std::string AfterAnswer(const std::function<bool(Sent&)>& spoil) {
    std::vector<Played> spoilt = played_;
    for (Played& history : spoilt) {
      for (Sent& sent : history.sent) {
        if (sent.wave == 0 || !spoil(sent)) continue;
        return What(Check(world_, spoilt));
      }
    }
    throw std::runtime_error("nothing to spoil");
  }
  std::string AfterSql(const std::string& spoil, const std::string& undo) {
    world_.database().Query(spoil);
    const auto failure = Check(world_, played_);
    world_.database().Query(undo);
    return What(failure);
  }
  std::string AsItIs() { return What(Check(world_, played_)); }

 private:
  static std::string What(const std::optional<Failure>& failure) {
    return failure ? failure->what : "";
  }

  World world_{1};
  std::vector<Played> played_;
};

bool IsRefusedFor(const Sent& sent, Reason reason) {
  return ReasonOf(sent.answer.status()) == reason;
}

TEST_CASE("Check: what was played well is well, and every wrong answer is found",
          "[model][ledger]") {
  PlayedWorld world;
  REQUIRE(world.AsItIs() == "");

  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!sent.answer.ok() || sent.request.verb != Verb::kHold) return false;
    sent.answer->response += "1";
    return true;
  }) != "");
  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!sent.answer.ok()) return false;
    sent.answer->place.leaf[0] ^= 1;
    return true;
  }) != "");
  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!sent.answer.ok() || sent.request.verb != Verb::kEarn) return false;
    sent.answer = Refuse(Reason::kAccountClosed);
    return true;
  }) != "");
  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!IsRefusedFor(sent, Reason::kInsufficientPoints)) return false;
    sent.answer = Refuse(Reason::kInsufficientPoints, {}, {{"available_points", "1000001"}});
    return true;
  }) != "");
  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!IsRefusedFor(sent, Reason::kCardBlocked)) return false;
    sent.answer = Refuse(Reason::kCardNotFound);
    return true;
  }) != "");
  CHECK(world.AfterAnswer([](Sent& sent) {
    if (!sent.answer.ok() || sent.request.verb != Verb::kEarn) return false;
    sent.request.points += Points(1);
    return true;
  }) != "");
}

TEST_CASE("Check: whatever differs in a table is found", "[model][ledger]") {
  PlayedWorld world;
  REQUIRE(world.AsItIs() == "");
  const std::string some_account =
      " where account_id = (select min(account_id) from ledger.accounts)";
  const std::string some_lot =
      " where (account_id, lot_id) = "
      "(select account_id, lot_id from ledger.lots order by 1, 2 limit 1)";

  CHECK(world.AfterSql("update ledger.accounts set available = available + 1" + some_account,
                       "update ledger.accounts set available = available - 1" + some_account) !=
        "");
  CHECK(world.AfterSql("update ledger.accounts set next_due_at_us = 9223372036854775807 - "
                       "next_due_at_us where next_due_at_us < 4611686018427387904",
                       "update ledger.accounts set next_due_at_us = 9223372036854775807 - "
                       "next_due_at_us where next_due_at_us >= 4611686018427387904 "
                       "and next_due_at_us < 9223372036854775807") != "");
  CHECK(world.AfterSql("update ledger.lots set expires_at_us = expires_at_us - 1" + some_lot,
                       "update ledger.lots set expires_at_us = expires_at_us + 1" + some_lot) !=
        "");
  CHECK(world.AfterSql("update ledger.holds set expires_at_us = expires_at_us + 1",
                       "update ledger.holds set expires_at_us = expires_at_us - 1") != "");
  CHECK(world.AfterSql("update ledger.control_accounts set balance = balance + 1",
                       "update ledger.control_accounts set balance = balance - 1") != "");
  CHECK(world.AfterSql("update ledger.positions set points = points + 1",
                       "update ledger.positions set points = points - 1") != "");
  CHECK(world.AfterSql("update ledger.claims set number = number + 1",
                       "update ledger.claims set number = number - 1") != "");
  CHECK(world.AfterSql("update member.cards set state = 1 - state",
                       "update member.cards set state = 1 - state") != "");
  CHECK(world.AfterSql("update ledger.seals set last_number = last_number + 1",
                       "update ledger.seals set last_number = last_number - 1") != "");
}

TEST_CASE("Shrink: leaves the steps without which nothing fails", "[model][ledger]") {
  const History history = GenerateHistory(7, 200);
  const auto fails = [](const History& candidate) {
    return !candidate.steps[17].removed && !candidate.steps[150].removed;
  };

  const History shortest = Shrink(history, fails, absl::Now() + absl::Minutes(1));

  int left = 0;
  for (const Step& step : shortest.steps) left += !step.removed;
  CHECK(left == 2);
  CHECK(fails(shortest));
  CHECK(GenerateHistory(7, 200).ToString() == history.ToString());
  CHECK(GenerateHistory(8, 200).ToString() != history.ToString());
}

}  // namespace
}  // namespace guilder::model
