#include "services/accrual/rpc/accrual_handlers.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/explanations.h"
#include "services/accrual/rpc/purchase_proto.h"

namespace guilder::accrual {
void AccrualHandlers::Start() {
  const absl::StatusOr<bool> any = pool_.Read(
      [](postgres::Transaction& tx) -> absl::StatusOr<bool> { return AnyReturnWaits(tx); });
  waiting_.Start(any.value_or(true));
}

absl::StatusOr<std::string> AccrualHandlers::OwnSlug(const rpc::Call& call) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* partner = configuration->FindPartner(call.principal().partner);
  // Its credential proves that there is such a partner: what is in memory is older than it is.
  if (partner == nullptr) {
    return Refuse(Reason::kStoreUnavailable, "the partner is new; it is known in a moment");
  }
  return partner->slug;
}

std::string AccrualHandlers::SlugOf(PartnerId id) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* partner = configuration->FindPartner(id);
  return partner == nullptr ? absl::StrCat(id.value()) : partner->slug;
}

absl::StatusOr<PartnerId> AccrualHandlers::PartnerNamed(const rpc::Call& call,
                                                        std::string_view name) const {
  const auto parts = rpc::ParseName("partners/{}", name);
  const auto configuration = lanes_.configuration();
  const ledger::Partner* partner = parts ? configuration->FindPartner((*parts)[0]) : nullptr;
  if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner->id));
  return partner->id;
}

void AccrualHandlers::OnWorker(Done done, std::function<void(Done)> work) {
  const bool queued = workers_.TrySubmit([done, work = std::move(work)] { work(done); });
  if (!queued) done(Refuse(Reason::kQueueFull));
}

void AccrualHandlers::Submit(const SharedCall& call, std::unique_ptr<ledger::Command> command,
                             Done done) {
  command->deadline = call->deadline();
  lanes_.Submit(std::move(command), std::move(done));
}

void AccrualHandlers::RecordPurchase(const SharedCall& call,
                                     const v1::RecordPurchaseRequest& request, Done done) {
  const absl::StatusOr<Uuid> request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return done(request_id.status());
  const absl::StatusOr<std::string> slug = OwnSlug(*call);
  if (!slug.ok()) return done(slug.status());
  absl::StatusOr<Purchase> purchase = FromProto(request, *slug);
  if (!purchase.ok()) return done(purchase.status());
  if (const absl::Status own = call->CheckActsIn(purchase->receipt.store); !own.ok()) {
    return done(own);
  }
  std::optional<Quote> quote;
  if (!request.quote_token().empty()) {
    absl::StatusOr<Quote> opened =
        quotes_.Open(request.quote_token(), call->principal().partner, *purchase);
    if (!opened.ok()) return done(opened.status());
    quote = *std::move(opened);
  }
  std::optional<Timestamp> terminal_time;
  if (request.has_terminal_time()) {
    terminal_time = rpc::FromProto(request.terminal_time());
    if (!terminal_time) return done(Refuse(Reason::kRequestMalformed, "terminal_time"));
  }
  const CardNumber card = purchase->card;
  card_lookups_.Find(
      card, call->deadline(),
      [this, call, id = *request_id, purchase = *std::move(purchase), quote = std::move(quote),
       terminal_time, done = std::move(done)](absl::StatusOr<AccountId> account) mutable {
        if (!account.ok()) return done(account.status());
        Submit(call,
               MakePurchaseCommand(rows_, call->principal().partner, id, *account,
                                   std::move(purchase), std::move(quote), terminal_time),
               [this, done = std::move(done)](absl::StatusOr<ledger::Answer> answer) {
                 if (answer.ok()) waiting_.OnPurchase();
                 done(std::move(answer));
               });
      });
}

void AccrualHandlers::Confirm(const SharedCall& call, const v1::ConfirmPurchasesRequest& request,
                              Done done) {
  const absl::StatusOr<Uuid> request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return done(request_id.status());
  const bool confirmed = request.outcome() == v1::PURCHASE_OUTCOME_CONFIRMED;
  if (!confirmed && request.outcome() != v1::PURCHASE_OUTCOME_CANCELLED) {
    return done(Refuse(Reason::kRequestMalformed, "outcome"));
  }
  OnWorker(std::move(done), [this, call, id = *request_id, name = request.purchase(),
                             confirmed](Done answer) {
    absl::StatusOr<Sale> sale = pool_.Read(
        [&](postgres::Transaction& tx) { return FindReadable(*call, tx, name); }, call->deadline());
    if (!sale.ok()) return answer(sale.status());
    const absl::Status own = call->CheckActsIn(sale->recorded.purchase.receipt.store);
    if (!own.ok()) return answer(own);
    Submit(
        call,
        MakeConfirmationCommand(rows_, call->principal().partner, id, *std::move(sale), confirmed),
        std::move(answer));
  });
}

