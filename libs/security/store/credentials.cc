#include "libs/security/store/credentials.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/pool.h"
#include "libs/security/credential_use.h"
#include "libs/security/keys.h"
#include "libs/security/member_token.h"
#include "libs/telemetry/log.h"

namespace guilder::security {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Callers that wait for a fresh read share it; this far apart are the reads that they cause.
constexpr std::chrono::milliseconds kLeastGap{10};
constexpr absl::Duration kReadTimeout = absl::Milliseconds(800);

// Differs whenever any row of either table does.
constexpr postgres::Statement kReadFingerprint{"security.read_fingerprint", R"sql(
  select (select count(*) || ':' || coalesce(sum(hashtextextended(c::text, 0)), 0)
            from partner.credentials c)
         || '/' ||
         (select count(*) || ':' || coalesce(sum(hashtextextended(o::text, 0)), 0)
            from operator.operators o)
)sql"};

constexpr postgres::Statement kReadCredentials{"security.read_credentials", R"sql(
  select credential_id, partner_id, key_hash, expires_at_us, array_to_string(scopes, ','),
         array_to_string(store_codes, ','), calls_per_second, certificate_sha256
    from partner.credentials
   where revoked_at_us is null
)sql"};

constexpr postgres::Statement kReadOperators{"security.read_operators", R"sql(
  select operator_id, token_hash, array_to_string(roles, ',')
    from operator.operators
   where disabled_at_us is null
)sql"};

// Each process writes when it saw a credential used; the latest of all is kept.
constexpr postgres::Statement kSaveUses{"security.save_uses", R"sql(
  insert into partner.credential_uses (credential_id, last_used_at_us)
  select used.credential_id, used.at_us
    from unnest($1::text[], $2::bigint[]) as used (credential_id, at_us)
    join partner.credentials using (credential_id)
   order by used.credential_id
  on conflict (credential_id) do update
     set last_used_at_us = greatest(credential_uses.last_used_at_us, excluded.last_used_at_us)
)sql"};

struct Entry {
  Digest hash;
  Principal principal;
  int64_t expires_at_us = INT64_MAX;
};

using Entries = absl::flat_hash_map<std::string, Entry>;

struct Snapshot {
  std::string fingerprint;
  Entries partners;
  Entries operators;
  // Ids of partners' credentials that are certificates, by fingerprint.
  std::map<Digest, std::string> certificates;

  const Entry* Find(const ParsedKey& key) const {
    const Entries& entries = key.kind == KeyKind::kPartner ? partners : operators;
    const auto found = entries.find(ToAbsl(key.id));
    return found == entries.end() ? nullptr : &found->second;
  }

