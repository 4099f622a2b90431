// Answers the calls of guilder.member.v1.CardService.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/card_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/store/cards.h"
#include "services/member/store/lapses.h"

namespace guilder::member {

// Thread safe. Blocks on the database and on lanes: it runs on the runtime's workers.
class CardHandlers {
 public:
  // The view outlives it.
  CardHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  // card_stock_handlers.cc: ranges and batches.
  absl::StatusOr<v1::CreateCardRangeResponse> CreateCardRange(
      const rpc::Call& call, const v1::CreateCardRangeRequest& request);
  absl::StatusOr<v1::ListCardRangesResponse> ListCardRanges(
      const rpc::Call& call, const v1::ListCardRangesRequest& request);
  absl::StatusOr<v1::CreateCardBatchResponse> CreateCardBatch(
      const rpc::Call& call, const v1::CreateCardBatchRequest& request);
  absl::StatusOr<v1::ListCardBatchesResponse> ListCardBatches(
      const rpc::Call& call, const v1::ListCardBatchesRequest& request);
  absl::StatusOr<v1::ListBatchCardsResponse> ListBatchCards(
      const rpc::Call& call, const v1::ListBatchCardsRequest& request);

  // card_handlers.cc: single cards.
  absl::StatusOr<v1::GetCardResponse> GetCard(const rpc::Call& call,
                                              const v1::GetCardRequest& request);
  absl::StatusOr<v1::ActivateCardResponse> ActivateCard(const rpc::Call& call,
                                                        const v1::ActivateCardRequest& request);
  absl::StatusOr<v1::ReplaceCardResponse> ReplaceCard(const rpc::Call& call,
                                                      const v1::ReplaceCardRequest& request);
  absl::StatusOr<v1::LapseUnclaimedCardsResponse> LapseUnclaimedCards(
      const rpc::Call& call, const v1::LapseUnclaimedCardsRequest& request);

 private:
  Doing DoingOf(const rpc::Call& call, postgres::Transaction& transaction,
                const Uuid& request = {}) const;
  v1::CardRange ToProto(const CardRangeRow& range) const;
  v1::CardBatch ToProto(const CardBatchRow& batch) const;
  // The points that lapsed.
  absl::StatusOr<Points> Lapse(AccountId account, absl::Time deadline);

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const MemberView& view_;
  const rpc::PageTokens page_tokens_;
  LapseRows lapse_rows_;
};

}  // namespace guilder::member
