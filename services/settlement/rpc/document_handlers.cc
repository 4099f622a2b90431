#include "services/settlement/rpc/document_handlers.h"

#include <algorithm>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/message_json.h"
#include "libs/security/secrets.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/domain/report_document.h"
#include "services/settlement/domain/statement_document.h"
#include "services/settlement/rpc/invoice_proto.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/rpc/statement.h"
#include "services/settlement/rpc/view.h"
#include "services/settlement/store/documents.h"
#include "services/settlement/store/lots.h"
#include "services/settlement/store/obligations.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

std::string OperatorName(Transaction& transaction) {
  const absl::StatusOr<PartnerFacts> house = FindOperatorPartner(transaction);
  return house.ok() ? house->legal_name : "the operator";
}

absl::StatusOr<Statement> LoadStatementDocument(Transaction& transaction, const rpc::Call& call,
                                                SettlementId id, const std::string& slug) {
  LockForReading(transaction);
  Statement statement;
  GUILDER_ASSIGN_OR_RETURN(statement.settlement, FindSettlement(transaction, id));
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, FindPartner(transaction, slug));
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  statement.currency_exponent = programme.ExponentOf(statement.settlement.currency);
  statement.time_zone = programme.time_zone;
  statement.operator_name = OperatorName(transaction);
  const SettlementView view = LoadView(transaction, statement.settlement, partner);
  statement.partner_slug = slug;
  statement.partner_name = view.directory.partners.at(partner).legal_name;
  statement.net.partner = partner;
  if (!view.nets.empty()) statement.net = view.nets.front();
  if (statement.settlement.state != State::kComputed) {
    statement.balance = ReadStatementBalance(transaction, statement.settlement, partner);
  }
  for (const Line& line : view.lines) {
    const ContractFacts& contract = view.directory.contracts.at(line.bill.contract);
    statement.lines.push_back(
        {line, ContractName(slug, contract.number),
         LineText(line, view.lines, contract.terms, statement.settlement.currency,
                  statement.currency_exponent)});
  }
  for (const Invoice& invoice : ReadDocuments(transaction, statement.settlement, partner)) {
    statement.invoices.push_back({invoice.number, std::string(InvoiceKindName(invoice.kind)),
                                  invoice.credited, invoice.net, invoice.tax});
  }
  return statement;
}

// All local days of [start, end), those on which nothing moved, too.
std::vector<ReportDay> AllDays(const std::vector<ReportDay>& moved, Timestamp start, Timestamp end,
                               const absl::TimeZone& zone) {
  const auto day_of = [&](Timestamp at) { return absl::ToCivilDay(ToAbslTime(at), zone); };
  std::map<absl::CivilDay, ReportDay> days;
  const absl::CivilDay last = day_of(end - Timestamp(1));
  for (absl::CivilDay day = day_of(start); day <= last; ++day) {
    days[day].start = FromAbslTime(absl::FromCivil(day, zone));
  }
  for (const ReportDay& part : moved) {
    ReportDay& day = days[day_of(part.start)];
    day.start = FromAbslTime(absl::FromCivil(day_of(part.start), zone));
    day.issued += part.issued;
    day.redeemed += part.redeemed;
  }
  std::vector<ReportDay> all;
  for (const auto& [date, day] : days) all.push_back(day);
  return all;
}

// What members had at the end, by who issued it and how long ago. What they owe does not count.
std::vector<ReportIssuer> OutstandingOf(const std::vector<OutstandingPoints>& outstanding,
                                        const Directory& directory, const Currency& currency,
                                        Timestamp end) {
  std::map<std::string, ReportIssuer> issuers;
  for (const OutstandingPoints& points : outstanding) {
    const auto contract = directory.contracts.find(points.contract);
    if (contract == directory.contracts.end() || contract->second.currency != currency) continue;
    const std::string& slug = directory.SlugOf(contract->second.terms.partner);
    ReportIssuer& issuer = issuers[slug];
    issuer.slug = slug;
    issuer.by_age[AgeOf(points.issued_day, end)] += points.points;
  }
  std::vector<ReportIssuer> sorted;
  for (auto& [slug, issuer] : issuers) sorted.push_back(std::move(issuer));
  return sorted;
}

absl::StatusOr<Report> LoadReport(Transaction& transaction, SettlementId id) {
  LockForReading(transaction);
  GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, id));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  Report report;
  report.settlement = settlement;
  report.currency_exponent = programme.ExponentOf(report.settlement.currency);
  report.time_zone = programme.time_zone;
  report.operator_name = OperatorName(transaction);
  const SettlementView view = LoadView(transaction, std::move(settlement));
  std::map<PartnerId, std::string> states;
  for (const StoredObligation& obligation : ReadObligations(transaction, id)) {
    states[obligation.debt.partner] = ObligationStateName(obligation.status.state);
  }
  for (const Net& net : view.nets) {
    const PartnerFacts& facts = view.directory.partners.at(net.partner);
    report.partners.push_back({facts.slug, facts.legal_name, net, states[net.partner]});
  }
  report.days = AllDays(ReadDays(transaction, id), report.settlement.start, report.settlement.end,
                        programme.time_zone);
  report.outstanding =
      OutstandingOf(ReadOutstandingByDay(transaction, report.settlement.end), view.directory,
                    report.settlement.currency, report.settlement.end);
  return report;
}

std::string ToJsonText(const google::protobuf::Message& message) {
  return rpc::ToJson(message).dump(2) + "\n";
}

}  // namespace

