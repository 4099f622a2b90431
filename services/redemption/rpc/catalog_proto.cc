#include "services/redemption/rpc/catalog_proto.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"

namespace guilder::redemption {
namespace {

using ledger::RecordKind;
using ledger::RecordName;

constexpr int kDefaultPriceTtlSeconds = 900;
constexpr int kDefaultConfirmDays = 14;
constexpr size_t kMaxRewardIdCharacters = 40;
constexpr size_t kMaxRegionBytes = 128;
constexpr size_t kMaxReferenceCharacters = 64;
constexpr uint64_t kRewardFormat = 1;
constexpr uint64_t kRewardWithTiersFormat = 2;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool HasNul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

absl::StatusOr<MinorUnits> AmountIn(const guilder::type::v1::Money& money, const Currency& currency,
                                    const char* field) {
  if (money.currency_code() != FormatCurrency(currency)) {
    return Refuse(Reason::kCurrencyNotSupported, field, {{"field", field}});
  }
  return MinorUnits(money.minor_units());
}

absl::StatusOr<RewardKind> KindFromProto(v1::RewardKind kind) {
  if (kind == v1::REWARD_KIND_GIFT) return RewardKind::kGift;
  if (kind == v1::REWARD_KIND_VOUCHER) return RewardKind::kVoucher;
  return Malformed("kind");
}

absl::StatusOr<bool> WithdrawnFromProto(v1::RewardState state) {
  if (state == v1::REWARD_STATE_AVAILABLE) return false;
  if (state == v1::REWARD_STATE_WITHDRAWN) return true;
  return Malformed("state");
}

// An instant of a message's field, or what it means when it is not set.
absl::StatusOr<Timestamp> InstantIn(bool is_set, const google::protobuf::Timestamp& at,
                                    Timestamp otherwise, const char* field) {
  if (!is_set) return otherwise;
  const auto instant = rpc::FromProto(at);
  if (!instant) return Malformed(field);
  return *instant;
}

absl::Status SetDates(const v1::Reward& given, Reward& reward) {
  GUILDER_ASSIGN_OR_RETURN(reward.valid_from, InstantIn(given.has_valid_from(), given.valid_from(),
                                                        Timestamp(), "valid_from"));
  GUILDER_ASSIGN_OR_RETURN(
      reward.valid_until,
      InstantIn(given.has_valid_until(), given.valid_until(), kNever, "valid_until"));
  return absl::OkStatus();
}

absl::StatusOr<Price> PriceFromProto(const v1::Reward& given, const Currency& currency) {
  Price price;
  price.points = Points(given.price_points());
  if (given.has_price_money()) {
    GUILDER_ASSIGN_OR_RETURN(price.money, AmountIn(given.price_money(), currency, "price_money"));
  }
  return price;
}

absl::Status SetVoucher(const v1::VoucherTerms& given, const Currency& currency, Reward& reward,
                        RewardNames& names) {
  GUILDER_ASSIGN_OR_RETURN(reward.voucher.face,
                           AmountIn(given.face_value(), currency, "voucher.face_value"));
  reward.voucher.single_use = given.single_use();
  reward.voucher.validity_days = given.validity_days();
  for (const std::string& partner : given.partners()) {
    const auto parts = rpc::ParseName("partners/{}", partner);
    if (!parts) return Malformed("voucher.partners");
    names.voucher_partners.push_back((*parts)[0]);
  }
  // How many there are is checked before they are looked up.
  reward.voucher.partners.assign(names.voucher_partners.size(), PartnerId());
  return absl::OkStatus();
}

bool IsRewardId(std::string_view slug) {
  return !slug.empty() && slug.size() <= kMaxRewardIdCharacters &&
         std::all_of(slug.begin(), slug.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

absl::Status CheckRegion(const std::string& region) {
  return region.size() > kMaxRegionBytes || HasNul(region) ? Malformed("region") : absl::OkStatus();
}

std::string StoreName(std::string_view partner, std::string_view store) {
  return absl::StrCat("partners/", ToAbsl(partner), "/stores/", ToAbsl(store));
}

std::string StoreNameOf(const ledger::Configuration& configuration, PartnerId id, StoreId store) {
  const ledger::Partner* const partner = configuration.FindPartner(id);
  if (partner == nullptr) return {};
  for (const auto& [code, facts] : partner->stores) {
    if (facts.id == store) return StoreName(partner->slug, code);
  }
  return {};
}

v1::VoucherState ToProto(VoucherState state) {
  switch (state) {
    case VoucherState::kIssued:
      return v1::VOUCHER_STATE_ISSUED;
    case VoucherState::kUsed:
      return v1::VOUCHER_STATE_USED;
    case VoucherState::kRefunded:
      return v1::VOUCHER_STATE_REFUNDED;
    case VoucherState::kExpired:
      return v1::VOUCHER_STATE_EXPIRED;
  }
  return v1::VOUCHER_STATE_UNSPECIFIED;
}

// All but the names of what it refers to.
v1::Order OrderToProto(const Order& order, OrderState state, const std::string& reward_slug,
                       const Currency& currency) {
  v1::Order out;
  out.set_name(RecordName(RecordKind::kOrder, order.book, order.number));
  out.set_reward(absl::StrCat("rewards/", reward_slug));
  out.set_member(absl::StrCat("members/", order.account.value()));
  out.set_quantity(order.quantity);
  out.set_points(order.points.value());
  if (order.money > MinorUnits(0)) SetMoney({order.money, currency}, *out.mutable_money());
  out.set_price_version(order.price_version);
  out.set_state(ToProto(state));
  out.set_region(order.region);
  out.set_reference(order.reference);
  *out.mutable_order_time() = rpc::ToProto(order.ordered_at);
  *out.mutable_confirm_by_time() = rpc::ToProto(order.confirm_by);
  *out.mutable_update_time() =
      rpc::ToProto(state == order.state ? order.updated_at : order.confirm_by);
  return out;
}

v1::Voucher VoucherToProto(const Voucher& voucher, Timestamp now, const std::string& reward_slug,
                           const Currency& currency) {
  v1::Voucher out;
  out.set_name(RecordName(RecordKind::kVoucher, voucher.book, voucher.number));
  out.set_reward(absl::StrCat("rewards/", reward_slug));
  out.set_member(absl::StrCat("members/", voucher.account.value()));
  SetMoney({voucher.face, currency}, *out.mutable_face_value());
  SetMoney({voucher.used, currency}, *out.mutable_used_value());
  SetMoney({RemainingAt(voucher, now), currency}, *out.mutable_remaining_value());
  out.set_points(voucher.points.value());
  out.set_state(ToProto(StateAt(voucher, now)));
  out.set_single_use(voucher.single_use);
  *out.mutable_issue_time() = rpc::ToProto(voucher.issued_at);
  *out.mutable_expire_time() = rpc::ToProto(voucher.expires_at);
  return out;
}

std::vector<TierLimit> TierLimitsOf(const v1::Reward& given) {
  std::vector<TierLimit> limits;
  for (const v1::TierLimit& limit : given.tier_limits()) {
    limits.push_back({limit.tier(), limit.limit()});
  }
  return limits;
}

}  // namespace

absl::StatusOr<RecordKey> ParseRecordName(std::string_view collection, std::string_view name,
                                          Reason not_found) {
  const auto parts = rpc::ParseName(absl::StrCat(ToAbsl(collection), "/{}"), name);
  if (!parts) return Refuse(not_found);
  const std::string_view id = (*parts)[0];
  const size_t hyphen = id.find('-');
  if (hyphen == std::string_view::npos) return Refuse(not_found);
  const auto book = rpc::ParseNumber(id.substr(0, hyphen));
  const auto number = rpc::ParseNumber(id.substr(hyphen + 1));
  if (!book || *book >= ledger::kBooksPerSerial || !number) return Refuse(not_found);
  return RecordKey(BookId(static_cast<int32_t>(*book)), RecordNumber(*number));
}

absl::StatusOr<std::string> ParseRewardName(std::string_view name) {
  const auto parts = rpc::ParseName("rewards/{}", name);
  if (!parts) return Refuse(Reason::kRewardNotFound);
  return (*parts)[0];
}

absl::StatusOr<AccountId> ParseMemberName(std::string_view name) {
  const auto parts = rpc::ParseNumberedName("members/{}", name);
  if (!parts) return Refuse(Reason::kMemberNotFound);
  return AccountId((*parts)[0]);
}

absl::StatusOr<Reward> RewardFromProto(const std::string& slug, const v1::Reward& given,
                                       const Currency& currency, RewardNames& names) {
  if (!IsRewardId(slug)) return Malformed("reward_id");
  Reward reward;
  reward.slug = slug;
  GUILDER_ASSIGN_OR_RETURN(reward.kind, KindFromProto(given.kind()));
  reward.display_name = given.display_name();
  reward.description = given.description();
  if (given.state() != v1::REWARD_STATE_UNSPECIFIED) {
    GUILDER_ASSIGN_OR_RETURN(reward.withdrawn, WithdrawnFromProto(given.state()));
  }
  reward.price_ttl_seconds =
      given.price_ttl_seconds() == 0 ? kDefaultPriceTtlSeconds : given.price_ttl_seconds();
  reward.stock_limited = given.stock_limited();
  reward.per_member_limit = given.per_member_limit();
  reward.tier_limits = TierLimitsOf(given);
  GUILDER_RETURN_IF_ERROR(SetDates(given, reward));
  reward.regions = {given.regions().begin(), given.regions().end()};
  if (reward.kind == RewardKind::kGift) {
    const auto store = rpc::ParseName("partners/{}/stores/{}", given.supplier_store());
    if (!store) return Malformed("supplier_store");
    names.supplier_slug = (*store)[0];
    names.store_code = (*store)[1];
    if (given.has_voucher()) return Malformed("voucher");
    reward.confirm_within_days =
        given.confirm_within_days() == 0 ? kDefaultConfirmDays : given.confirm_within_days();
  } else {
    if (!given.supplier_store().empty()) return Malformed("supplier_store");
    if (given.confirm_within_days() != 0) return Malformed("confirm_within_days");
    GUILDER_RETURN_IF_ERROR(SetVoucher(given.voucher(), currency, reward, names));
  }
  GUILDER_ASSIGN_OR_RETURN(Price price, PriceFromProto(given, currency));
  price.version = 1;
  reward.prices = {price};
  reward.revision = 1;
  GUILDER_RETURN_IF_ERROR(CheckReward(reward));
  return reward;
}

absl::Status ApplyUpdate(const v1::UpdateRewardRequest& request, const Currency& currency,
                         Reward& reward) {
  const v1::Reward& given = request.reward();
  GUILDER_ASSIGN_OR_RETURN(Price price, PriceFromProto(given, currency));
  Reward dates = reward;
  GUILDER_RETURN_IF_ERROR(SetDates(given, dates));
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "display_name") {
      reward.display_name = given.display_name();
    } else if (path == "description") {
      reward.description = given.description();
    } else if (path == "state") {
      GUILDER_ASSIGN_OR_RETURN(reward.withdrawn, WithdrawnFromProto(given.state()));
    } else if (path == "price_points") {
      reward.prices.front().points = price.points;
    } else if (path == "price_money") {
      reward.prices.front().money = price.money;
    } else if (path == "price_ttl_seconds") {
      reward.price_ttl_seconds = given.price_ttl_seconds();
    } else if (path == "per_member_limit") {
      reward.per_member_limit = given.per_member_limit();
    } else if (path == "tier_limits") {
      reward.tier_limits = TierLimitsOf(given);
    } else if (path == "valid_from") {
      reward.valid_from = dates.valid_from;
    } else if (path == "valid_until") {
      reward.valid_until = dates.valid_until;
    } else if (path == "regions") {
      reward.regions = {given.regions().begin(), given.regions().end()};
    } else if (path == "confirm_within_days") {
      reward.confirm_within_days = given.confirm_within_days();
    } else {
      return Malformed("update_mask");
    }
  }
  return CheckReward(reward);
}

std::string EncodeReward(const v1::Reward& reward) {
  Encoder encoder;
  encoder.Unsigned(reward.tier_limits_size() == 0 ? kRewardFormat : kRewardWithTiersFormat)
      .Bytes(reward.name())
      .Signed(reward.kind())
      .Bytes(reward.display_name())
      .Bytes(reward.description())
      .Signed(reward.state())
      .Bytes(reward.supplier_store())
      .Signed(reward.price_points())
      .Bytes(reward.price_money().currency_code())
      .Signed(reward.price_money().minor_units())
      .Signed(reward.price_ttl_seconds())
      .Signed(reward.stock_limited())
      .Signed(reward.per_member_limit())
      .Signed(reward.valid_from().seconds())
      .Signed(reward.valid_from().nanos())
      .Signed(reward.valid_until().seconds())
      .Signed(reward.valid_until().nanos())
      .Signed(reward.confirm_within_days())
      .Bytes(reward.etag())
      .Signed(reward.regions_size());
  for (const std::string& region : reward.regions()) encoder.Bytes(region);
  const v1::VoucherTerms& voucher = reward.voucher();
  encoder.Bytes(voucher.face_value().currency_code())
      .Signed(voucher.face_value().minor_units())
      .Signed(voucher.single_use())
      .Signed(voucher.validity_days());
  for (const std::string& partner : voucher.partners()) encoder.Bytes(partner);
  for (const v1::TierLimit& limit : reward.tier_limits()) {
    encoder.Bytes(limit.tier()).Signed(limit.limit());
  }
  return encoder.Take();
}

absl::StatusOr<OrderRequest> FromProto(const v1::OrderRewardRequest& request) {
  OrderRequest asked;
  asked.quantity = request.quantity() == 0 ? 1 : request.quantity();
  asked.price_version = request.price_version();
  if (asked.price_version < 0) return Malformed("price_version");
  GUILDER_RETURN_IF_ERROR(CheckRegion(request.region()));
  asked.region = request.region();
  asked.reference = request.reference();
  if (Characters(asked.reference) > kMaxReferenceCharacters || HasNul(asked.reference)) {
    return Malformed("reference");
  }
  if (asked.quantity < 1 || asked.quantity > kMaxQuantity) {
    return Refuse(Reason::kAmountOutOfRange, "quantity", {{"field", "quantity"}});
  }
  GUILDER_ASSIGN_OR_RETURN(asked.account, ParseMemberName(request.member()));
  return asked;
}

absl::StatusOr<VoucherRequest> FromProto(const v1::IssueVoucherRequest& request) {
  VoucherRequest asked;
  asked.price_version = request.price_version();
  if (asked.price_version < 0) return Malformed("price_version");
  GUILDER_RETURN_IF_ERROR(CheckRegion(request.region()));
  asked.region = request.region();
  GUILDER_ASSIGN_OR_RETURN(asked.account, ParseMemberName(request.member()));
  return asked;
}

absl::StatusOr<OrderState> StateFromProto(v1::OrderState state) {
  switch (state) {
    case v1::ORDER_STATE_CONFIRMED:
      return OrderState::kConfirmed;
    case v1::ORDER_STATE_SHIPPED:
      return OrderState::kShipped;
    case v1::ORDER_STATE_DELIVERED:
      return OrderState::kDelivered;
    case v1::ORDER_STATE_RETURNED:
      return OrderState::kReturned;
    default:
      return Malformed("state");
  }
}

void SetMoney(const Worth& worth, guilder::type::v1::Money& out) {
  out.set_currency_code(FormatCurrency(worth.currency));
  out.set_minor_units(worth.amount.value());
}

// The enumerators have the wire's numbers.
v1::OrderState ToProto(OrderState state) {
  return static_cast<v1::OrderState>(state);
}

v1::Reward ToProto(const RewardRow& row, const Currency& currency) {
  const Reward& reward = row.reward;
  const Price& price = reward.prices.front();
  v1::Reward out;
  out.set_name(absl::StrCat("rewards/", reward.slug));
  out.set_kind(static_cast<v1::RewardKind>(reward.kind));
  out.set_display_name(reward.display_name);
  out.set_description(reward.description);
  out.set_state(reward.withdrawn ? v1::REWARD_STATE_WITHDRAWN : v1::REWARD_STATE_AVAILABLE);
  out.set_price_points(price.points.value());
  if (price.money > MinorUnits(0)) SetMoney({price.money, currency}, *out.mutable_price_money());
  out.set_price_version(price.version);
  out.set_price_ttl_seconds(reward.price_ttl_seconds);
  out.set_stock_limited(reward.stock_limited);
  if (reward.stock_limited) out.set_remaining_stock(row.remaining_stock.value());
  out.set_per_member_limit(reward.per_member_limit);
  for (const TierLimit& limit : reward.tier_limits) {
    v1::TierLimit& shown = *out.add_tier_limits();
    shown.set_tier(limit.tier);
    shown.set_limit(limit.limit);
  }
  if (reward.valid_from > Timestamp()) *out.mutable_valid_from() = rpc::ToProto(reward.valid_from);
  if (reward.valid_until != kNever) *out.mutable_valid_until() = rpc::ToProto(reward.valid_until);
  for (const std::string& region : reward.regions) out.add_regions(region);
  out.set_etag(std::to_string(reward.revision));
  if (reward.kind == RewardKind::kGift) {
    out.set_supplier_store(StoreName(row.supplier_slug, row.store_code));
    out.set_confirm_within_days(reward.confirm_within_days);
    return out;
  }
  v1::VoucherTerms& voucher = *out.mutable_voucher();
  SetMoney({reward.voucher.face, currency}, *voucher.mutable_face_value());
  for (const std::string& slug : row.voucher_partners) {
    voucher.add_partners(absl::StrCat("partners/", slug));
  }
  voucher.set_single_use(reward.voucher.single_use);
  voucher.set_validity_days(reward.voucher.validity_days);
  return out;
}

v1::Order ToProto(const Order& order, const std::string& reward_slug,
                  const ledger::Configuration& configuration) {
  v1::Order out = OrderToProto(order, order.state, reward_slug, configuration.programme().currency);
  out.set_supplier_store(StoreNameOf(configuration, order.supplier, order.store));
  return out;
}

v1::Order ToProto(const OrderRow& row, const Currency& currency) {
  v1::Order out = OrderToProto(row.order, StateAt(row.order, row.now), row.reward_slug, currency);
  out.set_supplier_store(StoreName(row.supplier_slug, row.store_code));
  return out;
}

v1::Voucher ToProto(const Voucher& voucher, const std::string& reward_slug,
                    const ledger::Configuration& configuration) {
  v1::Voucher out =
      VoucherToProto(voucher, voucher.issued_at, reward_slug, configuration.programme().currency);
  for (const PartnerId partner : voucher.partners) {
    const ledger::Partner* const found = configuration.FindPartner(partner);
    if (found != nullptr) out.add_partners(absl::StrCat("partners/", found->slug));
  }
  return out;
}

v1::Voucher ToProto(const VoucherRow& row, const Currency& currency) {
  v1::Voucher out = VoucherToProto(row.voucher, row.now, row.reward_slug, currency);
  for (const std::string& slug : row.partner_slugs) {
    out.add_partners(absl::StrCat("partners/", slug));
  }
  return out;
}

}  // namespace guilder::redemption
