#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/liability.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_handlers.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/liability.h"
#include "services/settlement/store/lots.h"
#include "services/settlement/store/windows.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

// The contracts of all partners that have issued.
Directory LoadIssuers(Transaction& transaction, const std::vector<LiabilityLine>& lines) {
  std::vector<ContractId> contracts;
  for (const LiabilityLine& line : lines) contracts.push_back(line.contract);
  return LoadDirectory(transaction, FindPartnersOf(transaction, contracts));
}

void AddLines(const std::vector<LiabilityLine>& lines, const Directory& directory,
              v1::GetLiabilityResponse& response) {
  int64_t closing = 0;
  for (const LiabilityLine& line : lines) {
    const ContractFacts& contract = directory.contracts.at(line.contract);
    const std::string& slug = directory.SlugOf(contract.terms.partner);
    v1::LiabilityLine* const out = response.add_lines();
    out->set_partner(PartnerName(slug));
    out->set_contract(ContractName(slug, contract.number));
    out->set_issued_in(WindowName(line.issued_window));
    if (line.expiry_month != 0) {
      out->set_expiry_month(
          absl::StrFormat("%04d-%02d", line.expiry_month / 100, line.expiry_month % 100));
    }
    out->set_opening_points(line.opening.value());
    out->set_issued_points(line.issued.value());
    out->set_reversed_points(line.reversed.value());
    out->set_redeemed_points(line.redeemed.value());
    out->set_expired_points(line.expired.value());
    out->set_adjusted_points(line.adjusted.value());
    out->set_closing_points(line.closing.value());
    closing += line.closing.value();
  }
  response.set_closing_points(closing);
}

absl::Status AddDeferred(Transaction& transaction, const std::vector<LiabilityLine>& lines,
                         const Directory& directory, const Programme& programme, Timestamp end,
                         v1::GetLiabilityResponse& response) {
  std::map<ContractId, Points> outstanding;
  for (const LiabilityLine& line : lines) outstanding[line.contract] += line.closing;
  const std::map<ContractId, Points> pending = ReadPending(transaction, end);
  std::map<std::string, v1::LiabilityTotal> totals;
  for (const auto& [id, points] : outstanding) {
    const ContractFacts& contract = directory.contracts.at(id);
    const auto waiting = pending.find(id);
    const Points not_billed = waiting == pending.end() ? Points() : waiting->second;
    v1::DeferredMoney* const out = response.add_deferred();
    out->set_contract(ContractName(directory.SlugOf(contract.terms.partner), contract.number));
    out->set_closing_points(points.value());
    if (contract.terms.billed_at == netting::BilledAt::kActivation) {
      out->set_pending_points(not_billed.value());
    }
    GUILDER_ASSIGN_OR_RETURN(
        const MinorUnits money,
        DeferredMoney(contract.terms, points, not_billed, programme.ExponentOf(contract.currency)));
    out->set_deferred_minor_units(money.value());
    out->set_currency_code(FormatCurrency(contract.currency));
    v1::LiabilityTotal& total = totals[out->currency_code()];
    total.set_currency_code(out->currency_code());
    total.set_closing_points(total.closing_points() + points.value());
    total.set_deferred_minor_units(total.deferred_minor_units() + money.value());
  }
  for (auto& [currency, total] : totals) *response.add_totals() = std::move(total);
  return absl::OkStatus();
}

absl::StatusOr<v1::GetLiabilityResponse> LoadLiability(Transaction& transaction,
                                                       std::optional<Timestamp> window) {
  if (!window) window = FindLastSealed(transaction);
  if (!window) return Refuse(Reason::kWindowNotSealed, "no window was sealed yet");
  GUILDER_ASSIGN_OR_RETURN(const WindowFacts facts, FindWindow(transaction, *window));
  if (!IsSealed(facts.state)) {
    return Refuse(Reason::kWindowNotSealed);
  }
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  const std::vector<LiabilityLine> lines =
      RollForward(ReadLotPoints(transaction, facts.window.start, facts.window.end));
  const Directory directory = LoadIssuers(transaction, lines);
  v1::GetLiabilityResponse response;
  response.set_window(WindowName(facts.window.start));
  AddLines(lines, directory, response);
  GUILDER_RETURN_IF_ERROR(
      AddDeferred(transaction, lines, directory, programme, facts.window.end, response));
  response.set_ledger_points(ReadOutstanding(transaction, facts.window.end).value());
  return response;
}

}  // namespace

absl::StatusOr<v1::GetLiabilityResponse> SettlementHandlers::GetLiability(
    const rpc::Call& call, const v1::GetLiabilityRequest& request) {
  std::optional<Timestamp> window;
  if (!request.window().empty()) {
    window = ParseWindowName(request.window());
    if (!window) return Refuse(Reason::kWindowNotFound);
  }
  GUILDER_RETURN_IF_ERROR(AttributeLots(pool_));
  return pool_.Read([&](Transaction& transaction) { return LoadLiability(transaction, window); },
                    call.deadline());
}

}  // namespace guilder::settlement
