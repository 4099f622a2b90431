#include "services/member/store/key_rotation.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"
#include "services/member/store/people.h"
#include "services/member/store/writing.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr int kMembersAtOnce = 500;

constexpr Statement kBegin{"member.begin_epoch", R"sql(
  insert into member.key_epochs (epoch, began_at_us)
  values ($1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
)sql"};

// Whether somebody's key is of an earlier epoch than the last one, too.
constexpr Statement kReadLastEpoch{"member.read_last_epoch", R"sql(
  select e.epoch, exists (select from member.members m
                           where m.key_epoch < e.epoch and m.sealed_key is not null)
    from (select max(epoch) as epoch from member.key_epochs) e
)sql"};

constexpr Statement kReadChunk{"member.read_chunk_to_rotate", R"sql(
  select account_id, sealed_key, sealed_profile, key_epoch
    from member.members
   where (book, account_id) > ($1, $2) and key_epoch < $3 and sealed_key is not null
   order by book, account_id
   limit $4
     for no key update
)sql"};

constexpr Statement kReadPeople{"member.read_people_to_rotate", R"sql(
  select account_id, person_number, sealed_profile
    from member.people
   where (book, account_id) in (select (a & 65535)::int, a from unnest($1::bigint[]) as w (a))
)sql"};

constexpr Statement kWriteChunk{"member.write_rotated_chunk", R"sql(
  update member.members m
     set sealed_key = w.sealed_key, phone_index = w.phone_index, email_index = w.email_index,
         key_epoch = $1, sealed_birthday = w.sealed_birthday
    from unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[])
           as w (account_id, sealed_key, phone_index, email_index, sealed_birthday)
   where m.book = (w.account_id & 65535)::int and m.account_id = w.account_id
)sql"};

constexpr Statement kWritePeople{"member.write_rotated_people", R"sql(
  update member.people p
     set phone_index = w.phone_index, email_index = w.email_index
    from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
           as w (account_id, person_number, phone_index, email_index)
   where p.book = (w.account_id & 65535)::int and p.account_id = w.account_id
     and p.person_number = w.person_number
)sql"};

// Erased members have nothing that an epoch's key opens. Whether the epoch is still the last one,
// too.
constexpr Statement kCountBehind{"member.count_behind", R"sql(
  select (select count(*) from member.members where key_epoch < $1 and sealed_key is not null),
         (select max(epoch) from member.key_epochs)
)sql"};

struct Moved {
  AccountId account;
  std::string key;
  ContactIndexes indexes;
  std::optional<MemberKey> opened;
  std::optional<std::string> birthday{};
};

struct MovedPerson {
  AccountId account;
  int64_t number = 0;
  ContactIndexes indexes;
};

absl::Status DoesNotOpen(AccountId account) {
  return absl::InternalError("the key of members/" + std::to_string(account.value()) +
                             " does not open");
}

absl::Status MovePeople(postgres::Transaction& tx, const Vault& vault,
                        const std::vector<Moved>& members, int64_t epoch) {
  std::map<AccountId, const MemberKey*> keys;
  for (const Moved& member : members) keys[member.account] = &*member.opened;
  std::vector<MovedPerson> people;
  const postgres::Rows rows = tx.Execute(kReadPeople, Params().IntArray(members, &Moved::account));
  for (const Row row : rows) {
    const auto account = row.Id<AccountId>(0);
    const auto profile = keys.at(account)->Open(kSharedProfile, row.Bytes(2));
    if (!profile) return DoesNotOpen(account);
    GUILDER_ASSIGN_OR_RETURN(ContactIndexes indexes, vault.IndexesOf(*profile, epoch));
    people.push_back({account, row.Int(1), indexes});
  }
  if (people.empty()) return absl::OkStatus();
  tx.Execute(kWritePeople,
             Params()
                 .IntArray(people, &MovedPerson::account)
                 .IntArray(people, &MovedPerson::number)
                 .BytesArray(people, [](const MovedPerson& p) { return p.indexes.phone; })
                 .BytesArray(people, [](const MovedPerson& p) { return p.indexes.email; }));
  return absl::OkStatus();
}

// What came of some members, and the last one of them; none at the end.
struct Chunk {
  AccountId last;
  int64_t moved = 0;
  int64_t forgotten = 0;
};

