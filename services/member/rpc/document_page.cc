#include "services/member/rpc/document_page.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "libs/base/html.h"
#include "libs/base/text.h"
#include "libs/rpc/restriction_text.h"

namespace guilder::member {
namespace {

using Cells = std::vector<std::string>;

// A heading, the columns' names, and rows; what is a number is set right.
struct Section {
  std::string heading;
  Cells columns;
  std::vector<Cells> rows;
  size_t first_number = 99;  // columns from here on are numbers
};

std::string Day(const google::protobuf::Timestamp& at, const absl::TimeZone& zone) {
  if (at.seconds() == 0) return "never";
  return absl::FormatTime("%Y-%m-%d", absl::FromUnixSeconds(at.seconds()), zone);
}

// The last day on which points that expire at an instant can be spent.
std::string LastDay(const v1::Lot& lot, const absl::TimeZone& zone) {
  if (!lot.has_expires_at()) return "never";
  return absl::FormatTime(
      "%Y-%m-%d", absl::FromUnixSeconds(lot.expires_at().seconds()) - absl::Microseconds(1), zone);
}

Section Facts(const v1::MemberDocument& document, const absl::TimeZone& zone) {
  const v1::Member& member = document.member();
  Section section{"", {"", ""}, {}};
  const std::pair<const char*, std::string> facts[] = {
      {"Member", member.name()},
      {"Name", absl::StrCat(member.given_name(), " ", member.family_name())},
      {"Address", absl::StrReplaceAll(member.address(), {{"\n", ", "}})},
      {"Phone", member.phone()},
      {"E-mail", member.email()},
      {"Born", member.birth_date()},
      {"Member since", Day(member.enrol_time(), zone)},
      {"As of",
       absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(document.time().seconds()), zone)}};
  for (const auto& [name, text] : facts) {
    if (!text.empty() && text != " ") section.rows.push_back({name, text});
  }
  for (const v1::Card& card : member.cards()) {
    const bool works = card.state() == v1::CARD_STATE_ACTIVE;
    section.rows.push_back({"Card", absl::StrCat(card.number(), works ? "" : ", does not work")});
  }
  for (const v1::Person& person : member.people()) {
    section.rows.push_back(
        {"With", absl::StrCat(person.given_name(), " ", person.family_name(),
                              person.phone().empty() ? "" : ", ", person.phone(),
                              person.email().empty() ? "" : ", ", person.email())});
  }
  return section;
}

std::vector<Section> SectionsOf(const v1::MemberDocument& document, const absl::TimeZone& zone) {
  const v1::GetBalanceResponse& balance = document.balance();
  std::vector<Section> sections{Facts(document, zone)};
  sections.push_back({"Points",
                      {"", "Points"},
                      {{"Can be spent", absl::StrCat(balance.available_points())},
                       {"Wait", absl::StrCat(balance.pending_points())},
                       {"Held by a payment", absl::StrCat(balance.held_points())},
                       {"Owed", absl::StrCat(balance.debt_points())}},
                      1});
  for (const v1::RestrictedPoints& part : balance.restricted()) {
    sections.back().rows.push_back(
        {absl::StrCat("Can be spent ", rpc::WhereSpent(part.spent_only())),
         absl::StrCat(part.points())});
  }
  Section calendar{"What comes", {"Day", "Become available", "Expire at its end"}, {}, 1};
  for (const v1::CalendarDay& day : document.calendar()) {
    calendar.rows.push_back(
        {day.date(), absl::StrCat(day.activating_points()), absl::StrCat(day.expiring_points())});
  }
  Section lots{"Where the points come from",
               {"Given by", "Available from", "Until", "Spent", "Given", "Left"},
               {},
               4};
  for (const v1::Lot& lot : document.lots()) {
    lots.rows.push_back({lot.issuer(), Day(lot.activates_at(), zone), LastDay(lot, zone),
                         rpc::WhereSpent(lot.spent_only()), absl::StrCat(lot.issued_points()),
                         absl::StrCat(lot.remaining_points())});
  }
  Section records{"What happened", {"Day", "What", "By", "About", "Change"}, {}, 4};
  for (const v1::PostedRecord& record : document.records()) {
    records.rows.push_back({Day(record.posted_at(), zone), record.text(), record.partner(),
                            record.name(), absl::StrCat(record.points())});
    for (const v1::ExplainedEntry& entry : record.entries()) {
      if (!entry.explanation().empty()) {
        records.rows.push_back({"", absl::StrCat("– ", entry.explanation()), "", "", ""});
      }
    }
  }
  Section consents{
      "What was agreed to", {"Day", "Partner", "Purpose", "Channel", "Said", "Noted by"}, {}};
  for (const v1::Consent& consent : document.consents()) {
    consents.rows.push_back({Day(consent.change_time(), zone), consent.partner(),
                             v1::ConsentPurpose_Name(consent.purpose()),
                             v1::ConsentChannel_Name(consent.channel()),
                             consent.granted() ? "yes" : "no", consent.changed_by()});
  }
  Section standing{"Tiers and segments", {"Since", "Until", "Tier", "Segment", "Noted by"}, {}};
  for (const v1::TierChange& change : document.tier_changes()) {
    const std::string tier = change.tier().empty() ? "none" : change.tier();
    standing.rows.push_back({Day(change.from_time(), zone), "", tier, "", change.changed_by()});
  }
  for (const v1::SegmentMembership& time : document.segments()) {
    const std::string until = time.has_until_time() ? Day(time.until_time(), zone) : "";
    standing.rows.push_back(
        {Day(time.from_time(), zone), until, "", time.segment(), time.changed_by()});
  }
  Section residences{"Where the member lived", {"Since", "Place", "Noted by"}, {}};
  for (const v1::Residence& residence : document.residences()) {
    residences.rows.push_back(
        {Day(residence.from_time(), zone), residence.place(), residence.noted_by()});
  }
  for (Section* section : {&calendar, &lots, &records, &consents, &standing, &residences}) {
    if (!section->rows.empty()) sections.push_back(std::move(*section));
  }
  return sections;
}

// Characters of UTF-8.
size_t Width(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return width;
}

void AppendTextRow(const Section& section, const Cells& cells, const std::vector<size_t>& widths,
                   std::string& out) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - std::min(widths[i], Width(cells[i])), ' ');
    const bool number = i >= section.first_number;
    absl::StrAppend(&line, i == 0 ? "" : "  ", number ? padding : "", cells[i],
                    number ? "" : padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  absl::StrAppend(&out, line, "\n");
}

}  // namespace

