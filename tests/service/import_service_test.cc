#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "guilder/member/v1/import_service.grpc.pb.h"

#include "libs/clients/item_stream.h"
#include "libs/ledger/store/verify.h"
#include "services/member/domain/card_number.h"
#include "tests/service/person_world.h"

namespace guilder::member {
namespace {

using Request = v1::ImportMembersRequest;
using Response = v1::ImportMembersResponse;

// The contracts of the coalition bill every point; opening balances need a version that bills none.
struct World : PersonWorld {
  World() {
    Query(
        "insert into partner.contracts (partner_id, number, kind, state, effective_from_us, "
        "effective_until_us, rate_micros, currency, tax_code, tax_ppm, proposed_by, approved_by) "
        "select partner_id, 7, kind, state, 0, 1, 0, currency, tax_code, tax_ppm, proposed_by, "
        "approved_by from partner.contracts where kind = 'ISSUANCE' and partner_id in (select "
        "partner_id from partner.partners where slug in ('fresh', 'books'))");
    Query("update ledger.configuration set version = version + 1");
  }

  std::map<std::string, Response> Import(const std::vector<Request>& items) const {
    const clients::Channel channel = Operator();
    const clients::Client<v1::ImportService> importer(channel);
    std::map<std::string, Response> answers;
    std::mutex mutex;
    size_t next = 0;
    clients::ItemStreamCalls<Request, Response> calls;
    calls.open = [&](auto* context, auto* reactor) {
      importer.stub().async()->ImportMembers(context, reactor);
    };
    calls.next = [&]() -> std::optional<Request> {
      if (next == items.size()) return std::nullopt;
      return items[next++];
    };
    calls.id_of_item = [](const Request& item) -> const std::string& { return item.request_id(); };
    calls.id_of_answer = [](const Response& answer) -> const std::string& {
      return answer.request_id();
    };
    calls.on_answer = [&](const Request&, const Response& answer) {
      const std::lock_guard lock(mutex);
      answers[answer.request_id()] = answer;
      return clients::Verdict::kDone;
    };
    const absl::Status streamed =
        clients::StreamItems<Request, Response>(channel, std::move(calls), {});
    INFO(streamed.ToString());
    REQUIRE(streamed.ok());
    return answers;
  }
  Response Import(const Request& item) const {
    return Import(std::vector{item})[item.request_id()];
  }
  std::optional<Reason> Refused(const Request& item) const {
    const Response response = Import(item);
    if (!response.has_error()) return std::nullopt;
    return guilder::ReasonOf(rpc::FromRpcStatus(response.error()));
  }
};

Request AnItem(const std::string& phone = "+49301234567") {
  Request item;
  item.set_request_id(clients::NewRequestId());
  *item.mutable_member() = PersonWorld::Ada(phone);
  item.add_card_numbers("4111111111111111");
  for (const auto& [issuer, points, days] :
       {std::tuple("partners/fresh", 120, 30), std::tuple("partners/books", 45, 400)}) {
    v1::OpeningLot& lot = *item.add_lots();
    lot.set_issuer(issuer);
    lot.set_points(points);
    *lot.mutable_expires_at() = rpc::ToProto(testing::InDays(days));
  }
  return item;
}

int64_t Billed(const World& world) {
  return world
      .Query(
          "select coalesce(sum(p.points * c.rate_micros), 0)::bigint from ledger.positions p join "
          "partner.contracts c using (contract_id) where p.movement = 1")[0]
      .Int(0);
}

TEST_CASE("ImportMembers: lots keep their issuer and expiry, and bill nobody",
          "[service][member][inv-110]") {
  const World world;
  const Request item = AnItem();

  const Response first = world.Import(item);
  const Response again = world.Import(item);

  REQUIRE(first.has_imported());
  CHECK(first.imported().points() == 165);
  CHECK(again.SerializeAsString() == first.SerializeAsString());
  CHECK(Billed(world) == 0);
  v1::ListLotsRequest list;
  list.set_parent(first.imported().member());
  const auto lots = PersonWorld::Call<v1::MemberService>(world.Operator(),
                                                         &v1::MemberService::Stub::ListLots, list);
  REQUIRE(lots.ok());
  REQUIRE(lots->lots_size() == 2);
  CHECK(lots->lots(0).issuer() == "partners/fresh");
  CHECK(lots->lots(0).contract() == "partners/fresh/contracts/7");
  CHECK(lots->lots(0).remaining_points() == 120);
  CHECK(lots->lots(0).expires_at().seconds() == item.lots(0).expires_at().seconds());
  CHECK(lots->lots(1).issuer() == "partners/books");
  CHECK(lots->lots(1).expires_at().seconds() == item.lots(1).expires_at().seconds());
  CHECK(world.FindByPhone("+49301234567")->cards(0).number() == "4111111111111111");
  const auto verified = ledger::Verify(world.coalition.network().pool(), {},
                                       [](const ledger::VerifyProgress&) { return true; });
  REQUIRE(verified.ok());
  for (const ledger::VerifyCheck& check : verified->checks) {
    INFO(check.name);
    CHECK(check.first_failure == "");
  }
}

TEST_CASE("ImportMembers: where lots may be spent is stated, and told with the balance",
          "[service][member][inv-54][inv-110]") {
  const World world;
  Request item = AnItem();
  item.mutable_lots(0)->mutable_spent_only()->add_partners("partners/house");
  item.mutable_lots(0)->mutable_spent_only()->add_partners("partners/books");
  item.mutable_lots(1)->mutable_spent_only()->set_gifts(true);
  const Response imported = world.Import(item);
  REQUIRE(imported.has_imported());
  CHECK(world.Import(item).SerializeAsString() == imported.SerializeAsString());
  // The same request with other partners is another one.
  Request other = item;
  other.mutable_lots(0)->mutable_spent_only()->mutable_partners()->RemoveLast();
  CHECK(world.Refused(other) == Reason::kRequestIdReused);

  v1::GetBalanceRequest request;
  request.set_member(imported.imported().member());
  const auto ask = [&] {
    const auto balance = PersonWorld::Call<v1::MemberService>(
        world.Operator(), &v1::MemberService::Stub::GetBalance, request);
    REQUIRE(balance.ok());
    return *balance;
  };
  CHECK(ask().restricted().empty());
  request.set_with_restricted(true);
  const v1::GetBalanceResponse balance = ask();
  CHECK(balance.available_points() == 165);
  REQUIRE(balance.restricted_size() == 2);
  CHECK(balance.restricted(0).points() == 120);
  CHECK(balance.restricted(0).spent_only().partners(0) == "partners/books");
  CHECK(balance.restricted(0).spent_only().partners(1) == "partners/house");
  CHECK(balance.restricted(1).points() == 45);
  CHECK(balance.restricted(1).spent_only().gifts());
  // A partner is told of what it may take: here of nothing.
  v1::GetBalanceRequest by_card;
  by_card.set_card_number("4111111111111111");
  by_card.set_with_restricted(true);
  const auto told = PersonWorld::Call<v1::MemberService>(
      world.Partner(), &v1::MemberService::Stub::GetBalance, by_card);
  REQUIRE(told.ok());
  CHECK(told->available_points() == 165);
  CHECK(told->restricted().empty());

  for (const char* partner : {"partners/nobody", "fresh", ""}) {
    Request unknown = AnItem();
    unknown.set_request_id(clients::NewRequestId());
    unknown.mutable_lots(0)->mutable_spent_only()->add_partners(partner);
    CHECK(world.Refused(unknown) == Reason::kPartnerNotFound);
  }
}

TEST_CASE("ImportMembers: what is declared as billed is billed at the price in force",
          "[service][member][inv-110]") {
  const World world;
  Request item = AnItem();
  for (v1::OpeningLot& lot : *item.mutable_lots()) lot.set_billed(true);

  REQUIRE(world.Import(item).has_imported());

  CHECK(Billed(world) == 165 * 10'000);
}

TEST_CASE("ImportMembers: a thousand members come to their control total",
          "[service][member][inv-110]") {
  const World world;
  std::vector<Request> items;
  int64_t control = 0;
  for (int i = 0; i < 1'000; ++i) {
    Request item = AnItem("+4930" + std::to_string(1'000'000 + i));
    item.clear_card_numbers();
    item.mutable_lots(0)->set_points(1 + i);
    control += 1 + i + 45;
    items.push_back(std::move(item));
  }

  const auto answers = world.Import(items);
  const auto repeated = world.Import(items);

  int64_t points = 0;
  for (const auto& [id, answer] : answers) points += answer.imported().points();
  CHECK(points == control);
  CHECK(world.Query("select sum(available)::bigint from ledger.accounts")[0].Int(0) == control);
  CHECK(world.Count("member.members") == 1'000);
  CHECK(repeated.size() == answers.size());
}

TEST_CASE("ImportMembers: a card that a refused item asked for is free for the next one",
          "[service][member]") {
  const World world;
  world.Enrol(PersonWorld::Ada("+49301234567"));
  std::vector<Request> items;
  for (int i = 0; i < 40; ++i) {
    const std::string card = std::to_string(MakeCardNumber({"42", 12}, i + 1).value());
    for (const std::string& phone :
         {std::string("+49301234567"), "+4930" + std::to_string(8'000'000 + i)}) {
      items.push_back(AnItem(phone));
      items.back().set_card_numbers(0, card);
    }
  }

  const auto answers = world.Import(items);

  for (size_t i = 0; i < items.size(); ++i) {
    INFO(i);
    CHECK(answers.at(items[i].request_id()).has_error() == (i % 2 == 0));
  }
}

TEST_CASE("ImportMembers: refusals in their order", "[service][member]") {
  const World world;
  Request item = AnItem();
  item.mutable_member()->set_phone("030");
  item.set_request_id("1");
  CHECK(world.Refused(item) == Reason::kRequestMalformed);
  item = AnItem();
  item.set_request_id("1");
  CHECK(world.Refused(item) == Reason::kRequestIdMalformed);
  item = AnItem();
  item.set_card_numbers(0, "4111111111111112");
  CHECK(world.Refused(item) == Reason::kCardNumberMistyped);
  item = AnItem();
  item.add_card_numbers("4111111111111111");
  CHECK(world.Refused(item) == Reason::kRequestMalformed);
  item = AnItem();
  item.mutable_lots(0)->set_points(0);
  CHECK(world.Refused(item) == Reason::kAmountOutOfRange);
  item = AnItem();
  item.mutable_lots(0)->set_issuer("partners/nobody");
  CHECK(world.Refused(item) == Reason::kPartnerNotFound);
  item = AnItem();
  item.mutable_lots(0)->set_contract("partners/fresh/contracts/99");
  CHECK(world.Refused(item) == Reason::kContractNotFound);
  item = AnItem();
  item.mutable_lots(0)->set_issuer("partners/house");
  CHECK(world.Refused(item) == Reason::kNoContract);
  item = AnItem();
  *item.mutable_lots(0)->mutable_expires_at() = rpc::ToProto(testing::InDays(-1));
  CHECK(world.Refused(item) == Reason::kRequestMalformed);

  item = AnItem();
  REQUIRE(world.Import(item).has_imported());
  Request other = AnItem("+49307654321");
  CHECK(world.Refused(other) == Reason::kAlreadyExists);  // the card
  other = AnItem();
  other.clear_card_numbers();
  CHECK(world.Refused(other) == Reason::kAlreadyExists);  // the phone number
  item.mutable_lots(0)->set_points(121);
  CHECK(world.Refused(item) == Reason::kRequestIdReused);
  CHECK(world.Count("member.members") == 1);
}

}  // namespace
}  // namespace guilder::member
