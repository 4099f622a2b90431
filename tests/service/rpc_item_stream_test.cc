// Streams whose items are answered one by one.
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "tests/support/catch2.h"
#include "tests/support/rpc_fixture.h"

namespace guilder::rpc {
namespace {

using namespace testing;

using Item = accrual_v1::RecordPurchasesRequest;
using Answer = accrual_v1::RecordPurchasesResponse;

Answer AnswerTo(const Item& item) {
  Answer answer;
  answer.set_request_id(item.purchase().request_id());
  return answer;
}

// Sends `count` items with the ids 0, 1, 2 …
struct Sender {
  explicit Sender(const clients::Channel& to)
      : channel(to), stub(accrual_v1::AccrualService::NewStub(channel.grpc())) {}

  absl::Status Send(int count, const clients::ItemStreamOptions& options = {}) {
    clients::ItemStreamCalls<Item, Answer> calls;
    calls.open = [this](auto* context, auto* reactor) {
      ++streams;
      stub->async()->RecordPurchases(context, reactor);
    };
    calls.next = [this, count]() -> std::optional<Item> {
      if (sent == count) return std::nullopt;
      Item item;
      item.mutable_purchase()->set_request_id(std::to_string(sent++));
      return item;
    };
    calls.id_of_item = [](const Item& item) -> const std::string& {
      return item.purchase().request_id();
    };
    calls.id_of_answer = [](const Answer& answer) -> const std::string& {
      return answer.request_id();
    };
    calls.on_answer = [this](const Item& item, const Answer& answer) {
      if (throws_at == item.purchase().request_id()) throw std::runtime_error("no room");
      if (answer.has_error()) return clients::Verdict::kRepeat;
      ++answers[item.purchase().request_id()];
      return clients::Verdict::kDone;
    };
    return clients::StreamItems(channel, std::move(calls), options);
  }

  bool EachAnsweredOnce(int count) const {
    if (answers.size() != static_cast<size_t>(count)) return false;
    for (const auto& [id, times] : answers) {
      if (times != 1) return false;
    }
    return true;
  }

  clients::Channel channel;
  std::unique_ptr<accrual_v1::AccrualService::Stub> stub;
  std::atomic<int> streams = 0;
  int sent = 0;
  std::map<std::string, int> answers;
  // The item whose answer is not taken.
  std::string throws_at;
};

TEST_CASE("ItemStream: each item is answered once, and the stream ends well", "[service][rpc]") {
  Fixture fixture;
  fixture.accruals.record_item = [](const auto&, Item item, auto respond) {
    respond(AnswerTo(item));
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));