DocumentHandlers::DocumentHandlers(postgres::Pool& pool, const security::Secrets& secrets)
    : pool_(pool), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::ListInvoicesResponse> DocumentHandlers::ListInvoices(
    const rpc::Call& call, const v1::ListInvoicesRequest& request) {
  const std::string list = absl::StrCat("invoices/", request.settlement(), "/", request.partner());
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  InvoiceFilter filter;
  if (!request.settlement().empty()) {
    filter.settlement = ParseSettlementName(request.settlement());
    if (!filter.settlement) return Refuse(Reason::kSettlementNotFound);
  }
  if (call.principal().IsPartner()) filter.partner = call.principal().partner;
  v1::ListInvoicesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        if (!request.partner().empty()) {
          const auto parts = rpc::ParseName("partners/{}", request.partner());
          if (!parts) return Refuse(Reason::kPartnerNotFound);
          GUILDER_ASSIGN_OR_RETURN(filter.partner, FindPartner(transaction, parts->front()));
          GUILDER_RETURN_IF_ERROR(call.CheckActsFor(*filter.partner));
        }
        const std::vector<std::string> numbers =
            ListInvoiceNumbers(transaction, filter, after, page_size + 1);
        const size_t count = std::min(numbers.size(), static_cast<size_t>(page_size));
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        for (size_t i = 0; i < count; ++i) {
          std::optional<Invoice> invoice = FindInvoice(transaction, numbers[i]);
          *response.add_invoices() =
              ToProto(LoadDocument(transaction, programme, *std::move(invoice)));
        }
        if (numbers.size() > count) {
          response.set_next_page_token(page_tokens_.Make(list, numbers[count - 1]));
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::RenderStatementResponse> DocumentHandlers::RenderStatement(
    const rpc::Call& call, const v1::RenderStatementRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.settlement());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  const auto parts = rpc::ParseName("partners/{}", request.partner());
  const std::string slug = parts ? parts->front() : std::string();
  const std::string stem = absl::StrCat("statement-", id->value(), "-", slug);
  v1::RenderStatementResponse response;
  if (request.format() == v1::STATEMENT_FORMAT_JSON) {
    GUILDER_ASSIGN_OR_RETURN(
        const v1::GetPartnerStatementResponse statement,
        pool_.Read(
            [&](Transaction& transaction) { return LoadStatement(transaction, call, *id, slug); },
            call.deadline()));
    response.set_content(ToJsonText(statement));
    response.set_content_type("application/json");
    response.set_file_name(stem + ".json");
    return response;
  }
  if (request.format() != v1::STATEMENT_FORMAT_CSV &&
      request.format() != v1::STATEMENT_FORMAT_HTML) {
    return Refuse(Reason::kRequestMalformed, "the format is not stated");
  }
  GUILDER_ASSIGN_OR_RETURN(const Statement statement, pool_.Read(
                                                          [&](Transaction& transaction) {
                                                            return LoadStatementDocument(
                                                                transaction, call, *id, slug);
                                                          },
                                                          call.deadline()));
  const bool html = request.format() == v1::STATEMENT_FORMAT_HTML;
  response.set_content(html ? StatementHtml(statement) : StatementCsv(statement));
  response.set_content_type(html ? "text/html; charset=utf-8" : "text/csv; charset=utf-8");
  response.set_file_name(stem + (html ? ".html" : ".csv"));
  return response;
}

absl::StatusOr<v1::RenderInvoiceResponse> DocumentHandlers::RenderInvoice(
    const rpc::Call& call, const v1::RenderInvoiceRequest& request) {
  const auto parts = rpc::ParseName("invoices/{}", request.name());
  if (!parts) return Refuse(Reason::kInvoiceNotFound);
  GUILDER_ASSIGN_OR_RETURN(
      const InvoiceDocument document,
      pool_.Read(
          [&](Transaction& transaction) -> absl::StatusOr<InvoiceDocument> {
            std::optional<Invoice> invoice = FindInvoice(transaction, parts->front());
            if (!invoice) return Refuse(Reason::kInvoiceNotFound);
            if (request.format() != v1::INVOICE_FORMAT_JSON &&
                request.format() != v1::INVOICE_FORMAT_HTML) {
              return Refuse(Reason::kRequestMalformed, "the format is not stated");
            }
            GUILDER_RETURN_IF_ERROR(call.CheckActsFor(invoice->partner));
            GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
            return LoadDocument(transaction, programme, *std::move(invoice));
          },
          call.deadline()));
  const bool html = request.format() == v1::INVOICE_FORMAT_HTML;
  v1::RenderInvoiceResponse response;
  response.set_content(html ? InvoiceHtml(document) : ToJsonText(ToProto(document)));
  response.set_content_type(html ? "text/html; charset=utf-8" : "application/json");
  response.set_file_name(absl::StrCat(document.invoice.number, html ? ".html" : ".json"));
  return response;
}

absl::StatusOr<v1::RenderSettlementReportResponse> DocumentHandlers::RenderSettlementReport(
    const rpc::Call& call, const v1::RenderSettlementReportRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.name());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  GUILDER_ASSIGN_OR_RETURN(
      const Report report,
      pool_.Read([&](Transaction& transaction) { return LoadReport(transaction, *id); },
                 call.deadline()));
  v1::RenderSettlementReportResponse response;
  response.set_content(ReportHtml(report));
  response.set_content_type("text/html; charset=utf-8");
  response.set_file_name(absl::StrCat("settlement-", id->value(), ".html"));
  return response;
}

}  // namespace guilder::settlement
