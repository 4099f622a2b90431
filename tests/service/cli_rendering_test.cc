#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <grpcpp/grpcpp.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/member/v1/points_service.grpc.pb.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/rpc/status.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "tests/support/catch2.h"

namespace guilder::cli {
namespace {

using nlohmann::ordered_json;

// The answers of a small network, written as JSON.
template <typename Response>
grpc::Status Answer(Response* response, const char* json) {
  const absl::Status status = ReadJson(json, *response);
  return status.ok() ? grpc::Status::OK
                     : grpc::Status(grpc::StatusCode::INTERNAL, std::string(status.message()));
}

class Partners final : public partner::v1::PartnerService::Service {
 public:
  partner::v1::UpdatePartnerRequest updated;

  grpc::Status ListPartners(grpc::ServerContext*, const partner::v1::ListPartnersRequest* request,
                            partner::v1::ListPartnersResponse* response) override {
    if (request->page_token().empty()) {
      return Answer(response, R"({"partners":[{"name":"partners/a","display_name":"Amber",
          "state":"PARTNER_STATE_ACTIVE"}],"next_page_token":"2"})");
    }
    return Answer(response,
                  R"({"partners":[{"name":"partners/b","state":"PARTNER_STATE_DRAFT"}]})");
  }
  grpc::Status UpdatePartner(grpc::ServerContext*, const partner::v1::UpdatePartnerRequest* request,
                             partner::v1::UpdatePartnerResponse* response) override {
    updated = *request;
    *response->mutable_partner() = request->partner();
    return grpc::Status::OK;
  }
};

class Accrual final : public accrual::v1::AccrualService::Service {
 public:
  accrual::v1::RecordPurchaseRequest recorded;
  std::string approved_etag;

  grpc::Status RecordPurchase(grpc::ServerContext*,
                              const accrual::v1::RecordPurchaseRequest* request,
                              accrual::v1::RecordPurchaseResponse* response) override {
    recorded = *request;
    if (request->card_number() == "0") {
      return rpc::ToGrpcStatus(Refuse(Reason::kCardNotFound, "card 0", {{"card", "0"}}));
    }
    return Answer(response,
                  R"({"name":"purchases/7","points":"1234","line_points":["1000","234"]})");
  }
  grpc::Status GetPurchase(grpc::ServerContext*, const accrual::v1::GetPurchaseRequest*,
                           accrual::v1::GetPurchaseResponse* response) override {
    return Answer(response, R"({"purchase":{"receipt":{"store":"partners/a/stores/s"}}})");
  }
  grpc::Status ListParkedItems(grpc::ServerContext*,
                               const accrual::v1::ListParkedItemsRequest* request,
                               accrual::v1::ListParkedItemsResponse* response) override {
    if (request->page_token().empty()) {
      return Answer(response, R"({"parked_items":[{"name":"parkedItems/1-a","etag":"e1"}],
          "next_page_token":"2"})");
    }
    return Answer(response, R"({"parked_items":[{"name":"parkedItems/1-b","etag":"e2",
        "content":"milk×1\u001b","proposed_purchase":"purchases/7","resolution":"seen"}]})");
  }
  grpc::Status ApproveParkedReturn(grpc::ServerContext*,
                                   const accrual::v1::ApproveParkedReturnRequest* request,
                                   accrual::v1::ApproveParkedReturnResponse*) override {
    approved_etag = request->etag();
    return grpc::Status::OK;
  }
  grpc::Status ConfirmPurchases(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<accrual::v1::ConfirmPurchasesResponse,
                               accrual::v1::ConfirmPurchasesRequest>* stream) override {
    accrual::v1::ConfirmPurchasesRequest request;
    while (stream->Read(&request)) {
      accrual::v1::ConfirmPurchasesResponse response;
      response.set_request_id(request.request_id());
      if (request.purchase() == "purchases/8") {
        *response.mutable_error() = rpc::ToRpcStatus(Refuse(Reason::kAlreadyConfirmed));
      } else {
        response.mutable_confirmation()->set_purchase(request.purchase());
        response.mutable_confirmation()->set_points(5);
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
};

class Members final : public member::v1::MemberService::Service {
  grpc::Status GetStatement(grpc::ServerContext*, const member::v1::GetStatementRequest* request,
                            member::v1::GetStatementResponse* response) override {
    if (request->card_number() != "42") return rpc::ToGrpcStatus(Refuse(Reason::kCardNotFound));
    return Answer(response, R"({"member":{"name":"members/1","cards":[{"number":"42",
        "state":"CARD_STATE_ACTIVE"}]},"balance":{"available_points":"10","pending_points":"1500"},
        "items":[{"at":"2026-01-02T10:00:00Z","kind":"TIMELINE_KIND_POSTING","partner":"partners/a",
        "subject":"purchases/7","text":"Purchase","points":"1500"},
        {"at":"2026-01-03T10:00:00Z","kind":"TIMELINE_KIND_REFUSAL","text":"Refused"},
        {"at":"2026-01-16T10:00:00Z","kind":"TIMELINE_KIND_PROMISE","text":"Available"}]})");
  }
};