  CHECK(sender.Send(5'000).ok());
  CHECK(sender.EachAnsweredOnce(5'000));
  CHECK(sender.streams == 1);
}

TEST_CASE("ItemStream: items beyond the credential's rate wait until they are within it",
          "[service][rpc]") {
  Fixture fixture;
  fixture.authenticator.use = std::make_shared<security::CredentialUse>();
  fixture.authenticator.use->rate().SetCallsPerSecond(200);
  fixture.accruals.record_item = [](const auto&, Item item, auto respond) {
    respond(AnswerTo(item));
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));
  const absl::Time began = absl::Now();

  CHECK(sender.Send(300).ok());

  CHECK(sender.EachAnsweredOnce(300));
  // A second's items may come at once; half a second's were more.
  CHECK(absl::Now() - began >= absl::Milliseconds(450));
  CHECK(absl::Now() - began < absl::Seconds(5));
}

TEST_CASE("ItemStream: the server's limit is that of each item, not of the stream",
          "[service][rpc]") {
  Fixture fixture({.max_call_duration = absl::Milliseconds(200)});
  fixture.authenticator.use = std::make_shared<security::CredentialUse>();
  fixture.authenticator.use->rate().SetCallsPerSecond(200);
  std::atomic<int> late = 0;
  fixture.accruals.record_item = [&late](const auto& call, Item item, auto respond) {
    if (call->deadline() <= absl::Now()) ++late;
    respond(AnswerTo(item));
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));
  const absl::Time began = absl::Now();

  CHECK(sender.Send(320).ok());

  CHECK(absl::Now() - began > absl::Milliseconds(400));
  CHECK(late == 0);
}

TEST_CASE("ItemStream: a caller with a limit is told of it at the beginning", "[service][rpc]") {
  Fixture fixture;
  fixture.authenticator.use = std::make_shared<security::CredentialUse>();
  fixture.authenticator.use->rate().SetCallsPerSecond(200);
  fixture.accruals.record_item = [](const auto&, Item item, auto respond) {
    respond(AnswerTo(item));
  };
  const auto channel = fixture.ChannelOf(kPartnerKey);
  grpc::ClientContext context;
  channel.Prepare(context, absl::Now() + absl::Seconds(10));
  const auto stub = accrual_v1::AccrualService::NewStub(channel.grpc());

  const auto stream = stub->RecordPurchases(&context);
  REQUIRE(stream->Write(Item()));
  Answer answer;
  REQUIRE(stream->Read(&answer));

  const auto& told = context.GetServerInitialMetadata();
  REQUIRE(told.find(kRateLimitKey) != told.end());
  CHECK(std::string(told.find(kRateLimitKey)->second.data(),
                    told.find(kRateLimitKey)->second.size()) == "200");
  CHECK(stream->WritesDone());
  CHECK(stream->Finish().ok());
}

TEST_CASE("ItemStream: an empty stream ends well", "[service][rpc]") {
  Fixture fixture;
  Sender sender(fixture.ChannelOf(kPartnerKey));
  CHECK(sender.Send(0).ok());
}

// Goal: answers in another order, from other threads, with as many in flight as allowed and no
// more. Method: items are kept until the limit is reached, then answered from the last to the
// first.
TEST_CASE("ItemStream: reads no further than its limit, and takes answers in any order",
          "[service][rpc]") {
  constexpr int kLimit = 8;
  Fixture fixture;
  fixture.accruals.max_items_in_flight = kLimit;
  std::mutex mutex;
  std::vector<std::pair<Item, ItemResponder<Answer>>> kept;
  std::vector<std::thread> lanes;
  std::atomic<int> in_flight = 0, most = 0;
  fixture.accruals.record_item = [&](const auto&, Item item, auto respond) {
    const std::lock_guard lock(mutex);
    most = std::max<int>(most, ++in_flight);
    kept.emplace_back(std::move(item), respond);
    if (kept.size() < kLimit / 2) return;
    lanes.emplace_back([&in_flight, batch = std::exchange(kept, {})] {
      for (auto one = batch.rbegin(); one != batch.rend(); ++one) {
        --in_flight;
        one->second(AnswerTo(one->first));
      }
    });
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));

  CHECK(sender.Send(400).ok());
  for (std::thread& lane : lanes) lane.join();
  CHECK(sender.EachAnsweredOnce(400));
  CHECK(most <= kLimit);
}

TEST_CASE("ItemStream: who may not call gets the reason", "[service][rpc]") {
  Fixture fixture;
  CHECK(ReasonOf(Sender(fixture.ChannelOf("")).Send(10)) == Reason::kCredentialsMissing);
  CHECK(ReasonOf(Sender(fixture.ChannelOf("forged")).Send(10)) == Reason::kCredentialsInvalid);
  CHECK(ReasonOf(Sender(fixture.ChannelOf(kSupportToken)).Send(10)) == Reason::kPermissionDenied);
}

TEST_CASE("ItemStream: an item whose answer is never given ends the stream", "[service][rpc]") {
  Fixture fixture;
  fixture.accruals.record_item = [](const auto&, Item, auto) {};
  CHECK(ReasonOf(Sender(fixture.ChannelOf(kPartnerKey)).Send(10)) == Reason::kInternal);
}

TEST_CASE("ItemStream: a client that leaves harms nobody", "[service][rpc]") {
  Fixture fixture;
  std::promise<ItemResponder<Answer>> first;
  fixture.accruals.record_item = [&](const auto&, Item, auto respond) { first.set_value(respond); };
  {
    Sender sender(fixture.ChannelOf(kPartnerKey));
    grpc::ClientContext context;
    sender.channel.Prepare(context, absl::InfiniteFuture());
    const auto stream = sender.stub->RecordPurchases(&context);
    REQUIRE(stream->Write(Item()));
    auto respond = first.get_future().get();
    context.TryCancel();
    CHECK_FALSE(stream->Finish().ok());
    respond(Answer());
  }
  CHECK(fixture.GetAs(kPartnerKey).ok());
}

TEST_CASE("StreamItems: an item whose error may pass is sent again", "[service][clients]") {
  Fixture fixture;
  std::map<std::string, int> times;
  fixture.accruals.record_item = [&](const auto&, Item item, auto respond) {
    Answer answer = AnswerTo(item);
    if (++times[answer.request_id()] == 1 && answer.request_id().back() == '7') {
      *answer.mutable_error() = ToRpcStatus(Refuse(Reason::kQueueFull));
    }
    respond(std::move(answer));
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));

  CHECK(sender.Send(100, {.repeat_after = absl::Milliseconds(1)}).ok());
  CHECK(sender.EachAnsweredOnce(100));
  CHECK(times["17"] == 2);
}

TEST_CASE("StreamItems: an answer that its caller cannot take ends the stream",
          "[service][clients]") {
  Fixture fixture;
  fixture.accruals.record_item = [](const auto&, Item item, auto respond) {
    respond(AnswerTo(item));
  };
  Sender sender(fixture.ChannelOf(kPartnerKey));
  sender.throws_at = "17";

  const absl::Status status = sender.Send(1'000);

  CHECK(absl::IsInternal(status));
  CHECK(status.message() == "no room");
  CHECK(sender.streams == 1);
}

// Goal: a server is replaced under a client in mid-stream.
// Method: after some items the first server drains; the client then finds a second one on its port.
TEST_CASE("StreamItems: a drained stream goes on at the next server without losing an item",
          "[service][clients]") {
  Fixture second;
  auto first = std::make_unique<Fixture>();
  const int port = first->server.port();
  std::atomic<int> handled = 0;
  std::promise<void> enough;
  const auto handle = [&](const auto&, Item item, auto respond) {
    if (++handled == 200) enough.set_value();
    respond(AnswerTo(item));
  };
  first->accruals.record_item = handle;
  second.accruals.record_item = handle;
  Sender sender(first->ChannelOf(kPartnerKey));
  auto sent = std::async(std::launch::async, [&] { return sender.Send(20'000); });

  enough.get_future().wait();
  first->server.Shutdown(absl::Now() + absl::Seconds(20));
  first.reset();
  Server next(second.runtime, {.listen_address = "127.0.0.1:" + std::to_string(port)});
  next.AddService(second.accruals, accrual_v1::AccrualService::service_full_name());
  REQUIRE(next.Start().ok());

  CHECK(sent.get().ok());
  CHECK(sender.EachAnsweredOnce(20'000));
}

}  // namespace
}  // namespace guilder::rpc
