// Which code a voucher has, and under which digest it is found.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"
#include "services/redemption/domain/voucher.h"

namespace guilder::redemption {

// A code follows from the installation's secrets and from which voucher it is, so it need not be
// stored to be shown again; the database has a digest under another key. Thread safe.
class VoucherCodes {
 public:
  explicit VoucherCodes(const security::Secrets& secrets)
      : codes_(secrets.Derive("guilder/voucher-code/1")),
        index_(secrets.Derive("guilder/voucher-code-index/1")) {}

  std::string CodeOf(BookId book, RecordNumber number, Timestamp issued_at) const;
  // Of a code in its one spelling.
  Digest IndexOf(std::string_view code) const { return index_.Hash(code); }

 private:
  const security::KeyHasher codes_;
  const security::KeyHasher index_;
};

}  // namespace guilder::redemption