class MembersPoints final : public member::v1::PointsService::Service {
 public:
  std::string approved_etag;

  grpc::Status ListAdjustments(grpc::ServerContext*,
                               const member::v1::ListAdjustmentsRequest* request,
                               member::v1::ListAdjustmentsResponse* response) override {
    if (request->page_token().empty()) {
      return Answer(response, R"({"adjustments":[{"name":"adjustments/9","etag":"e9"}],
          "next_page_token":"2"})");
    }
    return Answer(response, R"({"adjustments":[{"name":"adjustments/8","etag":"e8",
        "member":"members/1","points":"500","reason":"ADJUSTMENT_REASON_GOODWILL","note":"late"}]})");
  }
  grpc::Status ApproveAdjustment(grpc::ServerContext*,
                                 const member::v1::ApproveAdjustmentRequest* request,
                                 member::v1::ApproveAdjustmentResponse*) override {
    approved_etag = request->etag();
    return grpc::Status::OK;
  }
};

class Settlements final : public settlement::v1::SettlementService::Service {
 public:
  std::string decided_etag;
  std::string note;

  grpc::Status GetSettlement(grpc::ServerContext*, const settlement::v1::GetSettlementRequest*,
                             settlement::v1::GetSettlementResponse* response) override {
    return Answer(response, R"({"settlement":{"name":"settlements/1",
        "state":"SETTLEMENT_STATE_APPROVED","currency_code":"EUR","etag":"e5","nets":[{"partner":"partners/a",
        "points_issued":"1000","issuance_minor_units":"1000","tax_minor_units":"190",
        "net_minor_units":"-1190"}],"operator_net_minor_units":"-1190","lines":[{
        "name":"settlements/1/lines/1","partner":"partners/a","leg":"SETTLEMENT_LEG_ISSUANCE",
        "points":"1000","cumulative_points":"1000","amount_minor_units":"1000"}]}})");
  }
  grpc::Status ApproveSettlement(grpc::ServerContext*,
                                 const settlement::v1::ApproveSettlementRequest* request,
                                 settlement::v1::ApproveSettlementResponse*) override {
    decided_etag = request->etag();
    return grpc::Status::OK;
  }
  grpc::Status RejectSettlement(grpc::ServerContext*,
                                const settlement::v1::RejectSettlementRequest* request,
                                settlement::v1::RejectSettlementResponse*) override {
    decided_etag = request->etag();
    note = request->note();
    return grpc::Status::OK;
  }
  grpc::Status ApproveWriteOff(grpc::ServerContext*,
                               const settlement::v1::ApproveWriteOffRequest* request,
                               settlement::v1::ApproveWriteOffResponse*) override {
    decided_etag = request->etag();
    return grpc::Status::OK;
  }
  grpc::Status RejectWriteOff(grpc::ServerContext*,
                              const settlement::v1::RejectWriteOffRequest* request,
                              settlement::v1::RejectWriteOffResponse*) override {
    decided_etag = request->etag();
    note = absl::StrCat(request->obligation(), " ", request->note());
    return grpc::Status::OK;
  }
  grpc::Status ExportPayments(grpc::ServerContext*, const settlement::v1::ExportPaymentsRequest*,
                              settlement::v1::ExportPaymentsResponse* response) override {
    response->set_file("<Document/>");
    response->set_file_name("../../pain.xml");
    response->set_payments(1);
    return grpc::Status::OK;
  }
  grpc::Status GetInvoice(grpc::ServerContext*, const settlement::v1::GetInvoiceRequest*,
                          settlement::v1::GetInvoiceResponse* response) override {
    return Answer(response, R"({"invoice":{"name":"invoices/1","kind":"INVOICE_KIND_INVOICE",
        "currency_code":"EUR","lines":[{"settlement_line":"settlements/1/lines/1","text":"Points",
        "points":"1000","rate_micros":"10000","amount_minor_units":"1000","tax_code":"DE-S19"}],
        "taxes":[{"code":"DE-S19","rate_ppm":190000,"base_minor_units":"1000",
        "tax_minor_units":"190","text":"19 % of 10.00 EUR"}],"net_minor_units":"1000","tax_minor_units":"190",
        "gross_minor_units":"1190"}})");
  }
};

