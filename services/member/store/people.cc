#include "services/member/store/people.h"

#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"
#include "services/member/store/bonuses.h"
#include "services/member/store/writing.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kLockMember{"member.lock", R"sql(
  select sealed_key, sealed_profile, key_epoch
    from member.members
   where book = $1 and account_id = $2
     for no key update
)sql"};

constexpr Statement kUpdateProfile{"member.update_profile", R"sql(
  update member.members
     set sealed_key = $3, sealed_profile = $4, phone_index = $5, email_index = $6, key_epoch = $7,
         sealed_birthday = $8
   where book = $1 and account_id = $2
)sql"};

// People's indexes move to another epoch with the member's key.
constexpr Statement kReadPeople{"member.read_people_to_index", R"sql(
  select person_number, sealed_profile from member.people where book = $1 and account_id = $2
)sql"};

constexpr Statement kIndexPerson{"member.index_person", R"sql(
  update member.people
     set phone_index = $4, email_index = $5
   where book = $1 and account_id = $2 and person_number = $3
)sql"};

constexpr Statement kFindPersonOfRequest{"member.person_of_request", R"sql(
  select person_number, fingerprint from member.people
   where book = $1 and account_id = $2 and request_id = $3
)sql"};

constexpr Statement kInsertPerson{"member.insert_person", R"sql(
  insert into member.people (book, account_id, person_number, request_id, fingerprint, sealed_profile,
                             phone_index, email_index, added_at_us)
  select $1, $2, coalesce(max(person_number), 0) + 1, $3::uuid, $4::bytea, $5::bytea, $6::bytea,
         $7::bytea, $8::bigint
    from member.people where book = $1 and account_id = $2
  returning person_number
)sql"};

constexpr Statement kRemovePerson{"member.remove_person", R"sql(
  delete from member.people
   where book = $1 and account_id = $2 and person_number = $3
  returning person_number
)sql"};

#define GUILDER_OF_ERASED_ \
  "(book, account_id) in (select (e.account_id & 65535)::int, e.account_id from erased e)"

// Forgets what is known of the members `erased`, and of them themselves. `stop_cards` begins what
// is set of their cards.
#define GUILDER_FORGET_(stop_cards)                                                       \
  "people as (delete from member.people where " GUILDER_OF_ERASED_                        \
  "), consents as ("                                                                      \
  "  update member.consents set source = '' where source <> '' and " GUILDER_OF_ERASED_   \
  "), locks as ("                                                                         \
  "  update member.retention_locks set reason = '' where " GUILDER_OF_ERASED_             \
  "), tiers as (delete from member.tiers where " GUILDER_OF_ERASED_                       \
  "), residences as (delete from member.residences where " GUILDER_OF_ERASED_             \
  "), resident_accounts as ("                                                             \
  "  delete from member.resident_accounts where " GUILDER_OF_ERASED_                      \
  "), segments as (delete from member.segments where " GUILDER_OF_ERASED_                 \
  "), pins as ("                                                                          \
  "  update redemption.members"                                                           \
  "     set pin_hash = null, pin_set_us = 0, failed_attempts = 0, locked_at_us = null,"   \
  "         code_hash = null, code_expires_us = 0"                                        \
  "   where " GUILDER_OF_ERASED_                                                          \
  "), devices as (delete from redemption.devices where " GUILDER_OF_ERASED_               \
  "), cards as ("                                                                         \
  "  update member.cards set " stop_cards "blocked_reason = '' where " GUILDER_OF_ERASED_ \
  "  returning card_number"                                                               \
  "), events as ("                                                                        \
  "  update member.card_events v set reason = ''"                                         \
  "    from cards c where v.card_number = c.card_number and v.reason <> ''"               \
  ") update member.members"                                                               \
  "     set sealed_key = null, sealed_profile = null, sealed_birthday = null,"            \
  "         phone_index = null, email_index = null"

