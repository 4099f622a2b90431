#include <random>
#include <set>
#include <string>

#include "libs/base/reason.h"
#include "libs/security/keys.h"
#include "services/redemption/domain/order.h"
#include "services/redemption/domain/voucher.h"
#include "services/redemption/domain/voucher_code.h"
#include "services/redemption/rpc/voucher_codes.h"
#include "tests/support/catch2.h"

namespace guilder::redemption {
namespace {

constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr Timestamp kNow{1'800'000'000'000'000};

Digest SomeDigest(std::mt19937_64& random) {
  Digest digest{};
  for (uint8_t& byte : digest) byte = static_cast<uint8_t>(random());
  return digest;
}

Reward AReward() {
  Reward reward;
  reward.id = RewardId(1);
  reward.kind = RewardKind::kGift;
  reward.display_name = "Bouquet";
  reward.price_ttl_seconds = 900;
  reward.confirm_within_days = 14;
  reward.prices = {{3, Points(120), MinorUnits(0), kNever},
                   {2, Points(100), MinorUnits(0), kNow + Timestamp(1)},
                   {1, Points(80), MinorUnits(0), kNow}};
  return reward;
}

template <typename T>
std::optional<Reason> ReasonOf(const absl::StatusOr<T>& result) {
  return guilder::ReasonOf(result.status());
}
std::optional<Reason> ReasonOf(const absl::Status& status) {
  return guilder::ReasonOf(status);
}

TEST_CASE("Voucher codes: every wrong character and every two swapped ones are found",
          "[unit][redemption]") {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    const std::string code = VoucherCodeOf(SomeDigest(random));
    REQUIRE(ParseVoucherCode(code) == code);
    for (size_t i = 0; i < code.size(); ++i) {
      if (code[i] == '-') continue;
      for (const char c : std::string(kAlphabet)) {
        std::string wrong = code;
        wrong[i] = c;
        CHECK(ParseVoucherCode(wrong).has_value() == (c == code[i]));
      }
      for (size_t j = i + 1; j < code.size(); ++j) {
        if (code[j] == '-' || code[i] == code[j]) continue;
        std::string swapped = code;
        std::swap(swapped[i], swapped[j]);
        CHECK_FALSE(ParseVoucherCode(swapped));
      }
    }
  }
}

TEST_CASE("Voucher codes: case, spaces, hyphens and look-alikes do not matter",
          "[unit][redemption]") {
  const std::string code = VoucherCodeOf(Digest{});
  CHECK(code == "0000-0000-0000-0000-0000");
  CHECK(ParseVoucherCode("oooo oooo OOOO 0000 0000") == code);
  CHECK(ParseVoucherCode("00000000000000000000") == code);
  CHECK_FALSE(ParseVoucherCode("0000-0000-0000-0000-000"));
  CHECK_FALSE(ParseVoucherCode("0000-0000-0000-0000-00000"));
  CHECK_FALSE(ParseVoucherCode("0000-0000-0000-0000-000U"));
  CHECK_FALSE(ParseVoucherCode(""));
  CHECK_FALSE(ParseVoucherCode(std::string("0000-0000-0000-0000-000\0", 24)));
}

TEST_CASE("Voucher codes: 85 bits of a keyed digest are in a code, and no two vouchers share one",
          "[unit][redemption]") {
  Digest first{};
  Digest last{};
  first[0] = 0x80;
  last[10] = 0x08;  // the bit of place 84
  CHECK(VoucherCodeOf(first) != VoucherCodeOf(Digest{}));
  CHECK(VoucherCodeOf(last) != VoucherCodeOf(Digest{}));
  static_assert(kVoucherCodeBits >= 80);

  const VoucherCodes codes(security::Secrets::Generate());
  const VoucherCodes others(security::Secrets::Generate());
  std::set<std::string> seen;
  for (int book = 1; book <= 3; ++book) {
    for (int number = 1; number <= 100; ++number) {
      seen.insert(codes.CodeOf(BookId(book), RecordNumber(number), kNow));
    }
  }
  CHECK(seen.size() == 300);
  const std::string code = codes.CodeOf(BookId(1), RecordNumber(1), kNow);
  CHECK(code == codes.CodeOf(BookId(1), RecordNumber(1), kNow));
  CHECK(code != others.CodeOf(BookId(1), RecordNumber(1), kNow));
  CHECK(code != codes.CodeOf(BookId(1), RecordNumber(1), kNow + Timestamp(1)));
  CHECK(codes.IndexOf(code) != others.IndexOf(code));
}

TEST_CASE("PriceFor: a price that was replaced is honoured until its time is over",
          "[unit][redemption][inv-57]") {
  const Reward reward = AReward();

  CHECK(PriceFor(reward, 0, kNow)->points == Points(120));
  CHECK(PriceFor(reward, 3, kNow)->points == Points(120));
  CHECK(PriceFor(reward, 2, kNow)->points == Points(100));
  CHECK(ReasonOf(PriceFor(reward, 2, kNow + Timestamp(1))) == Reason::kPriceChanged);
  CHECK(ReasonOf(PriceFor(reward, 1, kNow)) == Reason::kPriceChanged);
  CHECK(ReasonOf(PriceFor(reward, 4, kNow)) == Reason::kPriceChanged);
  CHECK(DetailsOf(PriceFor(reward, 4, kNow).status()).at("price_version") == "3");
}

TEST_CASE("CheckAvailable: dates, regions and kind", "[unit][redemption]") {
  Reward reward = AReward();
  const auto refused = [&](const std::string& region, RewardKind kind = RewardKind::kGift) {
    return ReasonOf(CheckAvailable(reward, kind, region, kNow));
  };
  CHECK_FALSE(refused("anywhere"));
  CHECK(refused("", RewardKind::kVoucher) == Reason::kRewardNotAvailable);
  reward.regions = {"DE-BE", "DE-HH"};
  CHECK(refused("") == Reason::kRewardNotAvailable);
  CHECK_FALSE(refused("DE-HH"));
  reward.valid_from = kNow + Timestamp(1);
  CHECK(refused("DE-HH") == Reason::kRewardNotAvailable);
  reward.valid_from = kNow;
  CHECK_FALSE(refused("DE-HH"));
  reward.valid_until = kNow;
  CHECK(refused("DE-HH") == Reason::kRewardNotAvailable);
  reward.valid_until = kNever;
  reward.withdrawn = true;
  CHECK(refused("DE-HH") == Reason::kRewardNotAvailable);
}

TEST_CASE("CheckLimits: a tier has its limit, and one that is not named has nothing",
          "[unit][redemption]") {
  Reward reward = AReward();
  reward.per_member_limit = 2;
  reward.tier_limits = {{"gold", 5}, {"silver", 0}};
  const ledger::Configuration configuration(
      1, {}, ledger::Calendar::Make(ledger::Cycle::kDaily, "UTC", {}).value(), {}, {});
  const ledger::DecisionContext context{configuration, {}};
  const auto refused = [&](int64_t has, const std::string& tier) {
    return ReasonOf(CheckLimits(reward, {has, tier}, 1, context));
  };
  CHECK_FALSE(refused(4, "gold"));
  CHECK(refused(5, "gold") == Reason::kMemberLimitReached);
  CHECK_FALSE(refused(1, "silver"));
  CHECK(refused(2, "silver") == Reason::kMemberLimitReached);
  CHECK(refused(0, "bronze") == Reason::kRewardNotAvailable);
  CHECK(refused(0, "") == Reason::kRewardNotAvailable);
  reward.tier_limits.clear();
  CHECK_FALSE(refused(1, ""));
}

TEST_CASE("CheckReward: each field has its bounds", "[unit][redemption]") {
  const auto refused = [](auto change) {
    Reward reward = AReward();
    change(reward);
    return ReasonOf(CheckReward(reward));
  };
  CHECK_FALSE(refused([](Reward&) {}));
  CHECK(refused([](Reward& r) { r.display_name = ""; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.display_name.assign(101, 'x'); }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.display_name.push_back('\0'); }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.description.assign(1'001, 'x'); }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.regions.assign(51, "DE"); }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.regions = {"a\nb"}; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.regions = {""}; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.price_ttl_seconds = 59; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.price_ttl_seconds = 86'401; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.per_member_limit = -1; }) == Reason::kRequestMalformed);
  CHECK_FALSE(refused([](Reward& r) { r.tier_limits = {{"gold", 2}, {"silver-2_b", 0}}; }));
  CHECK(refused([](Reward& r) { r.tier_limits = {{"gold", -1}}; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.tier_limits = {{"", 1}}; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.tier_limits = {{"a\nb", 1}}; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) {
          r.tier_limits = {{"gold", 1}, {"gold", 2}};
        }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) {
          for (int i = 0; i < 21; ++i) r.tier_limits.push_back({std::to_string(i), 1});
        }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.valid_until = r.valid_from; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.confirm_within_days = 31; }) == Reason::kRequestMalformed);
  CHECK(refused([](Reward& r) { r.prices[0].points = Points(0); }) == Reason::kAmountOutOfRange);
  CHECK(refused([](Reward& r) { r.prices[0].points = kMaxRewardPoints + Points(1); }) ==
        Reason::kAmountOutOfRange);
  CHECK(refused([](Reward& r) { r.prices[0].money = MinorUnits(-1); }) ==
        Reason::kAmountOutOfRange);
  const auto voucher = [](Reward& r) {
    r.kind = RewardKind::kVoucher;
    r.voucher = {MinorUnits(500), {PartnerId(1)}, false, 30};
  };
  CHECK_FALSE(refused(voucher));
  CHECK(refused([&](Reward& r) {
          voucher(r);
          r.voucher.validity_days = 367;
        }) == Reason::kRequestMalformed);
  CHECK(refused([&](Reward& r) {
          voucher(r);
          r.voucher.partners.clear();
        }) == Reason::kRequestMalformed);
  CHECK(refused([&](Reward& r) {
          voucher(r);
          r.voucher.face = MinorUnits(0);
        }) == Reason::kAmountOutOfRange);
  CHECK(refused([&](Reward& r) {
          voucher(r);
          r.prices[0].money = MinorUnits(1);
        }) == Reason::kRequestMalformed);
}

