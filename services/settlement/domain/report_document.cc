#include "services/settlement/domain/report_document.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "services/settlement/domain/html.h"

namespace guilder::settlement {
namespace {

constexpr char kPays[] = "#b5483a";
constexpr char kGets[] = "#2f7d5b";
constexpr const char* kAgeColours[ReportIssuer::kAges] = {"#1f4e79", "#3f7fb5", "#7fb0d8",
                                                          "#c9a227", "#b5483a"};
constexpr const char* kAgeTexts[ReportIssuer::kAges] = {"up to 30 days", "31 to 90", "91 to 180",
                                                        "181 to 365", "older"};
constexpr int64_t kWidth = 900;
// Partners that have a row of their own in the picture; the table has all.
constexpr size_t kMostFlows = 24;
constexpr size_t kMostIssuers = 24;

std::string Count(Points points) {
  return Grouped(absl::StrCat(points.value()));
}

std::string Money(const Report& report, MinorUnits amount) {
  return Grouped(FormatAmount(amount, report.currency_exponent));
}

std::string DayText(const Report& report, Timestamp at) {
  return absl::FormatTime("%Y-%m-%d", ToAbslTime(at), report.time_zone);
}

// `part` of `whole` in so many pixels; at least one where there is anything.
int64_t Pixels(int64_t part, int64_t whole, int64_t pixels) {
  if (part <= 0 || whole <= 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<__int128>(part) * pixels / whole));
}

void Text(std::string& svg, int64_t x, int64_t y, const char* anchor, std::string_view text) {
  absl::StrAppend(&svg, "<text x=\"", x, "\" y=\"", y, "\" text-anchor=\"", anchor, "\">",
                  EscapeHtml(text), "</text>\n");
}

void Rectangle(std::string& svg, int64_t x, int64_t y, int64_t width, int64_t height,
               const char* colour, std::string_view title) {
  absl::StrAppend(&svg, "<rect x=\"", x, "\" y=\"", y, "\" width=\"", width, "\" height=\"", height,
                  "\" fill=\"", colour, "\"><title>", EscapeHtml(title), "</title></rect>\n");
}

std::string Svg(int64_t height, std::string_view title, std::string_view body) {
  return absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", kWidth, " ",
                      height, "\" role=\"img\" aria-label=\"", EscapeHtml(title), "\">\n",
                      ToAbsl(body), "</svg>\n");
}

// Partners by how much they pay or are paid, largest first.
std::vector<const ReportPartner*> ByFlow(const Report& report) {
  std::vector<const ReportPartner*> flows;
  for (const ReportPartner& partner : report.partners) {
    if (partner.net.net != MinorUnits()) flows.push_back(&partner);
  }
  std::stable_sort(flows.begin(), flows.end(), [](const auto* a, const auto* b) {
    return std::llabs(a->net.net.value()) > std::llabs(b->net.net.value());
  });
  return flows;
}

// Who pays stands left of the operator, who is paid right of it.
std::string WhoOwesWhom(const Report& report) {
  const std::vector<const ReportPartner*> flows = ByFlow(report);
  if (flows.empty()) return "<p>Nobody owes anybody anything.</p>\n";
  constexpr int64_t kRow = 26;
  constexpr int64_t kMiddle = kWidth / 2;
  constexpr int64_t kBar = 210;
  const size_t shown = std::min(flows.size(), kMostFlows);
  const int64_t height = 34 + kRow * static_cast<int64_t>(shown);
  const int64_t most = std::llabs(flows[0]->net.net.value());
  std::string svg;
  Rectangle(svg, kMiddle - 45, 24, 90, height - 28, "#e6eaf0", report.operator_name);
  Text(svg, kMiddle, 16, "middle", report.operator_name);
  for (size_t i = 0; i < shown; ++i) {
    const ReportPartner& partner = *flows[i];
    const int64_t net = partner.net.net.value();
    const int64_t y = 30 + kRow * static_cast<int64_t>(i);
    const int64_t width = Pixels(std::llabs(net), most, kBar);
    const std::string amount = Money(report, MinorUnits(std::llabs(net)));
    const std::string title = net < 0 ? absl::StrCat(partner.slug, " pays ", amount)
                                      : absl::StrCat(partner.slug, " is paid ", amount);
    if (net < 0) {
      Rectangle(svg, kMiddle - 45 - width, y, width, 16, kPays, title);
      Text(svg, kMiddle - 51 - width, y + 12, "end", absl::StrCat(partner.slug, "  ", amount));
    } else {
      Rectangle(svg, kMiddle + 45, y, width, 16, kGets, title);
      Text(svg, kMiddle + 51 + width, y + 12, "start", absl::StrCat(amount, "  ", partner.slug));
    }
  }
  std::string html = Svg(height, "Who owes whom", svg);
  if (flows.size() > shown) {
    absl::StrAppend(&html, "<p class=\"note\">And ", flows.size() - shown,
                    " more, in the table below.</p>\n");
  }
  return html;
}

