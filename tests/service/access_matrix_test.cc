// Every RPC, called as every kind of principal, for its own and for another partner's resources,
// and compared with the table of permissions.
#include <set>

#include "guilder/redemption/v1/redemption_service.pb.h"

#include "tests/service/access_world.h"
#include "tests/support/invariants.h"

namespace guilder::access {
namespace {

// What a partner's call names. Every method that partners may call has its row here: of whom the
// request speaks, and the request for `fresh`.
enum class Names {
  kPartner,  // Something of a partner: another one is refused.
  kOwnOnly,  // Nothing: the answer has the caller's own things only.
  kNobody,   // Nothing that belongs to a partner.
};

struct Ask {
  const char* method;
  Names names;
  const char* request;
};

constexpr char kReceipt[] = "receipt{store:'partners/<P>/stores/s1' order_id:'<uuid>'} <sale>";

const Ask kCatalogueAsks[] = {
    {"CatalogService/GetReward", Names::kNobody, "name:'<gift>'"},
    {"CatalogService/ListRewards", Names::kNobody, ""},
    {"CatalogService/UpdateOrderStatus", Names::kPartner,
     "request_id:'<uuid>' name:'<order>' state:ORDER_STATE_CONFIRMED"},
    {"CatalogService/CancelOrder", Names::kPartner, "request_id:'<uuid>' name:'<order>'"},
    {"CatalogService/GetOrder", Names::kPartner, "name:'<order>'"},
    {"CatalogService/ListOrders", Names::kOwnOnly, ""},
    {"CatalogService/RedeemVoucher", Names::kPartner,
     "request_id:'<uuid>' store:'partners/<P>/stores/s1' code:'<code>' "
     "amount{currency_code:'EUR' minor_units:1}"},
    {"CatalogService/RefundVoucher", Names::kPartner,
     "request_id:'<uuid>' voucher_use:'<use>' amount{currency_code:'EUR' minor_units:1}"},
    {"CatalogService/GetVoucher", Names::kPartner, "name:'<voucher>'"},
    {"CatalogService/ListVouchers", Names::kOwnOnly, ""}};

std::vector<Ask> WithCatalogue(std::vector<Ask> asks) {
  asks.insert(asks.end(), std::begin(kCatalogueAsks), std::end(kCatalogueAsks));
  return asks;
}

const std::vector<Ask>& Asks() {
  static const auto* const asks = new std::vector<Ask>(WithCatalogue({
      {"PartnerService/GetPartner", Names::kPartner, "name:'partners/<P>'"},
      {"PartnerService/ListStores", Names::kPartner, "parent:'partners/<P>'"},
      {"PartnerService/ListContracts", Names::kPartner, "parent:'partners/<P>'"},
      {"PartnerService/GetExposure", Names::kPartner, "name:'partners/<P>'"},
      {"PartnerService/PlanExit", Names::kPartner, "name:'partners/<P>'"},
      {"PartnerService/ListCredentials", Names::kPartner, "parent:'partners/<P>'"},
      {"PartnerService/IssueCredential", Names::kPartner,
       "parent:'partners/<P>' display_name:'till' scopes:CREDENTIAL_SCOPE_ADMIN"},
      {"PartnerService/RotateCredential", Names::kPartner,
       "name:'partners/<P>/credentials/scope4'"},
      {"PartnerService/RevokeCredential", Names::kPartner,
       "name:'partners/<P>/credentials/filler'"},
      {"AccrualService/QuotePurchase", Names::kPartner, "store:'partners/<P>/stores/s1' <sale>"},
      {"AccrualService/RecordPurchase", Names::kPartner, "request_id:'<uuid>' <receipt>"},
      {"AccrualService/RecordPurchases", Names::kPartner,
       "purchase{request_id:'<uuid>' <receipt>}"},
      {"AccrualService/RecordReturn", Names::kPartner,
       "request_id:'<uuid>' store:'partners/<P>/stores/s1' purchase:'<purchase>' "
       "occurred_at{seconds:<now>} lines{line_id:'1' quantity:1}"},
      {"AccrualService/PreviewReturn", Names::kPartner,
       "store:'partners/<P>/stores/s1' purchase:'<purchase>' lines{line_id:'1' quantity:1}"},
      {"AccrualService/ListSequenceGaps", Names::kPartner,
       "parent:'partners/<P>' from{seconds:1} until{seconds:<now>}"},
      {"AccrualService/ConfirmPurchases", Names::kPartner,
       "request_id:'<uuid>' purchase:'<purchase>' outcome:PURCHASE_OUTCOME_CONFIRMED"},
      {"AccrualService/GetPurchase", Names::kPartner, "name:'<purchase>'"},
      {"AccrualService/ListPurchases", Names::kPartner, "parent:'partners/<P>'"},
      {"AccrualService/ListFundedPoints", Names::kPartner, "parent:'partners/<P>' from{seconds:1}"},
      {"AccrualService/ExplainPurchase", Names::kPartner, "name:'<purchase>'"},
      {"AccrualService/ListParkedItems", Names::kPartner, "parent:'partners/<P>'"},
      {"MemberService/EnrolMember", Names::kNobody, "request_id:'<uuid>' member{}"},
      {"MemberService/GetMember", Names::kPartner, "name:'<member>'"},
      {"MemberService/FindMember", Names::kNobody, "card_number:'<card>'"},
      {"MemberService/IssueCards", Names::kPartner,
       "request_id:'<uuid>' member:'<member>' count:1"},
      {"MemberService/GetBalance", Names::kNobody, "card_number:'<card>'"},
      {"CardService/ActivateCard", Names::kNobody, "name:'cards/<card>'"},
      {"BonusService/ReferMember", Names::kPartner,
       "request_id:'<uuid>' member:'<member>' referrer_card_number:'<card>'"},
      {"PersonService/SetConsent", Names::kPartner,
       "member:'<member>' consent{partner:'partners/<P>' purpose:CONSENT_PURPOSE_MARKETING "
       "channel:CONSENT_CHANNEL_EMAIL granted:true}"},
      {"PersonService/ListConsents", Names::kPartner, "parent:'<member>'"},
      {"PersonService/CheckConsents", Names::kPartner,
       "partner:'partners/<P>' purpose:CONSENT_PURPOSE_MARKETING channel:CONSENT_CHANNEL_EMAIL "
       "members:'<member>'"},
      {"RedemptionService/QuoteRedemption", Names::kPartner,
       "store:'partners/<P>/stores/s1' card_number:'<card>' currency_code:'EUR' "
       "lines{amount_minor_units:100}"},
      {"RedemptionService/AuthorizeRedemption", Names::kPartner,
       "request_id:'<uuid>' store:'partners/<P>/stores/s1' card_number:'<card>' points:1"},
      {"RedemptionService/CaptureRedemption", Names::kPartner,
       "request_id:'<uuid>' name:'<redemption>' points:1"},
      {"RedemptionService/RefundRedemption", Names::kPartner,
       "request_id:'<uuid>' name:'<redemption>' points:1"},
      {"RedemptionService/VoidRedemption", Names::kPartner,
       "request_id:'<uuid>' name:'<redemption>'"},
      {"RedemptionService/GetRedemption", Names::kPartner, "name:'<redemption>'"},
      {"SettlementService/GetPartnerStatement", Names::kPartner,
       "settlement:'<settlement>' partner:'partners/<P>'"},
      {"SettlementService/RenderStatement", Names::kPartner,
       "settlement:'<settlement>' partner:'partners/<P>' format:STATEMENT_FORMAT_CSV"},
      {"SettlementService/GetInvoice", Names::kPartner, "name:'<invoice>'"},
      {"SettlementService/RenderInvoice", Names::kPartner,
       "name:'<invoice>' format:INVOICE_FORMAT_HTML"},
      {"SettlementService/ListInvoices", Names::kPartner, "partner:'partners/<P>'"},
      {"SettlementService/OpenDispute", Names::kPartner,
       "request_id:'<uuid>' line:'<line>' amount_minor_units:1 reason:'r' evidence_name:'e' "
       "evidence_sha256:'01234567890123456789012345678901'"},
      {"SettlementService/GetDispute", Names::kPartner, "name:'<dispute>'"},
      {"SettlementService/ListDisputes", Names::kPartner, "parent:'partners/<P>'"},
      {"SettlementService/GetDisputePolicy", Names::kNobody, ""},
      {"SettlementService/SubmitReconciliation", Names::kPartner,
       "request_id:'<uuid>' header{partner:'partners/<P>' window:'<window>'}"},
      {"SettlementService/GetReconciliation", Names::kPartner, "name:'<reconciliation>'"},
      {"SettlementService/ListBreaks", Names::kPartner, "parent:'partners/<P>'"},
      {"OperatorService/GetProgramme", Names::kNobody, ""},
  }));
  return *asks;
}

// Besides: requests that begin with something of one's own, and lists that name nobody.
const std::vector<Ask>& Mixed() {
  static const auto* const asks = new std::vector<Ask>{
      {"AccrualService/RecordReturn", Names::kPartner,
       "request_id:'<uuid>' store:'partners/books/stores/s1' purchase:'<purchase>' "
       "occurred_at{seconds:<now>} lines{line_id:'1' quantity:1}"},
      {"AccrualService/RecordPurchase", Names::kPartner,
       "request_id:'<uuid>' receipt{store:'partners/books/stores/s1' order_id:'<uuid>'} <sale> "
       "redemption:'<redemption>'"},
      {"AccrualService/PreviewReturn", Names::kPartner,
       "store:'partners/books/stores/s1' purchase:'<purchase>' lines{line_id:'1' quantity:1}"},
      {"AccrualService/ListSequenceGaps", Names::kOwnOnly, ""},
      {"AccrualService/ListPurchases", Names::kOwnOnly, ""},
      {"AccrualService/ListParkedItems", Names::kOwnOnly, ""},
      {"SettlementService/ListInvoices", Names::kOwnOnly, "settlement:'<settlement>'"},
      {"SettlementService/ListDisputes", Names::kOwnOnly, "include_resolved:true"},
      {"SettlementService/ListBreaks", Names::kOwnOnly, "include_resolved:true"},
  };
  return *asks;
}

std::string ShortName(const rpc::Permission& row) {
  return std::string(row.method.substr(row.method.rfind('.') + 1));
}

const Ask* AskOf(const rpc::Permission& row) {
  for (const Ask& ask : Asks()) {
    if (ask.method == ShortName(row)) return &ask;
  }
  return nullptr;
}

const rpc::Permission& RowOf(const Ask& ask) {
  for (const rpc::Permission& row : rpc::AllPermissions()) {
    if (ShortName(row) == ask.method) return row;
  }
  FAIL("no row for " << ask.method);
  std::abort();
}

// Whether it changes nothing, so that there is no excuse not to answer.
bool Reads(const Ask& ask) {
  const std::string method(ask.method);
  const std::string name = method.substr(method.find('/') + 1);
  for (const char* verb : {"Get", "List", "Render", "Explain", "Find", "Quote"}) {
    if (name.rfind(verb, 0) == 0) return true;
  }
  return false;
}

bool IsAboutPermission(const AnyAnswer& answer) {
  return answer.reason() == Reason::kPermissionDenied ||
         answer.reason() == Reason::kCredentialsMissing ||
         answer.reason() == Reason::kCredentialsInvalid;
}

// Whether the answer, or its only item, is that there is nothing for this caller.
bool IsWithheld(const AnyAnswer& answer) {
  if (answer.status.ok()) return answer.Mentions("NOT_YOURS") || answer.Mentions("_NOT_FOUND");
  return answer.reason() == Reason::kNotYours || absl::IsNotFound(answer.status);
}

TEST_CASE("Access: every RPC answers every kind of caller as the table says",
          "[service][access][inv-89]") {
  World world;
  world.SetFact("receipt", kReceipt);
  int calls = 0;
  for (const Caller& caller : world.Everybody()) {
    for (const rpc::Permission& row : rpc::AllPermissions()) {
      const MethodDescriptor* const method = MethodOf(row);
      if (method == nullptr || ShortName(row) == "Health/Watch") continue;
      const absl::Status expected = rpc::CheckPermission(row, caller.principal);
      const Ask* const ask = AskOf(row);
      // What is revoked cannot call on.
      const bool ends = ShortName(row) == "PartnerService/RevokeCredential" ||
                        ShortName(row) == "PartnerService/RotateCredential";
      const std::string request = ask == nullptr || ends ? "" : ask->request;

      const AnyAnswer answer = world.Call(caller.key, *method, request);

      ++calls;
      INFO(caller.name << " calls " << row.method << ": " << answer.status.ToString());
      if (expected.ok()) {
        CHECK_FALSE(IsAboutPermission(answer));
      } else {
        CHECK(answer.reason() == ReasonOf(expected));
      }
    }
  }
  CHECK(calls > 1'500);
  testing::CheckInvariants(world.coalition().database());
}

TEST_CASE("Access: a partner reaches its own things and nothing of another's, by every RPC",
          "[service][access][inv-89]") {
  World world;
  world.SetFact("receipt", kReceipt);
  world.Key("scope4", "fresh", "ADMIN");
  const std::string everything = "POST,REDEEM,READ,REPORT,ADMIN";
  const std::string own = world.Key("own", "fresh", everything);
  const std::string other = world.Key("intruder", "books", everything);
  for (const rpc::Permission& row : rpc::AllPermissions()) {
    if (MethodOf(row) == nullptr || row.anonymous || !row.partner) continue;
    INFO("add a row to Asks() for " << row.method);
    CHECK(AskOf(row) != nullptr);
  }
  // The intruder first, while everything is there.
  for (const auto* asks : {&Asks(), &Mixed()}) {
    for (const Ask& ask : *asks) {
      const AnyAnswer answer = world.Call(other, *MethodOf(RowOf(ask)), ask.request);
      INFO("books calls " << ask.method << " for fresh: " << answer.status.ToString());
      if (ask.names == Names::kPartner) CHECK(IsWithheld(answer));
      if (ask.names == Names::kOwnOnly) {
        CHECK_FALSE(answer.Mentions("partners/fresh"));
        CHECK_FALSE(answer.Mentions(world.fact("invoice")));
        CHECK_FALSE(answer.Mentions(world.fact("purchase")));
      }
    }
  }
  for (const Ask& ask : Asks()) {
    const AnyAnswer answer = world.Call(own, *MethodOf(RowOf(ask)), ask.request);
    INFO("fresh calls " << ask.method << ": " << answer.status.ToString());
    CHECK_FALSE(IsWithheld(answer));
    CHECK_FALSE(IsAboutPermission(answer));
    CHECK(answer.reason() != Reason::kInternal);
    if (Reads(ask)) CHECK(answer.status.ok());
  }
  testing::CheckInvariants(world.coalition().database());
}

TEST_CASE("Access: a credential for one store posts and takes points there only",
          "[service][access][inv-89]") {
  World world;
  const std::string key = world.Key("till", "fresh", "POST,REDEEM", "s1");
  const Ask asks[] = {
      {"AccrualService/QuotePurchase", Names::kPartner, "store:'partners/fresh/stores/<S>' <sale>"},
      {"AccrualService/RecordPurchase", Names::kPartner,
       "request_id:'<uuid>' receipt{store:'partners/fresh/stores/<S>' order_id:'<uuid>'} <sale>"},
      {"AccrualService/RecordPurchases", Names::kPartner,
       "purchase{request_id:'<uuid>' receipt{store:'partners/fresh/stores/<S>' order_id:'<uuid>'} "
       "<sale>}"},
      {"AccrualService/RecordReturn", Names::kPartner,
       "request_id:'<uuid>' store:'partners/fresh/stores/<S>' purchase:'<purchase>' "
       "occurred_at{seconds:<now>} lines{line_id:'1' quantity:1}"},
      {"RedemptionService/QuoteRedemption", Names::kPartner,
       "store:'partners/fresh/stores/<S>' card_number:'<card>' currency_code:'EUR' "
       "lines{amount_minor_units:100}"},
      {"RedemptionService/AuthorizeRedemption", Names::kPartner,
       "request_id:'<uuid>' store:'partners/fresh/stores/<S>' card_number:'<card>' points:1"},
      {"CatalogService/RedeemVoucher", Names::kPartner,
       "request_id:'<uuid>' store:'partners/fresh/stores/<S>' code:'<code>' "
       "amount{currency_code:'EUR' minor_units:1}"}};
  for (const Ask& ask : asks) {
    INFO(ask.method);
    world.SetFact("S", "s2");
    CHECK(IsWithheld(world.Call(key, *MethodOf(RowOf(ask)), ask.request)));
    world.SetFact("S", "s1");
    const AnyAnswer there = world.Call(key, *MethodOf(RowOf(ask)), ask.request);
    INFO(there.status.ToString());
    CHECK(there.status.ok());
    CHECK_FALSE(IsWithheld(there));
  }
  testing::CheckInvariants(world.coalition().database());
}

TEST_CASE("Access: a credential for one store acts on no redemption of another store",
          "[service][access][inv-89]") {
  World world;
  const std::string all = world.Key("all", "fresh", "REDEEM");
  const std::string till = world.Key("till", "fresh", "REDEEM", "s1");
  const Ask authorize = {"RedemptionService/AuthorizeRedemption", Names::kPartner,
                         "request_id:'<uuid>' store:'partners/fresh/stores/<S>' "
                         "card_number:'<card>' points:1"};
  const auto hold_in = [&](const char* store) {
    world.SetFact("S", store);
    const AnyAnswer held = world.Call(all, *MethodOf(RowOf(authorize)), authorize.request);
    INFO(held.status.ToString());
    REQUIRE(held.status.ok());
    redemption::v1::AuthorizeRedemptionResponse response;
    response.ParseFromString(held.bytes);
    world.SetFact("held", response.name());
  };
  const Ask acts[] = {
      {"RedemptionService/CaptureRedemption", Names::kPartner,
       "request_id:'<uuid>' name:'<held>' points:1"},
      {"RedemptionService/RefundRedemption", Names::kPartner,
       "request_id:'<uuid>' name:'<held>' points:1"},
      {"RedemptionService/VoidRedemption", Names::kPartner, "request_id:'<uuid>' name:'<held>'"}};
  hold_in("s2");
  for (const Ask& act : acts) {
    INFO(act.method);
    CHECK(world.Call(till, *MethodOf(RowOf(act)), act.request).reason() == Reason::kNotYours);
  }
  hold_in("s1");
  CHECK(world.Call(till, *MethodOf(RowOf(acts[0])), acts[0].request).status.ok());
  CHECK(world.Call(till, *MethodOf(RowOf(acts[1])), acts[1].request).status.ok());
  testing::CheckInvariants(world.coalition().database());
}

TEST_CASE("Access: a member's token reads the member's own account", "[service][access][inv-89]") {
  World world;
  const std::string token = world.MemberToken();
  const std::string other = world.MemberToken("other-card");
  const Ask asks[] = {
      {"MemberService/GetMember", Names::kPartner, "name:'<own-member>'"},
      {"MemberService/GetBalance", Names::kPartner, "member:'<own-member>'"},
      {"MemberService/ListLots", Names::kPartner, "parent:'<own-member>'"},
      {"MemberService/ListEntries", Names::kPartner, "parent:'<own-member>'"},
      {"MemberService/GetStatement", Names::kPartner, "member:'<own-member>'"},
      {"StandingService/ListTierChanges", Names::kPartner, "parent:'<own-member>'"},
      {"StandingService/ListResidences", Names::kPartner, "parent:'<own-member>'"},
      {"BonusService/ReferMember", Names::kPartner,
       "request_id:'<uuid>' member:'<own-member>' referrer_card_number:'<card>'"},
      {"PersonService/UpdateMember", Names::kPartner,
       "member{name:'<own-member>' given_name:'A'} update_mask{paths:'given_name'}"},
      {"PersonService/SetConsent", Names::kPartner,
       "member:'<own-member>' consent{partner:'partners/fresh' granted:true "
       "purpose:CONSENT_PURPOSE_MARKETING channel:CONSENT_CHANNEL_EMAIL}"},
      {"PersonService/ListConsents", Names::kPartner, "parent:'<own-member>'"},
      {"MemberDocumentService/RenderMemberStatement", Names::kPartner,
       "name:'<own-member>' format:MEMBER_DOCUMENT_FORMAT_TEXT"},
      {"MemberDocumentService/ExportMember", Names::kPartner,
       "name:'<own-member>' format:MEMBER_DOCUMENT_FORMAT_JSON"},
      // A payment of the member's is under way, so these two are refused for now.
      {"PersonService/CloseMember", Names::kPartner, "request_id:'<uuid>' name:'<own-member>'"},
      {"PersonService/EraseMember", Names::kPartner, "request_id:'<uuid>' name:'<own-member>'"},
      {"MemberService/TransferPoints", Names::kPartner,
       "request_id:'<uuid>' source:'<own-member>' target_card_number:'<other-card>' points:1"},
      {"SpendingService/SetPin", Names::kPartner, "member:'<own-member>' pin:'4711'"},
      {"SpendingService/CreateOneTimeCode", Names::kPartner, "member:'<own-member>'"},
      {"SpendingService/GetSpendingState", Names::kPartner, "member:'<own-member>'"},
      {"CatalogService/GetReward", Names::kNobody, "name:'<gift>'"},
      {"CatalogService/ListRewards", Names::kNobody, ""},
      {"CatalogService/OrderReward", Names::kPartner,
       "request_id:'<uuid>' member:'<own-member>' reward:'<gift>'"},
      {"CatalogService/GetOrder", Names::kPartner, "name:'<order>'"},
      {"CatalogService/ListOrders", Names::kPartner, "member:'<own-member>'"},
      {"CatalogService/CancelOrder", Names::kPartner, "request_id:'<uuid>' name:'<order>'"},
      {"CatalogService/IssueVoucher", Names::kPartner,
       "request_id:'<uuid>' member:'<own-member>' reward:'<voucher-reward>'"},
      {"CatalogService/GetVoucher", Names::kPartner, "name:'<voucher>'"},
      {"CatalogService/ListVouchers", Names::kPartner, "member:'<own-member>'"},
      {"CatalogService/RefundVoucher", Names::kPartner, "request_id:'<uuid>' voucher:'<voucher>'"}};
  std::set<std::string> asked;
  for (const Ask& ask : asks) {
    INFO(ask.method);
    asked.insert(ask.method);
    const MethodDescriptor& method = *MethodOf(RowOf(ask));
    // The other one first, while everything is there.
    const AnyAnswer withheld = world.Call(other, method, ask.request);
    CHECK(IsWithheld(withheld) == (ask.names == Names::kPartner));
    const AnyAnswer own = world.Call(token, method, ask.request);
    INFO(own.status.ToString());
    CHECK_FALSE(IsWithheld(own));
    CHECK_FALSE(IsAboutPermission(own));
    if (Reads(ask)) CHECK(own.status.ok());
  }
  for (const rpc::Permission& row : rpc::AllPermissions()) {
    INFO("a member may call " << row.method);
    if (row.member && !row.anonymous) CHECK(asked.contains(ShortName(row)));
  }
  testing::CheckInvariants(world.coalition().database());
}

}  // namespace
}  // namespace guilder::access
