#include "services/member/store/residences.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using ledger::Command;
using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

// What an account has of its own hides what was noted of those that were merged into it.
constexpr Statement kReadResidences{"member.read_residences", R"sql(
  with recursive person (account_id) as (
    select $1::bigint
    union
    select m.from_account
      from person p
      join member.merges m on m.into_account = p.account_id
     where not exists (select 1 from member.residences r
                        where r.book = (p.account_id & 65535)::int and r.account_id = p.account_id)
  )
  select r.account_id, r.number, r.from_us, r.noted_at_us, r.noted_by, r.sealed_place, m.sealed_key,
         m.key_epoch
    from person p
    join member.residences r
      on r.book = (p.account_id & 65535)::int and r.account_id = p.account_id
    join member.members m on m.book = r.book and m.account_id = r.account_id
   where m.sealed_key is not null
   order by r.from_us, r.number, r.account_id
)sql"};

constexpr Statement kReadKey{"member.read_key", R"sql(
  select sealed_key, key_epoch from member.members where book = $1 and account_id = $2
)sql"};

constexpr Statement kInsertResidence{"member.insert_residence", R"sql(
  insert into member.residences (book, account_id, number, from_us, noted_at_us, noted_by, sealed_place)
  values ($1, $2, $3, $4, $5, $6, $7)
)sql"};

// Of this account alone, also where what is known was noted of accounts merged into it.
constexpr Statement kNextNumber{"member.next_residence", R"sql(
  select coalesce(max(number), 0) + 1 from member.residences where book = $1 and account_id = $2
)sql"};

constexpr Statement kMarkUntold{"member.mark_untold", R"sql(
  insert into member.resident_accounts (book, account_id, policy_version, next_change_us)
  values ($1, $2, -1, 0)
      on conflict (book, account_id) do update set policy_version = -1
)sql"};

constexpr Statement kMarkMerged{"member.mark_untold_after_merge", R"sql(
  insert into member.resident_accounts (book, account_id, policy_version, next_change_us)
  select ($2::bigint & 65535)::int, $2, -1, 0
   where exists (select 1 from member.resident_accounts
                  where book = ($1::bigint & 65535)::int and account_id = $1)
      on conflict (book, account_id) do update set policy_version = -1
)sql"};

// A version that says the same of residences as the one before it is no news to anybody.
constexpr Statement kFindUntold{"member.find_untold", R"sql(
  select r.account_id, r.tellings
    from member.resident_accounts r
    join ledger.accounts a on a.book = r.book and a.account_id = r.account_id and a.status = 0
   where (r.policy_version < (
            select coalesce(max(p.version), 0)
              from (select version,
                           residences is distinct from
                             lag(residences, 1, '{}'::text[]) over (order by version)
                           or residence_grace_days is distinct from
                                lag(residence_grace_days, 1, 0) over (order by version) as is_news
                      from member.points_policies
                     where programme_id = $1) p
             where p.is_news)
          or r.next_change_us <= $2)
     and $3::bigint in (0, r.account_id)
   order by r.book, r.account_id
   limit $4
)sql"};

// Whoever notes another residence meanwhile waits, and says afterwards that the ledger is to be
// told again.
constexpr Statement kLockTold{"member.lock_told", R"sql(
  select account_id
    from member.resident_accounts
   where book = any($1::int[]) and account_id = any($2::bigint[])
   order by book, account_id
     for no key update
)sql"};

constexpr Statement kReadPolicies{"member.read_residence_policies", R"sql(
  select version, set_at_us, array_to_string(residences, ' '), residence_grace_days
    from member.points_policies
   where programme_id = $1
   order by version
)sql"};

constexpr Statement kMarkTold{"member.mark_told", R"sql(
  update member.resident_accounts
     set policy_version = $3, next_change_us = $4, tellings = tellings + 1
   where book = $1 and account_id = $2
)sql"};

Params OfAccount(AccountId account) {
  return Params().Int(ledger::BookOf(account)).Int(account);
}

// The numbers of several accounts say nothing of each other: what was noted last holds.
void NumberAnew(std::vector<Residence>& residences) {
  std::stable_sort(residences.begin(), residences.end(),
                   [](const Residence& a, const Residence& b) {
                     return std::tie(a.noted_at, a.number) < std::tie(b.noted_at, b.number);
                   });
  int number = 0;
  for (Residence& residence : residences) residence.number = ++number;
  std::sort(residences.begin(), residences.end(), [](const Residence& a, const Residence& b) {
    return std::tie(a.from, a.number) < std::tie(b.from, b.number);
  });
}

// To what the place is bound besides the member.
std::string DataOf(int64_t number) {
  return absl::StrCat("residence/", number);
}

std::vector<ResidencePolicy> ReadPolicies(Transaction& transaction, ProgrammeId programme) {
  std::vector<ResidencePolicy> policies;
  for (const Row row : transaction.Execute(kReadPolicies, Params().Int(programme))) {
    ResidencePolicy policy;
    policy.version = row.Int(0);
    policy.from = row.Id<Timestamp>(1);
    policy.places = absl::StrSplit(ToAbsl(row.Text(2)), ' ', absl::SkipEmpty());
    policy.grace_days = static_cast<int>(row.Int(3));
    policies.push_back(std::move(policy));
  }
  return policies;
}

}  // namespace

