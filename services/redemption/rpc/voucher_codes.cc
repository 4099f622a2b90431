#include "services/redemption/rpc/voucher_codes.h"

#include "absl/strings/str_cat.h"

#include "services/redemption/domain/voucher_code.h"

namespace guilder::redemption {

// With the time, because a database that was restored from a backup gives numbers again.
std::string VoucherCodes::CodeOf(BookId book, RecordNumber number, Timestamp issued_at) const {
  return VoucherCodeOf(
      codes_.Hash(absl::StrCat(book.value(), "-", number.value(), "-", issued_at.value())));
}

}  // namespace guilder::redemption
