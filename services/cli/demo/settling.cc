#include "services/cli/demo/settling.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/onboarding/patient.h"

namespace guilder::cli::demo {
namespace {

namespace op = operator_::v1;
namespace v1 = settlement::v1;
using OperatorStub = op::OperatorService::Stub;
using Stub = v1::SettlementService::Stub;

template <typename Service>
absl::StatusOr<clients::Client<Service>> As(const Network& network, const std::string& service,
                                            const std::string& role) {
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint(service));
  GUILDER_ASSIGN_OR_RETURN(const std::string token, network.Token(role));
  return clients::Client<Service>(clients::Channel(endpoint, token));
}

template <typename Request, typename Response>
absl::StatusOr<Response> AskOperator(const Network& network, const std::string& role,
                                     grpc::Status (OperatorStub::*method)(grpc::ClientContext*,
                                                                          const Request&,
                                                                          Response*),
                                     const Request& request) {
  GUILDER_ASSIGN_OR_RETURN(const auto client, As<op::OperatorService>(network, "operator", role));
  return Ask(client, method, request);
}

template <typename Request, typename Response>
absl::StatusOr<Response> AskFinance(const Network& network, const std::string& role,
                                    grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                                    const Request& request) {
  GUILDER_ASSIGN_OR_RETURN(const auto client,
                           As<v1::SettlementService>(network, "settlement", role));
  return Ask(client, method, request);
}

// The first one first.
absl::StatusOr<std::vector<v1::Window>> ListWindows(const Network& network) {
  std::vector<v1::Window> windows;
  v1::ListWindowsRequest request;
  request.set_page_size(1'000);
  do {
    GUILDER_ASSIGN_OR_RETURN(const v1::ListWindowsResponse page,
                             AskFinance(network, "finance", &Stub::ListWindows, request));
    windows.insert(windows.end(), page.windows().begin(), page.windows().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::reverse(windows.begin(), windows.end());
  return windows;
}

absl::StatusOr<v1::Settlement> GetSettlement(const Network& network, const std::string& name) {
  v1::GetSettlementRequest request;
  request.set_name(name);
  GUILDER_ASSIGN_OR_RETURN(const v1::GetSettlementResponse response,
                           AskFinance(network, "finance", &Stub::GetSettlement, request));
  return response.settlement();
}

absl::Status ComputeAndApprove(const Network& network) {
  const auto computed =
      AskFinance(network, "finance", &Stub::ComputeSettlement, v1::ComputeSettlementRequest());
  if (ReasonOf(computed.status()) == Reason::kNothingToSettle) return absl::OkStatus();
  GUILDER_RETURN_IF_ERROR(computed.status());
  v1::ApproveSettlementRequest request;
  request.set_name(computed->settlement().name());
  request.set_etag(computed->settlement().etag());
  const absl::Status approved =
      AskFinance(network, "finance_approver", &Stub::ApproveSettlement, request).status();
  // By an earlier attempt, whose answer was lost.
  return ReasonOf(approved) == Reason::kWrongState ? absl::OkStatus() : approved;
}

absl::Status ExportInto(const Network& network, const std::string& settlement, Settled& settled) {
  v1::ExportPaymentsRequest request;
  request.set_name(settlement);
  const auto exported = AskFinance(network, "finance", &Stub::ExportPayments, request);
  if (ReasonOf(exported.status()) == Reason::kNothingToSettle) return absl::OkStatus();
  GUILDER_RETURN_IF_ERROR(exported.status());
  settled.payment_file = exported->file();
  settled.payment_file_name = exported->file_name();
  settled.payments = exported->payments();
  settled.payments_minor_units += exported->total().minor_units();
  return absl::OkStatus();
}

absl::Status AddInvoices(const Network& network, const v1::Settlement& settlement,
                         Settled& settled) {
  for (const v1::PartnerNet& net : settlement.nets()) {
    v1::GetPartnerStatementRequest request;
    request.set_settlement(settlement.name());
    request.set_partner(net.partner());
    GUILDER_ASSIGN_OR_RETURN(const v1::GetPartnerStatementResponse statement,
                             AskFinance(network, "finance", &Stub::GetPartnerStatement, request));
    for (const v1::Invoice& invoice : statement.invoices()) {
      settled.invoices.push_back(invoice.name());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<op::Programme> ReadProgramme(const Network& network) {
  GUILDER_ASSIGN_OR_RETURN(
      const op::GetProgrammeResponse response,
      AskOperator(network, "admin", &OperatorStub::GetProgramme, op::GetProgrammeRequest()));
  return response.programme();
}

absl::Status AdvanceClockTo(const Network& network, Timestamp at) {
  GUILDER_ASSIGN_OR_RETURN(const auto client,
                           As<op::OperatorService>(network, "operator", "admin"));
  op::AdvanceClockRequest request;
  *request.mutable_until() = rpc::ToProto(at);
  // One attempt at a time: after one that went through unheard, the clock is past that instant.
  clients::RetryPolicy once = PatientPolicy();
  once.max_attempts = 1;
  return Patiently([&]() -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const op::Programme programme, ReadProgramme(network));
    if (rpc::FromProto(programme.clock()).value_or(Timestamp()) >= at) return absl::OkStatus();
    return client.Invoke(&OperatorStub::AdvanceClock, request, once).status();
  });
}

absl::StatusOr<int> SealEndedWindows(const Network& network) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<v1::Window> windows, ListWindows(network));
  int sealed = 0;
  for (const v1::Window& window : windows) {
    if (window.state() != v1::WINDOW_STATE_ENDED) continue;
    v1::CloseWindowRequest request;
    request.set_name(window.name());
    GUILDER_RETURN_IF_ERROR(AskFinance(network, "finance", &Stub::CloseWindow, request).status());
    ++sealed;
  }
  return sealed;
}

absl::StatusOr<Settled> Settle(const Network& network) {
  GUILDER_RETURN_IF_ERROR(SealEndedWindows(network).status());
  GUILDER_RETURN_IF_ERROR(
      AskFinance(network, "finance", &Stub::CloseWindow, v1::CloseWindowRequest()).status());
  GUILDER_RETURN_IF_ERROR(ComputeAndApprove(network));

  GUILDER_ASSIGN_OR_RETURN(const std::vector<v1::Window> windows, ListWindows(network));
  std::vector<std::string> names;
  for (const v1::Window& window : windows) {
    const std::string& name = window.settlement();
    if (!name.empty() && (names.empty() || names.back() != name)) names.push_back(name);
  }
  Settled settled;
  for (const std::string& name : names) {
    GUILDER_RETURN_IF_ERROR(ExportInto(network, name, settled));
    GUILDER_ASSIGN_OR_RETURN(v1::Settlement settlement, GetSettlement(network, name));
    GUILDER_RETURN_IF_ERROR(AddInvoices(network, settlement, settled));
    settled.settlements.push_back(std::move(settlement));
  }
  if (settled.settlements.empty()) return absl::InternalError("nothing was settled");
  return settled;
}

absl::StatusOr<op::VerifyLedgerResponse> VerifyLedger(
    const Network& network,
    const std::function<void(const op::VerifyLedgerResponse&)>& on_progress) {
  GUILDER_ASSIGN_OR_RETURN(const auto client,
                           As<op::OperatorService>(network, "operator", "auditor"));
  return Patiently([&]() -> absl::StatusOr<op::VerifyLedgerResponse> {
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Minutes(30));
    const auto reader = client.stub().VerifyLedger(&context, op::VerifyLedgerRequest());
    op::VerifyLedgerResponse last;
    while (reader->Read(&last)) on_progress(last);
    GUILDER_RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
    if (!last.done()) return absl::UnavailableError("the verification ended without a result");
    return last;
  });
}

absl::StatusOr<op::GetTrialBalanceResponse> ReadTrialBalance(const Network& network) {
  return AskOperator(network, "auditor", &OperatorStub::GetTrialBalance,
                     op::GetTrialBalanceRequest());
}

}  // namespace guilder::cli::demo
