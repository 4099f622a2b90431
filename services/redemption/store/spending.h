// What authorizations are decided over besides the account: orders, devices, PINs, reviews.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/redemption/domain/redemption.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::redemption {

// The key of an order, or of a device: a digest of what the partner calls it.
Uuid KeyOfText(std::string_view label, std::string_view text);

// What an authorization asks of the tables. Keys of nothing are all zeros.
struct SpendingKey {
  AccountId account;
  PartnerId partner;
  Uuid order{};
  Uuid device{};
};

// How a member proves that it agrees.
struct MemberSecrets {
  // Argon2id; empty for none.
  std::string pin_hash;
  Timestamp pin_set_at;
  int failed_attempts = 0;
  std::optional<Timestamp> locked_at;
  std::optional<Digest> code_hash;
  Timestamp code_expires_at;
};

struct SpendingRow {
  MemberSecrets secrets;
  std::optional<EarlierRedemption> earlier;
  bool device_known = false;
  int recent_redemptions = 0;
};

// Parallel to the keys. Redemptions are counted from so many seconds ago on; not at all for zero.
std::vector<SpendingRow> ReadSpending(postgres::Transaction& tx,
                                      const std::vector<SpendingKey>& keys, int64_t period_seconds);

// What of an account's lots expired by time after an instant, and did not come back.
std::map<LotId, Points> ReadLapsed(postgres::Transaction& tx, AccountId account, Timestamp after);

struct HeldOrder {
  AccountId account;
  PartnerId partner;
  Uuid order{};
  RecordNumber number;
  Timestamp first_held;
};
void WriteOrders(postgres::Transaction& tx, const std::vector<HeldOrder>& orders);

struct UsedDevice {
  AccountId account;
  Uuid device{};
  Timestamp at;
};
void WriteDevices(postgres::Transaction& tx, const std::vector<UsedDevice>& devices);

// What a member's attempts have come to: so many wrong ones more, or none any more.
struct Attempts {
  AccountId account;
  int wrong = 0;
  bool right = false;
  // The code was used.
  bool code_used = false;
  Timestamp at;
};
// So many wrong ones in a row lock the member's spending.
void WriteAttempts(postgres::Transaction& tx, const std::vector<Attempts>& attempts,
                   int max_failed_attempts);

struct NewReview {
  RedemptionId redemption;
  AccountId account;
  PartnerId partner;
  ReviewReason reason{};
  Timestamp created_at;
  bool captures = false;
};
void WriteReviews(postgres::Transaction& tx, const std::vector<NewReview>& reviews);

// Of one member, outside of lanes. Nothing kept gives the defaults.
MemberSecrets ReadMemberSecrets(postgres::Transaction& tx, AccountId account);

}  // namespace guilder::redemption
