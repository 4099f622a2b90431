#include "libs/base/reason.h"

#include <array>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/text.h"

namespace guilder {
namespace {

struct Row {
  Reason reason;
  std::string_view name;
  absl::StatusCode code;
  std::string_view advice;
};

constexpr Row kRows[] = {
#define GUILDER_REASON_ROW_(enumerator, name, code, advice) \
  {Reason::enumerator, #name, absl::StatusCode::code, advice},
    GUILDER_REASONS(GUILDER_REASON_ROW_)
#undef GUILDER_REASON_ROW_
};

constexpr char kPayload[] = "guilder/reason";

const Row& RowOf(Reason reason) {
  return kRows[static_cast<size_t>(reason)];
}

std::string EncodePayload(Reason reason, const ReasonDetails& details) {
  Encoder encoder;
  encoder.Unsigned(static_cast<uint64_t>(reason));
  for (const auto& [key, value] : details) encoder.Bytes(key).Bytes(value);
  return encoder.Take();
}

}  // namespace

std::string_view ReasonName(Reason reason) {
  return RowOf(reason).name;
}
absl::StatusCode ReasonCode(Reason reason) {
  return RowOf(reason).code;
}
std::string_view ReasonAdvice(Reason reason) {
  return RowOf(reason).advice;
}

std::optional<Reason> ReasonFromName(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.reason;
  }
  return std::nullopt;
}

absl::Status Refuse(Reason reason, std::string_view what, ReasonDetails details) {
  const absl::string_view advice = ToAbsl(ReasonAdvice(reason));
  const absl::Status status(ReasonCode(reason), what.empty()
                                                    ? std::string(advice)
                                                    : absl::StrCat(ToAbsl(what), ": ", advice));
  return WithReason(status, reason, details);
}

absl::Status WithReason(absl::Status status, Reason reason, const ReasonDetails& details) {
  status.SetPayload(kPayload, absl::Cord(EncodePayload(reason, details)));
  return status;
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload) return std::nullopt;
  const std::string bytes(*payload);
  return static_cast<Reason>(Decoder(bytes).Unsigned());
}

ReasonDetails DetailsOf(const absl::Status& status) {
  ReasonDetails details;
  const auto payload = status.GetPayload(kPayload);
  if (!payload) return details;
  const std::string bytes(*payload);
  Decoder decoder(bytes);
  decoder.Unsigned();
  while (decoder.ok() && !decoder.AtEnd()) {
    const std::string key(decoder.Bytes());
    details.emplace(key, decoder.Bytes());
  }
  return details;
}

}  // namespace guilder
