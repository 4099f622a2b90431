// Vouchers, their codes and uses, as their tables have them. Each function runs in the caller's
// transaction, and is one statement for all that it is given; none for nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/redemption/domain/voucher.h"
#include "services/redemption/store/orders.h"

namespace guilder::redemption {

std::map<RecordKey, Voucher> ReadVouchers(postgres::Transaction& tx,
                                          const std::vector<RecordKey>& keys);
std::map<RecordKey, VoucherUse> ReadUses(postgres::Transaction& tx,
                                         const std::vector<RecordKey>& keys);

struct NewVoucher {
  Voucher voucher;
  // The keyed digest of its code.
  Digest code_hash{};
};
void InsertVouchers(postgres::Transaction& tx, const std::vector<NewVoucher>& vouchers);
// What uses took, and what they leave of their vouchers.
void InsertUses(postgres::Transaction& tx, const std::vector<Used>& uses);
void EndVouchers(postgres::Transaction& tx, const std::vector<RecordKey>& refunded);

struct UseRefund {
  RecordKey use;
  Refunded refunded;
};
void RefundUses(postgres::Transaction& tx, const std::vector<UseRefund>& refunds);

// The voucher of a code's digest.
std::optional<RecordKey> FindByCode(postgres::Transaction& tx, const Digest& code_hash);
std::optional<VoucherUse> FindUse(postgres::Transaction& tx, const RecordKey& key);

// A voucher for showing.
struct VoucherRow {
  Voucher voucher;
  std::string reward_slug;
  std::vector<std::string> partner_slugs;
  Timestamp now;  // of its book
};
std::optional<VoucherRow> FindVoucher(postgres::Transaction& tx, const RecordKey& key);
// Those after a key, by key: a member's, or those that were used at a partner, or all.
std::vector<VoucherRow> ListVouchers(postgres::Transaction& tx, const SeenBy& seen_by,
                                     const RecordKey& after, int limit);
bool WasUsedAt(postgres::Transaction& tx, const RecordKey& voucher, PartnerId partner);

}  // namespace guilder::redemption