class Operators final : public operator_::v1::OperatorService::Service {
 public:
  bool ok = true;

  grpc::Status GetProgramme(grpc::ServerContext*, const operator_::v1::GetProgrammeRequest*,
                            operator_::v1::GetProgrammeResponse* response) override {
    return Answer(response, R"({"programme":{"clock":"2026-05-04T03:02:01Z"}})");
  }
  grpc::Status VerifyLedger(
      grpc::ServerContext*, const operator_::v1::VerifyLedgerRequest*,
      grpc::ServerWriter<operator_::v1::VerifyLedgerResponse>* writer) override {
    operator_::v1::VerifyLedgerResponse response;
    response.set_records_total(2000);
    writer->Write(response);
    response.set_done(true);
    response.set_ok(ok);
    auto& check = *response.add_checks();
    check.set_name("entries balance");
    check.set_ok(ok);
    check.set_examined(5000);
    if (!ok) check.set_first_failure("record 3 of book 1");
    writer->Write(response);
    return grpc::Status::OK;
  }
  grpc::Status ListApprovals(grpc::ServerContext*, const operator_::v1::ListApprovalsRequest*,
                             operator_::v1::ListApprovalsResponse* response) override {
    return Answer(response, R"({"approvals":[{"name":"approvals/1","etag":"0a"},
        {"name":"settlements/1/obligations/a","etag":"e6","summary":"write-off of 12"}]})");
  }
  grpc::Status Explain(grpc::ServerContext*, const operator_::v1::ExplainRequest*,
                       operator_::v1::ExplainResponse* response) override {
    return Answer(response,
                  R"({"steps":[{"name":"purchases/7","kind":"purchase","text":"23.40 EUR"},
        {"depth":1,"name":"ruleSets/1","kind":"rule"}]})");
  }
};

struct Result {
  ExitCode exit_code;
  std::string out;
  std::string error;
};

// A network of fakes, and commands run against it as from a shell with a pipe.
class Shell {
 public:
  Shell()
      : folder_(std::filesystem::temp_directory_path() /
                ("guilder-cli-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "token") << "token\n";
    std::ofstream(folder_ / "empty.json") << R"({"endpoints":{},"operators":{"auditor":"t",
        "support":"t","finance":"t","finance_approver":"t","submitter":"t","approver":"t"},"partners":[{"name":"partners/a",
        "api_key":"k"}]})";
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &partners, &accrual, &members, &points, &settlements, &operators}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
  }
  ~Shell() {
    server_->Shutdown();
    std::filesystem::remove_all(folder_);
  }

  // --request-id of the commands that follow.
  std::string request_id;

  Result Run(const std::string& command, const std::string& format = "table") {
    CLI::App app("test", "guilder");
    Context context;
    AddNetworkCommands(app, context);
    context.flags().endpoint = "127.0.0.1:" + std::to_string(port_);
    context.flags().network = folder_ / "empty.json";
    context.flags().output = format;
    context.flags().request_id = request_id;
    std::ostringstream out;
    std::ostringstream error;
    std::streambuf* const real_out = std::cout.rdbuf(out.rdbuf());
    std::streambuf* const real_error = std::cerr.rdbuf(error.rdbuf());
    app.parse(command, false);
    const ExitCode exit_code = context.Run();
    std::cout.rdbuf(real_out);
    std::cerr.rdbuf(real_error);
    return {exit_code, out.str(), error.str()};
  }

  const std::filesystem::path& folder() const { return folder_; }

  Partners partners;
  Accrual accrual;
  Members members;
  MembersPoints points;
  Settlements settlements;
  Operators operators;

 private:
  const std::filesystem::path folder_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_CASE("CLI: a list reads all pages", "[service][cli]") {
  Shell shell;

  const Result people = shell.Run("partner list");
  CHECK(people.out ==
        "NAME        DISPLAY NAME  STATE   IBAN  SUBMITTED BY  REVIEWED BY  APPROVED BY\n"
        "partners/a  Amber         ACTIVE\n"
        "partners/b                DRAFT\n");
  CHECK(people.exit_code == ExitCode::kDone);

  const ordered_json machines = ordered_json::parse(shell.Run("partner list", "json").out);
  REQUIRE(machines.size() == 2);
  CHECK(machines[1]["state"] == "DRAFT");
  CHECK(shell.Run("partner list --limit 1").out.find("There are more") != std::string::npos);
}

