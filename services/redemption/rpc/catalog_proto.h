// Between the catalogue's messages and the domain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/catalog_service.pb.h"

#include "libs/base/reason.h"
#include "libs/base/types.h"
#include "services/redemption/domain/order.h"
#include "services/redemption/domain/voucher.h"
#include "services/redemption/store/orders.h"
#include "services/redemption/store/rewards.h"
#include "services/redemption/store/vouchers.h"

namespace guilder::redemption {

// A name of the form "<collection>/{book}-{number}", as of an order; `not_found` for what cannot be
// one.
absl::StatusOr<RecordKey> ParseRecordName(std::string_view collection, std::string_view name,
                                          Reason not_found);
// The slug of "rewards/{reward_id}". Error: kRewardNotFound.
absl::StatusOr<std::string> ParseRewardName(std::string_view name);
// The account of "members/{id}". Error: kMemberNotFound.
absl::StatusOr<AccountId> ParseMemberName(std::string_view name);

// Whose a reward's names are; looked up by the handler.
struct RewardNames {
  std::string supplier_slug;
  std::string store_code;
  std::vector<std::string> voucher_partners;
};

// The form of a new reward, with defaults filled in. Refuses: kRequestMalformed,
// kCurrencyNotSupported.
absl::StatusOr<Reward> RewardFromProto(const std::string& slug, const v1::Reward& given,
                                       const Currency& currency, RewardNames& names);
// Sets the fields that the request says change. Refuses as above.
absl::Status ApplyUpdate(const v1::UpdateRewardRequest& request, const Currency& currency,
                         Reward& reward);
// What a request of a reward says, but for its request id, in one encoding.
std::string EncodeReward(const v1::Reward& reward);

// The form of an order, or of a voucher to be issued. The reward and the member are set by name.
absl::StatusOr<OrderRequest> FromProto(const v1::OrderRewardRequest& request);
absl::StatusOr<VoucherRequest> FromProto(const v1::IssueVoucherRequest& request);
// The state that UpdateOrderStatus asks for. Refuses: kRequestMalformed.
absl::StatusOr<OrderState> StateFromProto(v1::OrderState state);

void SetMoney(const Worth& worth, guilder::type::v1::Money& out);
v1::OrderState ToProto(OrderState state);
v1::Reward ToProto(const RewardRow& row, const Currency& currency);
// As they are when they are made, and for showing.
v1::Order ToProto(const Order& order, const std::string& reward_slug,
                  const ledger::Configuration& configuration);
v1::Order ToProto(const OrderRow& row, const Currency& currency);
v1::Voucher ToProto(const Voucher& voucher, const std::string& reward_slug,
                    const ledger::Configuration& configuration);
v1::Voucher ToProto(const VoucherRow& row, const Currency& currency);

}  // namespace guilder::redemption
