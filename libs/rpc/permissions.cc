#include "libs/rpc/permissions.h"

#include "absl/container/flat_hash_map.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::rpc {
namespace {

using enum security::Role;
using security::Roles;

enum Partner { kNoPartner = false, kPartner = true };

// Everyone who may look at everything: nobody is helped by an auditor or administrator who may not.
constexpr Roles kReaders{kAdmin, kAuditor, kSupport};
constexpr Roles kPartnerReaders{kAdmin,    kAuditor,  kSupport, kPartnerManager, kSubmitter,
                                kReviewer, kApprover, kFinance, kFinanceApprover};
constexpr Roles kFinanceReaders{kAdmin, kAuditor, kSupport, kFinance, kFinanceApprover};
constexpr Roles kEveryOperator = kPartnerReaders;
constexpr Roles kNoOperator{};

constexpr Permission Row(std::string_view method, Partner partner, Roles roles) {
  return {.method = method, .anonymous = false, .partner = partner == kPartner, .roles = roles};
}

constexpr Permission Anyone(std::string_view method) {
  return {.method = method, .anonymous = true, .partner = true, .roles = kEveryOperator};
}

// Who may try. That nobody approves what they submitted themselves is checked where it is decided.
const Permission kTable[] = {
    Anyone("grpc.health.v1.Health/Check"),
    Anyone("grpc.health.v1.Health/Watch"),

    // Partners and what belongs to them. A partner reads its own.
    Row("guilder.partner.v1.PartnerService/CreatePartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/GetPartner", kPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/ListPartners", kNoPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/UpdatePartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/SubmitPartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ReviewPartner", kNoPartner, {kReviewer}),
    Row("guilder.partner.v1.PartnerService/ApprovePartner", kNoPartner, {kApprover}),
    Row("guilder.partner.v1.PartnerService/SuspendPartner", kNoPartner,
        {kPartnerManager, kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/ReinstatePartner", kNoPartner,
        {kPartnerManager, kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/TerminatePartner", kNoPartner, {kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/CreateStore", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ListStores", kPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/UpdateStore", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/RegisterTerminal", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ProposeContract", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ApproveContract", kNoPartner, {kApprover}),
    Row("guilder.partner.v1.PartnerService/ListContracts", kPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/BuyPointBlock", kNoPartner, {kFinance, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/GetExposure", kPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/IssueCredential", kNoPartner, {kPartnerManager, kAdmin}),
    Row("guilder.partner.v1.PartnerService/ListCredentials", kPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/RevokeCredential", kNoPartner,
        {kPartnerManager, kAdmin}),

    // Purchases. Only a partner posts, and only its own.
    Row("guilder.accrual.v1.AccrualService/QuotePurchase", kPartner, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordPurchase", kPartner, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordPurchases", kPartner, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/ConfirmPurchases", kPartner, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordReturn", kPartner, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/GetPurchase", kPartner, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListPurchases", kPartner, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ExplainPurchase", kPartner, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListParkedItems", kPartner, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ResolveParkedItem", kNoPartner, {kSupport, kAdmin}),

    Row("guilder.accrual.v1.RuleService/ProposeRuleSet", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.accrual.v1.RuleService/ApproveRuleSet", kNoPartner, {kApprover}),
    Row("guilder.accrual.v1.RuleService/GetRuleSet", kNoPartner, kEveryOperator),
    Row("guilder.accrual.v1.RuleService/ListRuleSets", kNoPartner, kEveryOperator),
    Row("guilder.accrual.v1.RuleService/SimulateRuleSet", kNoPartner, kEveryOperator),

    // Members. A partner enrols, and sees masked data.
    Row("guilder.member.v1.MemberService/EnrolMember", kPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/GetMember", kPartner, kReaders),
    Row("guilder.member.v1.MemberService/FindMember", kPartner, kReaders),
    Row("guilder.member.v1.MemberService/IssueCards", kPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/BlockCard", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/GetBalance", kPartner, kReaders),
    Row("guilder.member.v1.MemberService/ListLots", kNoPartner, kReaders),
    Row("guilder.member.v1.MemberService/ListEntries", kNoPartner, kReaders),
    Row("guilder.member.v1.MemberService/GetStatement", kNoPartner, kReaders),

    // Redemptions. Only a partner takes points, and only for itself.
    Row("guilder.redemption.v1.RedemptionService/AuthorizeRedemption", kPartner, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/CaptureRedemption", kPartner, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/VoidRedemption", kPartner, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/RefundRedemption", kPartner, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/GetRedemption", kPartner, kFinanceReaders),

    // Settlement. A partner reads its own statement and invoices.
    Row("guilder.settlement.v1.SettlementService/ListWindows", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetWindow", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/CloseWindow", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ComputeSettlement", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ApproveSettlement", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/ExportPayments", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/DefaultObligation", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetSettlementPolicy", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/UpdateSettlementPolicy", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetSettlement", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListObligations", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetPartnerStatement", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetInvoice", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetBalanceSheet", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ImportBankStatement", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ListBankEntries", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/AllocateSuspense", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ProposeWriteOff", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ApproveWriteOff", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetAgeing", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListInvoices", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/RenderStatement", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/RenderSettlementReport", kNoPartner,
        kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/OpenDispute", kPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ResolveDispute", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetDispute", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListDisputes", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetDisputePolicy", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/UpdateDisputePolicy", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetLiability", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListMoneyEntries", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/SubmitReconciliation", kPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/GetReconciliation", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListBreaks", kPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/AssignBreak", kNoPartner, {kFinance, kSupport}),
    Row("guilder.settlement.v1.SettlementService/ResolveBreak", kNoPartner,
        {kFinance, kFinanceApprover, kSupport}),

    // The programme.
    Row("guilder.operator.v1.OperatorService/CreateOperator", kNoPartner, {kAdmin}),
    Row("guilder.operator.v1.OperatorService/ListOperators", kNoPartner, {kAdmin, kAuditor}),
    Row("guilder.operator.v1.OperatorService/GetProgramme", kPartner, kEveryOperator),
    Row("guilder.operator.v1.OperatorService/AdvanceClock", kNoPartner, {kAdmin}),
    Row("guilder.operator.v1.OperatorService/VerifyLedger", kNoPartner,
        {kAdmin, kAuditor, kSupport, kFinance}),
    Row("guilder.operator.v1.OperatorService/Explain", kNoPartner,
        {kAdmin, kAuditor, kSupport, kFinance}),
    Row("guilder.operator.v1.OperatorService/GetTrialBalance", kNoPartner, kFinanceReaders),
};

}  // namespace

const std::vector<Permission>& AllPermissions() {
  static const auto* const all = new std::vector<Permission>(std::begin(kTable), std::end(kTable));
  return *all;
}

const Permission* FindPermission(std::string_view method) {
  static const auto* const by_method = [] {
    auto* const map = new absl::flat_hash_map<std::string, const Permission*>;
    for (const Permission& row : kTable) map->emplace(row.method, &row);
    return map;
  }();
  const auto found = by_method->find(ToAbsl(method));
  return found == by_method->end() ? nullptr : found->second;
}

absl::Status CheckPermission(const Permission& permission, const security::Principal& principal) {
  switch (principal.kind) {
    case security::Principal::Kind::kAnonymous:
      if (permission.anonymous) return absl::OkStatus();
      return Refuse(Reason::kCredentialsMissing);
    case security::Principal::Kind::kPartner:
      if (permission.partner) return absl::OkStatus();
      break;
    case security::Principal::Kind::kOperator:
      if (permission.anonymous || principal.roles.HasAnyOf(permission.roles)) {
        return absl::OkStatus();
      }
      break;
  }
  return Refuse(Reason::kPermissionDenied);
}

}  // namespace guilder::rpc
