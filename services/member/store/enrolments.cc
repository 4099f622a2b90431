#include "services/member/store/enrolments.h"

#include "libs/postgres/pool.h"
#include "services/member/domain/card_number.h"

namespace guilder::member {
namespace {

constexpr postgres::Statement kInsertMembers{"member.insert_members", R"sql(
  with cards as (
    insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id)
    select card_number, book, account_id, 0, enrolled_at_us, request_id
      from unnest($1::int[], $2::bigint[], $3::bigint[], $8::bigint[], $9::uuid[])
        as w (book, account_id, enrolled_at_us, card_number, request_id)
  )
  insert into member.members (book, account_id, enrolled_at_us, sealed_key, sealed_profile, phone_index,
                              email_index)
  select *
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[],
                $7::bytea[])
)sql"};

constexpr postgres::Statement kDrawSerials{"member.draw_serials", R"sql(
  select nextval('member.card_serials') from generate_series(1, $1)
)sql"};

constexpr int kSerialsAtOnce = 64;

struct MemberRow {
  const EnrolmentCommand* command;
  SealedProfile sealed;
  std::optional<Digest> phone_index;
  std::optional<Digest> email_index;
};

}  // namespace

void EnrolmentRows::Write(postgres::Transaction& transaction,
                          const std::vector<ledger::Command*>& commands) {
  std::vector<MemberRow> rows;
  for (const ledger::Command* command : commands) {
    const auto& enrolment = static_cast<const EnrolmentCommand&>(*command);
    const Profile& profile = enrolment.profile;
    MemberRow row{&enrolment, vault_.Seal(enrolment.opened, profile), {}, {}};
    if (!profile.phone.empty()) row.phone_index = vault_.PhoneIndex(profile.phone);
    if (!profile.email.empty()) row.email_index = vault_.EmailIndex(profile.email);
    rows.push_back(std::move(row));
  }
  using Row = MemberRow;
  transaction.Execute(
      kInsertMembers,
      postgres::Params()
          .IntArray(rows, [](const Row& row) { return row.command->book; })
          .IntArray(rows, [](const Row& row) { return row.command->opened; })
          .IntArray(rows, [](const Row& row) { return row.command->place.posted_at; })
          .BytesArray(rows, [](const Row& row) { return row.sealed.key; })
          .BytesArray(rows, [](const Row& row) { return row.sealed.profile; })
          .BytesArray(rows, &Row::phone_index)
          .BytesArray(rows, &Row::email_index)
          .IntArray(rows, [](const Row& row) { return row.command->card_number; })
          .UuidArray(rows, [](const Row& row) { return row.command->request_id; }));
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
