#include "libs/rpc/points_restriction.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/rpc/names.h"

namespace guilder::rpc {
namespace {

// Of a restriction to partners, their names in order.
std::vector<std::string> NamesOf(const ledger::Restriction& restriction,
                                 const ledger::Configuration& configuration) {
  std::vector<PartnerId> partners = restriction.listed();
  if (restriction.where() != ledger::kOnlyListed) partners = {restriction.where()};
  std::vector<std::string> names;
  for (const PartnerId id : partners) {
    const ledger::Partner* const partner = configuration.FindPartner(id);
    if (partner != nullptr) names.push_back(absl::StrCat("partners/", partner->slug));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::StatusOr<ledger::Restriction> FromProto(const type::v1::PointsRestriction& restriction,
                                              const ledger::Configuration& configuration) {
  const auto malformed = [](const char* what) {
    return Refuse(Reason::kRequestMalformed, absl::StrCat("spent_only ", what),
                  {{"field", "spent_only"}});
  };
  if (restriction.gifts()) {
    if (restriction.partners_size() > 0) return malformed("is on gifts, or at partners");
    return ledger::Restriction(ledger::kOnlyGifts);
  }
  if (restriction.partners_size() == 0) return malformed("says nowhere");
  if (restriction.partners_size() > kMostPartnersOfRestriction) {
    return malformed("names more than 100 partners");
  }
  std::vector<PartnerId> partners;
  for (const std::string& name : restriction.partners()) {
    const auto parts = ParseName("partners/{}", name);
    const ledger::Partner* const partner =
        parts ? configuration.FindPartner(std::string_view((*parts)[0])) : nullptr;
    if (partner == nullptr) return Refuse(Reason::kPartnerNotFound, "spent_only.partners");
    partners.push_back(partner->id);
  }
  return ledger::Restriction::OnlyAt(std::move(partners));
}

type::v1::PointsRestriction ToProto(const ledger::Restriction& restriction,
                                    const ledger::Configuration& configuration) {
  type::v1::PointsRestriction out;
  if (restriction.where() == ledger::kOnlyGifts) {
    out.set_gifts(true);
    return out;
  }
  for (std::string& name : NamesOf(restriction, configuration)) out.add_partners(std::move(name));
  return out;
}

}  // namespace guilder::rpc