// Pairs of bars: issued and redeemed.
std::string PerDay(const Report& report) {
  int64_t most = 0;
  for (const ReportDay& day : report.days) {
    most = std::max({most, day.issued.value(), day.redeemed.value()});
  }
  if (most == 0) return "<p>No points moved.</p>\n";
  constexpr int64_t kHeight = 220;
  constexpr int64_t kBase = 180;
  const auto count = static_cast<int64_t>(report.days.size());
  const int64_t step = std::max<int64_t>(4, std::min<int64_t>(80, (kWidth - 20) / count));
  const int64_t bar = std::max<int64_t>(1, step * 2 / 5);
  const int64_t labelled = std::max<int64_t>(1, 90 / step);
  std::string svg;
  for (int64_t i = 0; i < count; ++i) {
    const ReportDay& day = report.days[static_cast<size_t>(i)];
    const int64_t x = 10 + i * step;
    const std::string date = DayText(report, day.start);
    const int64_t issued = Pixels(day.issued.value(), most, kBase - 20);
    const int64_t redeemed = Pixels(day.redeemed.value(), most, kBase - 20);
    Rectangle(svg, x, kBase - issued, bar, issued, "#3f7fb5",
              absl::StrCat(date, ": ", Count(day.issued), " issued"));
    Rectangle(svg, x + bar, kBase - redeemed, bar, redeemed, "#c9a227",
              absl::StrCat(date, ": ", Count(day.redeemed), " redeemed"));
    if (i % labelled == 0) Text(svg, x, kBase + 16, "start", date);
  }
  Rectangle(svg, 10, kHeight - 14, 10, 10, "#3f7fb5", "issued");
  Text(svg, 26, kHeight - 5, "start", "issued");
  Rectangle(svg, 90, kHeight - 14, 10, 10, "#c9a227", "redeemed");
  Text(svg, 106, kHeight - 5, "start", "redeemed");
  Text(svg, kWidth - 10, kHeight - 5, "end",
       absl::StrCat("highest: ", Grouped(absl::StrCat(most))));
  return Svg(kHeight, "Points issued and redeemed per day", svg);
}

Points TotalOf(const ReportIssuer& issuer) {
  Points total;
  for (const Points points : issuer.by_age) total += points;
  return total;
}

// A bar an issuer, in parts by age.
std::string Outstanding(const Report& report) {
  std::vector<ReportIssuer> issuers = report.outstanding;
  std::stable_sort(issuers.begin(), issuers.end(),
                   [](const auto& a, const auto& b) { return TotalOf(a) > TotalOf(b); });
  if (issuers.empty()) return "<p>Nobody has points.</p>\n";
  const int64_t most = TotalOf(issuers[0]).value();
  const size_t shown = std::min(issuers.size(), kMostIssuers);
  const int64_t height = 30 + 26 * static_cast<int64_t>(shown);
  std::string svg;
  for (size_t i = 0; i < shown; ++i) {
    const int64_t y = 4 + 26 * static_cast<int64_t>(i);
    int64_t x = 180;
    Text(svg, 172, y + 13, "end", issuers[i].slug);
    for (int age = 0; age < ReportIssuer::kAges; ++age) {
      const Points points = issuers[i].by_age[age];
      const int64_t width = Pixels(points.value(), most, 560);
      Rectangle(svg, x, y, width, 17, kAgeColours[age],
                absl::StrCat(issuers[i].slug, ", ", kAgeTexts[age], ": ", Count(points)));
      x += width;
    }
    Text(svg, x + 6, y + 13, "start", Count(TotalOf(issuers[i])));
  }
  int64_t x = 180;
  for (int age = 0; age < ReportIssuer::kAges; ++age, x += 120) {
    Rectangle(svg, x, height - 16, 10, 10, kAgeColours[age], kAgeTexts[age]);
    Text(svg, x + 15, height - 7, "start", kAgeTexts[age]);
  }
  return Svg(height, "Outstanding points by issuer and age", svg);
}

