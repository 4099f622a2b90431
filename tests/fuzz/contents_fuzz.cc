// Bytes that the database gives back: contents of journal records, profiles, the tree's frontier.
// Whoever can write to the database can put anything there. The first byte chooses what reads the
// rest.
#include <string>
#include <vector>

#include "libs/base/codec.h"
#include "libs/ledger/core/merkle.h"
#include "services/accrual/domain/purchase.h"
#include "services/accrual/domain/return.h"
#include "services/member/domain/profile.h"
#include "services/operator/domain/purchase_content.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

void CheckDecoder(std::string_view bytes) {
  Decoder in(bytes);
  Encoder out;
  std::string read;
  for (int turn = 0; in.ok() && !in.AtEnd(); ++turn) {
    switch (turn % 3) {
      case 0:
        out.Unsigned(in.Unsigned());
        break;
      case 1:
        out.Signed(in.Signed());
        break;
      default:
        out.Bytes(in.Bytes());
    }
  }
  if (!in.ok()) {
    FUZZ_CHECK(in.Unsigned() == 0 && in.Signed() == 0 && in.Bytes().empty());
    return;
  }
  // Whatever the spelling of its integers was, a value is written in one way, which is no longer.
  const std::string written = out.Take();
  FUZZ_CHECK(written.size() <= bytes.size());
  Decoder again(written);
  Encoder rewritten;
  for (int turn = 0; again.ok() && !again.AtEnd(); ++turn) {
    switch (turn % 3) {
      case 0:
        rewritten.Unsigned(again.Unsigned());
        break;
      case 1:
        rewritten.Signed(again.Signed());
        break;
      default:
        rewritten.Bytes(again.Bytes());
    }
  }
  FUZZ_CHECK(again.ok() && rewritten.str() == written);
}

void CheckPurchase(std::string_view bytes) {
  const auto facts = operator_::ReadPurchase(bytes);
  const auto recorded = accrual::DecodeRecorded(bytes);
  if (!recorded.ok()) return;
  const accrual::Purchase& purchase = recorded->purchase;
  // The operator's reader sees the same purchase.
  FUZZ_CHECK(facts.has_value());
  FUZZ_CHECK(facts->store == purchase.receipt.store);
  FUZZ_CHECK(facts->lines == static_cast<int64_t>(purchase.lines.size()));
  FUZZ_CHECK(facts->rule_set == recorded->outcome.rule_set);
  FUZZ_CHECK(recorded->outcome.line_points.size() == purchase.lines.size());

  const std::string written =
      accrual::EncodeRecorded(accrual::EncodePurchase(purchase), recorded->outcome);
  const auto again = accrual::DecodeRecorded(written);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(accrual::EncodeRecorded(accrual::EncodePurchase(again->purchase), again->outcome) ==
             written);
}

void CheckReturn(std::string_view bytes) {
  const auto returned = accrual::DecodeReturn(bytes);
  if (!returned.ok()) return;
  const std::string written = accrual::EncodeReturn(*returned, BookId(1), RecordNumber(1));
  const auto again = accrual::DecodeReturn(written);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(accrual::EncodeReturn(*again, BookId(1), RecordNumber(1)) == written);
}

void CheckProfile(std::string_view bytes) {
  const auto profile = member::DecodeProfile(bytes);
  if (!profile) return;
  FUZZ_CHECK(member::DecodeProfile(member::EncodeProfile(*profile)) == profile);
}

// A second byte is the number of leaves.
void CheckFrontier(std::string_view bytes) {
  const int64_t size = fuzz::TakeByte(bytes);
  auto frontier = ledger::Frontier::Parse(size, bytes);
  if (!frontier) return;
  FUZZ_CHECK(frontier->size() == size && frontier->ToBytes() == bytes);
  frontier->Append(ledger::LeafHash(bytes));
  const auto again = ledger::Frontier::Parse(size + 1, frontier->ToBytes());
  FUZZ_CHECK(again.has_value() && again->Root() == frontier->Root());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::View(data, size);
  switch (fuzz::TakeByte(bytes)) {
    case 'p':
      CheckPurchase(bytes);
      break;
    case 'r':
      CheckReturn(bytes);
      break;
    case 'm':
      CheckProfile(bytes);
      break;
    case 'f':
      CheckFrontier(bytes);
      break;
    default:
      CheckDecoder(bytes);
  }
  return 0;
}

}  // namespace guilder
