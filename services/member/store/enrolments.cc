#include "services/member/store/enrolments.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"
#include "services/member/store/bonuses.h"
#include "services/member/store/writing.h"

namespace guilder::member {
namespace {

constexpr postgres::Statement kInsertMembers{"member.insert_members", R"sql(
  with cards as (
    insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id)
    select card_number, (account_id & 65535)::int, account_id, 0, issued_at_us, request_id
      from unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::uuid[])
        as w (card_number, account_id, issued_at_us, request_id)
  )
  insert into member.members (book, account_id, enrolled_at_us, sealed_key, sealed_profile, phone_index,
                              email_index, key_epoch, sealed_birthday)
  select *
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[],
                $7::bytea[], $12::int[], $13::bytea[])
)sql"};

constexpr postgres::Statement kDrawSerials{"member.draw_serials", R"sql(
  select nextval('member.card_serials') from generate_series(1, $1)
)sql"};

constexpr int kSerialsAtOnce = 64;

}  // namespace

void EnrolmentRows::Load(postgres::Transaction& transaction, const ledger::Configuration&,
                         const std::vector<ledger::Command*>& commands) {
  std::map<std::string, const EnrolmentCommand*> last_with_phone;
  std::vector<std::string> phones;
  std::vector<CardNumber> cards;
  std::map<CardNumber, std::vector<const EnrolmentCommand*>> with_card;
  std::vector<CardNumber> handed_out;
  std::vector<std::string> emails;
  for (ledger::Command* command : commands) {
    auto& enrolment = static_cast<EnrolmentCommand&>(*command);
    enrolment.taken_by = AccountId();
    enrolment.twin = nullptr;
    enrolment.accepted = false;
    enrolment.card_taken = false;
    enrolment.card_twins.clear();
    enrolment.found = HandedOutCard();
    if (enrolment.handed_out) handed_out.push_back(enrolment.cards.front());
    for (const CardNumber card : enrolment.cards) {
      if (!enrolment.cards_given) break;
      // Once one of a batch is accepted the others are refused, as they would be in the next one.
      auto& others = with_card[card];
      if (!others.empty() && others.back() == &enrolment) enrolment.card_taken = true;
      enrolment.card_twins.insert(enrolment.card_twins.end(), others.begin(), others.end());
      others.push_back(&enrolment);
      cards.push_back(card);
    }
    const std::string& phone = enrolment.profile.phone;
    // Who is known by an address alone is welcomed once by it.
    if (enrolment.welcomes && phone.empty() && !enrolment.profile.email.empty()) {
      emails.push_back(absl::StrCat("email/", enrolment.profile.email));
    }
    if (phone.empty()) continue;
    enrolment.twin = std::exchange(last_with_phone[phone], &enrolment);
    if (enrolment.twin == nullptr) phones.push_back(phone);
  }
  const WritingGround ground = LockForWriting(transaction, vault_, phones, cards, emails);
  for (ledger::Command* command : commands) {
    auto& enrolment = static_cast<EnrolmentCommand&>(*command);
    enrolment.epoch = ground.epoch;
    const auto taken = ground.taken.find(enrolment.profile.phone);
    if (taken != ground.taken.end()) enrolment.taken_by = taken->second;
    if (enrolment.handed_out) continue;
    for (const CardNumber card : enrolment.cards) {
      if (ground.taken_cards.contains(card)) enrolment.card_taken = true;
    }
  }
  LoadWelcomes(transaction, commands);
  if (handed_out.empty()) return;
  std::sort(handed_out.begin(), handed_out.end());
  const auto found = LockHandedOut(transaction, handed_out);
  for (ledger::Command* command : commands) {
    auto& enrolment = static_cast<EnrolmentCommand&>(*command);
    const auto card = found.find(enrolment.cards.front());
    if (enrolment.handed_out && card != found.end()) enrolment.found = card->second;
  }
}

void EnrolmentRows::LoadWelcomes(postgres::Transaction& transaction,
                                 const std::vector<ledger::Command*>& commands) const {
  std::vector<Digest> marks;
  std::vector<std::pair<EnrolmentCommand*, Digest>> asked;
  std::map<std::string, const EnrolmentCommand*> last_with_email;
  for (ledger::Command* command : commands) {
    auto& enrolment = static_cast<EnrolmentCommand&>(*command);
    enrolment.welcomed_before = false;
    enrolment.email_twin = nullptr;
    if (!enrolment.welcomes || !enrolment.is_identified()) continue;
    marks.push_back(vault_.MarksOf(enrolment.profile).front());
    asked.emplace_back(&enrolment, marks.back());
    if (!enrolment.profile.phone.empty()) continue;
    enrolment.email_twin = std::exchange(last_with_email[enrolment.profile.email], &enrolment);
  }
  if (asked.empty()) return;
  const auto known = ReadMarks(transaction, BonusKind::kWelcome, marks);
  for (const auto& [enrolment, mark] : asked) enrolment->welcomed_before = known.contains(mark);
}

