#include "services/member/rpc/member_service.h"

#include <future>
#include <set>
#include <vector>

#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::member {
namespace {

using Stub = v1::MemberService::Stub;

struct World {
  World() {
    testing::ServiceNetwork& network = coalition.network();
    network.Add(MakeMemberService(
                    {network.runtime(), network.pool(), coalition.lanes(), network.secrets()}),
                kMemberServiceName);
    network.Add(
        redemption::MakeRedemptionService({network.runtime(), network.pool(), coalition.lanes(),
                                           coalition.cards(), coalition.network().secrets()}),
        redemption::kRedemptionServiceName);
    network.Start();
    Change(
        "update partner.contracts set activation_days = 0, lot_life_days = 30 where partner_id = "
        "(select partner_id from partner.partners where slug = 'house') and kind = 'ISSUANCE'");
    Change("update ledger.programmes set welcome_points = 50");
  }
  ~World() { testing::CheckInvariants(coalition.database()); }

  void Change(const std::string& sql) {
    coalition.database().Query(sql);
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }

  template <typename Request, typename Response>
  static absl::StatusOr<Response> Call(const clients::Channel& channel,
                                       grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                                       const Request& request,
                                       clients::Answered* answered = nullptr) {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::MemberService>(channel).Invoke(method, request, once, answered);
  }
  clients::Channel Operator() const { return coalition.network().AsOperator("anna"); }
  clients::Channel Partner() const { return coalition.AsPartner("fresh"); }

  static v1::EnrolMemberRequest AnEnrolment(const std::string& email = "Ada@Example.org") {
    v1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_member()->set_given_name("Ada");
    request.mutable_member()->set_family_name("Byron");
    request.mutable_member()->set_phone("+49 30 1234567");
    request.mutable_member()->set_email(email);
    return request;
  }
  absl::StatusOr<v1::EnrolMemberResponse> Enrol(const v1::EnrolMemberRequest& request,
                                                clients::Answered* answered = nullptr) const {
    return Call(Partner(), &Stub::EnrolMember, request, answered);
  }
  v1::EnrolMemberResponse AMember(const std::string& phone = "+49 30 1234567") const {
    v1::EnrolMemberRequest request = AnEnrolment();
    request.mutable_member()->set_phone(phone);
    const auto enrolled = Enrol(request);
    REQUIRE(enrolled.ok());
    return *enrolled;
  }
  // As operators call it; partners have names of their own.
  std::string NameOf(const v1::EnrolMemberResponse& enrolled) const {
    return "members/" + std::to_string(coalition.AccountOf(enrolled.card_number()).value());
  }

  absl::StatusOr<v1::GetBalanceResponse> BalanceOfCard(const std::string& card) const {
    v1::GetBalanceRequest request;
    request.set_card_number(card);
    return Call(Partner(), &Stub::GetBalance, request);
  }
  absl::StatusOr<v1::Member> Get(const clients::Channel& channel, const std::string& name) const {
    v1::GetMemberRequest request;
    request.set_name(name);
    const auto response = Call(channel, &Stub::GetMember, request);
    if (!response.ok()) return response.status();
    return response->member();
  }
  absl::StatusOr<v1::Member> Find(const clients::Channel& channel,
                                  const v1::FindMemberRequest& request) const {
    const auto response = Call(channel, &Stub::FindMember, request);
    if (!response.ok()) return response.status();
    return response->member();
  }
  absl::StatusOr<v1::IssueCardsResponse> IssueCards(const v1::IssueCardsRequest& request) const {
    return Call(Partner(), &Stub::IssueCards, request);
  }
  absl::Status Block(const std::string& card, const std::string& reason = "lost") const {
    v1::BlockCardRequest request;
    request.set_name("cards/" + card);
    request.set_reason(reason);
    return Call(Operator(), &Stub::BlockCard, request).status();
  }
  absl::StatusOr<std::string> Hold(const std::string& card, int64_t points) const {
    redemption::v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_card_number(card);
    request.set_points(points);
    const auto held =
        clients::Client<redemption::v1::RedemptionService>(coalition.AsPartner("books"))
            .Invoke(&redemption::v1::RedemptionService::Stub::AuthorizeRedemption, request);
    if (!held.ok()) return held.status();
    return held->name();
  }
  absl::StatusOr<v1::GetStatementResponse> Statement(const std::string& card, int size = 0) const {
    v1::GetStatementRequest request;
    request.set_card_number(card);
    request.set_page_size(size);
    return Call(Operator(), &Stub::GetStatement, request);
  }
  int64_t Count(const std::string& table) const {
    return coalition.database().Query("select count(*) from " + table)[0].Int(0);
  }

