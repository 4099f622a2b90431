#include "services/redemption/rpc/reward_handlers.h"

#include <algorithm>
#include <utility>

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/limits.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/security/secrets.h"

namespace guilder::redemption {
namespace {

using postgres::Transaction;

constexpr uint64_t kCreate = 1;
constexpr uint64_t kUpdate = 2;

absl::Status CheckStock(int64_t stock, bool limited) {
  if (stock >= 0 && stock <= kMaxStock && (limited || stock == 0)) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, "stock", {{"field", "stock"}});
}

Digest FingerprintOf(const v1::CreateRewardRequest& request) {
  Encoder encoder;
  encoder.Unsigned(kCreate)
      .Bytes(request.reward_id())
      .Signed(request.stock())
      .Bytes(EncodeReward(request.reward()));
  return Sha256({encoder.str()});
}

Digest FingerprintOf(const v1::UpdateRewardRequest& request) {
  Encoder encoder;
  encoder.Unsigned(kUpdate).Signed(request.stock_change()).Bytes(EncodeReward(request.reward()));
  for (const std::string& path : request.update_mask().paths()) encoder.Bytes(path);
  return Sha256({encoder.str()});
}

// Whether the request was made before; refuses one that is not the same.
absl::StatusOr<bool> WasMade(Transaction& tx, const RewardChange& change) {
  const auto made = FindChange(tx, change.request_id);
  if (!made) return false;
  if (made->fingerprint != change.fingerprint) return Refuse(Reason::kRequestIdReused);
  return true;
}

absl::StatusOr<RewardRow> Found(std::optional<RewardRow> row) {
  if (!row) return Refuse(Reason::kRewardNotFound);
  return *std::move(row);
}

// Where two made the same request at once, the second one is repeated by its caller.
absl::Status Note(Transaction& tx, const RewardChange& change) {
  return AddChange(tx, change) ? absl::OkStatus() : Refuse(Reason::kStoreUnavailable);
}

}  // namespace