  const Entry* Find(const Digest& certificate) const {
    const auto id = certificates.find(certificate);
    if (id == certificates.end()) return nullptr;
    return &partners.at(id->second);
  }
};

Roles ParseRoles(std::string_view names) {
  Roles roles;
  for (const auto name : absl::StrSplit(ToAbsl(names), ',', absl::SkipEmpty())) {
    // A role that this version does not know gives nothing.
    if (const auto role = RoleFromName({name.data(), name.size()})) roles.Add(*role);
  }
  return roles;
}

// Nothing stated is what is usual: all scopes but ADMIN, and every store.
Scopes ParseScopes(std::string_view names) {
  if (names.empty()) return kUsualScopes;
  Scopes scopes;
  for (const auto name : absl::StrSplit(ToAbsl(names), ',')) {
    // A scope that this version does not know gives nothing.
    if (const auto scope = ScopeFromName({name.data(), name.size()})) scopes.Add(*scope);
  }
  return scopes;
}

std::shared_ptr<const std::vector<std::string>> ParseStores(std::string_view codes) {
  if (codes.empty()) return nullptr;
  std::vector<std::string> stores = absl::StrSplit(ToAbsl(codes), ',');
  std::sort(stores.begin(), stores.end());
  return std::make_shared<const std::vector<std::string>>(std::move(stores));
}

// What a credential has done so far goes on, whatever else of it changes.
std::shared_ptr<CredentialUse> UseOf(const Entries& known, const std::string& id) {
  const auto found = known.find(id);
  return found == known.end() ? std::make_shared<CredentialUse>() : found->second.principal.use;
}

void ReadPartners(postgres::Transaction& transaction, const Entries& known,
                  int64_t usual_calls_per_second, Snapshot& out) {
  for (const postgres::Row row : transaction.Execute(kReadCredentials)) {
    Entry entry;
    entry.principal.kind = Principal::Kind::kPartner;
    entry.principal.id = std::string(row.Text(0));
    entry.principal.partner = row.Id<PartnerId>(1);
    entry.hash = row.Digest(2);
    entry.expires_at_us = row.OptionalInt(3).value_or(INT64_MAX);
    entry.principal.scopes = ParseScopes(row.Text(4));
    entry.principal.stores = ParseStores(row.Text(5));
    entry.principal.use = UseOf(known, entry.principal.id);
    const int64_t calls = row.Int(6);
    entry.principal.use->rate().SetCallsPerSecond(calls > 0 ? calls : usual_calls_per_second);
    std::string id = entry.principal.id;
    if (!row.IsNull(7)) out.certificates.emplace(row.Digest(7), id);
    out.partners.emplace(std::move(id), std::move(entry));
  }
}

void ReadOperators(postgres::Transaction& transaction, const Entries& known, Entries& out) {
  for (const postgres::Row row : transaction.Execute(kReadOperators)) {
    Entry entry;
    entry.principal.kind = Principal::Kind::kOperator;
    entry.principal.id = std::string(row.Text(0));
    entry.hash = row.Digest(1);
    entry.principal.roles = ParseRoles(row.Text(2));
    entry.principal.use = UseOf(known, entry.principal.id);
    std::string id = entry.principal.id;
    out.emplace(std::move(id), std::move(entry));
  }
}

// The tables as they are; null when they are as `known` has them.
absl::StatusOr<std::shared_ptr<const Snapshot>> ReadSnapshot(postgres::Pool& pool,
                                                             const Snapshot& known,
                                                             int64_t usual_calls_per_second) {
  return pool.Read(
      [&](postgres::Transaction& transaction) -> absl::StatusOr<std::shared_ptr<const Snapshot>> {
        const postgres::Rows rows = transaction.Execute(kReadFingerprint);
        const std::string_view fingerprint = rows[0].Text(0);
        if (fingerprint == known.fingerprint) return nullptr;
        auto snapshot = std::make_shared<Snapshot>();
        // Read before the rows: what changes in between differs again at the next look.
        snapshot->fingerprint = std::string(fingerprint);
        ReadPartners(transaction, known.partners, usual_calls_per_second, *snapshot);
        ReadOperators(transaction, known.operators, snapshot->operators);
        return snapshot;
      },
      absl::Now() + kReadTimeout);
}

// Withdraws what is gone or has expired, so that streams end that were opened with it.
void Withdraw(const Entries& known, const Entries& now_known, int64_t now_us) {
  for (const auto& [id, entry] : known) {
    if (!now_known.contains(id) || now_us >= entry.expires_at_us) entry.principal.use->Withdraw();
  }
}

void SaveUses(postgres::Pool& pool, const Snapshot& snapshot) {
  std::vector<std::string> ids;
  std::vector<int64_t> at_us;
  for (const auto& [id, entry] : snapshot.partners) {
    const auto used = entry.principal.use->TakeUnsavedUse();
    if (!used) continue;
    ids.push_back(id);
    at_us.push_back(*used);
  }
  if (ids.empty()) return;
  // Of no consequence when it fails: the next use is saved again.
  const absl::Status saved = pool.Run(
      [&](postgres::Transaction& transaction) {
        transaction.Execute(kSaveUses, postgres::Params().TextArray(ids).IntArray(at_us));
        return absl::OkStatus();
      },
      absl::Now() + kReadTimeout);
  if (!saved.ok()) {
    telemetry::Log(telemetry::Severity::kWarning, "the last use of credentials was not saved",
                   {{"text", std::string(saved.message())}});
  }
}

}  // namespace