std::string TextPage(std::string_view title, const v1::MemberDocument& document,
                     const absl::TimeZone& zone) {
  std::string out = absl::StrCat(ToAbsl(title), "\n", std::string(Width(title), '='), "\n");
  for (const Section& section : SectionsOf(document, zone)) {
    std::vector<size_t> widths;
    for (const std::string& column : section.columns) widths.push_back(Width(column));
    for (const Cells& row : section.rows) {
      // What explains a row may be longer than its column.
      const bool explains = row.size() > 2 && row[0].empty();
      for (size_t i = 0; i < row.size() && !explains; ++i) {
        widths[i] = std::max(widths[i], Width(row[i]));
      }
    }
    absl::StrAppend(&out, "\n");
    if (!section.heading.empty()) {
      absl::StrAppend(&out, section.heading, "\n");
      AppendTextRow(section, section.columns, widths, out);
    }
    for (const Cells& row : section.rows) AppendTextRow(section, row, widths, out);
  }
  return out;
}

std::string HtmlDocument(std::string_view title, const v1::MemberDocument& document,
                         const absl::TimeZone& zone) {
  std::string body = absl::StrCat("<h1>", EscapeHtml(title), "</h1>\n");
  for (const Section& section : SectionsOf(document, zone)) {
    if (!section.heading.empty()) {
      absl::StrAppend(&body, "<h2>", EscapeHtml(section.heading), "</h2>\n");
    }
    absl::StrAppend(&body, "<table>\n");
    const auto add = [&](const Cells& cells, const char* tag) {
      absl::StrAppend(&body, "<tr>");
      for (size_t i = 0; i < cells.size(); ++i) {
        absl::StrAppend(&body, "<", tag, i >= section.first_number ? " class=\"n\">" : ">",
                        EscapeHtml(cells[i]), "</", tag, ">");
      }
      absl::StrAppend(&body, "</tr>\n");
    };
    if (!section.heading.empty()) add(section.columns, "th");
    for (const Cells& row : section.rows) add(row, "td");
    absl::StrAppend(&body, "</table>\n");
  }
  return HtmlPage(title, body);
}

}  // namespace guilder::member
