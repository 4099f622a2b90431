#include "guilder/partner/v1/partner_service.pb.h"

#include "services/cli/certify/command.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

std::vector<Field> PartnerFields() {
  return {{"Name", "name"},
          {"Display name", "display_name"},
          {"State", "state"},
          {"Legal name", "legal_name"},
          {"Registration number", "registration_number"},
          {"Tax id", "tax_id"},
          {"IBAN", "iban"},
          {"Merchant category", "merchant_category_code"},
          {"Programme's operator", "programme_operator"},
          {"Submitted by", "submitted_by"},
          {"Reviewed by", "reviewed_by"},
          {"Approved by", "approved_by"},
          {"Screening", "evidence.sanctions_result"},
          {"Last issue", "run_off.last_issue_time", Show::kTime},
          {"Last redemption", "run_off.last_redemption_time", Show::kTime},
          {"Last return", "run_off.last_return_time", Show::kTime},
          {"Final settlement", "run_off.final_settlement_time", Show::kTime},
          {"Etag", "etag"}};
}

void AddDetails(Verb& verb) {
  verb.Option("--display-name", "partner.display_name", "What members read")
      .Option("--legal-name", "partner.legal_name", "Name in the commercial register")
      .Option("--registration-number", "partner.registration_number", "Number in the register")
      .Option("--tax-id", "partner.tax_id", "Tax id for invoices")
      .Option("--iban", "partner.iban", "Where payouts go")
      .Option("--merchant-category", "partner.merchant_category_code",
              "Merchant category code (ISO 18245), four digits")
      .ShowRecord("partner", PartnerFields());
}

// A step of a partner's life, which takes its name and nothing else.
template <typename Request, typename Response>
void AddStep(CLI::App& noun, Context& context, const char* name, const char* help,
             const char* role) {
  AddVerb<Request, Response>(noun, context, name, help)
      .Argument("PARTNER", "name", "The partner", "partners/")
      .As(role)
      .ShowRecord("partner", PartnerFields());
}

// The steps of a partner's life.
void AddLifeCommands(CLI::App& noun, Context& context) {
  AddDocumentCommands(noun, context);
  AddStep<v1::SubmitPartnerRequest, v1::SubmitPartnerResponse>(
      noun, context, "submit", "DRAFT to SUBMITTED: its details are complete", "submitter");
  AddVerb<v1::ReviewPartnerRequest, v1::ReviewPartnerResponse>(
      noun, context, "review", "SUBMITTED to IN_REVIEW: somebody else examined the evidence")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .Option("--sanctions", "sanctions_result", "What the screening said: CLEAR or HIT")
      .Required()
      .Option("--sanctions-reference", "sanctions_reference",
              "Which lists, of when, and the screening's own reference")
      .Required()
      .As("reviewer")
      .ShowRecord("partner", PartnerFields());
  AddStep<v1::ApprovePartnerRequest, v1::ApprovePartnerResponse>(
      noun, context, "approve", "IN_REVIEW to ACTIVE, by a third person", "approver");
  AddStep<v1::SuspendPartnerRequest, v1::SuspendPartnerResponse>(
      noun, context, "suspend", "ACTIVE to SUSPENDED: neither issues nor redeems", "approver");
  AddStep<v1::ReinstatePartnerRequest, v1::ReinstatePartnerResponse>(
      noun, context, "reinstate", "SUSPENDED to ACTIVE", "approver");
  AddVerb<v1::TerminatePartnerRequest, v1::TerminatePartnerResponse>(
      noun, context, "terminate", "To TERMINATING, its run-off; once that is over, to TERMINATED")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .Option("--last-issue", "run_off.last_issue_time",
              "Sales before this may earn; the end of its notice if absent")
      .Option("--last-redemption", "run_off.last_redemption_time",
              "Until when it takes points; the end of its notice if absent")
      .Option("--last-return", "run_off.last_return_time",
              "Until when goods come back; 90 days later if absent")
      .Option("--final-settlement", "run_off.final_settlement_time",
              "When it can be closed; 90 days after that if absent")
      .Option("--for-cause", "for_cause", "Why notice periods do not matter, as in insolvent")
      .As("approver")
      .ShowRecord("partner", PartnerFields());
}

}  // namespace

void AddPartnerCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "partner", "Merchants that issue and take points");

  Verb& create = AddVerb<v1::CreatePartnerRequest, v1::CreatePartnerResponse>(
      noun, context, "create", "Creates a partner in the state DRAFT");
  create.Argument("PARTNER_ID", "partner_id", "3 to 40 of a-z, 0-9 and '-'")
      .Switch("--programme-operator", "programme_operator",
              "Makes it the operator's own partner, which pays for gifts")
      .As("submitter");
  AddDetails(create);

  Verb& update = AddVerb<v1::UpdatePartnerRequest, v1::UpdatePartnerResponse>(
      noun, context, "update", "Changes a partner's details");
  update.Argument("PARTNER", "partner.name", "The partner", "partners/")
      .Option("--etag", "partner.etag", "Only if nobody changed it since this was read")
      .Masked("partner")
      .As("submitter");
  AddDetails(update);

  AddVerb<v1::GetPartnerRequest, v1::GetPartnerResponse>(noun, context, "show", "Shows a partner")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .As("auditor")
      .ShowRecord("partner", PartnerFields());
  AddVerb<v1::ListPartnersRequest, v1::ListPartnersResponse>(noun, context, "list",
                                                             "Lists the partners")
      .As("auditor")
      .ShowList("partners",
                {{"NAME", "name"},
                 {"DISPLAY NAME", "display_name"},
                 {"STATE", "state"},
                 {"IBAN", "iban"},
                 {"SUBMITTED BY", "submitted_by"},
                 {"REVIEWED BY", "reviewed_by"},
                 {"APPROVED BY", "approved_by"}},
                "no partners");

  AddLifeCommands(noun, context);
  AddExitPlanCommand(noun, context);
  AddCertifyCommand(noun, context);
  AddVerb<v1::BuyPointBlockRequest, v1::BuyPointBlockResponse>(
      noun, context, "buy-points", "Sells a partner a block of points in advance")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Option("--points", "points", "How many")
      .Required()
      .Option("--ends", "end_time", "From when on nothing more is given of it, as in 2027-01-31")
      .Option("--when-ended", "when_ended", "What becomes of the rest then")
      .Switch("--reserve", "reserve", "It is used after all other blocks, and people are told")
      .As("finance")
      .ShowRecord("point_block", {{"Name", "name"},
                                  {"Points", "points", Show::kNumber},
                                  {"Bought", "buy_time", Show::kTime},
                                  {"Ends", "end_time", Show::kTime},
                                  {"When ended", "when_ended"},
                                  {"Reserve", "reserve"},
                                  {"Sold by", "sold_by"}});
}

void AddExposureCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "exposure", "How much of what they may issue partners have used");
  AddVerb<v1::GetExposureRequest, v1::GetExposureResponse>(
      noun, context, "show", "Shows what a partner's blocks have left, and what is not billed yet")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .As("auditor")
      .ShowRecord(
          "exposure",
          {{"Partner", "partner"},
           {"Bought in advance", "bought_points", Show::kNumber},
           {"Left", "remaining_points", Show::kNumber},
           {"Of these, in reserve", "reserve_points", Show::kNumber},
           {"Not billed yet, points", "unbilled_points", Show::kNumber},
           {"Not billed yet", "unbilled_issuance", Show::kMoney},
           {"Unpaid invoices", "unpaid_invoices", Show::kMoney},
           {"Outstanding points", "outstanding_issuance", Show::kMoney},
           {"Owed to the partner", "owed_to_partner", Show::kMoney},
           {"Exposure", "exposure", Show::kMoney},
           {"Credit limit, minor units", "policy.credit_limit_minor_units", Show::kNumber},
           {"Collateral, minor units", "policy.collateral_minor_units", Show::kNumber},
           {"Used", "used_ppm", Show::kRate},
           {"Net debit", "net_debit", Show::kMoney},
           {"Net debit cap, minor units", "policy.net_debit_cap_minor_units", Show::kNumber},
           {"Used of the cap", "net_debit_used_ppm", Show::kRate},
           {"Points until none are given", "credit_points", Show::kNumber},
           {"Stage", "stage"},
           {"Since", "stage_time", Show::kTime}});
  AddVerb<v1::UpdateExposurePolicyRequest, v1::UpdateExposurePolicyResponse>(
      noun, context, "set-policy", "Sets how much a partner may owe, and what happens on the way")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .Option("--credit-limit", "policy.credit_limit_minor_units",
              "In minor units; no limit if absent")
      .Option("--collateral", "policy.collateral_minor_units", "What it has put up, in minor units")
      .Option("--net-debit-cap", "policy.net_debit_cap_minor_units",
              "What the next settlement may make it owe, in minor units; any amount if absent")
      .Option("--warn-percent", "policy.warn_ppm", "From there on people are warned; 80 if absent",
              Kind::kPercent)
      .Option("--no-bonus-percent", "policy.no_bonus_ppm",
              "From there on purchases earn by base rates only; 90 if absent", Kind::kPercent)
      .Option("--no-issuance-percent", "policy.no_issuance_ppm",
              "From there on purchases give no points; 100 if absent", Kind::kPercent)
      .Option("--redemption-only-percent", "policy.redemption_only_ppm",
              "From there on purchases are refused; 120 if absent", Kind::kPercent)
      .Option("--reorder-below", "policy.reorder_below_points",
              "With fewer points left it buys its next block by itself; never if absent")
      .Option("--reorder", "policy.reorder_points", "How many points it buys then")
      .Option("--reorder-days", "policy.reorder_days", "For how long; without end if absent")
      .Option("--reorder-when-ended", "policy.reorder_when_ended",
              "What becomes of the rest at the end")
      .As("finance_approver")
      .ShowRecord("policy",
                  {{"Credit limit, minor units", "credit_limit_minor_units", Show::kNumber},
                   {"Collateral, minor units", "collateral_minor_units", Show::kNumber},
                   {"Net debit cap, minor units", "net_debit_cap_minor_units", Show::kNumber},
                   {"Warned from", "warn_ppm", Show::kRate},
                   {"No bonuses from", "no_bonus_ppm", Show::kRate},
                   {"No points from", "no_issuance_ppm", Show::kRate},
                   {"Refused from", "redemption_only_ppm", Show::kRate},
                   {"Reorder below", "reorder_below_points", Show::kNumber},
                   {"Reorder", "reorder_points", Show::kNumber}});
}

}  // namespace guilder::cli
