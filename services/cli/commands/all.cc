#include "services/cli/commands.h"

namespace guilder::cli {

void AddNetworkCommands(CLI::App& app, Context& context) {
  AddPartnerCommands(app, context);
  AddExposureCommands(app, context);
  AddStoreCommands(app, context);
  AddTerminalCommands(app, context);
  AddContractCommands(app, context);
  AddCredentialCommands(app, context);
  AddRuleSetCommands(app, context);
  AddPurchaseCommands(app, context);
  AddParkedCommands(app, context);
  AddMemberCommands(app, context);
  AddCardCommands(app, context);
  AddBonusCommands(app, context);
  AddPointsCommands(app, context);
  AddConsentCommands(app, context);
  AddStandingCommands(app, context);
  AddRedemptionCommands(app, context);
  AddReviewCommands(app, context);
  AddRedemptionPolicyCommands(app, context);
  AddCatalogCommands(app, context);
  AddWindowCommands(app, context);
  AddHolidayCommands(app, context);
  AddSettlementCommands(app, context);
  AddObligationCommands(app, context);
  AddLiabilityCommands(app, context);
  AddStatementCommands(app, context);
  AddInvoiceCommands(app, context);
  AddBankCommands(app, context);
  AddReconcileCommands(app, context);
  AddDisputeCommands(app, context);
  AddAuditCommands(app, context);
  AddApprovalCommands(app, context);
  AddOperatorCommands(app, context);
  AddProgrammeCommands(app, context);
  AddLedgerCommands(app, context);
  AddExplainCommand(app, context);
}

}  // namespace guilder::cli
