// Answers the calls of guilder.accrual.v1.AccrualService: translates, asks, translates.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/reader.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/card_lookups.h"
#include "libs/rpc/member_names.h"
#include "libs/rpc/names.h"
#include "libs/rpc/worker_pool.h"
#include "services/accrual/domain/earning.h"
#include "services/accrual/rpc/commands.h"
#include "services/accrual/rpc/waiting_returns.h"
#include "services/accrual/store/sales.h"

namespace guilder::accrual {

// Thread safe. What it is made of outlives it.
class AccrualHandlers {
 public:
  using SharedCall = std::shared_ptr<const rpc::Call>;
  using Done = ledger::Lanes::Done;

  AccrualHandlers(ledger::Lanes& lanes, ledger::CardDirectory& cards, postgres::Pool& pool,
                  rpc::WorkerPool& workers, std::string page_token_key, std::string quote_key,
                  const security::Secrets& secrets)
      : lanes_(lanes),
        cards_(cards),
        pool_(pool),
        workers_(workers),
        card_lookups_(cards, workers),
        page_tokens_(std::move(page_token_key)),
        quotes_(std::move(quote_key)),
        member_names_(secrets),
        member_data_(secrets.member_keys()),
        rows_(member_data_),
        waiting_([this] { return PostDueReturns(); }) {}

  // Begins to post returns whose sale comes later. Reads once.
  void Start();

  // Writes: never block, and answer by `done` when the command is posted or refused.
  void RecordPurchase(const SharedCall& call, const v1::RecordPurchaseRequest& request, Done done);
  void Confirm(const SharedCall& call, const v1::ConfirmPurchasesRequest& request, Done done);
  void RecordReturn(const SharedCall& call, const v1::RecordReturnRequest& request, Done done);

  // Reads, and writes that move no value: block on the database, so they run on the workers.
  absl::StatusOr<v1::QuotePurchaseResponse> QuotePurchase(const rpc::Call& call,
                                                          const v1::QuotePurchaseRequest& request);
  absl::StatusOr<v1::PreviewReturnResponse> PreviewReturn(const rpc::Call& call,
                                                          const v1::PreviewReturnRequest& request);
  absl::StatusOr<v1::ListSequenceGapsResponse> ListSequenceGaps(
      const rpc::Call& call, const v1::ListSequenceGapsRequest& request);
  absl::StatusOr<v1::ListTopCardsResponse> ListTopCards(const rpc::Call& call,
                                                        const v1::ListTopCardsRequest& request);
  absl::StatusOr<v1::ListFundedPointsResponse> ListFundedPoints(
      const rpc::Call& call, const v1::ListFundedPointsRequest& request);
  absl::StatusOr<v1::GetPurchaseResponse> GetPurchase(const rpc::Call& call,
                                                      const v1::GetPurchaseRequest& request);
  absl::StatusOr<v1::ListPurchasesResponse> ListPurchases(const rpc::Call& call,
                                                          const v1::ListPurchasesRequest& request);
  absl::StatusOr<v1::ExplainPurchaseResponse> ExplainPurchase(
      const rpc::Call& call, const v1::ExplainPurchaseRequest& request);
  absl::StatusOr<v1::ListParkedItemsResponse> ListParkedItems(
      const rpc::Call& call, const v1::ListParkedItemsRequest& request);
  absl::StatusOr<v1::ResolveParkedItemResponse> ResolveParkedItem(
      const rpc::Call& call, const v1::ResolveParkedItemRequest& request);
  absl::StatusOr<v1::ApproveParkedReturnResponse> ApproveParkedReturn(
      const rpc::Call& call, const v1::ApproveParkedReturnRequest& request);
  absl::StatusOr<v1::RejectParkedReturnResponse> RejectParkedReturn(
      const rpc::Call& call, const v1::RejectParkedReturnRequest& request);