  mutable testing::Coalition coalition;
};

template <typename Response>
std::optional<Reason> ReasonOf(const absl::StatusOr<Response>& answer) {
  return guilder::ReasonOf(answer.status());
}

TEST_CASE("EnrolMember: an account, a card and the welcome gift", "[service][member]") {
  const World world;

  const auto enrolled = world.Enrol(World::AnEnrolment());

  REQUIRE(enrolled.ok());
  CHECK(enrolled->card_number().size() == 16);
  CHECK(LuhnIsValid(enrolled->card_number()));
  CHECK(enrolled->welcome_points() == 50);
  CHECK(enrolled->journal_receipt().leaf_hash().size() == 32);
  const auto balance = world.BalanceOfCard(enrolled->card_number());
  REQUIRE(balance.ok());
  CHECK(balance->member() == enrolled->member());
  CHECK(balance->available_points() == 50);
}

TEST_CASE("EnrolMember: a repeat gets the first member and card, byte for byte",
          "[service][member][inv-11]") {
  const World world;
  const auto request = World::AnEnrolment();
  const auto first = world.Enrol(request);
  REQUIRE(first.ok());

  clients::Answered answered;
  const auto second = world.Enrol(request, &answered);

  REQUIRE(second.ok());
  CHECK(answered.replayed);
  CHECK(first->SerializeAsString() == second->SerializeAsString());
  CHECK(world.Count("member.members") == 1);
  CHECK(world.Count("member.cards") == 1);
}

TEST_CASE("EnrolMember: a request id enrols one person", "[service][member][inv-12]") {
  const World world;
  auto request = World::AnEnrolment();
  REQUIRE(world.Enrol(request).ok());
  request.mutable_member()->set_given_name("Eve");
  CHECK(ReasonOf(world.Enrol(request)) == Reason::kRequestIdReused);
  CHECK(world.Count("ledger.accounts") == 1);
}

TEST_CASE("EnrolMember: simultaneous requests with one id enrol once",
          "[service][member][inv-13]") {
  const World world;
  const auto request = World::AnEnrolment();
  std::vector<std::future<absl::StatusOr<v1::EnrolMemberResponse>>> running;
  for (int i = 0; i < 12; ++i) {
    running.push_back(std::async(std::launch::async, [&] { return world.Enrol(request); }));
  }
  std::set<std::string> cards;
  for (auto& one : running) {
    const auto enrolled = one.get();
    REQUIRE(enrolled.ok());
    cards.insert(enrolled->card_number());
  }
  CHECK(cards.size() == 1);
  CHECK(world.Count("member.members") == 1);
}

TEST_CASE("EnrolMember: without a gift, or anyone to pay for it, there is none",
          "[service][member]") {
  World world;
  world.Change("update partner.partners set state = 'SUSPENDED' where slug = 'house'");
  CHECK(world.AMember().welcome_points() == 0);
  world.Change("update partner.partners set state = 'ACTIVE' where slug = 'house'");
  world.Change("update ledger.programmes set welcome_points = 0");
  CHECK(world.AMember("+49 30 7654321").welcome_points() == 0);
  CHECK(world.Count("ledger.entries") == 0);
}

TEST_CASE("EnrolMember: refusals in their order", "[service][member]") {
  const World world;
  auto request = World::AnEnrolment("no address");
  request.set_request_id("1");
  CHECK(ReasonOf(world.Enrol(request)) == Reason::kRequestMalformed);
  request.mutable_member()->clear_email();
  CHECK(ReasonOf(world.Enrol(request)) == Reason::kRequestIdMalformed);
}

TEST_CASE("EnrolMember: nothing personal lies in the database as it is", "[service][member]") {
  const World world;
  world.AMember();
  // As text, and as the hexadecimal form of "Byron", "1234567" and "example".
  for (const std::string& table : {"member.members", "ledger.journal"}) {
    const auto rows = world.coalition.database().Query(
        "select count(*) from " + table +
        " t where t::text ~* 'byron|1234567|4279726f6e|31323334353637|6578616d706c65'");
    CHECK(rows[0].Int(0) == 0);
  }
}

TEST_CASE("GetMember: operators see the person, partners a mask", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();

  const auto seen = world.Get(world.Operator(), world.NameOf(enrolled));
  const auto masked = world.Get(world.Partner(), enrolled.member());

  REQUIRE(seen.ok());
  CHECK(seen->given_name() == "Ada");
  CHECK(seen->phone() == "+49301234567");
  CHECK(seen->email() == "ada@example.org");
  REQUIRE(seen->cards_size() == 1);
  CHECK(seen->cards(0).number() == enrolled.card_number());
  CHECK(seen->cards(0).state() == v1::CARD_STATE_ACTIVE);
  REQUIRE(masked.ok());
  CHECK(masked->given_name() == "A…");
  CHECK(masked->phone() == "+49•••••••67");
  CHECK(masked->email() == "a…@…");
  CHECK(masked->cards_size() == 0);
  CHECK(ReasonOf(world.Get(world.Operator(), "members/1")) == Reason::kMemberNotFound);
  CHECK(ReasonOf(world.Get(world.Operator(), "member")) == Reason::kMemberNotFound);
}

TEST_CASE("FindMember: by card, phone or address, in any spelling", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  v1::FindMemberRequest request;
  request.set_phone("+49-30-123 45 67");
  CHECK(world.Find(world.Operator(), request)->name() == world.NameOf(enrolled));
  request.set_email("ADA@example.ORG");
  CHECK(world.Find(world.Operator(), request)->name() == world.NameOf(enrolled));
  request.set_card_number(enrolled.card_number());
  CHECK(world.Find(world.Operator(), request)->name() == world.NameOf(enrolled));
  const auto masked = world.Find(world.Partner(), request);
  REQUIRE(masked.ok());
  CHECK(masked->given_name() == "A…");
  CHECK(masked->name() == enrolled.member());
  CHECK(masked->cards(0).number() == enrolled.card_number());
  // A till that was told the phone number learns no card.
  request.set_phone("0049 (0)30 1234567");
  const auto by_phone = world.Find(world.Partner(), request);
  REQUIRE(by_phone.ok());
  CHECK(by_phone->name() == enrolled.member());
  CHECK(by_phone->phone() == "+49•••••••67");
  CHECK(by_phone->cards_size() == 0);
}

TEST_CASE("FindMember: refusals in their order", "[service][member]") {
  const World world;
  world.AMember();
  v1::FindMemberRequest request;
  CHECK(ReasonOf(world.Find(world.Partner(), request)) == Reason::kRequestMalformed);
  request.set_phone("030 1234567");
  const auto without_code = world.Find(world.Partner(), request);
  CHECK(ReasonOf(without_code) == Reason::kRequestMalformed);
  CHECK(std::string(without_code.status().message()).find("country code") != std::string::npos);
  request.set_phone("+49307654321");
  CHECK(ReasonOf(world.Find(world.Partner(), request)) == Reason::kMemberNotFound);
  request.set_email("eve@example.org");
  CHECK(ReasonOf(world.Find(world.Operator(), request)) == Reason::kMemberNotFound);
  request.set_card_number("4111111111111112");
  CHECK(ReasonOf(world.Find(world.Partner(), request)) == Reason::kCardNumberMistyped);
  request.set_card_number("4111111111111111");
  CHECK(ReasonOf(world.Find(world.Partner(), request)) == Reason::kCardNotFound);
}

TEST_CASE("IssueCards: further cards of one balance; a repeat gets the same", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  v1::IssueCardsRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_member(enrolled.member());
  request.set_count(3);
  std::vector<std::future<absl::StatusOr<v1::IssueCardsResponse>>> running;
  for (int i = 0; i < 6; ++i) {
    running.push_back(std::async(std::launch::async, [&] { return world.IssueCards(request); }));
  }
  std::set<std::string> answers;
  for (auto& one : running) {
    const auto issued = one.get();
    REQUIRE(issued.ok());
    answers.insert(issued->SerializeAsString());
    CHECK(world.BalanceOfCard(issued->cards(2).number())->available_points() == 50);
  }
  CHECK(answers.size() == 1);
  CHECK(world.Count("member.cards") == 4);

  request.set_count(2);
  CHECK(ReasonOf(world.IssueCards(request)) == Reason::kRequestIdReused);
  request.set_member(world.AMember("+49 30 7654321").member());
  request.set_count(3);
  CHECK(ReasonOf(world.IssueCards(request)) == Reason::kRequestIdReused);
}

TEST_CASE("IssueCards: refusals in their order", "[service][member]") {
  const World world;
  v1::IssueCardsRequest request;
  request.set_count(11);
  CHECK(ReasonOf(world.IssueCards(request)) == Reason::kRequestMalformed);
  request.set_count(1);
  CHECK(ReasonOf(world.IssueCards(request)) == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  request.set_member("members/65537");
  CHECK(ReasonOf(world.IssueCards(request)) == Reason::kMemberNotFound);
}

TEST_CASE("BlockCard: the card stops, the member's other cards do not", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  v1::IssueCardsRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_member(enrolled.member());
  request.set_count(1);
  const std::string other = world.IssueCards(request)->cards(0).number();

  CHECK(world.Block(enrolled.card_number()).ok());
  CHECK(world.Block(enrolled.card_number(), "again").ok());

  CHECK(ReasonOf(world.Hold(enrolled.card_number(), 10)) == Reason::kCardBlocked);
  CHECK(world.Hold(other, 10).ok());
  const auto reasons =
      world.coalition.database().Query("select blocked_reason from member.cards where state = 1");
  CHECK(reasons[0].Text(0) == "lost");
  CHECK(guilder::ReasonOf(world.Block("4111111111111112")) == Reason::kCardNumberMistyped);
  CHECK(guilder::ReasonOf(world.Block("4111111111111111")) == Reason::kCardNotFound);
}

TEST_CASE("GetBalance: as of now, whether or not anything was posted since", "[service][member]") {
  World world;
  world.Change("update partner.contracts set activation_days = 3 where lot_life_days = 30");
  const auto enrolled = world.AMember();
  const auto balance = [&] {
    const auto read = world.BalanceOfCard(enrolled.card_number());
    REQUIRE(read.ok());
    return std::vector<int64_t>{read->pending_points(), read->available_points(),
                                read->held_points()};
  };
  CHECK(balance() == std::vector<int64_t>{50, 0, 0});
  world.coalition.AdvanceDays(5);
  CHECK(balance() == std::vector<int64_t>{0, 50, 0});
  REQUIRE(world.Hold(enrolled.card_number(), 20).ok());
  CHECK(balance() == std::vector<int64_t>{0, 30, 20});
  world.coalition.AdvanceDays(1);
  CHECK(balance() == std::vector<int64_t>{0, 50, 0});
  world.coalition.AdvanceDays(30);
  CHECK(balance() == std::vector<int64_t>{0, 0, 0});
}

TEST_CASE("GetBalance: refusals", "[service][member]") {
  const World world;
  v1::GetBalanceRequest request;
  const auto refused = [&] {
    return ReasonOf(World::Call(world.Partner(), &Stub::GetBalance, request));
  };
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_card_number("4111111111111112");
  CHECK(refused() == Reason::kCardNumberMistyped);
  request.set_card_number("4111111111111111");
  CHECK(refused() == Reason::kCardNotFound);
  // Names can be guessed: partners ask by card.
  request.set_member("members/65537");
  CHECK(refused() == Reason::kPermissionDenied);
  CHECK(ReasonOf(World::Call(world.Operator(), &Stub::GetBalance, request)) ==
        Reason::kMemberNotFound);
}

TEST_CASE("ListLots and ListEntries: page after page, each once", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  for (int i = 0; i < 3; ++i) REQUIRE(world.Hold(enrolled.card_number(), 10).ok());

  v1::ListLotsRequest lots;
  lots.set_parent(world.NameOf(enrolled));
  const auto one_lot = World::Call(world.Operator(), &Stub::ListLots, lots);
  REQUIRE(one_lot.ok());
  REQUIRE(one_lot->lots_size() == 1);
  CHECK(one_lot->lots(0).issuer() == "partners/house");
  CHECK(one_lot->lots(0).contract() == "partners/house/contracts/1");
  CHECK(one_lot->lots(0).remaining_points() == 50);
  CHECK(one_lot->lots(0).held_points() == 30);
  CHECK(one_lot->next_page_token().empty());

  v1::ListEntriesRequest request;
  request.set_parent(world.NameOf(enrolled));
  request.set_page_size(2);
  std::vector<std::string> moves;
  do {
    const auto page = World::Call(world.Operator(), &Stub::ListEntries, request);
    REQUIRE(page.ok());
    CHECK(page->entries_size() <= 2);
    for (const v1::Entry& entry : page->entries()) {
      moves.push_back(entry.kind() + " " + entry.debit() + " " + entry.credit() + " " +
                      std::to_string(entry.points()));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  CHECK(moves == std::vector<std::string>{
                     "ENROLMENT ISSUED PENDING 50", "ENROLMENT PENDING AVAILABLE 50",
                     "AUTHORIZATION AVAILABLE HELD 10", "AUTHORIZATION AVAILABLE HELD 10",
                     "AUTHORIZATION AVAILABLE HELD 10"});
  request.set_page_token("forged");
  CHECK(ReasonOf(World::Call(world.Operator(), &Stub::ListEntries, request)) ==
        Reason::kPageTokenInvalid);
  request.set_page_token("");
  request.set_parent("members/65599");
  CHECK(ReasonOf(World::Call(world.Operator(), &Stub::ListEntries, request)) ==
        Reason::kMemberNotFound);
}

TEST_CASE("ListLots: more than a page comes in the order of spending", "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  // Lots beside the ledger's rules, only to be read; gone before the invariants are checked.
  world.coalition.database().Query(
      "insert into ledger.lots (book, issuer_id, contract_id, state, on_due, account_id, lot_id, "
      "issued, "
      "activates_at_us, expires_at_us, remaining) select book, 1, 1, 1, 0, account_id, 5000000 + "
      "n, 1, 0, "
      "9000000000000000 - n, 1 from ledger.accounts, generate_series(1, 5) n");
  v1::ListLotsRequest request;
  request.set_parent(world.NameOf(enrolled));
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    const auto page = World::Call(world.Operator(), &Stub::ListLots, request);
    REQUIRE(page.ok());
    for (const v1::Lot& lot : page->lots()) names.push_back(lot.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  world.coalition.database().Query("delete from ledger.lots where lot_id > 5000000");
  REQUIRE(names.size() == 6);
  CHECK(names[1].substr(names[1].find('-')) == "-5000005");
  CHECK(names[5].substr(names[5].find('-')) == "-5000001");
}

TEST_CASE("GetStatement: what happened, what was refused, and what is promised",
          "[service][member]") {
  const World world;
  const auto enrolled = world.AMember();
  REQUIRE(world.Hold(enrolled.card_number(), 20).ok());
  CHECK(ReasonOf(world.Hold(enrolled.card_number(), 31)) == Reason::kInsufficientPoints);

  const auto statement = world.Statement(enrolled.card_number());

  REQUIRE(statement.ok());
  CHECK(statement->member().given_name() == "Ada");
  CHECK(statement->balance().available_points() == 30);
  std::vector<std::string> lines;
  for (const v1::TimelineItem& item : statement->items()) {
    lines.push_back(item.partner() + " " + std::to_string(item.points()) + " " + item.text());
  }
  CHECK(lines ==
        std::vector<std::string>{
            "partners/fresh 50 Enrolled, with a welcome gift of 50 points",
            "partners/books -20 Payment begun: 20 points held",
            "partners/books 0 Refused payment with points, INSUFFICIENT_POINTS: fewer points are "
            "available than asked for",
            "partners/house -30 30 points from house expire"});
  CHECK(statement->items(1).kind() == v1::TIMELINE_KIND_POSTING);
  CHECK(statement->items(2).kind() == v1::TIMELINE_KIND_REFUSAL);
  CHECK(statement->items(3).kind() == v1::TIMELINE_KIND_EXPIRY);
  CHECK(world.Statement(enrolled.card_number(), 2)->items_size() == 2);
  CHECK(ReasonOf(world.Statement("4111111111111111")) == Reason::kCardNotFound);
}

}  // namespace
}  // namespace guilder::member
