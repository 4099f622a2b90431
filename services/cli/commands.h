// Every group of commands: one function for each noun, in commands/<noun>.cc.
//
// Each adds its subcommands to `app` and keeps what it needs in `context`; nothing runs before the
// whole command line has been read. The declarations need no more of CLI11 than its name, so that
// files which include this compile fast.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// Partners: who they are, where, at what price, and with which keys.
void AddPartnerCommands(CLI::App& app, Context& context);
// `noun` is "partner".
void AddExitPlanCommand(CLI::App& noun, Context& context);
void AddExposureCommands(CLI::App& app, Context& context);
void AddStoreCommands(CLI::App& app, Context& context);
void AddTerminalCommands(CLI::App& app, Context& context);
void AddContractCommands(CLI::App& app, Context& context);
void AddCredentialCommands(CLI::App& app, Context& context);

// Earning.
void AddRuleSetCommands(CLI::App& app, Context& context);
void AddPurchaseCommands(CLI::App& app, Context& context);
void AddParkedCommands(CLI::App& app, Context& context);

// Members and spending.
void AddMemberCommands(CLI::App& app, Context& context);
void AddCardCommands(CLI::App& app, Context& context);
// Bonuses, and notices before points expire.
void AddBonusCommands(CLI::App& app, Context& context);
void AddConsentCommands(CLI::App& app, Context& context);
// Tiers and segments.
void AddStandingCommands(CLI::App& app, Context& context);
void AddRedemptionCommands(CLI::App& app, Context& context);
void AddReviewCommands(CLI::App& app, Context& context);
void AddRedemptionPolicyCommands(CLI::App& app, Context& context);
// Of the noun `member`: what guards its points.
void AddSpendingCommands(CLI::App& member, Context& context);
// Rewards, orders and vouchers.
void AddCatalogCommands(CLI::App& app, Context& context);

// Money.
void AddWindowCommands(CLI::App& app, Context& context);
void AddHolidayCommands(CLI::App& app, Context& context);
void AddSettlementCommands(CLI::App& app, Context& context);
void AddObligationCommands(CLI::App& app, Context& context);
void AddLiabilityCommands(CLI::App& app, Context& context);
void AddStatementCommands(CLI::App& app, Context& context);
void AddInvoiceCommands(CLI::App& app, Context& context);
void AddBankCommands(CLI::App& app, Context& context);
void AddReconcileCommands(CLI::App& app, Context& context);
void AddDisputeCommands(CLI::App& app, Context& context);

// Of the noun `member`: moves and adjustments of points.
void AddMemberPointsCommands(CLI::App& member, Context& context);
void AddPointsCommands(CLI::App& app, Context& context);

// Of the noun `partner`: its evidence.
void AddDocumentCommands(CLI::App& partner, Context& context);

// Of the noun `member`: the person, and leaving.
void AddPersonVerbs(CLI::App& noun, Context& context);
void AddMemberDocumentVerbs(CLI::App& noun, Context& context);

// The programme.
void AddAuditCommands(CLI::App& app, Context& context);
void AddApprovalCommands(CLI::App& app, Context& context);
void AddOperatorCommands(CLI::App& app, Context& context);
void AddProgrammeCommands(CLI::App& app, Context& context);
void AddLedgerCommands(CLI::App& app, Context& context);
void AddExplainCommand(CLI::App& app, Context& context);

// All of the above, in the order of the help text.
void AddNetworkCommands(CLI::App& app, Context& context);

}  // namespace guilder::cli
