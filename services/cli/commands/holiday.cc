#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;

void AddWeekends(absl::CivilDay from, absl::CivilDay until, v1::AddHolidaysRequest& request) {
  for (absl::CivilDay day = from; day < until; ++day) {
    const absl::Weekday weekday = absl::GetWeekday(day);
    if (weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday) continue;
    v1::Holiday& holiday = *request.add_holidays();
    holiday.set_date(absl::FormatCivilTime(day));
    holiday.set_display_name("weekend");
  }
}

struct AddFlags {
  const std::vector<std::string>& dates;
  const std::string& name;
  const std::string& weekends_from;
  const std::string& weekends_until;
};

absl::Status AddHolidays(Context& context, const AddFlags& flags) {
  v1::AddHolidaysRequest request;
  for (const std::string& date : flags.dates) {
    v1::Holiday& holiday = *request.add_holidays();
    holiday.set_date(date);
    holiday.set_display_name(flags.name);
  }
  if (!flags.weekends_from.empty()) {
    absl::CivilDay from;
    absl::CivilDay until;
    if (!absl::ParseCivilTime(flags.weekends_from, &from) ||
        !absl::ParseCivilTime(flags.weekends_until, &until) || until - from > 366) {
      return absl::InvalidArgumentError(
          "--weekends-from and --weekends-until are dates, as in 2027-01-01, a year apart at most");
    }
    AddWeekends(from, until, request);
  }
  v1::AddHolidaysResponse response;
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "finance_approver"));
  for (const v1::Holiday& holiday : response.holidays()) context.output().Json(ToJson(holiday));
  context.output().Text(absl::StrCat(response.holidays_size(), " holidays"));
  return absl::OkStatus();
}

}  // namespace

void AddHolidayCommands(CLI::App& app, Context& context) {
  CLI::App& noun =
      AddNoun(app, "holiday", "Days on which no window begins by the cycle, and nothing falls due");
  AddVerb<v1::ListHolidaysRequest, v1::ListHolidaysResponse>(noun, context, "list",
                                                             "Lists holidays, by date")
      .Option("--from", "from_date", "On or after this date, as in 2026-12-25")
      .As("auditor")
      .ShowList("holidays", {{"DATE", "date"}, {"NAME", "display_name"}}, "no holidays");
  AddAction(noun, context, "add", "Makes days holidays",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const AddFlags flags{
                  arguments.Texts("DATE", "The days, as in 2026-12-25"),
                  arguments.Text("--name", "What they are called"),
                  arguments.Text("--weekends-from", "Saturdays and Sundays from this date"),
                  arguments.Text("--weekends-until", "up to this one, which is not among them")};
              return [&context, flags] { return AddHolidays(context, flags); };
            });
  AddVerb<v1::RemoveHolidayRequest, v1::RemoveHolidayResponse>(noun, context, "remove",
                                                               "Makes a holiday a day like others")
      .Argument("DATE", "date", "The day, as in 2026-12-25")
      .As("finance_approver")
      .ShowRecord("", {});
}

}  // namespace guilder::cli