 private:
  // The slug of the calling partner. kPartnerNotFound when it is not configured (any more).
  absl::StatusOr<std::string> OwnSlug(const rpc::Call& call) const;
  std::string SlugOf(PartnerId partner) const;
  absl::StatusOr<PartnerId> PartnerNamed(const rpc::Call& call, std::string_view name) const;

  // Runs on a worker what has to read before it can be posted; a full queue is kQueueFull.
  void OnWorker(Done done, std::function<void(Done)> work);
  void Submit(const SharedCall& call, std::unique_ptr<ledger::Command> command, Done done);
  void PostReturn(const SharedCall& call, const v1::RecordReturnRequest& request, Return returned,
                  const std::string& slug, const Uuid& request_id, Done done);
  // A return's item as it is parked, but for reason and time.
  ParkedItem ReturnItem(const v1::RecordReturnRequest& request, PartnerId partner,
                        const Uuid& request_id) const;
  // The zone of a partner's store; UTC where there is none.
  absl::TimeZone ZoneOf(PartnerId partner, const std::string& store) const;
  // Names the sale of a parked return that names none.
  absl::StatusOr<v1::ResolveParkedItemResponse> ProposeReturn(
      const rpc::Call& call, const v1::ResolveParkedItemRequest& request, const ParkedItem& item);
  absl::Status ParkReturn(const rpc::Call& call, const v1::RecordReturnRequest& request,
                          const std::string& slug, const Uuid& request_id);
  // The sale that a return or a preview names.
  template <typename Request>
  absl::StatusOr<Sale> FindSaleOf(const rpc::Call& call, postgres::Transaction& tx,
                                  const Request& request, const std::string& slug,
                                  PartnerId partner) const;

  // What a parked item asked for, posted in its partner's name. Blocks.
  absl::StatusOr<ledger::Answer> PostParked(const ParkedItem& item, absl::Time deadline);
  absl::StatusOr<std::unique_ptr<ledger::Command>> CommandOf(const ParkedItem& item,
                                                             absl::Time deadline);
  // "returns/{id}", as which the return of a resolved item was posted. Error: kWrongState, it was
  // not.
  absl::StatusOr<std::string> FindPostedReturn(const ParkedItem& item, absl::Time deadline);
  // Posts returns whose sale has come, and closes those that waited too long. Gives whether any
  // waits still.
  absl::StatusOr<bool> PostDueReturns();

  // The range of posted time that a report's request states: until now, where it states no end.
  template <typename Request>
  absl::StatusOr<std::pair<Timestamp, Timestamp>> RangeOf(const Request& request) const;
  // Adds a partner's purchases, posted in the range that the request states, to a report.
  template <typename Request, typename Report>
  absl::Status AddSales(const rpc::Call& call, PartnerId partner, const Request& request,
                        Report& report);

  v1::Purchase Shown(const rpc::Call& call, const Sale& sale, const std::vector<Return>& returns,
                     const ledger::Configuration& configuration, const RuleBook& rules) const;

  absl::StatusOr<v1::QuotePurchaseResponse> AnswerQuote(
      const ledger::Configuration& configuration, PartnerId partner, const Purchase& purchase,
      const ledger::AccountAsOfNow& account, const ledger::CardView& card,
      const EarningTerms& terms, std::vector<ledger::ExhaustedLimit> left) const;

  // A sale that the caller may see.
  absl::StatusOr<Sale> FindReadable(const rpc::Call& call, postgres::Transaction& tx,
                                    std::string_view name) const;

  ledger::Lanes& lanes_;
  ledger::CardDirectory& cards_;
  postgres::Pool& pool_;
  rpc::WorkerPool& workers_;
  rpc::CardLookups card_lookups_;
  const rpc::PageTokens page_tokens_;
  const QuoteSealer quotes_;
  const rpc::MemberNames member_names_;
  const security::MemberDataReader member_data_;
  AccrualRows rows_;
  mutable RuleBookReader rule_books_;
  // Last: its thread uses all of the above.
  WaitingReturns waiting_;
};

}  // namespace guilder::accrual