void EnrolmentRows::WriteWelcomes(postgres::Transaction& transaction,
                                  const std::vector<const EnrolmentCommand*>& rows) const {
  std::vector<GivenBonus> bonuses;
  std::vector<Digest> marks;
  for (const EnrolmentCommand* row : rows) {
    if (!row->welcomes || row->WasWelcomed()) continue;
    bonuses.push_back({row->book, row->place.number, BonusKind::kWelcome, row->opened, row->welcome,
                       row->place.posted_at, AccountId(), row->is_identified()});
    for (const Digest& mark : vault_.MarksOf(row->profile)) marks.push_back(mark);
  }
  if (bonuses.empty()) return;
  InsertBonuses(transaction, bonuses);
  SetMarks(transaction, BonusKind::kWelcome, marks, bonuses.front().posted_at);
}

absl::Status EnrolmentRows::Take(postgres::Transaction&,
                                 const std::vector<ledger::Command*>& commands) {
  for (ledger::Command* command : commands) {
    auto& enrolment = static_cast<EnrolmentCommand&>(*command);
    GUILDER_ASSIGN_OR_RETURN(enrolment.sealed,
                             vault_.Seal(enrolment.opened, enrolment.profile, enrolment.epoch));
    GUILDER_ASSIGN_OR_RETURN(enrolment.indexes,
                             vault_.IndexesOf(enrolment.profile, enrolment.epoch));
  }
  return absl::OkStatus();
}

void EnrolmentRows::Write(postgres::Transaction& transaction,
                          const std::vector<ledger::Command*>& commands) {
  std::vector<const EnrolmentCommand*> rows;
  for (const ledger::Command* command : commands) {
    rows.push_back(static_cast<const EnrolmentCommand*>(command));
  }
  struct CardRow {
    CardNumber number;
    const EnrolmentCommand* of = nullptr;
  };
  std::vector<CardRow> cards;
  for (const EnrolmentCommand* row : rows) {
    // A card that was shown before is in the table.
    if (row->handed_out && row->found.account) continue;
    for (const CardNumber card : row->cards) cards.push_back({card, row});
  }
  using Row = const EnrolmentCommand*;
  transaction.Execute(
      kInsertMembers,
      postgres::Params()
          .IntArray(rows, [](Row row) { return row->book; })
          .IntArray(rows, [](Row row) { return row->opened; })
          .IntArray(rows, [](Row row) { return row->place.posted_at; })
          .BytesArray(rows, [](Row row) { return row->sealed.key; })
          .BytesArray(rows, [](Row row) { return row->sealed.profile; })
          .BytesArray(rows, [](Row row) { return row->indexes.phone; })
          .BytesArray(rows, [](Row row) { return row->indexes.email; })
          .IntArray(cards, &CardRow::number)
          .IntArray(cards, [](const CardRow& card) { return card.of->opened; })
          .IntArray(cards, [](const CardRow& card) { return card.of->place.posted_at; })
          .UuidArray(cards, [](const CardRow& card) { return card.of->request_id; })
          .IntArray(rows, [](Row row) { return row->epoch; })
          .BytesArray(rows, [](Row row) { return row->sealed.birthday; }));
  WriteWelcomes(transaction, rows);
  for (const EnrolmentCommand* row : rows) {
    if (!row->handed_out) continue;
    ClaimCard(transaction, row->cards.front(), row->opened,
              {row->actor, row->place.posted_at, row->request_id});
  }
}

std::optional<int64_t> CardSerials::TryTake() {
  const std::lock_guard lock(mutex_);
  if (drawn_.empty()) return std::nullopt;
  const int64_t serial = drawn_.front();
  drawn_.pop_front();
  return serial;
}

absl::StatusOr<int64_t> CardSerials::Take(absl::Time deadline) {
  if (const auto serial = TryTake()) return *serial;
  // Several callers may draw at once: some serials more then wait for their use.
  const auto drawn = pool_.Run(
      [](postgres::Transaction& transaction) -> absl::StatusOr<postgres::Rows> {
        return transaction.Execute(kDrawSerials, postgres::Params().Int(kSerialsAtOnce));
      },
      deadline);
  if (!drawn.ok()) return drawn.status();
  const std::lock_guard lock(mutex_);
  for (int i = 1; i < drawn->size(); ++i) drawn_.push_back((*drawn)[i].Int(0));
  return (*drawn)[0].Int(0);
}

}  // namespace guilder::member
