// Returns: posted, previewed, or parked until their sale comes.
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/unwritten.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/reader.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_handlers.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/accrual/store/receipt_claim.h"

namespace guilder::accrual {
namespace {

std::string DescribeReturn(const v1::RecordReturnRequest& request) {
  std::string text = absl::StrCat(
      request.store(), ", return ", request.return_number(), ", ",
      FormatTimestamp(rpc::FromProto(request.occurred_at()).value_or(Timestamp(0))), ":");
  for (const v1::ReturnLine& line : request.lines()) {
    absl::StrAppend(&text, " ", line.sku().empty() ? line.line_id() : line.sku(), "×",
                    line.quantity(), ";");
  }
  return text;
}

}  // namespace

void AccrualHandlers::RecordReturn(const SharedCall& call, const v1::RecordReturnRequest& request,
                                   Done done) {
  const absl::StatusOr<Uuid> request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return done(request_id.status());
  const absl::StatusOr<std::string> slug = OwnSlug(*call);
  if (!slug.ok()) return done(slug.status());
  absl::StatusOr<Return> returned = FromProto(request, *slug);
  if (!returned.ok()) return done(returned.status());
  if (const absl::Status own = call->CheckActsIn(returned->store); !own.ok()) return done(own);
  OnWorker(std::move(done),
           [this, call, request, id = *request_id, slug = *slug, returned = *std::move(returned)](
               Done answer) { PostReturn(call, request, returned, slug, id, std::move(answer)); });
}

void AccrualHandlers::PostReturn(const SharedCall& call, const v1::RecordReturnRequest& request,
                                 Return returned, const std::string& slug, const Uuid& request_id,
                                 Done done) {
  const PartnerId partner = call->principal().partner;
  absl::StatusOr<Sale> sale = pool_.Read(
      [&](postgres::Transaction& tx) { return FindSaleOf(*call, tx, request, slug, partner); },
      call->deadline());
  const bool parks =
      !request.has_purchase() && ReasonOf(sale.status()) == Reason::kPurchaseNotFound;
  if (parks) return done(ParkReturn(*call, request, slug, request_id));
  if (!sale.ok()) return done(sale.status());
  const absl::TimeZone zone = ZoneOf(partner, returned.store);
  Submit(call,
         MakeReturnCommand(rows_, partner, request_id, *std::move(sale), std::move(returned), zone,
                           ReturnItem(request, partner, request_id)),
         std::move(done));
}

absl::TimeZone AccrualHandlers::ZoneOf(PartnerId partner, const std::string& store) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const seller = configuration->FindPartner(partner);
  if (seller == nullptr) return absl::UTCTimeZone();
  const auto found = seller->stores.find(store);
  return found == seller->stores.end() ? absl::UTCTimeZone() : found->second.time_zone;
}

ParkedItem AccrualHandlers::ReturnItem(const v1::RecordReturnRequest& request, PartnerId partner,
                                       const Uuid& request_id) const {
  ParkedItem item;
  item.partner = partner;
  item.request_id = request_id;
  item.content = DescribeReturn(request);
  item.kind = ParkedKind::kReturn;
  item.request = request.SerializeAsString();
  return item;
}

template <typename Request>
absl::StatusOr<Sale> AccrualHandlers::FindSaleOf(const rpc::Call& call, postgres::Transaction& tx,
                                                 const Request& request, const std::string& slug,
                                                 PartnerId partner) const {
  if (request.has_purchase()) return FindReadable(call, tx, request.purchase());
  if (!request.has_receipt()) return Refuse(Reason::kPurchaseNotFound);
  GUILDER_ASSIGN_OR_RETURN(const ReceiptKey receipt, FromProto(request.receipt(), slug));
  return FindSaleByReceipt(tx, partner, receipt);
}

absl::Status AccrualHandlers::ParkReturn(const rpc::Call& call,
                                         const v1::RecordReturnRequest& request,
                                         const std::string& slug, const Uuid& request_id) {
  ParkedItem item = ReturnItem(request, call.principal().partner, request_id);
  item.reason = ReasonName(Reason::kReturnParked);
  if (request.has_receipt()) {
    GUILDER_ASSIGN_OR_RETURN(const ReceiptKey receipt, FromProto(request.receipt(), slug));
    item.sale_claim = ReceiptClaim(item.partner, receipt);
  }
  if (const auto card = rpc::ParseCardNumber(request.card_number()); card.ok()) {
    item.account = cards_.Find(*card, call.deadline()).value_or(AccountId());
  }
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](postgres::Transaction& tx) {
        item.created_at = ledger::ReadProgrammeClock(tx, programme);
        ParkItems(tx, {item});
        return absl::OkStatus();
      },
      call.deadline()));
  if (item.sale_claim) waiting_.Expect();
  return Refuse(Reason::kReturnParked, {},
                {{"parked_item", ParkedItemName(item.partner, item.request_id)}});
}

absl::StatusOr<v1::PreviewReturnResponse> AccrualHandlers::PreviewReturn(
    const rpc::Call& call, const v1::PreviewReturnRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::string slug, OwnSlug(call));
  const auto configuration = lanes_.configuration();
  const PartnerId partner = call.principal().partner;
  v1::RecordReturnRequest asked;
  asked.set_store(request.store());
  *asked.mutable_lines() = request.lines();
  // A preview has no time of its own; any that is well formed passes the checks of a return.
  asked.mutable_occurred_at()->set_seconds(1);
  GUILDER_ASSIGN_OR_RETURN(const Return returned, FromProto(asked, slug));
  GUILDER_RETURN_IF_ERROR(call.CheckActsIn(returned.store));
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::PreviewReturnResponse> {
    GUILDER_ASSIGN_OR_RETURN(const Sale sale, FindSaleOf(call, tx, request, slug, partner));
    const ledger::Partner* const seller = configuration->FindPartner(partner);
    if (seller == nullptr || !seller->stores.contains(returned.store)) {
      return Refuse(Reason::kStoreNotFound);
    }
    GUILDER_ASSIGN_OR_RETURN(const auto rules, rule_books_.Read(tx, *configuration));
    GUILDER_ASSIGN_OR_RETURN(auto returns, ReadReturns(tx, {{sale.book, sale.number}}));
    const auto account = ledger::ReadAccountWithLots(tx, sale.account, FirstLotOfReturn(sale),
                                                     sale.recorded.purchase.redemption);
    if (!account) return Refuse(Reason::kPurchaseNotFound);
    if (!seller->MayTakeReturns(account->now)) return Refuse(Reason::kPartnerNotActive);
    // A copy, and a record that is never written.
    ledger::Posting posting(account->state, ledger::kUnwrittenRecord, account->now);
    posting.BringUpToNow();
    const SaleTerms terms = TermsOfSale(sale, *configuration, *rules);
    const TakenBack before = FoldReturns(sale, terms, returns[{sale.book, sale.number}]);
    GUILDER_ASSIGN_OR_RETURN(
        const ReturnOutcome outcome,
        DecideReturn(sale, returned, {terms, before, *configuration}, posting));
    v1::PreviewReturnResponse response;
    FillReturn(sale, outcome, *configuration, response);
    return response;
  });
}

}  // namespace guilder::accrual
