#include <set>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/security/lookup_watch.h"
#include "services/member/domain/bonus.h"
#include "services/member/domain/card_number.h"
#include "services/member/domain/profile.h"
#include "services/member/domain/timeline.h"
#include "services/member/domain/vault.h"
#include "tests/support/catch2.h"

namespace guilder::member {
namespace {

using ledger::Bucket;
using ledger::RecordKind;

constexpr AccountId kMember(65'537);

TEST_CASE("Card numbers: valid, different, and of one form", "[unit][member]") {
  std::set<CardNumber> numbers;
  for (const int64_t first : {int64_t{1}, kMaxCardSerial - 9'999}) {
    for (int64_t serial = first; serial < first + 10'000; ++serial) {
      const std::string digits = std::to_string(MakeCardNumber(serial).value());
      if (digits.size() != 16 || digits.substr(0, 3) != "978" || !LuhnIsValid(digits)) {
        FAIL(digits);
      }
      numbers.insert(MakeCardNumber(serial));
    }
  }
  CHECK(numbers.size() == 20'000);
}

Timestamp At(int year, int month, int day) {
  return FromAbslTime(absl::FromCivil(absl::CivilHour(year, month, day, 12), absl::UTCTimeZone()));
}

TEST_CASE("HasBirthday: on the day and the six after it, leap days and New Year included",
          "[unit][member][inv-30]") {
  const auto has = [](const char* born, Timestamp now, Timestamp enrolled = At(2020, 1, 1)) {
    return HasBirthday(born, enrolled, now, absl::UTCTimeZone());
  };
  CHECK_FALSE(has("1990-05-10", At(2026, 5, 9)));
  CHECK(has("1990-05-10", At(2026, 5, 10)));
  CHECK(has("1990-05-10", At(2026, 5, 16)));
  CHECK_FALSE(has("1990-05-10", At(2026, 5, 17)));
  CHECK(has("1990-12-31", At(2027, 1, 3)));
  CHECK(has("1992-02-29", At(2026, 2, 28)));
  CHECK_FALSE(has("1992-02-29", At(2028, 2, 28)));
  CHECK(has("1992-02-29", At(2028, 2, 29)));
  CHECK_FALSE(has("1990-05-10", At(2026, 5, 12), At(2026, 5, 11)));
  CHECK_FALSE(has("2026-05-10", At(2026, 5, 10)));
  CHECK_FALSE(has("", At(2026, 5, 10)));
}

TEST_CASE("MayFollow: a birthday's bonus comes in another year, and about a year later",
          "[unit][member][inv-30]") {
  const absl::TimeZone zone = absl::UTCTimeZone();
  CHECK(MayFollow(std::nullopt, At(2026, 5, 10), zone));
  CHECK(MayFollow(At(2025, 5, 16), At(2026, 5, 10), zone));
  CHECK_FALSE(MayFollow(At(2026, 1, 2), At(2026, 12, 30), zone));
  CHECK_FALSE(MayFollow(At(2025, 12, 30), At(2026, 1, 2), zone));
}

TEST_CASE("CardForm: each serial gives a number of its own, with the prefix and a check digit",
          "[unit][member]") {
  const CardForm form{"44001234", 12};

  std::set<CardNumber> numbers;
  for (int64_t serial = 1; serial < SerialsOf(form); ++serial) {
    const std::string digits = std::to_string(MakeCardNumber(form, serial).value());
    CHECK(digits.size() == 12);
    CHECK(digits.substr(0, 8) == "44001234");
    CHECK(LuhnIsValid(digits));
    numbers.insert(MakeCardNumber(form, serial));
  }

  CHECK(numbers.size() == 999);
}

TEST_CASE("CardForm: two overlap when they are equally long and one begins like the other",
          "[unit][member]") {
  CHECK(Overlap({"44", 16}, {"4401", 16}));
  CHECK(Overlap({"4401", 16}, {"44", 16}));
  CHECK_FALSE(Overlap({"44", 16}, {"4401", 15}));
  CHECK_FALSE(Overlap({"45", 16}, {"4401", 16}));
}

TEST_CASE("LookupWatch: who misses too often finds nothing more in that hour", "[unit][member]") {
  security::LookupWatch watch;
  const Timestamp noon(1'700'000'000'000'000);
  for (int i = 1; i < security::LookupWatch::kMissesInAnHour; ++i) {
    CHECK_FALSE(watch.Note("till", /*found=*/false, noon));
    CHECK_FALSE(watch.Note("till", /*found=*/true, noon));
  }
  CHECK(watch.Ask("till", noon).allowed);
  CHECK(watch.Note("till", /*found=*/false, noon));
  CHECK_FALSE(watch.Note("till", /*found=*/false, noon));

  const Timestamp later(noon.value() + 3'599'000'000);
  CHECK_FALSE(watch.Ask("till", later).allowed);
  CHECK(watch.Ask("till", later).wait_us == 1'000'000);
  CHECK(watch.Ask("another", later).allowed);
  CHECK(watch.Ask("till", Timestamp(noon.value() + 3'600'000'000)).allowed);
}

TEST_CASE("Profile: phone and e-mail have one form each", "[unit][member]") {
  CHECK(NormalPhone("+49 (30) 123-45.67") == "+49301234567");
  CHECK(NormalPhone("0049 (0)30 1234567") == "+49301234567");
  CHECK_FALSE(NormalPhone("+049301234567"));
  CHECK_FALSE(NormalPhone("+49 30 12345 ext 7"));
  CHECK_FALSE(NormalPhone("030 1234567"));
  CHECK_FALSE(NormalPhone("+12345"));
  CHECK_FALSE(NormalPhone("+1234567890123456"));
  CHECK(NormalEmail(" Ada@Example.ORG ") == "ada@example.org");
  CHECK_FALSE(NormalEmail("ada"));
  CHECK_FALSE(NormalEmail("@example.org"));
  CHECK_FALSE(NormalEmail("a@b@c"));
}

TEST_CASE("Profile: a malformed field is named, but not its value", "[unit][member]") {
  const auto refused = CheckedProfile({"Ada", "Byron", "not a phone", ""});
  CHECK(ReasonOf(refused.status()) == Reason::kRequestMalformed);
  CHECK(DetailsOf(refused.status()).at("field") == "phone");
  CHECK(refused.status().message().find("not a") == absl::string_view::npos);
  CHECK(ReasonOf(CheckedProfile({"A\nda", "", "", ""}).status()) == Reason::kRequestMalformed);
  CHECK(CheckedProfile({" Ada ", "", "", ""})->given_name == "Ada");
}

TEST_CASE("Profile: masked for those who need not know", "[unit][member]") {
  const Profile masked = Masked({"Ödön", "Byron", "+49301234567", "ada@example.org"});
  CHECK(masked == Profile{"Ö…", "B…", "+49•••••••67", "a…@…"});
  CHECK(Masked({}) == Profile{});
}

TEST_CASE("Vault: a profile opens for its member and this installation alone", "[unit][member]") {
  const security::Secrets secrets = security::Secrets::Generate();
  const Vault vault(secrets);
  const Profile ada{"Ada", "Byron", "+49301234567", "ada@example.org", "London", "1985-12-10"};
  const auto sealed = vault.Seal(kMember, ada, 0);
  REQUIRE(sealed.ok());
  CHECK(vault.Open(kMember, *sealed) == ada);
  CHECK_FALSE(vault.Open(AccountId(131'075), *sealed));
  CHECK_FALSE(Vault(security::Secrets::Generate()).Open(kMember, *sealed));
  CHECK(vault.PhoneIndexes("+49301234567") == Vault(secrets).PhoneIndexes("+49301234567"));
  CHECK(vault.PhoneIndexes("x") != vault.EmailIndexes("x"));
  CHECK_FALSE(vault.Seal(kMember, ada, 1).ok());
}

TEST_CASE("Vault: what was sealed in an epoch that was dropped does not open",
          "[unit][member][inv-100]") {
  const security::Secrets secrets = security::Secrets::Generate();
  const Vault vault(secrets);
  const Profile ada{"Ada", "Byron", "+49301234567", "", "", ""};
  const auto before = vault.Seal(kMember, ada, 0);
  REQUIRE(before.ok());
  REQUIRE(vault.ring().Add().ok());
  const auto key = vault.OpenKey(kMember, *before);
  REQUIRE(key);
  const auto moved = vault.SealKey(*key, 1);
  REQUIRE(moved.ok());
  const auto old_index = vault.IndexesOf(ada, 0);
  CHECK(vault.PhoneIndexes(ada.phone).size() == 2);

  REQUIRE(vault.ring().KeepOnly(1).ok());

  CHECK_FALSE(vault.Open(kMember, *before));
  CHECK(vault.Open(kMember, {*moved, before->profile, 1}) == ada);
  CHECK(vault.PhoneIndexes(ada.phone).size() == 1);
  CHECK(vault.PhoneIndexes(ada.phone)[0] != *old_index->phone);
}

PostedRecord ARecord(RecordKind kind, std::vector<ledger::Entry> entries) {
  return {BookId(1), RecordNumber(5), Timestamp(9), kind, PartnerId(2), std::move(entries)};
}

ledger::Entry Moves(Bucket from, Bucket to, int64_t points, LotId lot) {
  return {{kMember, from, lot}, {kMember, to, lot}, Points(points), {}};
}

TEST_CASE("Timeline: a purchase says what it gave and what else came with it", "[unit][member]") {
  const LotId own = ledger::MakeLotId(RecordNumber(5));
  const LotId older = ledger::MakeLotId(RecordNumber(3));
  const TimelineItem item = Describe(
      ARecord(RecordKind::kPurchase, {Moves(Bucket::kPending, Bucket::kAvailable, 7, older),
                                      Moves(Bucket::kAvailable, Bucket::kExpired, 1, older),
                                      Moves(Bucket::kIssued, Bucket::kPending, 20, own)}));
  CHECK(item.text ==
        "Purchase: 20 points, pending; 7 points had become available; 1 point had expired");
  CHECK(item.points == Points(19));
  CHECK(item.subject == "purchases/1-5");
}

TEST_CASE("Timeline: a return says what is owed", "[unit][member]") {
  const LotId lot = ledger::MakeLotId(RecordNumber(3));
  const TimelineItem item =
      Describe(ARecord(RecordKind::kReturn, {Moves(Bucket::kAvailable, Bucket::kIssued, 30, lot),
                                             Moves(Bucket::kDebt, Bucket::kIssued, 10, lot)}));
  CHECK(item.text == "Return: 40 points taken back, of which 10 had been spent and are owed");
  CHECK(item.points == Points(-30));
}

TEST_CASE("Timeline: a refusal says why", "[unit][member]") {
  const TimelineItem item = Describe(
      Refusal{Timestamp(1), RecordKind::kAuthorization, PartnerId(2), "INSUFFICIENT_POINTS"});
  CHECK(item.text ==
        "Refused payment with points, INSUFFICIENT_POINTS: fewer points are available than asked "
        "for");
}

TEST_CASE("Timeline: lots promise what time will do to them", "[unit][member]") {
  ledger::Lot lot;
  lot.id = LotId(7);
  lot.remaining = lot.issued = Points(50);
  lot.held = Points(10);
  lot.activates_at = Timestamp(5);
  lot.expires_at = Timestamp(9);
  const auto pending = Promises(BookId(1), lot, lot.expires_at, "fresh");
  REQUIRE(pending.size() == 2);
  CHECK(pending[0].text == "40 points from fresh become available");
  CHECK(pending[1].text == "40 points from fresh expire");
  CHECK(pending[1].points == Points(-40));
  lot.on_due = ledger::OnDue::kCancel;
  CHECK(Promises(BookId(1), lot, lot.expires_at, "fresh")[0].text ==
        "40 points from fresh lapse unless the purchase is confirmed");
  lot.expires_at = kNever;
  lot.state = ledger::LotState::kActive;
  CHECK(Promises(BookId(1), lot, lot.expires_at, "fresh").empty());
}

TEST_CASE("Timeline: at its limit the latest past and the soonest future stay", "[unit][member]") {
  const auto items = [](int from, int count) {
    std::vector<TimelineItem> made(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) made[static_cast<size_t>(i)].at = Timestamp(from + i);
    return made;
  };
  const auto times = [](const std::vector<TimelineItem>& merged) {
    std::vector<int64_t> at;
    for (const TimelineItem& item : merged) at.push_back(item.at.value());
    return at;
  };
  CHECK(times(Merge(items(0, 9), items(100, 9), 4)) == std::vector<int64_t>{7, 8, 100, 101});
  CHECK(times(Merge(items(0, 1), items(100, 9), 4)) == std::vector<int64_t>{0, 100, 101, 102});
  CHECK(times(Merge(items(0, 9), items(100, 1), 4)) == std::vector<int64_t>{6, 7, 8, 100});
}

}  // namespace
}  // namespace guilder::member
