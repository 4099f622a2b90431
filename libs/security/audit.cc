#include "libs/security/audit.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/text.h"

namespace guilder::security {
namespace {

constexpr uint64_t kFormat = 1;

}  // namespace

Digest AuditHash(const AuditRecord& record, const Digest& previous) {
  Encoder encoder;
  encoder.Unsigned(kFormat).Raw(AsView(previous)).Signed(record.number).Quantity(record.at);
  for (const std::string* field : {&record.actor, &record.peer, &record.action, &record.resource,
                                   &record.before, &record.after}) {
    encoder.Bytes(*field);
  }
  return Sha256({encoder.str()});
}

bool AuditWalk::Add(const AuditRecord& record) {
  if (broken_at_) return false;
  if (record.number != records_ + 1 || AuditHash(record, head_) != record.hash) {
    broken_at_ = records_ + 1;
    return false;
  }
  ++records_;
  head_ = record.hash;
  return true;
}

bool AuditWalk::EndsAt(int64_t number, const Digest& hash) {
  if (!broken_at_ && (records_ != number || head_ != hash)) broken_at_ = records_ + 1;
  return !broken_at_;
}

}  // namespace guilder::security
