#include <map>
#include <optional>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/restriction.h"
#include "services/operator/domain/purchase_content.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

using ledger::Bucket;
using ledger::RecordKind;
using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kReadRecord{"explain.record", R"sql(
  select j.kind, j.posted_at_us, j.account_id, coalesce(p.slug, ''), j.content,
         coalesce(j.refers_to, 0), j.config_version,
         (select count(*) from ledger.entries e where e.book = j.book and e.number = j.number)
    from ledger.journal j
    left join partner.partners p using (partner_id)
   where j.book = $1
     and j.number = $2
)sql"};

#define GUILDER_ENTRY_COLUMNS_                                                                   \
  "e.book, e.number, e.line, e.debit_bucket, e.debit_account, coalesce(e.debit_lot, 0), "        \
  "e.credit_bucket, e.credit_account, coalesce(e.credit_lot, 0), e.points, "                     \
  "coalesce(c.number, 0), coalesce(cp.slug, ''), coalesce(dp.slug, ''), coalesce(kp.slug, ''), " \
  "e.posted_at_us "                                                                              \
  "from ledger.entries e "                                                                       \
  "left join partner.contracts c using (contract_id) "                                           \
  "left join partner.partners cp on cp.partner_id = c.partner_id "                               \
  "left join ledger.control_accounts d on d.book = e.book and d.account_id = e.debit_account "   \
  "left join partner.partners dp on dp.partner_id = d.partner_id "                               \
  "left join ledger.control_accounts k on k.book = e.book and k.account_id = e.credit_account "  \
  "left join partner.partners kp on kp.partner_id = k.partner_id "

constexpr Statement kReadEntries{"explain.entries", "select " GUILDER_ENTRY_COLUMNS_ R"sql(
   where e.book = $1
     and e.number = $2
     and ($3::smallint is null or e.line = $3)
   order by e.line
   limit $4
)sql"};

// The movements of points that a contract of one kind is billed for; the contract tells which kind.
constexpr Statement kReadBilledEntries{"explain.billed_entries",
                                       "select " GUILDER_ENTRY_COLUMNS_ R"sql(
   where e.contract_id = $1
     and e.posted_at_us >= $2
     and e.posted_at_us < $3
     and case when $4 then (e.debit_bucket = 11 and e.credit_bucket = 12)
                           or (e.credit_bucket = 1 and e.debit_bucket <> 11)
              else 1 in (e.debit_bucket, e.credit_bucket) or 2 in (e.debit_bucket, e.credit_bucket)
              end
   order by e.posted_at_us, e.book, e.number, e.line
   limit $5
)sql"};

constexpr Statement kReadLotEntries{"explain.lot_entries", "select " GUILDER_ENTRY_COLUMNS_ R"sql(
    join ledger.journal j on j.book = e.book and j.number = e.number
                         and j.posted_at_us = e.posted_at_us
   where j.book = $1
     and j.account_id = $2
     and $3 in (e.debit_lot, e.credit_lot)
   order by e.number, e.line
   limit $4
)sql"};

#undef GUILDER_ENTRY_COLUMNS_

constexpr Statement kReadLot{"explain.lot", R"sql(
  select l.account_id, p.slug, l.issued, l.remaining, l.held, l.redeemed, l.expired, l.reversed,
         l.debt, l.state, l.activates_at_us, l.expires_at_us, c.number, l.restricted_to,
         (select string_agg('partners/' || s.slug, ', ' order by s.slug)
            from partner.partners s
           where s.partner_id = l.restricted_to or s.partner_id = any (l.restricted_partners))
    from ledger.lots l
    join ledger.journal j on j.book = l.book and j.account_id = l.account_id and j.number = $3
    left join partner.partners p on p.partner_id = l.issuer_id
    left join partner.contracts c on c.contract_id = l.contract_id
   where l.book = $1
     and l.lot_id = $2
)sql"};

