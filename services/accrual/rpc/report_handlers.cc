// Reports over recorded purchases: gaps in terminals' numbers, and top cards.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/domain/till_reports.h"
#include "services/accrual/rpc/accrual_handlers.h"
#include "services/accrual/rpc/earned_lots.h"
#include "services/accrual/store/funded_points.h"
#include "services/accrual/store/sales_in_order.h"

namespace guilder::accrual {
namespace {

constexpr int kTopCards = 3;
constexpr int kMostTopCards = 100;

absl::Status TooMany() {
  return Refuse(Reason::kRequestMalformed, "more than 1,000,000 purchases; ask for less time");
}

}  // namespace

template <typename Request>
absl::StatusOr<std::pair<Timestamp, Timestamp>> AccrualHandlers::RangeOf(
    const Request& request) const {
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  const std::optional<Timestamp> from = rpc::FromProto(request.from());
  std::optional<Timestamp> until = rpc::FromProto(request.until());
  if (!request.has_until()) {
    GUILDER_ASSIGN_OR_RETURN(
        until, pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<Timestamp> {
          return Timestamp(ledger::ReadProgrammeClock(tx, programme).value() + 1);
        }));
  }
  if (!request.has_from() || !from || !until) {
    return Refuse(Reason::kRequestMalformed, "from or until is missing or out of range");
  }
  return std::pair(*from, *until);
}

template <typename Request, typename Report>
absl::Status AccrualHandlers::AddSales(const rpc::Call& call, PartnerId partner,
                                       const Request& request, Report& report) {
  GUILDER_ASSIGN_OR_RETURN(const auto range, RangeOf(request));
  SalesInOrder sales(pool_, {partner}, range.first, range.second);
  for (int64_t count = 0;; ++count) {
    if (absl::Now() > call.deadline()) return Refuse(Reason::kDeadlineExceeded);
    if (count > kMostPurchasesOfReport) return TooMany();
    GUILDER_ASSIGN_OR_RETURN(const std::optional<Sale> sale, sales.Next());
    if (!sale) return absl::OkStatus();
    report.Add(*sale);
  }
}

absl::StatusOr<v1::ListSequenceGapsResponse> AccrualHandlers::ListSequenceGaps(
    const rpc::Call& call, const v1::ListSequenceGapsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, PartnerNamed(call, request.parent()));
  SequenceReport report;
  GUILDER_RETURN_IF_ERROR(AddSales(call, partner, request, report));
  v1::ListSequenceGapsResponse response;
  for (const auto& [till, numbers] : std::move(report).Finish()) {
    v1::TerminalSequence& out = *response.add_terminals();
    out.set_store(absl::StrCat(request.parent(), "/stores/", till.first));
    out.set_terminal(till.second);
    out.set_first(numbers.first);
    out.set_last(numbers.last);
    out.set_purchases(numbers.purchases);
    for (const NumberRange& missing : numbers.missing) {
      v1::SequenceGap& gap = *out.add_gaps();
      gap.set_first(missing.first);
      gap.set_last(missing.last);
    }
    for (const int64_t number : numbers.repeated) out.add_repeated_numbers(number);
    out.set_clock_offset_seconds(numbers.clock_offset_us / kMicrosPerSecond);
  }
  return response;
}

absl::StatusOr<v1::ListTopCardsResponse> AccrualHandlers::ListTopCards(
    const rpc::Call& call, const v1::ListTopCardsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, PartnerNamed(call, request.parent()));
  if (request.cards() < 0 || request.cards() > kMostTopCards) {
    return Refuse(Reason::kRequestMalformed, "cards is at most 100");
  }
  TopCardsReport report;
  GUILDER_RETURN_IF_ERROR(AddSales(call, partner, request, report));
  const int most = request.cards() == 0 ? kTopCards : request.cards();
  v1::ListTopCardsResponse response;
  for (const CardAtTill& card : std::move(report).Finish(static_cast<size_t>(most))) {
    v1::TopCard& out = *response.add_cards();
    out.set_store(absl::StrCat(request.parent(), "/stores/", card.store));
    out.set_terminal(card.terminal);
    out.set_cashier(card.cashier);
    out.set_card_number(absl::StrCat(card.card.value()));
    out.set_member(absl::StrCat("members/", card.account.value()));
    out.set_purchases(card.purchases);
    out.set_points(card.points.value());
    out.set_share_ppm(card.share_ppm);
  }
  return response;
}

absl::StatusOr<v1::ListFundedPointsResponse> AccrualHandlers::ListFundedPoints(
    const rpc::Call& call, const v1::ListFundedPointsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const PartnerId funder, PartnerNamed(call, request.parent()));
  GUILDER_ASSIGN_OR_RETURN(const auto range, RangeOf(request));
  const auto configuration = lanes_.configuration();
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<BookId> books,
      pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<BookId>> {
        return ReadBooks(tx, configuration->programme().id);
      }));
  std::map<std::string, v1::FundedStore> stores;
  int64_t left = kMostPurchasesOfReport;
  for (const BookId book : books) {
    if (absl::Now() > call.deadline()) return Refuse(Reason::kDeadlineExceeded);
    GUILDER_ASSIGN_OR_RETURN(
        const std::vector<FundedSale> sales, pool_.Read([&](postgres::Transaction& tx) {
          return ReadFundedSales(tx, funder, book, range.first, range.second, left + 1);
        }));
    left -= static_cast<int64_t>(sales.size());
    if (left < 0) return TooMany();
    for (const FundedSale& sale : sales) {
      const std::string name = absl::StrCat(PartnerName(configuration->FindPartner(sale.seller)),
                                            "/stores/", sale.store);
      v1::FundedStore& store = stores[name];
      store.set_store(name);
      store.set_purchases(store.purchases() + (sale.issued > Points(0) ? 1 : 0));
      store.set_issued_points(store.issued_points() + sale.issued.value());
      store.set_reversed_points(store.reversed_points() + sale.reversed.value());
    }
  }
  v1::ListFundedPointsResponse response;
  for (auto& [name, store] : stores) *response.add_stores() = std::move(store);
  return response;
}

}  // namespace guilder::accrual
