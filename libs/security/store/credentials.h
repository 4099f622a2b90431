// Authenticates callers against the tables partner.credentials and operator.operators.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"

#include "libs/security/principal.h"
#include "libs/security/secrets.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::security {

// Holds every live credential in memory and reads them anew in the background, so that a call costs
// no read of the database, whether its key is good or made up. Thread safe.
//
// What memory holds is at most `max_age` old by the monotonic clock: a revocation acts within that
// time, and when the database cannot be read for longer every call is answered kStoreUnavailable. A
// credential that was issued a moment ago, by whichever process, is found by a fresh read; a
// bounded number of callers may wait for one, and all of them share it. A credential that ceases to
// work is withdrawn within the same time from streams that are open with it (CredentialUse).
//
// When a credential was last used is written to partner.credential_uses, to a minute.
class CredentialStore : public Authenticator {
 public:
  struct Options {
    absl::Duration refresh_every = absl::Milliseconds(250);
    absl::Duration max_age = absl::Seconds(1);
    int max_waiting = 256;
    // Of credentials that state no limit of their own. 0 for none.
    int64_t calls_per_second = 0;
  };

  // Reads once before it returns, so that the first call finds its credential. The pool must
  // outlive the store.
  CredentialStore(postgres::Pool& pool, const Secrets& secrets, Options options);
  CredentialStore(postgres::Pool& pool, const Secrets& secrets)
      : CredentialStore(pool, secrets, Options()) {}
  ~CredentialStore() override;

  absl::StatusOr<Principal> Authenticate(std::string_view bearer) override;
  absl::StatusOr<Principal> AuthenticateCertificate(const Digest& fingerprint) override;
  void AuthenticateFresh(std::string bearer, Done done) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::security