// The lots that a hold could not be paid with, because their points may be spent only elsewhere:
// those that had points at that time.
constexpr Statement kReadUnusableLots{"explain.unusable_lots", R"sql(
  select l.lot_id, l.restricted_to,
         (select string_agg('partners/' || s.slug, ', ' order by s.slug)
            from partner.partners s
           where s.partner_id = l.restricted_to or s.partner_id = any (l.restricted_partners)),
         count(*) over ()
    from ledger.holds h
    join ledger.journal j on j.book = h.book and j.number = h.number
    join ledger.lots l on l.book = h.book and l.account_id = h.account_id
   where h.book = $1
     and h.account_id = $2
     and h.number = $3
     and l.lot_id < h.number * $4
     and l.restricted_to <> 0
     and l.restricted_to <> h.partner_id
     and not h.partner_id = any (coalesce(l.restricted_partners, '{}'))
     and (l.restricted_to <> -1 or j.kind not in ($5, $6))
     and l.activates_at_us <= j.posted_at_us
     and greatest(l.expires_at_us, l.restored_until_us) > j.posted_at_us
     and (select sum(case when e.credit_lot = l.lot_id and e.credit_bucket in ($7, $8)
                          then e.points else 0 end
                     - case when e.debit_lot = l.lot_id and e.debit_bucket in ($7, $8)
                            then e.points else 0 end)
            from ledger.journal b
            join ledger.entries e on e.book = b.book and e.number = b.number
                                 and e.posted_at_us = b.posted_at_us
           where b.book = l.book
             and b.account_id = l.account_id
             and b.number < h.number
             and l.lot_id in (e.debit_lot, e.credit_lot)) > 0
   order by l.lot_id
   limit $9
)sql"};

constexpr Statement kReadMember{"explain.member", R"sql(
  select a.pending, a.available, a.held, a.debt, a.opened_number,
         (select count(*) from ledger.lots l
           where l.book = a.book and l.account_id = a.account_id and l.remaining + l.debt > 0)
    from ledger.accounts a
   where a.book = $1
     and a.account_id = $2
)sql"};

constexpr Statement kReadOpenLots{"explain.open_lots", R"sql(
  select lot_id from ledger.lots
   where book = $1 and account_id = $2 and remaining + debt > 0
   order by lot_id
   limit $3
)sql"};

constexpr Statement kReadContract{"explain.contract", R"sql(
  select c.kind, c.state, c.effective_from_us, c.effective_until_us, c.rate_micros, c.currency,
         c.tax_code, c.tax_ppm, c.billed_at, c.activation_days, c.lot_life_days, c.fee_ppm,
         c.proposed_by, c.approved_by
    from partner.contracts c
    join partner.partners p using (partner_id)
   where p.slug = $1
     and c.number = $2
)sql"};

constexpr Statement kReadRuleSet{"explain.rule_set", R"sql(
  select state, effective_from_us, proposed_by, approved_by
    from accrual.rule_sets
   where rule_set_id = $1
)sql"};

constexpr Statement kReadParkedItem{"explain.parked_item", R"sql(
  select p.slug, i.reason, i.created_at_us, i.refers_to, i.content, i.resolved_at_us, i.resolution
    from accrual.parked_items i
    join partner.partners p using (partner_id)
   where i.partner_id = $1
     and i.request_id = $2
)sql"};

std::string At(Timestamp at) {
  return at == kNever ? "never" : FormatTimestamp(at);
}

std::string ContractName(std::string_view partner, int64_t number) {
  return absl::StrCat("partners/", ToAbsl(partner), "/contracts/", number);
}

std::string LotName(int64_t book, int64_t lot) {
  return absl::StrCat("lots/", book, "-", lot);
}

// "AVAILABLE of members/65537 (lots/1-2048)", "ISSUED of partners/fresh".
std::string SideText(const Row& row, int first_column, std::string_view partner) {
  const auto bucket = row.Enum<Bucket>(first_column);
  std::string text(ledger::BucketName(bucket));
  if (IsControl(bucket)) {
    if (!partner.empty()) absl::StrAppend(&text, " of partners/", ToAbsl(partner));
    return text;
  }
  absl::StrAppend(&text, " of members/", row.Int(first_column + 1), " (",
                  LotName(row.Int(0), row.Int(first_column + 2)), ")");
  return text;
}