absl::StatusOr<Chunk> MoveChunk(postgres::Transaction& tx, const Vault& vault, AccountId after,
                                int64_t epoch) {
  LockForWriting(tx, vault, {});
  Chunk chunk;
  std::vector<Moved> members;
  std::vector<AccountId> unreadable;
  const int64_t book = after ? ledger::BookOf(after).value() : -1;
  for (const Row row :
       tx.Execute(kReadChunk, Params().Int(book).Int(after).Int(epoch).Int(kMembersAtOnce))) {
    Moved member{row.Id<AccountId>(0), {}, {}, {}, {}};
    chunk.last = member.account;
    const SealedProfile sealed{row.Bytes(1), row.Bytes(2), row.Int(3)};
    if (!vault.Knows(sealed.epoch)) {
      unreadable.push_back(member.account);
      continue;
    }
    member.opened = vault.OpenKey(member.account, sealed);
    if (!member.opened) return DoesNotOpen(member.account);
    const auto profile = member.opened->Open(kOwnProfile, sealed.profile);
    if (!profile) return DoesNotOpen(member.account);
    GUILDER_ASSIGN_OR_RETURN(member.key, vault.SealKey(*member.opened, epoch));
    GUILDER_ASSIGN_OR_RETURN(member.indexes, vault.IndexesOf(*profile, epoch));
    member.birthday = member.opened->SealBirthday(*profile);
    members.push_back(std::move(member));
  }
  chunk.moved = static_cast<int64_t>(members.size());
  chunk.forgotten = static_cast<int64_t>(unreadable.size());
  ForgetUnreadable(tx, unreadable);
  if (members.empty()) return chunk;
  tx.Execute(kWriteChunk, Params()
                              .Int(epoch)
                              .IntArray(members, &Moved::account)
                              .BytesArray(members, &Moved::key)
                              .BytesArray(members, [](const Moved& m) { return m.indexes.phone; })
                              .BytesArray(members, [](const Moved& m) { return m.indexes.email; })
                              .BytesArray(members, &Moved::birthday));
  GUILDER_RETURN_IF_ERROR(MovePeople(tx, vault, members, epoch));
  return chunk;
}

absl::Status Unwritable(const absl::Status& status) {
  return Refuse(Reason::kWrongState, std::string(status.message()));
}

}  // namespace

absl::StatusOr<Rotation> RotateKeys(postgres::Pool& pool, const Vault& vault, absl::Time deadline) {
  Rotation rotation;
  // In the ring before the database names it: whoever reads it there finds its key.
  GUILDER_RETURN_IF_ERROR(pool.Run(
      [&](postgres::Transaction& tx) -> absl::Status {
        LockEpochs(tx);
        // What was interrupted is finished: those who were moved already need not be moved again.
        const postgres::Rows last = tx.Execute(kReadLastEpoch);
        rotation.epoch = last[0].Int(0);
        if (last[0].Bool(1) && rotation.epoch > 0 && vault.Knows(rotation.epoch))
          return absl::OkStatus();
        const auto added = vault.ring().Add();
        if (!added.ok()) return Unwritable(added.status());
        rotation.epoch = added->number;
        tx.Execute(kBegin, Params().Int(rotation.epoch));
        return absl::OkStatus();
      },
      deadline));
  for (AccountId after;;) {
    GUILDER_ASSIGN_OR_RETURN(
        const Chunk chunk,
        pool.Run(
            [&](postgres::Transaction& tx) { return MoveChunk(tx, vault, after, rotation.epoch); },
            deadline));
    rotation.members += chunk.moved;
    rotation.unreadable += chunk.forgotten;
    if (!chunk.last) break;
    after = chunk.last;
  }
  GUILDER_RETURN_IF_ERROR(pool.Run(
      [&](postgres::Transaction& tx) -> absl::Status {
        LockEpochs(tx);
        // A rotation that began later drops what this one would keep.
        const postgres::Rows behind = tx.Execute(kCountBehind, Params().Int(rotation.epoch));
        if (behind[0].Int(0) > 0 || behind[0].Int(1) != rotation.epoch) {
          return Refuse(Reason::kWrongState, "another rotation is under way; repeat this one");
        }
        const absl::Status dropped = vault.ring().KeepOnly(rotation.epoch);
        return dropped.ok() ? dropped : Unwritable(dropped);
      },
      deadline));
  return rotation;
}

}  // namespace guilder::member