std::string NetTable(const Report& report) {
  std::string html =
      "<table>\n<tr><th>Partner</th><th class=\"n\">Issued</th><th class=\"n\">Reversed</th>"
      "<th class=\"n\">Redeemed</th><th class=\"n\">Issuance</th><th class=\"n\">Reimbursement</th>"
      "<th class=\"n\">Fee</th><th class=\"n\">Blocks</th><th class=\"n\">Reserve</th><th "
      "class=\"n\">Breakage</th>"
      "<th class=\"n\">Tax</th><th "
      "class=\"n\">Net</th><th>State</th></tr>\n";
  MinorUnits sum;
  for (const ReportPartner& partner : report.partners) {
    const Net& net = partner.net;
    sum += net.net;
    absl::StrAppend(&html, "<tr><td>", EscapeHtml(partner.slug), "<br><small>",
                    EscapeHtml(partner.name), "</small></td>");
    for (const Points points : {net.issued, net.reversed, net.redeemed}) {
      absl::StrAppend(&html, "<td class=\"n\">", Count(points), "</td>");
    }
    for (const MinorUnits amount : {net.issuance, net.reimbursement, net.fee, net.point_blocks,
                                    net.reserve, net.breakage, net.tax, net.net}) {
      absl::StrAppend(&html, "<td class=\"n\">", Money(report, amount), "</td>");
    }
    absl::StrAppend(&html, "<td>", EscapeHtml(partner.state), "</td></tr>\n");
  }
  absl::StrAppend(&html, "<tr class=\"sum\"><td colspan=\"11\">The operator pays out</td>",
                  "<td class=\"n\">", Money(report, sum), "</td><td></td></tr>\n</table>\n");
  return html;
}

}  // namespace

int AgeOf(Timestamp issued_day, Timestamp end) {
  constexpr int kMostDays[] = {30, 90, 180, 365};
  int age = 0;
  for (const int days : kMostDays) {
    if (issued_day >= end - Timestamp(days * kMicrosPerDay)) return age;
    ++age;
  }
  return age;
}

std::string ReportHtml(const Report& report) {
  const Settlement& settlement = report.settlement;
  const std::string title = absl::StrCat("Settlement ", settlement.id.value());
  std::string html = absl::StrCat(
      "<h1>", title, "</h1>\n<p class=\"note\">", DayText(report, settlement.start), " to ",
      DayText(report, settlement.end - Timestamp(1)), ", in ", FormatCurrency(settlement.currency),
      ", ", EscapeHtml(StateName(settlement.state)), ". Computed by ",
      EscapeHtml(settlement.computed_by));
  if (!settlement.approved_by.empty()) {
    absl::StrAppend(&html, ", approved by ", EscapeHtml(settlement.approved_by));
  }
  absl::StrAppend(&html, ".</p>\n<h2>Who owes whom</h2>\n", WhoOwesWhom(report),
                  "<h2>Points issued and redeemed per day</h2>\n", PerDay(report));
  absl::StrAppend(&html, "<h2>Outstanding points by issuer and age</h2>\n", Outstanding(report),
                  "<p class=\"note\">What members had at ", FormatTimestamp(report.settlement.end),
                  ".</p>\n<h2>Partners</h2>\n", NetTable(report));
  return HtmlPage(absl::StrCat(title, ", ", report.operator_name), html);
}

}  // namespace guilder::settlement