void AddEntry(Walk& walk, int depth, const Row& row) {
  std::string text =
      absl::StrCat(PointsText(row.Int(9)), " from ", SideText(row, 3, row.Text(12)), " to ",
                   SideText(row, 6, row.Text(13)), " at ", At(row.Id<Timestamp>(14)));
  if (row.Int(10) > 0) {
    absl::StrAppend(&text, ", priced by ", ContractName(row.Text(11), row.Int(10)));
  }
  walk.Add(depth, absl::StrCat("entries/", row.Int(0), "-", row.Int(1), "-", row.Int(2)), "entry",
           std::move(text));
}

std::string KindText(RecordKind kind) {
  switch (kind) {
    case RecordKind::kPurchase:
      return "purchase";
    case RecordKind::kReturn:
      return "return";
    case RecordKind::kConfirmation:
      return "confirmation";
    case RecordKind::kEnrolment:
      return "enrolment";
    case RecordKind::kAuthorization:
      return "redemption";
    case RecordKind::kCapture:
      return "capture";
    case RecordKind::kVoid:
      return "void";
    case RecordKind::kRefund:
      return "refund";
    case RecordKind::kReviewRelease:
      return "release from review";
    case RecordKind::kOrder:
      return "order";
    case RecordKind::kOrderUpdate:
      return "order update";
    case RecordKind::kOrderCancellation:
      return "order cancellation";
    case RecordKind::kVoucher:
      return "voucher";
    case RecordKind::kVoucherUse:
      return "voucher use";
    case RecordKind::kVoucherRefund:
      return "voucher refund";
    case RecordKind::kVoucherUseRefund:
      return "voucher use refund";
    case RecordKind::kTransfer:
      return "transfer";
    case RecordKind::kTransferReversal:
      return "transfer reversal";
    case RecordKind::kMerge:
      return "merge";
    case RecordKind::kPart:
      return "part of a command on several accounts";
    case RecordKind::kAdjustment:
      return "adjustment";
    case RecordKind::kExpiry:
      return "expiry";
    case RecordKind::kReinstatement:
      return "reinstatement";
    case RecordKind::kBonus:
      return "bonus";
    case RecordKind::kClosure:
      return "closure";
    case RecordKind::kErasure:
      return "erasure";
    case RecordKind::kOpeningBalance:
      return "opening balance";
    case RecordKind::kResidence:
      return "place of residence";
    case RecordKind::kCardActivation:
      return "card activation";
  }
  return "record";
}

// "only on gifts", "only at partners/books".
std::string WhereSpent(const Row& row, int restricted_to, int partners) {
  if (row.Id<PartnerId>(restricted_to) == ledger::kOnlyGifts) return "only on gifts";
  return row.IsNull(partners) ? "nowhere" : absl::StrCat("only at ", ToAbsl(row.Text(partners)));
}

// Of what holds points, the lots that were passed over.
void AddUnusableLots(Walk& walk, int depth, BookId book, AccountId account, RecordNumber number) {
  const Rows rows = walk.Execute(kReadUnusableLots, Params()
                                                        .Int(book)
                                                        .Int(account)
                                                        .Int(number)
                                                        .Int(ledger::kLotsPerRecord)
                                                        .Int(RecordKind::kOrder)
                                                        .Int(RecordKind::kVoucher)
                                                        .Int(ledger::Bucket::kPending)
                                                        .Int(ledger::Bucket::kAvailable)
                                                        .Int(kShown));
  for (const Row& row : rows) {
    walk.Add(depth, LotName(book.value(), row.Int(0)), "lot",
             absl::StrCat("not used: its points may be spent ", WhereSpent(row, 1, 2)));
  }
  if (!rows.empty()) walk.AddMore(depth, "lot", rows[0].Int(3), rows.size());
}