TEST_CASE("CLI: who approves without an etag sees what waits, and approves that",
          "[service][cli][inv-97]") {
  Shell shell;

  const Result parked = shell.Run("approval approve parkedItems/1-b");
  CHECK(parked.exit_code == ExitCode::kDone);
  CHECK(shell.accrual.approved_etag == "e2");
  // What a till wrote is shown, and not obeyed.
  CHECK(parked.out == "milk×1? of purchases/7: seen\nApproved parkedItems/1-b\n");
  const Result adjusted = shell.Run("approval approve adjustments/8");
  CHECK(adjusted.exit_code == ExitCode::kDone);
  CHECK(shell.points.approved_etag == "e8");
  CHECK(adjusted.out == "500 points, members/1, GOODWILL: late\nApproved adjustments/8\n");
  // One that was given is kept, and of what does not wait the service says so.
  shell.Run("approval approve adjustments/8 --etag mine");
  CHECK(shell.points.approved_etag == "mine");
  shell.Run("approval approve parkedItems/1-c");
  CHECK(shell.accrual.approved_etag.empty());

  CHECK(shell.Run("approval list").out.find("ETAG") != std::string::npos);
}

TEST_CASE("CLI: a settlement and a write-off are approved and rejected as they were read",
          "[service][cli][inv-97]") {
  Shell shell;
  const auto etag_of = [&](const std::string& command) {
    shell.settlements.decided_etag.clear();
    CHECK(shell.Run(command).exit_code == ExitCode::kDone);
    return shell.settlements.decided_etag;
  };
  // Of what is computed now, unless it is stated.
  CHECK(etag_of("approval approve settlements/1") == "e5");
  CHECK(etag_of("approval approve settlements/1 --etag mine") == "mine");
  CHECK(etag_of("approval reject settlements/1 --note wrong") == "e5");
  CHECK(shell.settlements.note == "wrong");
  CHECK(etag_of("approval reject settlements/1 --etag mine") == "mine");
  CHECK(etag_of("approval approve settlements/1/obligations/a") == "e6");
  CHECK(etag_of("approval reject settlements/1/obligations/a --etag mine --note paid") == "mine");
  CHECK(shell.settlements.note == "settlements/1/obligations/a paid");
}

TEST_CASE("CLI: an update names the fields that were given", "[service][cli]") {
  Shell shell;

  const Result result = shell.Run("partner update a --iban X --display-name 'A B' --etag e");

  CHECK(result.exit_code == ExitCode::kDone);
  CHECK(shell.partners.updated.partner().name() == "partners/a");
  CHECK(shell.partners.updated.partner().etag() == "e");
  const auto& mask = shell.partners.updated.update_mask();
  REQUIRE(mask.paths_size() == 2);
  CHECK(mask.paths(0) == "display_name");
  CHECK(mask.paths(1) == "iban");
  CHECK(shell.Run("partner update a").exit_code == ExitCode::kUsage);
}