// The accounts that were merged into this one are the same person's.
constexpr Statement kErase{"member.erase", R"sql(
  with recursive erased (account_id) as (
    select $2::bigint
    union
    select m.from_account from erased e join member.merges m on m.into_account = e.account_id
  ), )sql" GUILDER_FORGET_("state = 1, ") R"sql(, erased_at_us = $3,
         erased_number = case account_id when $2 then $4::bigint end
   where $1::int is not null and )sql" GUILDER_OF_ERASED_};

// Their cards stay as they are: their accounts are open.
constexpr Statement kForget{"member.forget_unreadable", R"sql(
  with erased (account_id) as (select unnest($1::bigint[])
  ), )sql" GUILDER_FORGET_("") R"sql(
   where )sql" GUILDER_OF_ERASED_};

#undef GUILDER_FORGET_
#undef GUILDER_OF_ERASED_

constexpr Statement kReadErasure{"member.read_erasure", R"sql(
  select m.erased_number, m.erased_at_us, j.leaf, j.response
    from member.members m
    left join ledger.journal j
      on j.book = m.book and j.number = m.erased_number and j.posted_at_us = m.erased_at_us
   where m.book = $1 and m.account_id = $2
)sql"};

Params OfAccount(AccountId account) {
  return Params().Int(ledger::BookOf(account)).Int(account);
}

absl::Status LacksKeys(const absl::Status& status) {
  return Refuse(Reason::kStoreUnavailable, std::string(status.message()));
}

struct Locked {
  SealedProfile sealed;
  MemberKey key;
};

absl::StatusOr<Locked> LockMember(postgres::Transaction& transaction, const Vault& vault,
                                  AccountId account) {
  const postgres::Rows rows = transaction.Execute(kLockMember, OfAccount(account));
  if (rows.empty()) return Refuse(Reason::kMemberNotFound);
  const Row row = rows[0];
  if (row.IsNull(0)) return Refuse(Reason::kMemberErased);
  SealedProfile sealed{row.Bytes(0), row.Bytes(1), row.Int(2)};
  auto key = vault.OpenKey(account, sealed);
  if (!key) return absl::InternalError("a member's key does not open with these secrets");
  return Locked{std::move(sealed), *std::move(key)};
}

// Seals the key in `epoch`, and indexes everybody of the account in it.
absl::Status Write(postgres::Transaction& transaction, const Vault& vault, AccountId account,
                   const MemberKey& key, const Profile& profile, int64_t epoch) {
  const auto sealed_key = vault.SealKey(key, epoch);
  if (!sealed_key.ok()) return LacksKeys(sealed_key.status());
  const auto own = vault.IndexesOf(profile, epoch);
  if (!own.ok()) return LacksKeys(own.status());
  transaction.Execute(kUpdateProfile, OfAccount(account)
                                          .Bytes(*sealed_key)
                                          .Bytes(key.Seal(kOwnProfile, profile))
                                          .Bytes(own->phone)
                                          .Bytes(own->email)
                                          .Int(epoch)
                                          .Bytes(key.SealBirthday(profile)));
  for (const Row row : transaction.Execute(kReadPeople, OfAccount(account))) {
    const auto person = key.Open(kSharedProfile, row.Bytes(1));
    if (!person) return absl::InternalError("a person's profile does not open");
    GUILDER_ASSIGN_OR_RETURN(const ContactIndexes indexes, vault.IndexesOf(*person, epoch));
    transaction.Execute(
        kIndexPerson, OfAccount(account).Int(row.Int(0)).Bytes(indexes.phone).Bytes(indexes.email));
  }
  return absl::OkStatus();
}

std::vector<std::string> PhonesOf(const Profile& profile) {
  if (profile.phone.empty()) return {};
  return {profile.phone};
}

}  // namespace