// The record alone, with what it follows from: the rules of a purchase, the sale of a return, the
// authorization of a capture. Gives the number of its entries, or nothing when there is no such
// record.
std::optional<int64_t> AddRecord(Walk& walk, int depth, BookId book, RecordNumber number) {
  const Rows rows = walk.Execute(kReadRecord, Params().Int(book).Int(number));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  const auto kind = row.Enum<RecordKind>(0);
  std::string text = absl::StrCat("posted at ", At(row.Id<Timestamp>(1)), ByPartner(row.Text(3)),
                                  " for members/", row.Int(2));
  std::optional<PurchaseFacts> purchase;
  if (kind == RecordKind::kPurchase) purchase = ReadPurchase(row.Bytes(4));
  if (purchase) {
    absl::StrAppend(&text, ": ", purchase->lines, purchase->lines == 1 ? " line" : " lines",
                    " for ", walk.Money(purchase->amount.value()), ", receipt ", purchase->receipt,
                    " of store ", purchase->store, ", bought at ", At(purchase->occurred_at));
  }
  walk.Add(depth, ledger::RecordName(kind, book, number), KindText(kind), std::move(text));
  if (purchase && purchase->rule_set > 0) ExplainRuleSet(walk, depth + 1, purchase->rule_set);
  if (row.Int(5) > 0) AddRecord(walk, depth + 1, book, row.Id<RecordNumber>(5));
  if (kind == RecordKind::kAuthorization || kind == RecordKind::kOrder ||
      kind == RecordKind::kVoucher) {
    AddUnusableLots(walk, depth + 1, book, row.Id<AccountId>(2), number);
  }
  return row.Int(7);
}

}  // namespace

bool ExplainRecord(Walk& walk, int depth, BookId book, RecordNumber number) {
  const std::optional<int64_t> entries = AddRecord(walk, depth, book, number);
  if (!entries) return false;
  const Rows rows = walk.Execute(kReadEntries, Params().Int(book).Int(number).Null().Int(kShown));
  std::map<std::string, std::pair<std::string, int>> contracts;
  for (const Row& row : rows) {
    AddEntry(walk, depth + 1, row);
    if (row.Int(10) > 0) {
      contracts[ContractName(row.Text(11), row.Int(10))] = {std::string(row.Text(11)),
                                                            static_cast<int>(row.Int(10))};
    }
  }
  walk.AddMore(depth + 1, "entry", *entries, rows.size());
  for (const auto& [name, contract] : contracts) {
    ExplainContract(walk, depth + 1, contract.first, contract.second);
  }
  return true;
}

bool ExplainEntry(Walk& walk, int depth, BookId book, RecordNumber number, int line) {
  const Rows rows = walk.Execute(kReadEntries, Params().Int(book).Int(number).Int(line).Int(1));
  if (rows.empty()) return false;
  AddEntry(walk, depth, rows[0]);
  AddRecord(walk, depth + 1, book, number);
  if (rows[0].Int(10) > 0) {
    ExplainContract(walk, depth + 1, std::string(rows[0].Text(11)),
                    static_cast<int>(rows[0].Int(10)));
  }
  return true;
}

int ExplainBilledEntries(Walk& walk, int depth, ContractId contract, bool at_activation,
                         Timestamp from, Timestamp until, int limit) {
  const Rows rows =
      walk.Execute(kReadBilledEntries,
                   Params().Int(contract).Int(from).Int(until).Bool(at_activation).Int(limit));
  for (const Row& row : rows) {
    AddEntry(walk, depth, row);
    AddRecord(walk, depth + 1, row.Id<BookId>(0), row.Id<RecordNumber>(1));
  }
  return rows.size();
}

bool ExplainLot(Walk& walk, int depth, BookId book, LotId lot) {
  const RecordNumber created_by = ledger::RecordOf(lot);
  const Rows rows = walk.Execute(kReadLot, Params().Int(book).Int(lot).Int(created_by));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text =
      absl::StrCat(PointsText(row.Int(2)), " issued", ByPartner(row.Text(1)), " to members/",
                   row.Int(0), ": ", row.Int(3), " left, of them ", row.Int(4), " held; ",
                   row.Int(5), " redeemed, ", row.Int(6), " expired, ", row.Int(7), " reversed");
  if (row.Int(8) > 0) absl::StrAppend(&text, ", ", row.Int(8), " owed");
  absl::StrAppend(&text, row.Int(9) == 0 ? "; pending until " : "; available since ",
                  At(row.Id<Timestamp>(10)), ", expires ", At(row.Id<Timestamp>(11)));
  if (row.Int(13) != 0) absl::StrAppend(&text, "; may be spent ", WhereSpent(row, 13, 14));
  walk.Add(depth, LotName(book.value(), lot.value()), "lot", std::move(text));
  AddRecord(walk, depth + 1, book, created_by);
  if (!row.IsNull(12)) {
    ExplainContract(walk, depth + 1, std::string(row.Text(1)), static_cast<int>(row.Int(12)));
  }
  for (const Row& entry :
       walk.Execute(kReadLotEntries, Params().Int(book).Int(row.Int(0)).Int(lot).Int(kShown))) {
    AddEntry(walk, depth + 1, entry);
  }
  return true;
}

