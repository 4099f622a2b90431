#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/sealing.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "services/settlement/rpc/settlement_handlers.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr char kHolidayList[] = "holidays";
constexpr int kMostDays = 400;
constexpr size_t kLongestName = 100;  // In bytes.

// One spelling a date: "2026-12-25".
std::optional<absl::CivilDay> ParseDay(const std::string& text) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day) || absl::FormatCivilTime(day) != text) return std::nullopt;
  if (day.year() < 1970 || day.year() > 9998) return std::nullopt;
  return day;
}

bool IsName(const std::string& text) {
  return text.size() <= kLongestName && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
         });
}

absl::Status NoDate(const std::string& field) {
  return Refuse(Reason::kRequestMalformed, "a date is as in 2026-12-25", {{"field", field}});
}

absl::StatusOr<std::vector<ledger::Holiday>> FromProto(const v1::AddHolidaysRequest& request) {
  if (request.holidays_size() < 1 || request.holidays_size() > kMostDays) {
    return Refuse(Reason::kRequestMalformed, "1 to 400 days", {{"field", "holidays"}});
  }
  std::vector<ledger::Holiday> holidays;
  std::set<absl::CivilDay> days;
  for (const v1::Holiday& holiday : request.holidays()) {
    const std::optional<absl::CivilDay> day = ParseDay(holiday.date());
    if (!day || !days.insert(*day).second) return NoDate("holidays.date");
    if (!IsName(holiday.display_name())) {
      return Refuse(Reason::kRequestMalformed, "a name of at most 100 characters",
                    {{"field", "holidays.display_name"}});
    }
    holidays.push_back({*day, holiday.display_name()});
  }
  return holidays;
}

}  // namespace

absl::StatusOr<v1::ListHolidaysResponse> SettlementHandlers::ListHolidays(
    const rpc::Call& call, const v1::ListHolidaysRequest& request) {
  const std::string list = kHolidayList + request.from_date();
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string from_text = position.empty() ? request.from_date() : position;
  const std::optional<absl::CivilDay> from =
      from_text.empty() ? absl::CivilDay() : ParseDay(from_text);
  if (!from) return NoDate("from_date");
  std::vector<ledger::Holiday> holidays;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(const ledger::ProgrammeFacts programme,
                                 ledger::ReadProgramme(transaction));
        holidays = ledger::ReadHolidays(transaction, programme.id, *from, page_size + 1);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::ListHolidaysResponse response;
  const size_t count = std::min(holidays.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) {
    v1::Holiday& added = *response.add_holidays();
    added.set_date(absl::FormatCivilTime(holidays[i].day));
    added.set_display_name(holidays[i].display_name);
  }
  if (holidays.size() > count) {
    response.set_next_page_token(
        page_tokens_.Make(list, absl::FormatCivilTime(holidays[count].day)));
  }
  return response;
}

absl::StatusOr<v1::AddHolidaysResponse> SettlementHandlers::AddHolidays(
    const rpc::Call& call, const v1::AddHolidaysRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<ledger::Holiday> holidays, FromProto(request));
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "SettlementService/AddHolidays", "holidays", &request,
      [&](Transaction& transaction) { return ledger::AddHolidays(transaction, holidays); }));
  v1::AddHolidaysResponse response;
  *response.mutable_holidays() = request.holidays();
  return response;
}

absl::StatusOr<v1::RemoveHolidayResponse> SettlementHandlers::RemoveHoliday(
    const rpc::Call& call, const v1::RemoveHolidayRequest& request) {
  const std::optional<absl::CivilDay> day = ParseDay(request.date());
  if (!day) return NoDate("date");
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "SettlementService/RemoveHoliday", "holidays/" + request.date(), &request,
      [&](Transaction& transaction) { return ledger::RemoveHoliday(transaction, *day); }));
  return v1::RemoveHolidayResponse();
}

}  // namespace guilder::settlement