class CredentialStore::Impl {
 public:
  Impl(postgres::Pool& pool, const Secrets& secrets, const Options& options)
      : pool_(pool),
        hasher_(secrets.KeyPepper()),
        member_tokens_(secrets),
        refresh_every_(absl::ToChronoNanoseconds(options.refresh_every)),
        max_age_(absl::ToChronoNanoseconds(options.max_age)),
        max_waiting_(static_cast<size_t>(options.max_waiting)),
        calls_per_second_(options.calls_per_second),
        snapshot_(std::make_shared<Snapshot>()) {
    Refresh();
    refresher_ = std::thread([this] { KeepFresh(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    refresher_.join();
    for (Waiting& waiting : waiting_) waiting.done(Refuse(Reason::kDraining));
  }

  absl::StatusOr<Principal> Authenticate(std::string_view bearer) const {
    const std::optional<ParsedKey> key = ParseKey(bearer);
    if (!key) return Refuse(Reason::kCredentialsInvalid);
    if (key->kind == KeyKind::kMember) return AuthenticateMember(bearer);
    if (IsStale()) return Refuse(Reason::kStoreUnavailable);
    const std::shared_ptr<const Snapshot> snapshot = Current();
    const Entry* const entry = snapshot->Find(*key);
    if (entry == nullptr || !hasher_.Matches(bearer, entry->hash)) {
      return Refuse(Reason::kCredentialsInvalid);
    }
    return PrincipalOf(*entry);
  }

  absl::StatusOr<Principal> AuthenticateCertificate(const Digest& fingerprint) const {
    if (IsStale()) return Refuse(Reason::kStoreUnavailable);
    const std::shared_ptr<const Snapshot> snapshot = Current();
    const Entry* const entry = snapshot->Find(fingerprint);
    if (entry == nullptr) return Refuse(Reason::kCredentialsInvalid);
    return PrincipalOf(*entry);
  }

  void AuthenticateFresh(std::string bearer, Done done) {
    const std::optional<ParsedKey> key = ParseKey(bearer);
    const bool may_be_new =
        key && key->kind != KeyKind::kMember && Current()->Find(*key) == nullptr;
    if (may_be_new) {
      const std::lock_guard lock(mutex_);
      if (!stopping_ && waiting_.size() < max_waiting_) {
        waiting_.push_back({std::move(bearer), std::move(done)});
        wake_.notify_all();
        return;
      }
    }
    done(Refuse(Reason::kCredentialsInvalid));
  }

 private:
  struct Waiting {
    std::string bearer;
    Done done;
  };

  static absl::StatusOr<Principal> PrincipalOf(const Entry& entry) {
    const int64_t now_us = absl::ToUnixMicros(absl::Now());
    if (now_us >= entry.expires_at_us) return Refuse(Reason::kCredentialsInvalid);
    entry.principal.use->Used(now_us);
    return entry.principal;
  }

  absl::StatusOr<Principal> AuthenticateMember(std::string_view bearer) const {
    const auto account = member_tokens_.Open(bearer, Timestamp(absl::ToUnixMicros(absl::Now())));
    if (!account) return Refuse(Reason::kCredentialsInvalid);
    Principal principal;
    principal.kind = Principal::Kind::kMember;
    principal.id = "member";
    principal.account = *account;
    return principal;
  }

  bool IsStale() const {
    const auto read_at =
        SteadyClock::time_point(SteadyClock::duration(read_at_.load(std::memory_order_relaxed)));
    return SteadyClock::now() - read_at > max_age_;
  }

  std::shared_ptr<const Snapshot> Current() const {
    const std::lock_guard lock(snapshot_mutex_);
    return snapshot_;
  }

  void Refresh() {
    // What is read is at least as new as the moment before the read.
    const auto started = SteadyClock::now();
    const std::shared_ptr<const Snapshot> known = Current();
    const auto read = ReadSnapshot(pool_, *known, calls_per_second_);
    if (!read.ok()) {
      if (!std::exchange(failing_, true)) {
        telemetry::Log(telemetry::Severity::kWarning, "credentials cannot be read",
                       {{"text", std::string(read.status().message())}});
      }
      return;
    }
    if (std::exchange(failing_, false)) {
      telemetry::Log(telemetry::Severity::kInfo, "credentials can be read again");
    }
    const Snapshot& now_known = *read != nullptr ? **read : *known;
    const int64_t now_us = absl::ToUnixMicros(absl::Now());
    if (*read != nullptr) {
      const std::lock_guard lock(snapshot_mutex_);
      snapshot_ = *read;
    }
    Withdraw(known->partners, now_known.partners, now_us);
    Withdraw(known->operators, now_known.operators, now_us);
    read_at_.store(started.time_since_epoch().count(), std::memory_order_relaxed);
  }

  void KeepFresh() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto next = SteadyClock::now() + refresh_every_;
      const auto soonest = SteadyClock::now() + kLeastGap;
      wake_.wait_until(lock, next, [&] { return stopping_ || !waiting_.empty(); });
      wake_.wait_until(lock, soonest, [&] { return stopping_; });
      if (stopping_) return;
      std::vector<Waiting> waiting = std::exchange(waiting_, {});
      lock.unlock();
      Refresh();
      for (Waiting& one : waiting) {
        one.done(failing_ ? Refuse(Reason::kStoreUnavailable) : Authenticate(one.bearer));
      }
      if (!failing_) SaveUses(pool_, *Current());
      lock.lock();
    }
  }

  postgres::Pool& pool_;
  const KeyHasher hasher_;
  const MemberTokens member_tokens_;
  const SteadyClock::duration refresh_every_;
  const SteadyClock::duration max_age_;
  const size_t max_waiting_;
  const int64_t calls_per_second_;

  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const Snapshot> snapshot_;  // guarded by snapshot_mutex_
  // When what is known was read, in ticks of the steady clock.
  std::atomic<SteadyClock::rep> read_at_{INT64_MIN / 2};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;  // guarded by mutex_, as is what follows
  bool stopping_ = false;

  bool failing_ = false;  // the refresher's
  std::thread refresher_;
};

CredentialStore::CredentialStore(postgres::Pool& pool, const Secrets& secrets, Options options)
    : impl_(std::make_unique<Impl>(pool, secrets, options)) {}

CredentialStore::~CredentialStore() = default;

absl::StatusOr<Principal> CredentialStore::Authenticate(std::string_view bearer) {
  return impl_->Authenticate(bearer);
}

absl::StatusOr<Principal> CredentialStore::AuthenticateCertificate(const Digest& fingerprint) {
  return impl_->AuthenticateCertificate(fingerprint);
}

void CredentialStore::AuthenticateFresh(std::string bearer, Done done) {
  impl_->AuthenticateFresh(std::move(bearer), std::move(done));
}

}  // namespace guilder::security