TEST_CASE("Vouchers: what is left is face less used, and nothing once it is over",
          "[unit][redemption][inv-59]") {
  Voucher voucher;
  voucher.points = Points(700);
  voucher.face = MinorUnits(500);
  voucher.used = MinorUnits(200);
  voucher.expires_at = kNow + Timestamp(1);

  CHECK(StateAt(voucher, kNow) == VoucherState::kIssued);
  CHECK(RemainingAt(voucher, kNow) == MinorUnits(300));
  CHECK(StateAt(voucher, kNow + Timestamp(1)) == VoucherState::kExpired);
  CHECK(RemainingAt(voucher, kNow + Timestamp(1)) == MinorUnits(0));
  voucher.refunded = true;
  CHECK(StateAt(voucher, kNow) == VoucherState::kRefunded);
  CHECK(RemainingAt(voucher, kNow) == MinorUnits(0));
  voucher.refunded = false;
  voucher.used = MinorUnits(500);
  CHECK(StateAt(voucher, kNow + Timestamp(1)) == VoucherState::kUsed);
}

TEST_CASE("Requests: whatever is asked for changes the fingerprint", "[unit][redemption][inv-12]") {
  std::set<std::string> seen;
  const auto add = [&](std::string encoded) { CHECK(seen.insert(std::move(encoded)).second); };
  const OrderRequest order{RewardId(1), AccountId(65'537), 1, 0, "", ""};
  add(Encode(order));
  for (const auto change :
       {+[](OrderRequest& o) { o.reward = RewardId(2); },
        +[](OrderRequest& o) { o.account = AccountId(65'538); },
        +[](OrderRequest& o) { o.quantity = 2; }, +[](OrderRequest& o) { o.price_version = 1; },
        +[](OrderRequest& o) { o.region = "a"; }, +[](OrderRequest& o) { o.reference = "a"; }}) {
    OrderRequest changed = order;
    change(changed);
    add(Encode(changed));
  }
  Order placed;
  placed.book = BookId(1);
  placed.number = RecordNumber(1);
  for (const OrderState state :
       {OrderState::kConfirmed, OrderState::kShipped, OrderState::kDelivered, OrderState::kReturned,
        OrderState::kCancelled}) {
    add(EncodeStep(placed, state));
  }
  add(Encode(VoucherRequest{RewardId(1), AccountId(65'537), 0, ""}));
  const UseRequest use{BookId(1), RecordNumber(1), "books", "s1", MinorUnits(5), ""};
  add(Encode(use));
  for (const auto change : {+[](UseRequest& u) { u.voucher = RecordNumber(2); },
                            +[](UseRequest& u) { u.store_code = "s2"; },
                            +[](UseRequest& u) { u.amount = MinorUnits(6); },
                            +[](UseRequest& u) { u.reference = "r"; }}) {
    UseRequest changed = use;
    change(changed);
    add(Encode(changed));
  }
  Voucher voucher;
  voucher.book = BookId(1);
  voucher.number = RecordNumber(1);
  add(EncodeRefund(voucher));
  VoucherUse taken;
  taken.book = BookId(1);
  taken.number = RecordNumber(1);
  add(EncodeRefund(taken, MinorUnits(0)));
  add(EncodeRefund(taken, MinorUnits(1)));
}

}  // namespace
}  // namespace guilder::redemption
