#include "services/cli/importing/member_mapping.h"

#include <map>

#include "services/cli/importing/toml_section.h"

namespace guilder::cli::importing {
namespace {

absl::Status ReadForm(const toml::table& table, MemberMapping& mapping) {
  return ReadFileForm(table, mapping);
}

absl::Status ReadMember(const toml::table& table, MemberMapping& mapping) {
  Section section(table, "member");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("reference", mapping.reference));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("given_name", mapping.given_name));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("family_name", mapping.family_name));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("phone", mapping.phone));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("email", mapping.email));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("address", mapping.address));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("birth_date", mapping.birth_date));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("card", mapping.card));
  GUILDER_RETURN_IF_ERROR(section.Character("card_separator", mapping.card_separator));
  if (mapping.reference.column.empty()) return Wrong(table, "member.reference names no column");
  return section.CheckNames();
}

absl::Status ReadLot(const toml::table& table, MemberMapping& mapping) {
  Section section(table, "lot");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("issuer", mapping.issuer));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("contract", mapping.contract));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("points", mapping.points));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("expires", mapping.expires));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("activates", mapping.activates));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("spent_only", mapping.spent_only));
  GUILDER_RETURN_IF_ERROR(section.Text("date_format", mapping.date_format));
  GUILDER_RETURN_IF_ERROR(section.Bool("billed", mapping.billed));
  std::string zone;
  GUILDER_RETURN_IF_ERROR(section.Text("zone", zone));
  if (!zone.empty() && !absl::LoadTimeZone(zone, &mapping.zone)) {
    return Wrong(table, absl::StrCat("there is no time zone '", zone, "'"));
  }
  if (!mapping.issuer.given || !mapping.points.given) {
    return Wrong(table, "lot.issuer and lot.points are needed");
  }
  return section.CheckNames();
}

absl::Status ReadControl(const toml::table& table, MemberMapping& mapping) {
  Section section(table, "control");
  const std::pair<const char*, std::optional<int64_t>*> totals[] = {
      {"members", &mapping.control.members},
      {"lots", &mapping.control.lots},
      {"points", &mapping.control.points}};
  for (const auto& [name, total] : totals) {
    const toml::node* const node = section.Find(name);
    if (node == nullptr) continue;
    *total = node->value_exact<int64_t>();
    if (!*total || **total < 0) {
      return Wrong(*node, absl::StrCat("control.", name, " is a whole number"));
    }
  }
  return section.CheckNames();
}

}  // namespace

absl::StatusOr<MemberMapping> ParseMemberMapping(std::string_view toml) {
  MemberMapping mapping;
  GUILDER_RETURN_IF_ERROR(ReadSections<MemberMapping>(
      toml,
      {{"file", ReadForm}, {"member", ReadMember}, {"lot", ReadLot}, {"control", ReadControl}},
      {"member", "lot"}, mapping));
  return mapping;
}

}  // namespace guilder::cli::importing
