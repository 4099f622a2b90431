#include "services/redemption/rpc/spending_batch.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/security/keys.h"

namespace guilder::redemption {
namespace {

const Uuid kNoKey{};

}  // namespace

SpendingBatch::SpendingBatch(const std::vector<SpendingKey>& keys, std::vector<SpendingRow> rows,
                             const ledger::RedemptionPolicy& policy)
    : policy_(policy) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const SpendingKey& key = keys[i];
    SpendingRow& row = rows[i];
    secrets_.emplace(key.account, std::move(row.secrets));
    recent_.emplace(key.account, row.recent_redemptions);
    devices_.emplace(std::pair(key.account, key.device), row.device_known);
    if (row.earlier) orders_.emplace(OrderKey(key.account, key.partner, key.order), *row.earlier);
  }
}

Proof SpendingBatch::ProofOf(const MemberSecrets& secrets, const Shown& shown,
                             Timestamp now) const {
  if (shown.code) {
    const bool right =
        secrets.code_hash && now < secrets.code_expires_at &&
        security::ConstantTimeEquals(AsView(*shown.code), AsView(*secrets.code_hash));
    return right ? Proof::kRight : Proof::kWrong;
  }
  // One that was compared with a PIN which was replaced meanwhile says nothing.
  if (!shown.pin || secrets.pin_hash.empty() || shown.pin_set_at != secrets.pin_set_at) {
    return Proof::kNone;
  }
  return shown.pin_right ? Proof::kRight : Proof::kWrong;
}

SpendingFacts SpendingBatch::FactsOf(const SpendingOf& spending, Timestamp now) const {
  const SpendingKey& key = spending.key;
  SpendingFacts facts;
  const MemberSecrets& secrets = secrets_.at(key.account);
  facts.locked = secrets.locked_at.has_value();
  facts.failed_attempts = secrets.failed_attempts;
  facts.proof = ProofOf(secrets, *spending.shown, now);
  facts.recent_redemptions = recent_.at(key.account);
  facts.device_known = devices_.at({key.account, key.device});
  const auto order = orders_.find(OrderKey(key.account, key.partner, key.order));
  if (key.order != kNoKey && order != orders_.end()) facts.earlier = order->second;
  return facts;
}

void SpendingBatch::Accept(const SpendingOf& spending, const SpendingFacts& facts,
                           const Held& held) {
  const SpendingKey& key = spending.key;
  ++recent_.at(key.account);
  if (key.order != kNoKey) {
    const OrderKey order(key.account, key.partner, key.order);
    const Timestamp first = facts.earlier ? facts.earlier->first_held : held.at;
    orders_.insert_or_assign(order, EarlierRedemption{held.number, held.authorized.state, first});
    held_orders_.insert_or_assign(
        order, HeldOrder{key.account, key.partner, key.order, held.number, first});
  }
  bool& known = devices_.at({key.account, key.device});
  if (key.device != kNoKey && !known) {
    used_devices_.push_back({key.account, key.device, held.at});
    known = true;
  }
  if (held.proof == Proof::kRight) {
    MemberSecrets& secrets = secrets_.at(key.account);
    Attempts& attempts = attempts_[key.account];
    attempts.account = key.account;
    attempts.right = true;
    attempts.wrong = 0;
    secrets.failed_attempts = 0;
    if (spending.shown->code) {
      attempts.code_used = true;
      secrets.code_hash.reset();
    }
  }
  if (held.authorized.review) {
    reviews_.push_back({{ledger::BookOf(key.account), held.number},
                        key.account,
                        key.partner,
                        *held.authorized.review,
                        held.at,
                        held.captures});
  }
}

void SpendingBatch::CountWrong(AccountId account, Timestamp now) {
  Attempts& attempts = attempts_[account];
  attempts.account = account;
  attempts.at = now;
  ++attempts.wrong;
  MemberSecrets& secrets = secrets_.at(account);
  if (++secrets.failed_attempts >= policy_.max_failed_attempts) secrets.locked_at = now;
}

void SpendingBatch::Write(postgres::Transaction& tx) const {
  std::vector<HeldOrder> orders;
  for (const auto& [key, order] : held_orders_) orders.push_back(order);
  std::vector<Attempts> attempts;
  for (const auto& [account, attempt] : attempts_) attempts.push_back(attempt);
  WriteOrders(tx, orders);
  WriteDevices(tx, used_devices_);
  WriteAttempts(tx, attempts, policy_.max_failed_attempts);
  WriteReviews(tx, reviews_);
}

}  // namespace guilder::redemption