bool ExplainMember(Walk& walk, int depth, AccountId account) {
  const BookId book = ledger::BookOf(account);
  const Rows rows = walk.Execute(kReadMember, Params().Int(book).Int(account));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("members/", account.value()), "member",
           absl::StrCat(row.Int(1), " available, ", row.Int(0), " pending, ", row.Int(2), " held, ",
                        row.Int(3), " owed, in ", row.Int(5), " open lots"));
  AddRecord(walk, depth + 1, book, row.Id<RecordNumber>(4));
  const Rows lots = walk.Execute(kReadOpenLots, Params().Int(book).Int(account).Int(kShown));
  for (const Row& lot : lots) ExplainLot(walk, depth + 1, book, lot.Id<LotId>(0));
  walk.AddMore(depth + 1, "lot", row.Int(5), lots.size());
  return true;
}

bool ExplainContract(Walk& walk, int depth, const std::string& partner, int number) {
  const Rows rows = walk.Execute(kReadContract, Params().Text(partner).Int(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const bool issuance = row.Text(0) == "ISSUANCE";
  const auto until = row.OptionalId<Timestamp>(3);
  std::string text =
      absl::StrCat(issuance ? "issuance" : "redemption", " at ",
                   FormatAmount(MinorUnits(row.Int(4)), 6), " ", ToAbsl(row.Text(5)), " a point");
  if (issuance) {
    absl::StrAppend(&text,
                    row.Text(8) == "POSTING" ? ", billed at posting" : ", billed at activation",
                    ", points available after ", row.Int(9), " days");
  } else {
    absl::StrAppend(&text, ", fee ", FormatAmount(MinorUnits(row.Int(11)), 4), " %");
  }
  if (!row.Text(6).empty()) {
    absl::StrAppend(&text, ", tax ", ToAbsl(row.Text(6)), " ",
                    FormatAmount(MinorUnits(row.Int(7)), 4), " %");
  }
  absl::StrAppend(&text, "; from ", At(row.Id<Timestamp>(2)), until ? " until " + At(*until) : "",
                  "; proposed by ", ToAbsl(row.Text(12)));
  if (!row.Text(13).empty()) absl::StrAppend(&text, ", approved by ", ToAbsl(row.Text(13)));
  walk.Add(depth, ContractName(partner, number), "contract", std::move(text));
  return true;
}

bool ExplainRuleSet(Walk& walk, int depth, int64_t id) {
  const Rows rows = walk.Execute(kReadRuleSet, Params().Int(id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text = absl::StrCat("rules in force from ", At(row.Id<Timestamp>(1)),
                                  "; proposed by ", ToAbsl(row.Text(2)));
  if (!row.Text(3).empty()) absl::StrAppend(&text, ", approved by ", ToAbsl(row.Text(3)));
  walk.Add(depth, absl::StrCat("ruleSets/", id), "rule", std::move(text));
  return true;
}

bool ExplainParkedItem(Walk& walk, int depth, PartnerId partner, const Uuid& request_id,
                       std::string* refers_to) {
  const Rows rows = walk.Execute(kReadParkedItem, Params().Int(partner).Uuid(request_id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text =
      absl::StrCat(ToAbsl(row.Text(1)), ": sent by partners/", ToAbsl(row.Text(0)), ", parked at ",
                   At(row.Id<Timestamp>(2)), "; ", ToAbsl(row.Text(4)));
  if (const auto resolved = row.OptionalId<Timestamp>(5)) {
    absl::StrAppend(&text, "; resolved at ", At(*resolved), ": ", ToAbsl(row.Text(6)));
  }
  walk.Add(depth, absl::StrCat("parkedItems/", partner.value(), "-", FormatUuid(request_id)),
           "parked item", std::move(text));
  *refers_to = row.Text(3);
  return true;
}

}  // namespace guilder::operator_