absl::StatusOr<Sale> AccrualHandlers::FindReadable(const rpc::Call& call, postgres::Transaction& tx,
                                                   std::string_view name) const {
  const std::optional<RecordId> id = ParseRecordName("purchases", name);
  if (!id) return Refuse(Reason::kPurchaseNotFound);
  GUILDER_ASSIGN_OR_RETURN(Sale sale, FindSale(tx, id->book, id->number));
  // Another partner's purchase is not told apart from none.
  if (!call.CheckActsFor(sale.partner).ok()) return Refuse(Reason::kPurchaseNotFound);
  return sale;
}

v1::Purchase AccrualHandlers::Shown(const rpc::Call& call, const Sale& sale,
                                    const std::vector<Return>& returns,
                                    const ledger::Configuration& configuration,
                                    const RuleBook& rules) const {
  const SaleTerms terms = TermsOfSale(sale, configuration, rules);
  v1::Purchase shown = ToProto(sale, FoldReturns(sale, terms, returns), SlugOf(sale.partner));
  shown.set_member(member_names_.Of(call.principal(), sale.account));
  return shown;
}

absl::StatusOr<v1::GetPurchaseResponse> AccrualHandlers::GetPurchase(
    const rpc::Call& call, const v1::GetPurchaseRequest& request) {
  const auto configuration = lanes_.configuration();
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::GetPurchaseResponse> {
    GUILDER_ASSIGN_OR_RETURN(const Sale sale, FindReadable(call, tx, request.name()));
    GUILDER_ASSIGN_OR_RETURN(auto returns, ReadReturns(tx, {{sale.book, sale.number}}));
    v1::GetPurchaseResponse response;
    GUILDER_ASSIGN_OR_RETURN(const auto book, rule_books_.Read(tx, *configuration));
    *response.mutable_purchase() =
        Shown(call, sale, returns[{sale.book, sale.number}], *configuration, *book);
    return response;
  });
}

absl::StatusOr<v1::ListPurchasesResponse> AccrualHandlers::ListPurchases(
    const rpc::Call& call, const v1::ListPurchasesRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, PartnerNamed(call, request.parent()));
  GUILDER_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("purchases ", partner.value());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  Decoder in(position);
  SalePosition after;
  if (!position.empty()) {
    after = {in.ReadQuantity<Timestamp>(), in.ReadId<BookId>(), in.ReadId<RecordNumber>()};
  }
  const auto configuration = lanes_.configuration();
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::ListPurchasesResponse> {
    GUILDER_ASSIGN_OR_RETURN(std::vector<Sale> sales, ListSales(tx, partner, after, size + 1));
    const bool more = sales.size() > static_cast<size_t>(size);
    if (more) sales.pop_back();
    std::vector<SaleId> ids;
    for (const Sale& sale : sales) ids.emplace_back(sale.book, sale.number);
    GUILDER_ASSIGN_OR_RETURN(auto returns, ReadReturns(tx, ids));
    GUILDER_ASSIGN_OR_RETURN(const auto book, rule_books_.Read(tx, *configuration));
    v1::ListPurchasesResponse response;
    for (const Sale& sale : sales) {
      *response.add_purchases() =
          Shown(call, sale, returns[{sale.book, sale.number}], *configuration, *book);
    }
    if (more) {
      const Sale& last = sales.back();
      response.set_next_page_token(page_tokens_.Make(
          list, Encoder().Quantity(last.posted_at).Id(last.book).Id(last.number).str()));
    }
    return response;
  });
}

absl::StatusOr<v1::ExplainPurchaseResponse> AccrualHandlers::ExplainPurchase(
    const rpc::Call& call, const v1::ExplainPurchaseRequest& request) {
  const auto configuration = lanes_.configuration();
  return pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<v1::ExplainPurchaseResponse> {
    GUILDER_ASSIGN_OR_RETURN(const Sale sale, FindReadable(call, tx, request.name()));
    GUILDER_ASSIGN_OR_RETURN(auto returns, ReadReturns(tx, {{sale.book, sale.number}}));
    GUILDER_ASSIGN_OR_RETURN(const auto book, rule_books_.Read(tx, *configuration));
    v1::ExplainPurchaseResponse response;
    *response.mutable_purchase() =
        Shown(call, sale, returns[{sale.book, sale.number}], *configuration, *book);
    const Reader reader{call.principal().partner, call.principal().IsOperator()};
    ExplainSale(sale, *configuration, *book, reader, response);
    return response;
  });
}

}  // namespace guilder::accrual
