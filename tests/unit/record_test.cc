#include "libs/ledger/core/record.h"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

constexpr char kSecret[] = "the book's secret";

Record ARecord() {
  Record record;
  record.book = BookId(3);
  record.number = RecordNumber(1042);
  record.posted_at = Timestamp(1'700'000'000'000'000);
  record.kind = RecordKind::kPurchase;
  record.partner = PartnerId(7);
  record.account = MakeAccountId(5, BookId(3));
  record.refers_to = RecordNumber(12);
  record.config_version = 9;
  record.request_id[0] = 0x11;
  record.fingerprint[0] = 0x22;
  record.content = "content";
  record.response = "response";
  record.entries.push_back(
      {{ControlAccountId(Bucket::kIssued, PartnerId(7), BookId(3)), Bucket::kIssued, LotId()},
       {record.account, Bucket::kPending, MakeLotId(record.number)},
       Points(100),
       ContractId(4)});
  Lot lot;
  lot.id = MakeLotId(record.number);
  lot.issuer = PartnerId(7);
  lot.contract = ContractId(4);
  lot.issued = Points(100);
  lot.activates_at = Timestamp(1'800'000'000'000'000);
  lot.expires_at = kNever;
  record.new_lots.push_back(lot);
  record.new_hold = Hold{.partner = PartnerId(7),
                         .store = StoreId(2),
                         .contract = ContractId(6),
                         .authorized = Points(10),
                         .expires_at = Timestamp(1'900'000'000'000'000)};
  record.natural_key = Uuid{0x33};
  return record;
}

using Change = std::function<void(Record&)>;

// One change of each field, named.
const std::vector<std::pair<std::string, Change>>& Changes() {
  static const std::vector<std::pair<std::string, Change>> changes = {
      {"book", [](Record& r) { r.book = BookId(4); }},
      {"number", [](Record& r) { r.number = RecordNumber(1043); }},
      {"posted_at", [](Record& r) { r.posted_at += Timestamp(1); }},
      {"kind", [](Record& r) { r.kind = RecordKind::kReturn; }},
      {"partner", [](Record& r) { r.partner = PartnerId(8); }},
      {"account", [](Record& r) { r.account = MakeAccountId(6, BookId(3)); }},
      {"refers_to", [](Record& r) { r.refers_to = RecordNumber(); }},
      {"config_version", [](Record& r) { r.config_version = 10; }},
      {"request_id", [](Record& r) { r.request_id[15] ^= 1; }},
      {"fingerprint", [](Record& r) { r.fingerprint[31] ^= 1; }},
      {"content", [](Record& r) { r.content[0] ^= 1; }},
      {"content's end", [](Record& r) { r.content += std::exchange(r.response, ""); }},
      {"response", [](Record& r) { r.response.back() ^= 1; }},
      {"an entry more", [](Record& r) { r.entries.push_back(r.entries[0]); }},
      {"an entry less", [](Record& r) { r.entries.clear(); }},
      {"debit account", [](Record& r) { r.entries[0].debit.account = MakeAccountId(1, r.book); }},
      {"debit bucket", [](Record& r) { r.entries[0].debit.bucket = Bucket::kExpired; }},
      {"debit lot", [](Record& r) { r.entries[0].debit.lot = LotId(1); }},
      {"credit account", [](Record& r) { r.entries[0].credit.account = MakeAccountId(1, r.book); }},
      {"credit bucket", [](Record& r) { r.entries[0].credit.bucket = Bucket::kAvailable; }},
      {"credit lot", [](Record& r) { r.entries[0].credit.lot = LotId(1); }},
      {"points", [](Record& r) { r.entries[0].points = Points(101); }},
      {"contract", [](Record& r) { r.entries[0].contract = ContractId(5); }},
      {"sides", [](Record& r) { std::swap(r.entries[0].debit, r.entries[0].credit); }},
      {"a lot less", [](Record& r) { r.new_lots.clear(); }},
      {"lot's id", [](Record& r) { r.new_lots[0].id = LotId(1); }},
      {"lot's issuer", [](Record& r) { r.new_lots[0].issuer = PartnerId(8); }},
      {"lot's contract", [](Record& r) { r.new_lots[0].contract = ContractId(5); }},
      {"lot's points", [](Record& r) { r.new_lots[0].issued = Points(101); }},
      {"lot's activation", [](Record& r) { r.new_lots[0].activates_at += Timestamp(1); }},
      {"lot's expiry", [](Record& r) { r.new_lots[0].expires_at -= Timestamp(1); }},
      {"lot's outcome", [](Record& r) { r.new_lots[0].on_due = OnDue::kCancel; }},
      {"no hold", [](Record& r) { r.new_hold.reset(); }},
      {"hold's partner", [](Record& r) { r.new_hold->partner = PartnerId(8); }},
      {"hold's store", [](Record& r) { r.new_hold->store = StoreId(8); }},
      {"hold's contract", [](Record& r) { r.new_hold->contract = ContractId(5); }},
      {"hold's points", [](Record& r) { r.new_hold->authorized = Points(9); }},
      {"hold's end", [](Record& r) { r.new_hold->expires_at += Timestamp(1); }},
      {"no natural key", [](Record& r) { r.natural_key.reset(); }},
      {"natural key", [](Record& r) { (*r.natural_key)[15] ^= 1; }},
      {"lot's restriction", [](Record& r) { r.new_lots[0].restricted_to = PartnerId(8); }},
      {"lot only for gifts", [](Record& r) { r.new_lots[0].restricted_to = kOnlyGifts; }},
      {"lot for several",
       [](Record& r) {
         r.new_lots[0].restricted_to = Restriction::OnlyAt({PartnerId(8), PartnerId(9)});
       }},
      {"lot for others",
       [](Record& r) {
         r.new_lots[0].restricted_to = Restriction::OnlyAt({PartnerId(8), PartnerId(10)});
       }},
      {"lot for nobody",
       [](Record& r) { r.new_lots[0].restricted_to = Restriction(kOnlyListed, {}); }},
      {"hold in review", [](Record& r) { r.new_hold->reviewed = true; }},
      {"restored until", [](Record& r) { r.restored_until = Timestamp(1); }},
      {"lot that lives by activity", [](Record& r) { r.new_lots[0].lives_by_activity = true; }},
      {"active until", [](Record& r) { r.active_until = Timestamp(1); }},
      {"active until later", [](Record& r) { r.active_until = Timestamp(2); }},
      {"restored until later", [](Record& r) { r.restored_until = Timestamp(2); }},
  };
  return changes;
}

}  // namespace

TEST_CASE("LeafOf: a change of any field changes the leaf", "[unit][ledger][inv-4]") {
  std::set<Digest> leaves = {LeafOf(ARecord(), kSecret)};
  for (const auto& [field, change] : Changes()) {
    INFO(field);
    Record record = ARecord();
    change(record);
    CHECK(leaves.insert(LeafOf(record, kSecret)).second);
  }
}

TEST_CASE("LeafOf: without the book's secret nobody can compute the leaf", "[unit][ledger]") {
  CHECK(LeafOf(ARecord(), kSecret) == LeafOf(ARecord(), kSecret));
  CHECK(LeafOf(ARecord(), kSecret) != LeafOf(ARecord(), "another secret"));
}

TEST_CASE("LeafOf: what happens to a lot or hold later does not change the leaf that created it",
          "[unit][ledger]") {
  Record record = ARecord();
  Lot& lot = record.new_lots[0];
  lot.state = LotState::kActive;
  lot.remaining = Points(40);
  lot.held = Points(1);
  lot.redeemed = Points(60);
  lot.reversed = Points(2);
  lot.expired = Points(3);
  lot.debt = Points(5);
  lot.restored_until = Timestamp(6);

  record.new_hold->state = HoldState::kCaptured;
  record.new_hold->parts.push_back({lot.id, Points(1), Points(2), Points(3)});

  CHECK(LeafOf(record, kSecret) == LeafOf(ARecord(), kSecret));
}

TEST_CASE("RecordName: what a caller can name has its collection", "[unit][ledger]") {
  CHECK(RecordName(RecordKind::kPurchase, BookId(3), RecordNumber(1042)) == "purchases/3-1042");
  CHECK(RecordName(RecordKind::kReturn, BookId(3), RecordNumber(7)) == "returns/3-7");
  CHECK(RecordName(RecordKind::kAuthorization, BookId(1), RecordNumber(7)) == "redemptions/1-7");
  CHECK(RecordName(RecordKind::kEnrolment, BookId(1), RecordNumber(7)) == "records/1-7");
}

}  // namespace guilder::ledger
