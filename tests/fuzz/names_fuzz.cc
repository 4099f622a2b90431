// Names of resources, request ids and page tokens.
#include <algorithm>
#include <string>

#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/rpc/names.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "services/settlement/domain/names.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

// A name has one spelling: what is read formats to the same.
void CheckNames(std::string_view name) {
  for (const char* const pattern :
       {"partners/{}", "partners/{}/stores/{}", "partners/{}/credentials/{}", "cards/{}"}) {
    if (const auto parts = rpc::ParseName(pattern, name)) {
      FUZZ_CHECK(rpc::FormatName(pattern, *parts) == name);
    }
  }
  for (const char* const pattern : {"members/{}", "ruleSets/{}", "partners/{}/contracts/{}"}) {
    const auto numbers = rpc::ParseNumberedName(pattern, name);
    if (!numbers) continue;
    std::vector<std::string> parts;
    for (const int64_t number : *numbers) {
      FUZZ_CHECK(number > 0);
      parts.push_back(std::to_string(number));
    }
    FUZZ_CHECK(rpc::FormatName(pattern, parts) == name);
  }
  if (const auto store = accrual::ParseStoreName(name); store.ok()) {
    FUZZ_CHECK(rpc::FormatName("partners/{}/stores/{}", {store->partner_slug, store->code}) ==
               name);
  }
}

void CheckRecordNames(std::string_view name) {
  if (const auto id = accrual::ParseRecordName("purchases", name)) {
    FUZZ_CHECK(ledger::RecordName(ledger::RecordKind::kPurchase, id->book, id->number) == name);
  }
  if (const auto id = redemption::ParseRedemptionName(name); id.ok()) {
    FUZZ_CHECK(redemption::RedemptionName(*id) == name);
    const auto hold = accrual::ParseRecordName("redemptions", name);
    FUZZ_CHECK(hold && hold->book == id->book && hold->number == id->number);
  }
  if (const auto item = accrual::ParseParkedItemName(name)) FUZZ_CHECK(item->partner.value() > 0);
  if (const auto start = settlement::ParseWindowName(name)) {
    FUZZ_CHECK(settlement::WindowName(*start) == name);
  }
  if (const auto id = settlement::ParseSettlementName(name)) {
    FUZZ_CHECK(settlement::SettlementName(*id) == name);
  }
}

void CheckRequestId(std::string_view text) {
  const auto id = rpc::ParseRequestId(text);
  if (!id.ok()) return;
  FUZZ_CHECK(*id != Uuid{});
  FUZZ_CHECK(ParseUuid(FormatUuid(*id)) == *id);
}

// The text up to its first line end is a list, the rest what its token is about.
void CheckPageTokens(std::string_view text) {
  static const rpc::PageTokens& tokens = *new rpc::PageTokens("key of page tokens");
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view list = text.substr(0, end);
  const std::string_view rest = text.substr(std::min(end + 1, text.size()));

  // Nobody without the key makes a token; none of the corpus has one of this key.
  FUZZ_CHECK(rest.empty() || !tokens.Position(list, rest).ok());

  const std::string token = tokens.Make(list, rest);
  const auto position = tokens.Position(list, token);
  FUZZ_CHECK(token.size() > 1024 ? !position.ok() : position.ok() && *position == rest);
  FUZZ_CHECK(!tokens.Position(std::string(list) + "x", token).ok());
  std::string forged(token);
  forged[rest.size() % 16] ^= 1;
  FUZZ_CHECK(!tokens.Position(list, forged).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::View(data, size);
  CheckNames(text);
  CheckRecordNames(text);
  CheckRequestId(text);
  CheckPageTokens(text);
  return 0;
}

}  // namespace guilder
