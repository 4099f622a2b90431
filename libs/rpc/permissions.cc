#include "libs/rpc/permissions.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::rpc {
namespace {

using enum security::Role;
using security::Roles;

// What a partner's credential needs.
constexpr std::nullopt_t kNoPartner = std::nullopt;
constexpr security::Scope kPost = security::Scope::kPost;
constexpr security::Scope kRedeem = security::Scope::kRedeem;
constexpr security::Scope kRead = security::Scope::kRead;
constexpr security::Scope kReport = security::Scope::kReport;
constexpr security::Scope kOwnKeys = security::Scope::kAdmin;

// Everyone who may look at everything: nobody is helped by an auditor or administrator who may not.
constexpr Roles kReaders{kAdmin, kAuditor, kSupport};
constexpr Roles kPartnerReaders{kAdmin,    kAuditor,  kSupport, kPartnerManager, kSubmitter,
                                kReviewer, kApprover, kFinance, kFinanceApprover};
constexpr Roles kFinanceReaders{kAdmin, kAuditor, kSupport, kFinance, kFinanceApprover};
constexpr Roles kEveryOperator = kPartnerReaders;
constexpr Roles kNoOperator{};

constexpr Permission Row(std::string_view method, std::optional<security::Scope> partner,
                         Roles roles) {
  return {.method = method, .anonymous = false, .partner = partner, .roles = roles};
}

// What a member may ask of its own account, besides partners and operators.
constexpr Permission MembersToo(Permission row) {
  row.member = true;
  return row;
}

// What needs a second person, where the request says more than what holds.
constexpr Permission TwoPeople(Permission row) {
  row.approvable = true;
  return row;
}

constexpr Permission Anyone(std::string_view method) {
  return {.method = method,
          .anonymous = true,
          .partner = kRead,
          .roles = kEveryOperator,
          .member = true};
}

// Who may try. That nobody approves what they submitted themselves is checked where it is decided.
const Permission kTable[] = {
    Anyone("grpc.health.v1.Health/Check"),
    Anyone("grpc.health.v1.Health/Watch"),

    // Partners and what belongs to them. A partner reads its own.
    Row("guilder.partner.v1.PartnerService/CreatePartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/GetPartner", kRead, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/ListPartners", kNoPartner, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/UpdatePartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/SubmitPartner", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ReviewPartner", kNoPartner, {kReviewer}),
    Row("guilder.partner.v1.PartnerService/ApprovePartner", kNoPartner, {kApprover}),
    Row("guilder.partner.v1.PartnerService/RejectPartner", kNoPartner, {kReviewer, kApprover}),
    Row("guilder.partner.v1.PartnerService/AttachDocument", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/SuspendPartner", kNoPartner,
        {kPartnerManager, kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/ReinstatePartner", kNoPartner,
        {kPartnerManager, kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/TerminatePartner", kNoPartner, {kApprover, kAdmin}),
    Row("guilder.partner.v1.PartnerService/CreateStore", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ListStores", kRead, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/UpdateStore", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/RegisterTerminal", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ProposeContract", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/ApproveContract", kNoPartner, {kApprover}),
    Row("guilder.partner.v1.PartnerService/RejectContract", kNoPartner,
        {kSubmitter, kPartnerManager, kApprover}),
    Row("guilder.partner.v1.PartnerService/ListContracts", kRead, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/BuyPointBlock", kNoPartner, {kFinance, kPartnerManager}),
    Row("guilder.partner.v1.PartnerService/PlanExit", kRead, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/GetExposure", kRead, kPartnerReaders),
    TwoPeople(Row("guilder.partner.v1.PartnerService/UpdateExposurePolicy", kNoPartner,
                  {kFinanceApprover})),
    Row("guilder.partner.v1.PartnerService/IssueCredential", kOwnKeys, {kPartnerManager, kAdmin}),
    Row("guilder.partner.v1.PartnerService/ListCredentials", kRead, kPartnerReaders),
    Row("guilder.partner.v1.PartnerService/RevokeCredential", kOwnKeys, {kPartnerManager, kAdmin}),
    Row("guilder.partner.v1.PartnerService/RotateCredential", kOwnKeys, {kPartnerManager, kAdmin}),

    // Purchases. Only a partner posts, and only its own.
    Row("guilder.accrual.v1.AccrualService/QuotePurchase", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordPurchase", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordPurchases", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/ConfirmPurchases", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/RecordReturn", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/PreviewReturn", kPost, kNoOperator),
    Row("guilder.accrual.v1.AccrualService/GetPurchase", kRead, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListPurchases", kRead, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ExplainPurchase", kRead, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListSequenceGaps", kRead, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListTopCards", kNoPartner, kReaders),
    Row("guilder.accrual.v1.AccrualService/ListFundedPoints", kRead, kFinanceReaders),
    Row("guilder.accrual.v1.AccrualService/ListParkedItems", kRead,
        {kAdmin, kAuditor, kSupport, kApprover, kFinance, kFinanceApprover}),
    Row("guilder.accrual.v1.AccrualService/ResolveParkedItem", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.accrual.v1.AccrualService/ApproveParkedReturn", kNoPartner, {kApprover, kAdmin}),
    Row("guilder.accrual.v1.AccrualService/RejectParkedReturn", kNoPartner,
        {kSupport, kApprover, kAdmin}),

    Row("guilder.accrual.v1.RuleService/ProposeRuleSet", kNoPartner, {kSubmitter, kPartnerManager}),
    Row("guilder.accrual.v1.RuleService/ApproveRuleSet", kNoPartner, {kApprover}),
    Row("guilder.accrual.v1.RuleService/RejectRuleSet", kNoPartner,
        {kSubmitter, kPartnerManager, kApprover}),
    Row("guilder.accrual.v1.RuleService/GetRuleSet", kNoPartner, kEveryOperator),
    Row("guilder.accrual.v1.RuleService/ListRuleSets", kNoPartner, kEveryOperator),
    Row("guilder.accrual.v1.RuleService/SimulateRuleSet", kNoPartner, kEveryOperator),

    // Members. A partner enrols, and sees masked data.
    Row("guilder.member.v1.MemberService/EnrolMember", kPost, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/IssueMemberToken", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.MemberService/GetMember", kRead, kReaders)),
    Row("guilder.member.v1.MemberService/FindMember", kRead, kReaders),
    Row("guilder.member.v1.MemberService/IssueCards", kPost, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/BlockCard", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.MemberService/GetBalance", kRead, kReaders)),
    MembersToo(Row("guilder.member.v1.MemberService/ListLots", kNoPartner, kReaders)),
    MembersToo(Row("guilder.member.v1.MemberService/ListEntries", kNoPartner, kReaders)),
    MembersToo(Row("guilder.member.v1.MemberService/GetStatement", kNoPartner, kReaders)),
    MembersToo(
        Row("guilder.member.v1.MemberService/TransferPoints", kNoPartner, {kSupport, kAdmin})),
    Row("guilder.member.v1.MemberService/MergeMembers", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.MemberService/AdjustPoints", kNoPartner, {kSupport, kAdmin}),

    // What rules ask of members.
    Row("guilder.member.v1.StandingService/SetTier", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.StandingService/ListTierChanges", kNoPartner, kReaders)),
    Row("guilder.member.v1.StandingService/AddSegment", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.StandingService/RemoveSegment", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.StandingService/ListSegments", kNoPartner, kReaders),
    Row("guilder.member.v1.StandingService/SetResidence", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.StandingService/ListResidences", kNoPartner, kReaders)),

    // What staff does with members' points.
    Row("guilder.member.v1.PointsService/GetPointsPolicy", kNoPartner, kEveryOperator),
    Row("guilder.member.v1.PointsService/UpdatePointsPolicy", kNoPartner,
        {kPartnerManager, kAdmin}),
    Row("guilder.member.v1.PointsService/ReverseTransfer", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.PointsService/ApproveAdjustment", kNoPartner, {kApprover, kAdmin}),
    Row("guilder.member.v1.PointsService/RejectAdjustment", kNoPartner,
        {kSupport, kApprover, kAdmin}),
    Row("guilder.member.v1.PointsService/ListAdjustments", kNoPartner,
        {kAdmin, kAuditor, kSupport, kApprover, kFinance}),
    Row("guilder.member.v1.PointsService/ReportAdjustments", kNoPartner,
        {kAdmin, kAuditor, kSupport, kApprover, kFinance}),
    Row("guilder.member.v1.PointsService/ReinstatePoints", kNoPartner, {kAdmin}),
    Row("guilder.member.v1.PointsService/PreviewExpiry", kNoPartner,
        {kAdmin, kAuditor, kSupport, kFinance}),
    Row("guilder.member.v1.PointsService/SweepExpiry", kNoPartner, {kAdmin, kFinance}),

    // What is known of people. A partner notes and sees what it was told itself.
    MembersToo(Row("guilder.member.v1.PersonService/UpdateMember", kNoPartner, {kSupport, kAdmin})),
    Row("guilder.member.v1.PersonService/AddPerson", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.PersonService/RemovePerson", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.PersonService/SetConsent", kPost, {kSupport, kAdmin})),
    MembersToo(Row("guilder.member.v1.PersonService/ListConsents", kRead, kReaders)),
    Row("guilder.member.v1.PersonService/CheckConsents", kRead, {kSupport, kAdmin}),
    Row("guilder.member.v1.PersonService/LockMember", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.PersonService/UnlockMember", kNoPartner, {kSupport, kAdmin}),
    MembersToo(Row("guilder.member.v1.PersonService/CloseMember", kNoPartner, {kSupport, kAdmin})),
    MembersToo(Row("guilder.member.v1.PersonService/EraseMember", kNoPartner, {kSupport, kAdmin})),
    Row("guilder.member.v1.PersonService/RotateMemberKeys", kNoPartner, {kAdmin}),
    // Numbers of cards. A till hands cards out; who prints them reads their numbers.
    Row("guilder.member.v1.CardService/CreateCardRange", kNoPartner, {kPartnerManager, kAdmin}),
    Row("guilder.member.v1.CardService/ListCardRanges", kNoPartner,
        {kPartnerManager, kAdmin, kSupport, kAuditor}),
    Row("guilder.member.v1.CardService/CreateCardBatch", kNoPartner, {kPartnerManager, kAdmin}),
    Row("guilder.member.v1.CardService/ListCardBatches", kNoPartner,
        {kPartnerManager, kAdmin, kSupport, kAuditor}),
    Row("guilder.member.v1.CardService/ListBatchCards", kNoPartner, {kPartnerManager, kAdmin}),
    Row("guilder.member.v1.CardService/GetCard", kNoPartner, {kSupport, kAdmin, kAuditor}),
    Row("guilder.member.v1.CardService/ActivateCard", kPost, {kSupport, kAdmin}),
    Row("guilder.member.v1.CardService/ReplaceCard", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.member.v1.CardService/LapseUnclaimedCards", kNoPartner, {kAdmin, kFinance}),
    // What a person gets once. A till, or the member, says who referred it.
    Row("guilder.member.v1.BonusService/GetBonusPolicy", kNoPartner, kEveryOperator),
    Row("guilder.member.v1.BonusService/UpdateBonusPolicy", kNoPartner, {kPartnerManager, kAdmin}),
    MembersToo(Row("guilder.member.v1.BonusService/ReferMember", kPost, {kSupport, kAdmin})),
    Row("guilder.member.v1.BonusService/GrantBirthdayBonuses", kNoPartner, {kAdmin, kFinance}),
    // What members are told before points expire, by the operator's own programs.
    Row("guilder.member.v1.NoticeService/PrepareNotices", kNoPartner, {kAdmin, kSupport}),
    Row("guilder.member.v1.NoticeService/ListNotices", kNoPartner, {kAdmin, kSupport}),
    Row("guilder.member.v1.NoticeService/AcknowledgeNotices", kNoPartner, {kAdmin, kSupport}),
    Row("guilder.member.v1.ImportService/ImportMembers", kNoPartner, {kAdmin}),
    MembersToo(
        Row("guilder.member.v1.MemberDocumentService/RenderMemberStatement", kNoPartner, kReaders)),
    MembersToo(Row("guilder.member.v1.MemberDocumentService/ExportMember", kNoPartner,
                   {kSupport, kAdmin})),

    // Redemptions. Only a partner takes points, and only for itself.
    Row("guilder.redemption.v1.RedemptionService/QuoteRedemption", kRedeem, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/AuthorizeRedemption", kRedeem, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/CaptureRedemption", kRedeem, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/VoidRedemption", kRedeem, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/RefundRedemption", kRedeem, kNoOperator),
    Row("guilder.redemption.v1.RedemptionService/GetRedemption", kRead, kFinanceReaders),

    // What guards members' points. A member sets its own PIN and asks for its own codes.
    Row("guilder.redemption.v1.SpendingService/GetRedemptionPolicy", kNoPartner, kEveryOperator),
    Row("guilder.redemption.v1.SpendingService/UpdateRedemptionPolicy", kNoPartner, {kAdmin}),
    MembersToo(Row("guilder.redemption.v1.SpendingService/SetPin", kNoPartner, {kSupport, kAdmin})),
    MembersToo(Row("guilder.redemption.v1.SpendingService/CreateOneTimeCode", kNoPartner,
                   {kSupport, kAdmin})),
    MembersToo(Row("guilder.redemption.v1.SpendingService/GetSpendingState", kNoPartner, kReaders)),
    Row("guilder.redemption.v1.SpendingService/UnlockSpending", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.redemption.v1.SpendingService/ListReviews", kNoPartner, kReaders),
    Row("guilder.redemption.v1.SpendingService/ReleaseReview", kNoPartner, {kSupport, kAdmin}),
    Row("guilder.redemption.v1.SpendingService/RejectReview", kNoPartner, {kSupport, kAdmin}),
    // The catalogue. Members order for themselves; suppliers carry on their own orders.
    Row("guilder.redemption.v1.CatalogService/CreateReward", kNoPartner,
        {kSubmitter, kPartnerManager}),
    Row("guilder.redemption.v1.CatalogService/UpdateReward", kNoPartner,
        {kSubmitter, kPartnerManager}),
    MembersToo(Row("guilder.redemption.v1.CatalogService/GetReward", kRead, kEveryOperator)),
    MembersToo(Row("guilder.redemption.v1.CatalogService/ListRewards", kRead, kEveryOperator)),
    MembersToo(
        Row("guilder.redemption.v1.CatalogService/OrderReward", kNoPartner, {kSupport, kAdmin})),
    MembersToo(
        Row("guilder.redemption.v1.CatalogService/CancelOrder", kRedeem, {kSupport, kAdmin})),
    Row("guilder.redemption.v1.CatalogService/UpdateOrderStatus", kRedeem, {kSupport, kAdmin}),
    MembersToo(Row("guilder.redemption.v1.CatalogService/GetOrder", kRead, kFinanceReaders)),
    MembersToo(Row("guilder.redemption.v1.CatalogService/ListOrders", kRead, kFinanceReaders)),
    MembersToo(
        Row("guilder.redemption.v1.CatalogService/IssueVoucher", kNoPartner, {kSupport, kAdmin})),
    Row("guilder.redemption.v1.CatalogService/RedeemVoucher", kRedeem, kNoOperator),
    MembersToo(
        Row("guilder.redemption.v1.CatalogService/RefundVoucher", kRedeem, {kSupport, kAdmin})),
    MembersToo(Row("guilder.redemption.v1.CatalogService/GetVoucher", kRead, kFinanceReaders)),
    MembersToo(Row("guilder.redemption.v1.CatalogService/ListVouchers", kRead, kFinanceReaders)),

    // Settlement. A partner reads its own statement and invoices.
    Row("guilder.settlement.v1.SettlementService/ListWindows", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetWindow", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/CloseWindow", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ListHolidays", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/AddHolidays", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/RemoveHoliday", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/ComputeSettlement", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ApproveSettlement", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/RejectSettlement", kNoPartner,
        {kFinance, kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/ExportPayments", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/DefaultObligation", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetSettlementPolicy", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/UpdateSettlementPolicy", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetSettlement", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListSettlements", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListObligations", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetPartnerStatement", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetInvoice", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetBalanceSheet", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ImportBankStatement", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ListBankEntries", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/AllocateSuspense", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ProposeWriteOff", kNoPartner, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ApproveWriteOff", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/RejectWriteOff", kNoPartner,
        {kFinance, kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetAgeing", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListInvoices", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/RenderStatement", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/RenderInvoice", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/RenderSettlementReport", kNoPartner,
        kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/OpenDispute", kReport, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/ResolveDispute", kNoPartner, {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetDispute", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListDisputes", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/GetDisputePolicy", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/UpdateDisputePolicy", kNoPartner,
        {kFinanceApprover}),
    Row("guilder.settlement.v1.SettlementService/GetLiability", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListMoneyEntries", kNoPartner, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/SubmitReconciliation", kReport, {kFinance}),
    Row("guilder.settlement.v1.SettlementService/GetReconciliation", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/ListBreaks", kReport, kFinanceReaders),
    Row("guilder.settlement.v1.SettlementService/AssignBreak", kNoPartner, {kFinance, kSupport}),
    Row("guilder.settlement.v1.SettlementService/ResolveBreak", kNoPartner,
        {kFinance, kFinanceApprover, kSupport}),

    // The programme.
    TwoPeople(Row("guilder.operator.v1.OperatorService/CreateOperator", kNoPartner, {kAdmin})),
    Row("guilder.operator.v1.OperatorService/DisableOperator", kNoPartner, {kAdmin}),
    Row("guilder.operator.v1.OperatorService/ListOperators", kNoPartner, {kAdmin, kAuditor}),
    Row("guilder.operator.v1.OperatorService/GetProgramme", kRead, kEveryOperator),
    Row("guilder.operator.v1.OperatorService/AdvanceClock", kNoPartner, {kAdmin}),
    Row("guilder.operator.v1.OperatorService/VerifyLedger", kNoPartner,
        {kAdmin, kAuditor, kSupport, kFinance}),
    Row("guilder.operator.v1.OperatorService/Explain", kNoPartner,
        {kAdmin, kAuditor, kSupport, kFinance}),
    Row("guilder.operator.v1.OperatorService/ListAuditRecords", kNoPartner, {kAdmin, kAuditor}),
    Row("guilder.operator.v1.OperatorService/VerifyAuditLog", kNoPartner, {kAdmin, kAuditor}),
    Row("guilder.operator.v1.OperatorService/ListApprovals", kNoPartner, kEveryOperator),
    Row("guilder.operator.v1.OperatorService/RequestApproval", kNoPartner, kEveryOperator),
    Row("guilder.operator.v1.OperatorService/Approve", kNoPartner,
        {kApprover, kFinanceApprover, kAdmin}),
    Row("guilder.operator.v1.OperatorService/Reject", kNoPartner, kEveryOperator),
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
  if (permission.anonymous) return absl::OkStatus();
  switch (principal.kind) {
    case security::Principal::Kind::kAnonymous:
      return Refuse(Reason::kCredentialsMissing);
    case security::Principal::Kind::kPartner:
      if (!permission.partner) break;
      if (principal.scopes.Has(*permission.partner)) return absl::OkStatus();
      return Refuse(Reason::kPermissionDenied, "the credential lacks a scope",
                    {{"scope", std::string(security::ScopeName(*permission.partner))}});
    case security::Principal::Kind::kMember:
      if (permission.member) return absl::OkStatus();
      break;
    case security::Principal::Kind::kOperator:
      if (principal.roles.HasAnyOf(permission.roles)) {
        return absl::OkStatus();
      }
      break;
  }
  return Refuse(Reason::kPermissionDenied);
}

std::string PermissionsPage() {
  std::string page =
      "# Who may call what\n\n"
      "One table for the whole product, `libs/rpc/permissions.cc`, which every call is checked "
      "against "
      "before its handler\nruns. This page is made from it; a test compares the two, and another "
      "calls "
      "every RPC as every kind of caller.\n\n"
      "- **Partner**: the scope that its credential needs. A partner acts only for itself, and a "
      "credential "
      "for certain stores\n  only there.\n"
      "- **Member**: with a token, for its own account.\n"
      "- **Operators**: one of these roles. Nobody approves what they proposed, whatever their "
      "roles. Where two people\n  are named, somebody else approves the very request first, if it "
      "allows more than what holds.\n"
      "- Services do not call each other, so there is no principal for them. Each has a "
      "database role of its own\n  (`deploy/roles`), which writes its own tables.\n";
  std::string service;
  for (const Permission& row : kTable) {
    const auto slash = row.method.find('/');
    const std::string of(row.method.substr(0, slash));
    if (of != service) {
      service = of;
      absl::StrAppend(&page, "\n## ", of,
                      "\n\n| RPC | partner | member | operators |\n|---|---|---|---|\n");
    }
    std::vector<std::string> roles;
    for (int i = 0; i < security::kRoleCount; ++i) {
      const auto role = static_cast<security::Role>(i);
      if (row.roles.Has(role)) roles.emplace_back(security::RoleName(role));
    }
    const bool every = roles.size() == static_cast<size_t>(security::kRoleCount);
    const std::string operators = every ? "every role" : absl::StrJoin(roles, ", ");
    const std::string partner =
        row.partner ? std::string(security::ScopeName(*row.partner)) : std::string();
    absl::StrAppend(&page, "| ", ToAbsl(row.method.substr(slash + 1)), " | ",
                    row.anonymous ? "anyone" : partner, " | ",
                    row.anonymous ? "anyone" : (row.member ? "own" : ""), " | ",
                    row.anonymous ? "anyone" : operators, row.approvable ? ", two people" : "",
                    " |\n");
  }
  return page;
}

}  // namespace guilder::rpc
