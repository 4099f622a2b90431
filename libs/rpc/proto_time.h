// Instants on the wire.
#pragma once

#include <optional>

#include "google/protobuf/timestamp.pb.h"

#include "libs/base/types.h"

namespace guilder::rpc {

inline google::protobuf::Timestamp ToProto(Timestamp at) {
  google::protobuf::Timestamp out;
  int64_t seconds = at.value() / kMicrosPerSecond;
  int64_t micros = at.value() % kMicrosPerSecond;
  if (micros < 0) {
    seconds -= 1;
    micros += kMicrosPerSecond;
  }
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(micros * 1'000));
  return out;
}

// Nothing outside the years 1970 to 9999, or when malformed. What is finer than a microsecond is
// cut.
inline std::optional<Timestamp> FromProto(const google::protobuf::Timestamp& at) {
  constexpr int64_t kEndOfYear9999 = 253'402'300'800;
  if (at.seconds() < 0 || at.seconds() >= kEndOfYear9999) return std::nullopt;
  if (at.nanos() < 0 || at.nanos() > 999'999'999) return std::nullopt;
  return Timestamp(at.seconds() * kMicrosPerSecond + at.nanos() / 1'000);
}

}  // namespace guilder::rpc
