#include "services/cli/demo/figures.h"

#include "absl/strings/str_cat.h"

#include "services/cli/demo/partners.h"
#include "services/cli/demo/plan.h"

namespace guilder::cli::demo {
namespace {

void AddNets(const Settled& settled, PartnerFigures& figures) {
  const std::string name = absl::StrCat("partners/", figures.plan.id);
  for (const settlement::v1::Settlement& settlement : settled.settlements) {
    for (const settlement::v1::PartnerNet& net : settlement.nets()) {
      if (net.partner() != name) continue;
      figures.points_issued += net.points_issued();
      figures.points_reversed += net.points_reversed();
      figures.points_redeemed += net.points_redeemed();
      figures.issuance_minor_units += net.issuance_minor_units();
      figures.point_blocks_minor_units += net.point_blocks_minor_units();
      figures.reimbursement_minor_units += net.reimbursement_minor_units();
      figures.fee_minor_units += net.fee_minor_units();
      figures.tax_minor_units += net.tax_minor_units();
      figures.net_minor_units += net.net_minor_units();
    }
  }
}

}  // namespace

std::vector<PartnerFigures> FiguresOf(const Results& results) {
  const size_t count = DemoPartners().size();
  const std::vector<PartnerInsights> insights = Insights(results.work, results.outcome, count);
  std::vector<PartnerFigures> all;
  for (size_t partner = 0; partner < count; ++partner) {
    PartnerFigures figures;
    figures.plan = PlanOf(partner);
    figures.earn = EarnPlanOf(partner);
    figures.insights = insights[partner];
    all.push_back(std::move(figures));
  }
  PartnerFigures programme;
  programme.plan = PlanOfOperator();
  all.push_back(std::move(programme));
  for (PartnerFigures& figures : all) AddNets(results.settled, figures);
  return all;
}

int64_t OperatorNet(const Settled& settled) {
  int64_t net = 0;
  for (const settlement::v1::Settlement& settlement : settled.settlements) {
    net += settlement.operator_net_minor_units();
  }
  return net;
}

}  // namespace guilder::cli::demo
