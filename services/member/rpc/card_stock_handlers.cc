#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/claims.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/card_handlers.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

constexpr int kMostCardsOfBatch = 100'000;
constexpr int kMostClaimDays = 3'650;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

// "cardRanges/3" → 3. Nothing for what is no such name.
std::optional<int> ParseNumbered(std::string_view pattern, std::string_view name) {
  const auto parts = rpc::ParseNumberedName(pattern, name);
  if (!parts || (*parts)[0] > INT32_MAX) return std::nullopt;
  return static_cast<int>((*parts)[0]);
}

int64_t AfterOf(const std::string& position) {
  return position.empty() ? 0 : std::stoll(position);
}

}  // namespace

v1::CardRange CardHandlers::ToProto(const CardRangeRow& range) const {
  v1::CardRange proto;
  proto.set_name(absl::StrCat("cardRanges/", range.id));
  if (range.partner) {
    const auto configuration = lanes_.configuration();
    const ledger::Partner* const partner = configuration->FindPartner(*range.partner);
    if (partner != nullptr) proto.set_partner("partners/" + partner->slug);
  }
  proto.set_prefix(range.form.prefix);
  proto.set_digits(range.form.digits);
  proto.set_claim_days(range.claim_days);
  proto.set_numbers_left(SerialsOf(range.form) - range.next_serial);
  return proto;
}

v1::CardBatch CardHandlers::ToProto(const CardBatchRow& batch) const {
  v1::CardBatch proto;
  proto.set_name(absl::StrCat("cardBatches/", batch.id));
  proto.set_range(absl::StrCat("cardRanges/", batch.range));
  const auto configuration = lanes_.configuration();
  for (const PartnerId id : configuration->partner_ids()) {
    const ledger::Partner& partner = *configuration->FindPartner(id);
    for (const auto& [code, store] : partner.stores) {
      if (store.id == batch.store) {
        proto.set_store(absl::StrCat("partners/", partner.slug, "/stores/", code));
      }
    }
  }
  proto.set_count(batch.count);
  *proto.mutable_create_time() = rpc::ToProto(batch.created_at);
  proto.set_activated(batch.activated);
  return proto;
}

absl::StatusOr<v1::CreateCardRangeResponse> CardHandlers::CreateCardRange(
    const rpc::Call& call, const v1::CreateCardRangeRequest& request) {
  CardRangeRow range;
  range.form = {request.range().prefix(), request.range().digits()};
  GUILDER_RETURN_IF_ERROR(CheckForm(range.form));
  range.claim_days = request.range().claim_days();
  if (range.claim_days < 0 || range.claim_days > kMostClaimDays) {
    return Malformed("range.claim_days");
  }
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  if (!request.range().partner().empty()) {
    const auto parts = rpc::ParseName("partners/{}", request.range().partner());
    const auto configuration = lanes_.configuration();
    const ledger::Partner* const partner =
        parts ? configuration->FindPartner(std::string_view((*parts)[0])) : nullptr;
    if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
    range.partner = partner->id;
  }
  v1::CreateCardRangeResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      const CardRangeRow made,
      rpc::RunAudited(
          pool_, call, "CardService/CreateCardRange", "cardRanges", &request,
          [&](Transaction& tx) { return CreateRange(tx, range, DoingOf(call, tx, request_id)); }));
  *response.mutable_range() = ToProto(made);
  return response;
}

absl::StatusOr<v1::ListCardRangesResponse> CardHandlers::ListCardRanges(
    const rpc::Call& call, const v1::ListCardRangesRequest& request) {
  constexpr char kList[] = "card-ranges";
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  v1::ListCardRangesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        auto ranges = ReadRanges(tx, static_cast<int>(AfterOf(position)), page_size + 1);
        if (ranges.size() > static_cast<size_t>(page_size)) {
          ranges.pop_back();
          response.set_next_page_token(page_tokens_.Make(kList, absl::StrCat(ranges.back().id)));
        }
        for (const CardRangeRow& range : ranges) *response.add_ranges() = ToProto(range);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::CreateCardBatchResponse> CardHandlers::CreateCardBatch(
    const rpc::Call& call, const v1::CreateCardBatchRequest& request) {
  CardBatchRow batch;
  batch.count = request.batch().count();
  if (batch.count < 1 || batch.count > kMostCardsOfBatch) return Malformed("batch.count");
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  const auto range = ParseNumbered("cardRanges/{}", request.batch().range());
  if (!range) return Refuse(Reason::kNameNotFound);
  batch.range = *range;
  const auto parts = rpc::ParseName("partners/{}/stores/{}", request.batch().store());
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const partner =
      parts ? configuration->FindPartner(std::string_view((*parts)[0])) : nullptr;
  if (partner == nullptr) return Refuse(Reason::kStoreNotFound);
  const auto store = partner->stores.find((*parts)[1]);
  if (store == partner->stores.end()) return Refuse(Reason::kStoreNotFound);
  batch.store = store->second.id;
  v1::CreateCardBatchResponse response;
  GUILDER_ASSIGN_OR_RETURN(const CardBatchRow made,
                           rpc::RunAudited(pool_, call, "CardService/CreateCardBatch",
                                           request.batch().range(), &request, [&](Transaction& tx) {
                                             return CreateBatch(tx, batch, partner->id,
                                                                DoingOf(call, tx, request_id));
                                           }));
  *response.mutable_batch() = ToProto(made);
  return response;
}

absl::StatusOr<v1::ListCardBatchesResponse> CardHandlers::ListCardBatches(
    const rpc::Call& call, const v1::ListCardBatchesRequest& request) {
  constexpr char kList[] = "card-batches";
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  v1::ListCardBatchesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        auto batches = ReadBatches(tx, static_cast<int>(AfterOf(position)), page_size + 1);
        if (batches.size() > static_cast<size_t>(page_size)) {
          batches.pop_back();
          response.set_next_page_token(page_tokens_.Make(kList, absl::StrCat(batches.back().id)));
        }
        for (const CardBatchRow& batch : batches) *response.add_batches() = ToProto(batch);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ListBatchCardsResponse> CardHandlers::ListBatchCards(
    const rpc::Call& call, const v1::ListBatchCardsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("batch-cards/", request.parent());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  const auto batch = ParseNumbered("cardBatches/{}", request.parent());
  if (!batch) return Refuse(Reason::kNameNotFound);
  v1::ListBatchCardsResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(
            auto cards, ReadStock(tx, *batch, CardNumber(AfterOf(position)), page_size + 1));
        if (cards.size() > static_cast<size_t>(page_size)) {
          cards.pop_back();
          response.set_next_page_token(
              page_tokens_.Make(list, absl::StrCat(cards.back().number.value())));
        }
        for (const StockCard& card : cards) {
          v1::BatchCard& out = *response.add_cards();
          out.set_number(absl::StrCat(card.number.value()));
          out.set_activated(card.activated);
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

}  // namespace guilder::member