absl::StatusOr<Profile> ChangeProfile(
    postgres::Transaction& transaction, const Vault& vault, AccountId account,
    const std::function<absl::StatusOr<Profile>(const Profile& before)>& change) {
  GUILDER_ASSIGN_OR_RETURN(const Locked locked, LockMember(transaction, vault, account));
  const auto before = locked.key.Open(kOwnProfile, locked.sealed.profile);
  if (!before) return absl::InternalError("a member's profile does not open");
  GUILDER_ASSIGN_OR_RETURN(const Profile after, change(*before));
  const bool moves = after.phone != before->phone;
  const WritingGround ground =
      LockForWriting(transaction, vault, moves ? PhonesOf(after) : std::vector<std::string>());
  if (!ground.taken.empty() && ground.taken.begin()->second != account) {
    return Refuse(Reason::kAlreadyExists, "another member has this phone number");
  }
  GUILDER_RETURN_IF_ERROR(Write(transaction, vault, account, locked.key, after, ground.epoch));
  MarkPerson(transaction, account, vault.MarksOf(after));
  return after;
}

absl::StatusOr<AddedPerson> AddPerson(postgres::Transaction& transaction, const Vault& vault,
                                      AccountId account, const Profile& profile,
                                      const Uuid& request, Timestamp now) {
  GUILDER_ASSIGN_OR_RETURN(const Locked locked, LockMember(transaction, vault, account));
  const Digest fingerprint = vault.Fingerprint(profile);
  const postgres::Rows before =
      transaction.Execute(kFindPersonOfRequest, OfAccount(account).Uuid(request));
  if (!before.empty()) {
    if (before[0].Digest(1) != fingerprint) return Refuse(Reason::kRequestIdReused);
    return AddedPerson{static_cast<int>(before[0].Int(0)), profile};
  }
  const WritingGround ground = LockForWriting(transaction, vault, PhonesOf(profile));
  if (!ground.taken.empty()) {
    return Refuse(Reason::kAlreadyExists, "a member has this phone number");
  }
  // Everybody of an account is indexed in the epoch of its key.
  const auto own = locked.key.Open(kOwnProfile, locked.sealed.profile);
  if (!own) return absl::InternalError("a member's profile does not open");
  GUILDER_RETURN_IF_ERROR(Write(transaction, vault, account, locked.key, *own, ground.epoch));
  GUILDER_ASSIGN_OR_RETURN(const ContactIndexes indexes, vault.IndexesOf(profile, ground.epoch));
  const postgres::Rows rows =
      transaction.Execute(kInsertPerson, OfAccount(account)
                                             .Uuid(request)
                                             .Bytes(fingerprint)
                                             .Bytes(locked.key.Seal(kSharedProfile, profile))
                                             .Bytes(indexes.phone)
                                             .Bytes(indexes.email)
                                             .Int(now));
  return AddedPerson{static_cast<int>(rows[0].Int(0)), profile};
}

bool RemovePerson(postgres::Transaction& transaction, AccountId account, int number) {
  return !transaction.Execute(kRemovePerson, OfAccount(account).Int(number)).empty();
}

void Erase(postgres::Transaction& transaction, AccountId account, Timestamp at,
           RecordNumber number) {
  transaction.Execute(kErase, OfAccount(account).Int(at).Int(number));
}

void ForgetUnreadable(postgres::Transaction& transaction, const std::vector<AccountId>& accounts) {
  if (!accounts.empty()) transaction.Execute(kForget, Params().IntArray(accounts));
}

absl::StatusOr<std::optional<Erasure>> ReadErasure(postgres::Transaction& transaction,
                                                   AccountId account) {
  const postgres::Rows rows = transaction.Execute(kReadErasure, OfAccount(account));
  if (rows.empty()) return Refuse(Reason::kMemberNotFound);
  const Row row = rows[0];
  if (row.IsNull(0)) return std::optional<Erasure>();
  if (row.IsNull(2)) return absl::InternalError("the record of an erasure is missing");
  return std::optional<Erasure>(
      Erasure{row.Id<RecordNumber>(0), row.Id<Timestamp>(1), row.Digest(2), row.Bytes(3)});
}

}  // namespace guilder::member