std::vector<Residence> ReadResidences(Transaction& transaction, const Vault& vault,
                                      AccountId account) {
  std::vector<Residence> residences;
  bool of_merged = false;
  std::map<AccountId, std::optional<MemberKey>> keys;
  for (const Row row : transaction.Execute(kReadResidences, Params().Int(account))) {
    const auto owner = row.Id<AccountId>(0);
    const auto number = static_cast<int>(row.Int(1));
    const auto [key, is_new] = keys.try_emplace(owner);
    if (is_new) key->second = vault.OpenKey(owner, {row.Bytes(6), {}, row.Int(7)});
    auto place = key->second ? key->second->OpenText(DataOf(number), row.Bytes(5)) : std::nullopt;
    if (!place) continue;
    of_merged = of_merged || owner != account;
    residences.push_back({number, *std::move(place), row.Id<Timestamp>(2), row.Id<Timestamp>(3),
                          std::string(row.Text(4))});
  }
  if (of_merged) NumberAnew(residences);
  return residences;
}

absl::Status InsertResidence(Transaction& transaction, const Vault& vault, AccountId account,
                             const std::vector<Residence>& known, Residence residence) {
  const postgres::Rows rows = transaction.Execute(kReadKey, OfAccount(account));
  const auto key = vault.OpenKey(account, {rows[0].Bytes(0), {}, rows[0].Int(1)});
  if (!key) return Refuse(Reason::kStoreUnavailable, "a member's key does not open");
  const int64_t next = transaction.Execute(kNextNumber, OfAccount(account))[0].Int(0);
  std::vector<Residence> added;
  // The first of its own hides what it has of accounts that were merged into it, and where the
  // member lived until then must not be forgotten: so that becomes its own, too.
  if (next == 1) added = known;
  residence.number = static_cast<int>(next) + static_cast<int>(added.size());
  added.push_back(std::move(residence));
  for (const Residence& row : added) {
    transaction.Execute(kInsertResidence, OfAccount(account)
                                              .Int(row.number)
                                              .Int(row.from)
                                              .Int(row.noted_at)
                                              .Text(row.noted_by)
                                              .Bytes(key->SealText(DataOf(row.number), row.place)));
  }
  transaction.Execute(kMarkUntold, OfAccount(account));
  return absl::OkStatus();
}

void NoteMergedResidence(Transaction& transaction, AccountId from, AccountId into) {
  transaction.Execute(kMarkMerged, Params().Int(from).Int(into));
}

std::vector<Untold> FindUntold(Transaction& transaction, ProgrammeId programme, Timestamp now,
                               AccountId account, int limit) {
  std::vector<Untold> untold;
  for (const Row row :
       transaction.Execute(kFindUntold, Params().Int(programme).Int(now).Int(account).Int(limit))) {
    untold.push_back({row.Id<AccountId>(0), row.Int(1)});
  }
  return untold;
}

SparingCommand::SparingCommand(const Untold& untold) {
  kind = ledger::RecordKind::kResidence;
  account = untold.account;
  book = ledger::BookOf(untold.account);
  needs_lots = true;
  // Those that have expired, too.
  needs_lot = LotId(1);
  fingerprint =
      Sha256({"spare", std::to_string(account.value()), " ", std::to_string(untold.tellings)});
  std::copy_n(fingerprint.begin(), request_id.size(), request_id.begin());
}

absl::StatusOr<std::string> SparingCommand::Decide(const ledger::DecisionContext& context,
                                                   ledger::Posting& posting) {
  if (posting.account().status != ledger::AccountStatus::kOpen) {
    return Refuse(Reason::kAccountClosed);
  }
  plan = PlanSparing(residences, policies, posting.now(), context.configuration);
  content = ledger::EncodeSparing(plan.sparing);
  DecideSparing(plan, posting);
  return std::string();
}

void SparingRows::Load(Transaction& transaction, const ledger::Configuration& configuration,
                       const std::vector<Command*>& commands) {
  std::set<AccountId> accounts;
  for (const Command* command : commands) accounts.insert(command->account);
  transaction.Execute(kLockTold, Params().IntArray(accounts, &ledger::BookOf).IntArray(accounts));
  const auto policies = ReadPolicies(transaction, configuration.programme().id);
  for (Command* command : commands) {
    auto& sparing = static_cast<SparingCommand&>(*command);
    sparing.policies = policies;
    sparing.residences = ReadResidences(transaction, vault_, sparing.account);
  }
}

void SparingRows::Write(Transaction& transaction, const std::vector<Command*>& commands) {
  for (const Command* command : commands) {
    const auto& sparing = static_cast<const SparingCommand&>(*command);
    const int64_t version = sparing.policies.empty() ? 0 : sparing.policies.back().version;
    transaction.Execute(kMarkTold,
                        OfAccount(sparing.account).Int(version).Int(sparing.plan.next_change));
  }
}

}  // namespace guilder::member
