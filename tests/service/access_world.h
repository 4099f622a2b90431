// All services on one server, and something of each kind that belongs to the partner `fresh`.
#pragma once

#include <map>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "guilder/member/v1/member_service.pb.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/text.h"
#include "libs/rpc/permissions.h"
#include "libs/security/keys.h"
#include "libs/security/member_token.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/accrual/rpc/rule_service.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/points_service.h"
#include "services/member/rpc/standing_service.h"
#include "services/operator/rpc/operator_service.h"
#include "services/partner/rpc/partner_service.h"
#include "services/redemption/rpc/catalog_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "services/redemption/rpc/spending_service.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/any_call.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"

namespace guilder::access {

using google::protobuf::MethodDescriptor;
using security::Principal;
using testing::AnyAnswer;

// The method of a row in the table of permissions; null for the health service's.
inline const MethodDescriptor* MethodOf(const rpc::Permission& row) {
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      absl::StrReplaceAll(std::string(row.method), {{"/", "."}}));
}

struct Caller {
  std::string name;
  std::string key;
  Principal principal;
};

class World {
 public:
  World() {
    auto& net = network();
    auto partners = partner::MakePartnerService({net.runtime(), net.pool(), net.secrets()});
    auto rules = accrual::MakeRuleService({net.runtime(), net.pool(), net.secrets()});
    auto operators = operator_::MakeOperatorService({net.runtime(), net.pool(), net.secrets()});
    REQUIRE((partners.ok() && rules.ok() && operators.ok()));
    net.Add(*std::move(partners), partner::kPartnerServiceName);
    net.Add(*std::move(rules), accrual::kRuleServiceName);
    net.Add(*std::move(operators), operator_::kOperatorServiceName);
    net.Add(accrual::MakeAccrualService(
                {net.runtime(), net.pool(), coalition_.lanes(), coalition_.cards(), net.secrets()}),
            accrual::kAccrualServiceName);
    net.Add(
        member::MakeMemberService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kMemberServiceName);
    net.Add(
        member::MakePointsService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kPointsServiceName);
    net.Add(
        member::MakeStandingService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kStandingServiceName);
    net.Add(
        member::MakePersonService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kPersonServiceName);
    net.Add(
        member::MakeImportService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kImportServiceName);
    net.Add(
        member::MakeDocumentService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kDocumentServiceName);
    net.Add(member::MakeCardService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
            member::kCardServiceName);
    net.Add(
        member::MakeNoticeService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kNoticeServiceName);
    net.Add(
        member::MakeBonusService({net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
        member::kBonusServiceName);
    net.Add(redemption::MakeRedemptionService({net.runtime(), net.pool(), coalition_.lanes(),
                                               coalition_.cards(), coalition_.network().secrets()}),
            redemption::kRedemptionServiceName);
    net.Add(redemption::MakeSpendingService(
                {net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
            redemption::kSpendingServiceName);
    net.Add(redemption::MakeCatalogService(
                {net.runtime(), net.pool(), coalition_.lanes(), net.secrets()}),
            redemption::kCatalogServiceName);
    net.Add(settlement::MakeSettlementService({net.runtime(), net.pool(), net.secrets()}),
            settlement::kSettlementServiceName);
    net.Start();
    Query(
        "insert into partner.stores (partner_id, code, display_name, time_zone) "
        "select partner_id, 's2', 'Second', 'Europe/Berlin' from partner.partners");
    Query("update ledger.configuration set version = version + 1");
    FillIn();
  }

  testing::ServiceNetwork& network() { return coalition_.network(); }
  testing::Coalition& coalition() { return coalition_; }
  postgres::Rows Query(const std::string& sql) { return coalition_.database().Query(sql); }

  // Who calls: everybody that there can be.
  std::vector<Caller> Everybody() {
    std::vector<Caller> callers{{"nobody", "", Principal()}};
    for (int i = 0; i < security::kScopeCount; ++i) {
      const auto scope = static_cast<security::Scope>(i);
      const std::string id = absl::StrCat("scope", i);
      Principal principal{.kind = Principal::Kind::kPartner};
      principal.scopes = {scope};
      callers.push_back({std::string(security::ScopeName(scope)),
                         Key(id, "fresh", std::string(security::ScopeName(scope))), principal});
    }
    callers.push_back({"member", MemberToken(), {.kind = Principal::Kind::kMember}});
    for (int i = 0; i < security::kRoleCount; ++i) {
      const auto role = static_cast<security::Role>(i);
      callers.push_back({std::string(security::RoleName(role)),
                         Operator(role),
                         {.kind = Principal::Kind::kOperator, .roles = {role}}});
    }
    return callers;
  }

  // A key of the partner with those scopes, and for those stores only.
  std::string Key(const std::string& id, const std::string& slug, const std::string& scopes,
                  const std::string& stores = "") {
    const std::string key = security::GenerateKey(security::KeyKind::kPartner, id);
    Query(
        absl::StrCat("insert into partner.credentials (credential_id, partner_id, display_name, "
                     "key_hash, scopes, store_codes, created_at_us) select '",
                     id, "', partner_id, 'test', ", HashOf(key), ", '{", scopes, "}', '{", stores,
                     "}', 0 from partner.partners where slug = '", slug, "'"));
    return key;
  }

  // Of the member whose card is that fact.
  std::string MemberToken(const std::string& card = "card") {
    return security::MemberTokens(network().secrets())
        .Make(coalition_.AccountOf(fact(card)), Timestamp(int64_t{4'000'000'000'000'000}));
  }

  AnyAnswer Call(const std::string& key, const MethodDescriptor& method, const std::string& text) {
    return testing::CallAny(network().WithKey(key), method,
                            *testing::RequestOf(method, Filled(text)));
  }

  const std::string& fact(const std::string& name) const { return facts_.at(name); }
  void SetFact(const std::string& name, std::string value) { facts_[name] = std::move(value); }

 protected:
  AnyAnswer Do(const std::string& key, const std::string& method, const std::string& text) {
    const auto* const found =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName("guilder." + method);
    REQUIRE(found != nullptr);
    return Call(key, *found, text);
  }

 private:
  std::string HashOf(const std::string& key) {
    const security::KeyHasher hasher(network().secrets().KeyPepper());
    return "'\\x" + ToHex(AsView(hasher.Hash(key))) + "'";
  }

  std::string Operator(security::Role role) {
    const std::string name(security::RoleName(role));
    const std::string id = "only-" + absl::StrReplaceAll(name, {{"_", "-"}});
    if (tokens_.contains(id)) return tokens_[id];
    const std::string token = tokens_[id] = security::GenerateKey(security::KeyKind::kOperator, id);
    Query(
        absl::StrCat("insert into operator.operators (operator_id, display_name, roles, "
                     "token_hash, created_at_us) values ('",
                     id, "', 'test', '{", name, "}', ", HashOf(token), ", 0)"));
    return token;
  }

  // "<card>" becomes the fact of that name, "<uuid>" another each time.
  std::string Filled(std::string text) const {
    // A fact may name others, which may name others.
    for (int depth = 0; depth < 3; ++depth) {
      for (const auto& [name, value] : facts_) {
        text = absl::StrReplaceAll(text, {{absl::StrCat("<", name, ">"), value}});
      }
    }
    return absl::StrReplaceAll(text, {{"<uuid>", FormatUuid(security::RandomUuid())}});
  }

  // The first part of what was answered that looks so; what is refused, or has none, fails the
  // test.
  std::string Found(const AnyAnswer& answer, const std::string& pattern) const {
    INFO(answer.status.ToString());
    REQUIRE(answer.status.ok());
    std::smatch match;
    REQUIRE(std::regex_search(answer.bytes, match, std::regex(pattern)));
    return match.str();
  }
  void FillIn();
  void Trade(const std::string& fresh);
  void Settle(const std::string& fresh, const std::string& finance, const std::string& approver);

  testing::Coalition coalition_;
  std::map<std::string, std::string> facts_;
  std::map<std::string, std::string> tokens_;
};

inline void World::FillIn() {
  const std::string fresh = Key("filler", "fresh", "");
  const std::string other = Key("other-filler", "books", "");
  const auto enrol = [&](const std::string& key) {
    member::v1::EnrolMemberResponse enrolled;
    enrolled.ParseFromString(
        Do(key, "member.v1.MemberService.EnrolMember", "request_id:'<uuid>' member{}").bytes);
    REQUIRE_FALSE(enrolled.card_number().empty());
    return enrolled;
  };
  const member::v1::EnrolMemberResponse enrolled = enrol(fresh);
  SetFact("card", enrolled.card_number());
  SetFact("other-card", enrol(other).card_number());
  // As the partner calls the member; members and operators say the account.
  SetFact("member", enrolled.member());
  SetFact("own-member", absl::StrCat("members/", coalition_.AccountOf(fact("card")).value()));
  SetFact("other-member",
          absl::StrCat("members/", coalition_.AccountOf(fact("other-card")).value()));
  SetFact("P", "fresh");
  SetFact("now", absl::StrCat(coalition_.Now().value() / 1'000'000));
  SetFact("sale",
          "card_number:'<card>' occurred_at{seconds:<now>} currency_code:'EUR' "
          "lines{sku:'a' quantity:2 amount_minor_units:20000}");
  SetFact("purchase",
          Found(Do(fresh, "accrual.v1.AccrualService.RecordPurchase",
                   "request_id:'<uuid>' receipt{store:'partners/fresh/stores/s1' order_id:'first'} "
                   "<sale>"),
                "purchases/[0-9]+-[0-9]+"));
  coalition_.AdvanceDays(16);
  SetFact("now", absl::StrCat(coalition_.Now().value() / 1'000'000));
  SetFact("redemption", Found(Do(fresh, "redemption.v1.RedemptionService.AuthorizeRedemption",
                                 "request_id:'<uuid>' store:'partners/fresh/stores/s1' "
                                 "card_number:'<card>' points:10 time_to_live_seconds:86400"),
                              "redemptions/[0-9]+-[0-9]+"));
  Trade(fresh);
  Settle(fresh, Operator(security::Role::kFinance), Operator(security::Role::kFinanceApprover));
}

// A gift that `fresh` supplies, ordered, and a voucher that it takes, used.
inline void World::Trade(const std::string& fresh) {
  const std::string manager = Operator(security::Role::kPartnerManager);
  const std::string service = "redemption.v1.CatalogService.";
  const auto create = [&](const std::string& reward) {
    return Found(Do(manager, service + "CreateReward", "request_id:'<uuid>' " + reward),
                 "rewards/[a-z]+");
  };
  SetFact("gift", create("reward_id:'gift' reward{kind:REWARD_KIND_GIFT display_name:'Gift' "
                         "supplier_store:'partners/fresh/stores/s1' price_points:10}"));
  SetFact("voucher-reward",
          create("reward_id:'voucher' reward{kind:REWARD_KIND_VOUCHER display_name:'Voucher' "
                 "price_points:10 voucher{face_value{currency_code:'EUR' minor_units:100} "
                 "partners:'partners/fresh' validity_days:30}}"));
  const std::string asked = "request_id:'<uuid>' member:'<own-member>' ";
  SetFact("order", Found(Do(MemberToken(), service + "OrderReward", asked + "reward:'<gift>'"),
                         "orders/[0-9]+-[0-9]+"));
  const AnyAnswer issued =
      Do(MemberToken(), service + "IssueVoucher", asked + "reward:'<voucher-reward>'");
  SetFact("voucher", Found(issued, "vouchers/[0-9]+-[0-9]+"));
  SetFact("code", Found(issued, "[0-9A-Z]{4}(-[0-9A-Z]{4}){4}"));
  SetFact("use", Found(Do(fresh, service + "RedeemVoucher",
                          "request_id:'<uuid>' store:'partners/fresh/stores/s1' code:'<code>' "
                          "amount{currency_code:'EUR' minor_units:10}"),
                       "voucherUses/[0-9]+-[0-9]+"));
}

inline void World::Settle(const std::string& fresh, const std::string& finance,
                          const std::string& approver) {
  const std::string service = "settlement.v1.SettlementService.";
  settlement::v1::ListWindowsResponse windows;
  windows.ParseFromString(Do(finance, service + "ListWindows", "page_size:1000").bytes);
  bool closed = false;
  // The last one that is over; those after it cannot be closed.
  for (auto window = windows.windows().rbegin(); window != windows.windows().rend() && !closed;
       ++window) {
    SetFact("window", window->name());
    closed = Do(finance, service + "CloseWindow", "name:'<window>'").status.ok();
  }
  REQUIRE(closed);
  settlement::v1::ComputeSettlementResponse computed;
  computed.ParseFromString(Do(finance, service + "ComputeSettlement", "").bytes);
  SetFact("settlement", computed.settlement().name());
  SetFact("etag", computed.settlement().etag());
  Do(approver, service + "ApproveSettlement", "name:'<settlement>' etag:'<etag>'");
  SetFact("invoice", Found(Do(fresh, service + "ListInvoices", "settlement:'<settlement>'"),
                           "invoices/[A-Z0-9-]+"));
  SetFact("line", Found(Do(fresh, service + "GetPartnerStatement",
                           "settlement:'<settlement>' partner:'partners/fresh'"),
                        "settlements/[0-9]+/lines/[0-9]+"));
  SetFact("dispute", Found(Do(fresh, service + "OpenDispute",
                              "request_id:'<uuid>' line:'<line>' amount_minor_units:1 reason:'r' "
                              "evidence_sha256:'01234567890123456789012345678901' "
                              "evidence_name:'e'"),
                           "disputes/[0-9]+"));
  Query(
      "insert into settlement.reconciliations (partner_id, window_start_us, submitted_at_us, "
      "submitted_by, request_id, fingerprint, lines, matched, missing_here, missing_there, "
      "amount_differs, duplicates, cleared) select partner_id, 0, 0, 'x', gen_random_uuid(), "
      "decode(repeat('00', 32), 'hex'), "
      "0, 0, 0, 0, 0, 0, 0 from partner.partners where slug = 'fresh'");
  SetFact("reconciliation", "reconciliations/1");
}

}  // namespace guilder::access
