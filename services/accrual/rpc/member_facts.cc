#include "services/accrual/rpc/member_facts.h"

#include <optional>
#include <string_view>
#include <utility>

namespace guilder::accrual {
namespace {

// "12-31".
std::optional<rules::MonthDay> ParseMonthDay(std::string_view text) {
  constexpr size_t kSize = 5;
  if (text.size() != kSize || text[2] != '-') return std::nullopt;
  const auto digit = [&](size_t i) { return text[i] - '0'; };
  const rules::MonthDay day{digit(0) * 10 + digit(1), digit(3) * 10 + digit(4)};
  const bool possible = day.month >= 1 && day.month <= 12 && day.day >= 1 && day.day <= 31;
  return possible ? std::optional(day) : std::nullopt;
}

std::optional<rules::MonthDay> Open(const security::MemberDataReader& reader, AccountId account,
                                    const SealedBirthday& sealed) {
  const auto text =
      reader.Open(security::kBirthdayData, account, sealed.epoch, sealed.key, sealed.day);
  return text ? ParseMonthDay(*text) : std::nullopt;
}

}  // namespace

std::vector<rules::MemberFacts> ReadMemberFacts(postgres::Transaction& tx,
                                                const security::MemberDataReader& reader,
                                                const std::vector<StandingAsked>& asked) {
  std::vector<Standing> standings = ReadStandings(tx, asked);
  std::vector<rules::MemberFacts> facts(asked.size());
  for (size_t i = 0; i < facts.size(); ++i) {
    facts[i].tier = std::move(standings[i].tier);
    facts[i].segments = std::move(standings[i].segments);
    if (standings[i].birthday) {
      facts[i].birthday = Open(reader, asked[i].account, *standings[i].birthday);
    }
  }
  return facts;
}

}  // namespace guilder::accrual
