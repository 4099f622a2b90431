// A partner's view of a window against the ledger, over real purchases and returns.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/status.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/service/accrual_world.h"
#include "tests/support/catch2.h"
#include "tests/support/invariants.h"

namespace guilder::settlement {
namespace {

using Stub = v1::SettlementService::Stub;
using Item = v1::ReconciledItem;

class World {
 public:
  World()
      : accrual_([](testing::ServiceNetwork& network) {
          network.Add(MakeSettlementService({network.runtime(), network.pool(), network.secrets()}),
                      kSettlementServiceName);
        }) {}

  accrual::World& accrual() { return accrual_; }
  const testing::TestDatabase& db() const { return accrual_.coalition.database(); }

  // A purchase of fresh over 35 points, by that receipt. Gives its name.
  std::string Buy(const std::string& receipt) const {
    const auto bought = accrual_.Buy(accrual_.APurchase(receipt));
    REQUIRE(bought.ok());
    return bought->name();
  }
  // Ends the open window, seals it, and gives its name.
  std::string CloseWindow() const {
    return Get("anna", &Stub::CloseWindow, v1::CloseWindowRequest()).window().name();
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(const std::string& who,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return As(who).Invoke(method, request, once);
  }
  template <typename Request, typename Response>
  Response Get(const std::string& who,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Ask(who, method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }
  template <typename Request, typename Response>
  std::optional<Reason> Refusal(const std::string& who,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return ReasonOf(Ask(who, method, request).status());
  }

  absl::StatusOr<v1::SubmitReconciliationResponse> Send(
      const std::string& who, const std::vector<v1::SubmitReconciliationRequest>& parts) const {
    const auto client = As(who);
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(20));
    v1::SubmitReconciliationResponse response;
    const auto stream = client.stub().SubmitReconciliation(&context, &response);
    for (const v1::SubmitReconciliationRequest& part : parts) stream->Write(part);
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }
  v1::Reconciliation Submit(const std::vector<v1::SubmitReconciliationRequest>& parts) const {
    auto answer = Send("fresh", parts);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return answer->reconciliation();
  }
  std::vector<v1::Break> Breaks(const std::string& who, bool all = false) const {
    v1::ListBreaksRequest request;
    request.set_include_resolved(all);
    const auto response = Get(who, &Stub::ListBreaks, request);
    return {response.breaks().begin(), response.breaks().end()};
  }

 private:
  // Partners by their keys, operators by their tokens.
  clients::Client<v1::SettlementService> As(const std::string& who) const {
    testing::Coalition& coalition = accrual_.coalition;
    const bool partner = who == "fresh" || who == "books";
    return clients::Client<v1::SettlementService>(partner ? coalition.AsPartner(who)
                                                          : coalition.network().AsOperator(who));
  }

  accrual::World accrual_;
};

std::vector<v1::SubmitReconciliationRequest> AView(
    const std::string& window, const std::vector<v1::ReconciliationLine>& lines) {
  std::vector<v1::SubmitReconciliationRequest> parts(1);
  v1::ReconciliationHeader& header = *parts[0].mutable_header();
  parts[0].set_request_id(clients::NewRequestId());
  header.set_partner("partners/fresh");
  header.set_window(window);
  header.set_line_count(static_cast<int64_t>(lines.size()));
  // Each line in a message of its own.
  for (const v1::ReconciliationLine& line : lines) {
    *parts.emplace_back().mutable_lines()->add_lines() = line;
  }
  return parts;
}

v1::ReconciliationLine ALine(Item item, const std::string& record, int64_t points) {
  v1::ReconciliationLine line;
  line.set_item(item);
  line.set_record(record);
  line.set_points(points);
  return line;
}

v1::ReconciliationLine AReceipt(const std::string& number, int64_t points) {
  v1::ReconciliationLine line;
  line.set_item(v1::RECONCILED_ITEM_PURCHASE);
  line.mutable_receipt()->set_store("partners/fresh/stores/s1");
  line.mutable_receipt()->set_terminal("t1");
  line.mutable_receipt()->set_receipt_number(number);
  line.mutable_receipt()->set_business_date("2026-03-01");
  line.set_points(points);
  line.set_reference(absl::StrCat("row ", number));
  return line;
}

v1::ReconciliationLine ATotal(Item item, int64_t points) {
  v1::ReconciliationLine line;
  line.set_item(item);
  line.set_total(true);
  line.set_points(points);
  return line;
}

TEST_CASE("SubmitReconciliation: a view that is right matches by receipt, name and total",
          "[service][settlement][inv-90]") {
  World world;
  const std::string first = world.Buy("1");
  world.Buy("2");
  const auto returned = world.accrual().Return(world.accrual().AReturn(first, "1", 1));
  REQUIRE(returned.ok());
  const std::string window = world.CloseWindow();

  const v1::Reconciliation found = world.Submit(AView(
      window, {ALine(v1::RECONCILED_ITEM_PURCHASE, first, 35), AReceipt(" 2 ", 35),
               ALine(v1::RECONCILED_ITEM_RETURN, returned->name(), 10),
               ATotal(v1::RECONCILED_ITEM_PURCHASE, 70), ATotal(v1::RECONCILED_ITEM_RETURN, 10)}));

  CHECK(found.matched() == 5);
  CHECK(found.lines() == 5);
  CHECK(found.missing_there() == 0);
  CHECK(world.Breaks("auditor").empty());
  CHECK(testing::FindBrokenInvariant(world.db()) == "");
}

TEST_CASE("SubmitReconciliation: each difference becomes a break",
          "[service][settlement][inv-90]") {
  World world;
  const std::string first = world.Buy("1");
  const std::string second = world.Buy("2");
  const std::string third = world.Buy("3");
  const std::string window = world.CloseWindow();

  const v1::Reconciliation found =
      world.Submit(AView(window, {ALine(v1::RECONCILED_ITEM_PURCHASE, first, 36), AReceipt("2", 35),
                                  AReceipt("2", 35), AReceipt("404", 7)}));

  CHECK(found.amount_differs() == 1);
  CHECK(found.duplicates() == 1);
  CHECK(found.missing_here() == 1);
  CHECK(found.missing_there() == 1);
  const std::vector<v1::Break> breaks = world.Breaks("fresh");
  REQUIRE(breaks.size() == 4);
  CHECK(breaks[0].kind() == v1::BREAK_KIND_MISSING_HERE);
  CHECK(breaks[0].subject() == "receipt s1/t1/404/2026-03-01");
  CHECK(breaks[0].reference() == "row 404");
  CHECK_FALSE(breaks[0].has_points_here());
  CHECK(breaks[0].points_there() == 7);
  CHECK(breaks[1].kind() == v1::BREAK_KIND_AMOUNT_DIFFERS);
  CHECK(breaks[1].points_here() == 35);
  CHECK(breaks[2].kind() == v1::BREAK_KIND_DUPLICATE);
  CHECK(breaks[3].kind() == v1::BREAK_KIND_MISSING_THERE);
  CHECK(breaks[3].subject() == third);
  CHECK(breaks[3].state() == v1::BREAK_STATE_OPEN);
  CHECK(breaks[3].window() == window);
}

TEST_CASE("SubmitReconciliation: a later view keeps what is still wrong, and clears the rest",
          "[service][settlement][inv-90]") {
  World world;
  const std::string first = world.Buy("1");
  const std::string second = world.Buy("2");
  const std::string window = world.CloseWindow();
  world.Submit(AView(window, {AReceipt("1", 34), AReceipt("2", 34)}));
  const std::vector<v1::Break> before = world.Breaks("fresh");
  world.accrual().coalition.AdvanceDays(3);

  const v1::Reconciliation found =
      world.Submit(AView(window, {AReceipt("1", 35), AReceipt("2", 33)}));

  CHECK(found.cleared() == 1);
  const std::vector<v1::Break> after = world.Breaks("fresh");
  REQUIRE(before.size() == 2);
  REQUIRE(after.size() == 1);
  CHECK(after[0].name() == before[1].name());
  CHECK(after[0].points_there() == 33);
  CHECK(after[0].age_days() == 3);
  CHECK(after[0].reconciliation() == found.name());
  const std::vector<v1::Break> all = world.Breaks("fresh", /*all=*/true);
  REQUIRE(all.size() == 2);
  CHECK(all[0].resolution() == v1::BREAK_RESOLUTION_CLEARED);
}

TEST_CASE("SubmitReconciliation: repeated it gives the same answer, and changed it is refused",
          "[service][settlement][inv-90]") {
  World world;
  world.Buy("1");
  const std::string window = world.CloseWindow();
  auto parts = AView(window, {AReceipt("1", 34)});
  const v1::Reconciliation first = world.Submit(parts);

  const v1::Reconciliation again = world.Submit(parts);

  CHECK(again.SerializeAsString() == first.SerializeAsString());
  CHECK(world.Breaks("fresh").size() == 1);
  parts[1].mutable_lines()->mutable_lines(0)->set_points(35);
  CHECK(ReasonOf(world.Send("fresh", parts).status()) == Reason::kRequestIdReused);
}

TEST_CASE("SubmitReconciliation: what is not a view is refused", "[service][settlement][inv-90]") {
  World world;
  const std::string purchase = world.Buy("1");
  const std::string window = world.CloseWindow();
  const auto refused = [&](std::vector<v1::SubmitReconciliationRequest> parts) {
    return ReasonOf(world.Send("fresh", parts).status());
  };
  const std::vector<v1::ReconciliationLine> lines = {AReceipt("1", 35)};

  CHECK(refused({}) == Reason::kRequestMalformed);
  auto cut_short = AView(window, {lines[0], lines[0]});
  cut_short.pop_back();
  CHECK(refused(cut_short) == Reason::kRequestMalformed);
  auto headless = AView(window, lines);
  headless.erase(headless.begin());
  CHECK(refused(headless) == Reason::kRequestMalformed);
  auto no_id = AView(window, lines);
  no_id[0].set_request_id("17");
  CHECK(refused(no_id) == Reason::kRequestIdMalformed);
  auto nobody = AView(window, lines);
  nobody[0].mutable_header()->set_partner("partners/none");
  CHECK(refused(nobody) == Reason::kPartnerNotFound);
  CHECK(refused(AView("windows/20200101T000000Z", lines)) == Reason::kWindowNotFound);
  v1::ListWindowsRequest list;
  const auto windows = world.Get("anna", &Stub::ListWindows, list);
  CHECK(refused(AView(windows.windows(0).name(), lines)) == Reason::kWindowNotSealed);
  CHECK(refused(AView(window, {ALine(v1::RECONCILED_ITEM_RETURN, purchase, 1)})) ==
        Reason::kRequestMalformed);
  CHECK(refused(AView(window, {ALine(v1::RECONCILED_ITEM_PURCHASE, "purchases/01-2", 1)})) ==
        Reason::kRequestMalformed);
  CHECK(refused(AView(window, {AReceipt("1", -1)})) == Reason::kAmountOutOfRange);
  CHECK(refused(AView(window, {AReceipt(std::string("1\0", 2), 1)})) == Reason::kRequestMalformed);
  const std::vector<v1::SubmitReconciliationRequest> flood(
      2'000, v1::SubmitReconciliationRequest(AView(window, lines)[1]));
  CHECK(refused(flood) == Reason::kRequestTooLarge);
}

TEST_CASE("Reconciliation: a partner submits and sees its own only",
          "[service][settlement][inv-89][inv-90]") {
  World world;
  world.Buy("1");
  const std::string window = world.CloseWindow();
  const auto parts = AView(window, {AReceipt("1", 34)});
  CHECK(ReasonOf(world.Send("books", parts).status()) == Reason::kNotYours);
  const v1::Reconciliation found = world.Submit(parts);
  v1::GetReconciliationRequest read;
  read.set_name(found.name());

  CHECK(world.Get("fresh", &Stub::GetReconciliation, read).reconciliation().amount_differs() == 1);
  CHECK(world.Refusal("books", &Stub::GetReconciliation, read) == Reason::kNameNotFound);
  CHECK(world.Breaks("books").empty());
  v1::ListBreaksRequest of_fresh;
  of_fresh.set_parent("partners/fresh");
  CHECK(world.Refusal("books", &Stub::ListBreaks, of_fresh) == Reason::kNotYours);
  CHECK(world.Get("auditor", &Stub::ListBreaks, of_fresh).breaks_size() == 1);
  v1::AssignBreakRequest assign;
  CHECK(world.Refusal("fresh", &Stub::AssignBreak, assign) == Reason::kPermissionDenied);
  v1::ResolveBreakRequest resolve;
  CHECK(world.Refusal("fresh", &Stub::ResolveBreak, resolve) == Reason::kPermissionDenied);
  CHECK(ReasonOf(world.Send("auditor", parts).status()) == Reason::kPermissionDenied);
}

TEST_CASE("Break: it gets an owner, and is put right by a record of a later window",
          "[service][settlement][inv-90]") {
  World world;
  const std::string early = world.Buy("1");
  const std::string window = world.CloseWindow();
  world.Submit(AView(window, {AReceipt("1", 35), AReceipt("2", 35)}));
  const std::string name = world.Breaks("fresh").at(0).name();
  v1::AssignBreakRequest assign;
  assign.set_name(name);
  assign.set_owner("operators/nobody");
  CHECK(world.Refusal("anna", &Stub::AssignBreak, assign) == Reason::kOperatorNotFound);
  assign.set_owner("operators/bert");
  const v1::Break assigned = world.Get("anna", &Stub::AssignBreak, assign).break_();
  CHECK(assigned.state() == v1::BREAK_STATE_ASSIGNED);
  CHECK(assigned.owner() == "operators/bert");
  v1::ResolveBreakRequest resolve;
  resolve.set_name(name);
  CHECK(world.Refusal("anna", &Stub::ResolveBreak, resolve) == Reason::kRequestMalformed);
  resolve.set_note("the till was offline");
  // Nothing of the window itself puts it right.
  resolve.set_record(early);
  CHECK(world.Refusal("anna", &Stub::ResolveBreak, resolve) == Reason::kNameNotFound);
  resolve.set_record(world.Buy("2"));

  const v1::Break resolved = world.Get("anna", &Stub::ResolveBreak, resolve).break_();

  CHECK(resolved.state() == v1::BREAK_STATE_RESOLVED);
  CHECK(resolved.resolution() == v1::BREAK_RESOLUTION_POSTED);
  CHECK(resolved.fix() == resolve.record());
  CHECK(resolved.resolved_by() == "anna");
  CHECK(world.Get("anna", &Stub::ResolveBreak, resolve).break_().SerializeAsString() ==
        resolved.SerializeAsString());
  resolve.set_note("another reason");
  CHECK(world.Refusal("anna", &Stub::ResolveBreak, resolve) == Reason::kWrongState);
  CHECK(world.Refusal("anna", &Stub::AssignBreak, assign) == Reason::kWrongState);
  assign.set_name("breaks/99");
  CHECK(world.Refusal("anna", &Stub::AssignBreak, assign) == Reason::kNameNotFound);
  CHECK(testing::FindBrokenInvariant(world.db()) == "");
}

TEST_CASE("ListBreaks: pages lose nothing and repeat nothing", "[service][settlement][inv-107]") {
  World world;
  const std::string window = world.CloseWindow();
  std::vector<v1::ReconciliationLine> lines;
  for (int i = 0; i < 5; ++i) lines.push_back(AReceipt(absl::StrCat(i), 1));
  world.Submit(AView(window, lines));
  v1::ListBreaksRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    const auto page = world.Get("fresh", &Stub::ListBreaks, request);
    for (const v1::Break& found : page.breaks()) names.push_back(found.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  CHECK(names ==
        std::vector<std::string>{"breaks/1", "breaks/2", "breaks/3", "breaks/4", "breaks/5"});
  request.set_page_token("forged");
  CHECK(world.Refusal("fresh", &Stub::ListBreaks, request) == Reason::kPageTokenInvalid);
}

}  // namespace
}  // namespace guilder::settlement