RewardHandlers::RewardHandlers(const CatalogServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

Currency RewardHandlers::currency() const {
  return lanes_.configuration()->programme().currency;
}

absl::Status RewardHandlers::LookUp(Transaction& tx, const RewardNames& names, Reward& reward) {
  if (reward.kind == RewardKind::kGift) {
    const auto supplier = FindSupplier(tx, names.supplier_slug, names.store_code);
    if (!supplier) return Refuse(Reason::kStoreNotFound);
    reward.supplier = supplier->partner;
    reward.store = supplier->store;
    return absl::OkStatus();
  }
  GUILDER_ASSIGN_OR_RETURN(reward.voucher.partners, FindPartners(tx, names.voucher_partners));
  return absl::OkStatus();
}

absl::StatusOr<RewardRow> RewardHandlers::Create(Transaction& tx, Reward reward,
                                                 const RewardNames& names, int64_t stock,
                                                 RewardChange change) {
  GUILDER_ASSIGN_OR_RETURN(const bool made, WasMade(tx, change));
  if (made) return Found(FindReward(tx, reward.slug));
  GUILDER_RETURN_IF_ERROR(LookUp(tx, names, reward));
  const auto id = InsertReward(tx, reward);
  if (!id) return Refuse(Reason::kAlreadyExists);
  InsertPrice(tx, *id, reward.prices.front());
  if (reward.stock_limited) ledger::GrantLimit(tx, StockOf(*id), Points(stock));
  change.reward = *id;
  GUILDER_RETURN_IF_ERROR(Note(tx, change));
  return Found(FindReward(tx, reward.slug));
}

absl::StatusOr<v1::CreateRewardResponse> RewardHandlers::CreateReward(
    const rpc::Call& call, const v1::CreateRewardRequest& request) {
  RewardChange change;
  GUILDER_ASSIGN_OR_RETURN(change.request_id, rpc::ParseRequestId(request.request_id()));
  change.fingerprint = FingerprintOf(request);
  change.changed_by = call.principal().id;
  RewardNames names;
  GUILDER_ASSIGN_OR_RETURN(
      const Reward reward,
      RewardFromProto(request.reward_id(), request.reward(), currency(), names));
  GUILDER_RETURN_IF_ERROR(CheckStock(request.stock(), reward.stock_limited));
  v1::CreateRewardResponse response;
  const absl::Status created = pool_.Run(
      [&](Transaction& tx) {
        const auto row = Create(tx, reward, names, request.stock(), change);
        if (!row.ok()) return row.status();
        *response.mutable_reward() = ToProto(*row, currency());
        rpc::Audit(tx, call, "CatalogService/CreateReward", response.reward().name(), nullptr,
                   &response.reward());
        return absl::OkStatus();
      },
      call.deadline());
  if (!created.ok()) return created;
  return response;
}

absl::StatusOr<RewardRow> RewardHandlers::Update(Transaction& tx,
                                                 const v1::UpdateRewardRequest& request,
                                                 const std::string& slug, RewardChange change) {
  GUILDER_ASSIGN_OR_RETURN(const RewardRow before, Found(LockReward(tx, slug)));
  GUILDER_ASSIGN_OR_RETURN(const bool made, WasMade(tx, change));
  if (made) return before;
  if (!request.reward().etag().empty() &&
      request.reward().etag() != std::to_string(before.reward.revision)) {
    return Refuse(Reason::kEtagMismatch);
  }
  Reward after = before.reward;
  GUILDER_RETURN_IF_ERROR(ApplyUpdate(request, currency(), after));
  if (request.stock_change() != 0) {
    GUILDER_RETURN_IF_ERROR(
        CheckStock(std::abs(request.stock_change()), before.reward.stock_limited));
    const Points change_of_stock(request.stock_change());
    if (change_of_stock > Points(0)) {
      ledger::GrantLimit(tx, StockOf(after.id), change_of_stock);
    } else if (!ledger::WithdrawLimit(tx, StockOf(after.id), -change_of_stock)) {
      return Refuse(Reason::kOutOfStock, {},
                    {{"remaining_stock", std::to_string(before.remaining_stock.value())}});
    }
  }
  Price& price = after.prices.front();
  Price old_price = before.reward.prices.front();
  if (price.points != old_price.points || price.money != old_price.money) {
    const ProgrammeId programme = lanes_.configuration()->programme().id;
    old_price.honoured_until = ledger::ReadProgrammeClock(tx, programme) +
                               Timestamp(before.reward.price_ttl_seconds * kMicrosPerSecond);
    price.version = old_price.version + 1;
    EndPrice(tx, after.id, old_price);
    InsertPrice(tx, after.id, price);
  }
  if (request.update_mask().paths_size() > 0) ++after.revision;
  redemption::UpdateReward(tx, after);
  change.reward = after.id;
  GUILDER_RETURN_IF_ERROR(Note(tx, change));
  return Found(FindReward(tx, slug));
}

absl::StatusOr<v1::UpdateRewardResponse> RewardHandlers::UpdateReward(
    const rpc::Call& call, const v1::UpdateRewardRequest& request) {
  RewardChange change;
  GUILDER_ASSIGN_OR_RETURN(change.request_id, rpc::ParseRequestId(request.request_id()));
  change.fingerprint = FingerprintOf(request);
  change.changed_by = call.principal().id;
  if (request.update_mask().paths_size() == 0 && request.stock_change() == 0) {
    return Refuse(Reason::kRequestMalformed, "update_mask", {{"field", "update_mask"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const std::string slug, ParseRewardName(request.reward().name()));
  v1::UpdateRewardResponse response;
  const absl::Status updated = pool_.Run(
      [&](Transaction& tx) {
        const auto row = Update(tx, request, slug, change);
        if (!row.ok()) return row.status();
        *response.mutable_reward() = ToProto(*row, currency());
        rpc::Audit(tx, call, "CatalogService/UpdateReward", response.reward().name(),
                   &request.reward(), &response.reward());
        return absl::OkStatus();
      },
      call.deadline());
  if (!updated.ok()) return updated;
  return response;
}

absl::StatusOr<v1::GetRewardResponse> RewardHandlers::GetReward(
    const rpc::Call& call, const v1::GetRewardRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::string slug, ParseRewardName(request.name()));
  GUILDER_ASSIGN_OR_RETURN(
      const RewardRow row,
      pool_.Read([&](Transaction& tx) { return Found(FindReward(tx, slug)); }, call.deadline()));
  if (row.reward.withdrawn && call.principal().IsMember()) return Refuse(Reason::kRewardNotFound);
  v1::GetRewardResponse response;
  *response.mutable_reward() = ToProto(row, currency());
  return response;
}

absl::StatusOr<v1::ListRewardsResponse> RewardHandlers::ListRewards(
    const rpc::Call& call, const v1::ListRewardsRequest& request) {
  const bool withdrawn_too = !call.principal().IsMember();
  const char* const list = withdrawn_too ? "rewards" : "rewards for members";
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<RewardRow> rows,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<std::vector<RewardRow>> {
                                 return redemption::ListRewards(tx, after, withdrawn_too,
                                                                page_size + 1);
                               },
                               call.deadline()));
  v1::ListRewardsResponse response;
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_rewards() = ToProto(rows[i], currency());
  if (count < rows.size()) {
    response.set_next_page_token(page_tokens_.Make(list, rows[count - 1].reward.slug));
  }
  return response;
}

}  // namespace guilder::redemption