TEST_CASE("CLI: a purchase is recorded at the programme's time, told first with its request id",
          "[service][cli]") {
  Shell shell;

  const Result result = shell.Run(
      "purchase record --store a/stores/s --card 42 --receipt R1 "
      "--line sku=x,quantity=2,amount=19.90,category=food --line sku=y,amount=3");

  const auto& request = shell.accrual.recorded;
  CHECK(result.exit_code == ExitCode::kDone);
  CHECK(result.error == "at 2026-05-04T03:02:01Z\nrequest_id " + request.request_id() + "\n");
  CHECK(request.receipt().store() == "partners/a/stores/s");
  CHECK(request.receipt().receipt_number() == "R1");
  CHECK(request.receipt().business_date() == "2026-05-04");
  CHECK(request.occurred_at().seconds() == 1'777'863'721);
  REQUIRE(request.lines_size() == 2);
  CHECK(request.lines(0).amount_minor_units() == 1990);
  CHECK(request.lines(0).quantity() == 2);
  CHECK(request.lines(1).amount_minor_units() == 300);
  CHECK(result.out ==
        "Name                 purchases/7\n"
        "Points               1,234\n"
        "Points of each line  1000, 234\n"
        "Captured points      0\n");
}

TEST_CASE("CLI: a purchase that is repeated says when it happened", "[service][cli]") {
  Shell shell;
  shell.request_id = "772f5460-5ba3-4dd5-9808-53ffd82786ad";
  const std::string command = "purchase record --store a/stores/s --card 42 --line sku=x,amount=1";

  const Result vague = shell.Run(command);
  CHECK(vague.exit_code == ExitCode::kUsage);
  CHECK(vague.error.find("--at") != std::string::npos);
  CHECK(shell.accrual.recorded.request_id().empty());

  CHECK(shell.Run(command + " --at 2026-05-04T03:02:01Z").exit_code == ExitCode::kDone);
  CHECK(shell.accrual.recorded.request_id() == shell.request_id);
  CHECK(shell.accrual.recorded.occurred_at().seconds() == 1'777'863'721);
}

TEST_CASE("CLI: a refusal is told with its reason and facts", "[service][cli]") {
  Shell shell;
  const std::string command = "purchase record --store a/stores/s --card 0 --line sku=x,amount=1";

  const Result people = shell.Run(command);
  CHECK(people.exit_code == ExitCode::kRefused);
  CHECK(people.error.find("refused: CARD_NOT_FOUND: ") != std::string::npos);
  CHECK(people.error.find("  card: 0\n") != std::string::npos);

  const Result machines = shell.Run(command, "json");
  CHECK(machines.out.empty());
  const std::string json = machines.error.substr(machines.error.find('{'));
  CHECK(ordered_json::parse(json)["error"]["reason"] == "CARD_NOT_FOUND");
}

TEST_CASE("CLI: of several confirmations each is answered, and a refusal is not hidden",
          "[service][cli]") {
  Shell shell;

  const Result result = shell.Run("purchase confirm 7 8", "json");

  const ordered_json rows = ordered_json::parse(result.out);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["confirmation"]["points"] == 5);
  CHECK(rows[1].contains("error"));
  CHECK(result.exit_code == ExitCode::kRefused);
}

TEST_CASE("CLI: a member is one timeline", "[service][cli]") {
  Shell shell;

  CHECK(shell.Run("member show 42").out ==
        "Member     members/1\n"
        "Available  10\n"
        "Pending    1,500\n"
        "Held       0\n"
        "Owed       0\n"
        "Card 42\n"
        "WHEN                 WHAT     POINTS  PARTNER  ABOUT        TEXT\n"
        "2026-01-02 10:00:00  POSTING  +1,500  a        purchases/7  Purchase\n"
        "2026-01-03 10:00:00  REFUSAL                                Refused\n"
        "2026-01-16 10:00:00  PROMISE                                Available\n");
  CHECK(shell.Run("member show 43").exit_code == ExitCode::kRefused);
}

TEST_CASE("CLI: a settlement shows nets and lines", "[service][cli]") {
  Shell shell;

  const std::string out = shell.Run("settlement show 1").out;

  CHECK(out.find("partners/a") != std::string::npos);
  CHECK(out.find("-11.90 EUR") != std::string::npos);
  CHECK(out.find("issuance") != std::string::npos);
}

TEST_CASE("CLI: an exported file stays where the caller says", "[service][cli]") {
  Shell shell;
  const std::string path = shell.folder() / "payments.xml";

  CHECK(shell.Run("settlement export 1 --out " + path).exit_code == ExitCode::kDone);

  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "<Document/>");
}

TEST_CASE("CLI: an invoice adds up", "[service][cli]") {
  Shell shell;

  const std::string out = shell.Run("invoice show 1").out;

  CHECK(out.find("19 % of 10.00 EUR") != std::string::npos);
  CHECK(out.find("gross") != std::string::npos);
  CHECK(out.find("11.90 EUR") != std::string::npos);
}

TEST_CASE("CLI: a ledger that does not hold is not a success", "[service][cli]") {
  Shell shell;

  CHECK(shell.Run("ledger verify").exit_code == ExitCode::kDone);
  CHECK(ordered_json::parse(shell.Run("ledger verify", "json").out)["ok"] == true);

  shell.operators.ok = false;
  const Result wrong = shell.Run("ledger verify");
  CHECK(wrong.exit_code == ExitCode::kRefused);
  CHECK(wrong.error.find("guilder: the books do not hold") != std::string::npos);
  CHECK(wrong.out.find("record 3 of book 1") != std::string::npos);
}

TEST_CASE("CLI: an explanation is indented by its depth", "[service][cli]") {
  Shell shell;

  CHECK(shell.Run("explain purchases/7").out ==
        "purchase purchases/7: 23.40 EUR\n"
        "  rule ruleSets/1\n");
}

}  // namespace
}  // namespace guilder::cli
