// What the authorizations of one batch are decided over together: orders, devices, PINs, reviews.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/store/spending.h"

namespace guilder::redemption {

// What a till showed of a member's PIN or code.
struct Shown {
  // A PIN was compared with the one that was set then, before the command came to its lane, because
  // that takes long.
  bool pin = false;
  bool pin_right = false;
  Timestamp pin_set_at;
  std::optional<Digest> code;
};

// An authorization, as a batch asks for it.
struct SpendingOf {
  SpendingKey key;
  const Shown* shown = nullptr;
};

// What was accepted, as it is written.
struct Held {
  RecordNumber number;
  Timestamp at;
  Authorized authorized;
  Proof proof = Proof::kNone;
  bool captures = false;
};

// One run of a batch, in one thread. The order of calls is that of the batch's commands.
class SpendingBatch {
 public:
  SpendingBatch(const std::vector<SpendingKey>& keys, std::vector<SpendingRow> rows,
                const ledger::RedemptionPolicy& policy);

  // After those before it.
  SpendingFacts FactsOf(const SpendingOf& spending, Timestamp now) const;
  // Takes what an accepted authorization changes.
  void Accept(const SpendingOf& spending, const SpendingFacts& facts, const Held& held);
  // A wrong PIN or code was shown.
  void CountWrong(AccountId account, Timestamp now);

  // Writes what changed, in the lane's transaction.
  void Write(postgres::Transaction& tx) const;

 private:
  using OrderKey = std::tuple<AccountId, PartnerId, Uuid>;
  Proof ProofOf(const MemberSecrets& secrets, const Shown& shown, Timestamp now) const;

  const ledger::RedemptionPolicy policy_;
  std::map<AccountId, MemberSecrets> secrets_;
  std::map<AccountId, int> recent_;
  std::map<OrderKey, EarlierRedemption> orders_;
  std::map<std::pair<AccountId, Uuid>, bool> devices_;

  std::map<AccountId, Attempts> attempts_;
  std::map<OrderKey, HeldOrder> held_orders_;
  std::vector<UsedDevice> used_devices_;
  std::vector<NewReview> reviews_;
};

}  // namespace guilder::redemption
