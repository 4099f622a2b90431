#include "services/redemption/store/vouchers.h"

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// Columns 0 to 13, which FromRow reads.
#define GUILDER_VOUCHER_COLUMNS_                                                              \
  "v.book, v.number, v.account_id, v.reward_id, v.price_version, v.points, v.face_amount, "   \
  "v.used_amount, v.used_points, v.single_use, v.refunded, v.issued_at_us, v.expires_at_us, " \
  "v.partner_ids "

// Columns 14 to 16.
#define GUILDER_VOUCHER_NAMES_                                                  \
  ", r.slug, (select coalesce(string_agg(p.slug, E'\\n' order by p.slug), '') " \
  "from partner.partners p where p.partner_id = any(v.partner_ids)), "          \
  "greatest(b.last_posted_at_us, b.clock_offset_us "                            \
  "+ (extract(epoch from clock_timestamp()) * 1000000)::bigint) "               \
  "from catalogue.vouchers v join ledger.books b on b.book = v.book "           \
  "join catalogue.rewards r on r.reward_id = v.reward_id "

constexpr Statement kRead{"redemption.read_vouchers", "select " GUILDER_VOUCHER_COLUMNS_ R"sql(
    from unnest($1::int[], $2::bigint[]) as w (book, number)
    join catalogue.vouchers v on v.book = w.book and v.number = w.number
)sql"};

constexpr Statement kFind{"redemption.find_voucher",
                          "select " GUILDER_VOUCHER_COLUMNS_ GUILDER_VOUCHER_NAMES_
                          "where v.book = $1 and v.number = $2"};

#define GUILDER_VOUCHER_PAGE_ "and (v.book, v.number) > ($1, $2) order by v.book, v.number limit $3"

constexpr Statement kListAll{"redemption.list_vouchers",
                             "select " GUILDER_VOUCHER_COLUMNS_ GUILDER_VOUCHER_NAMES_
                             "where true " GUILDER_VOUCHER_PAGE_};
constexpr Statement kListOfMember{"redemption.list_vouchers_of_member",
                                  "select " GUILDER_VOUCHER_COLUMNS_ GUILDER_VOUCHER_NAMES_
                                  "where v.book = $4 and v.account_id = $5 " GUILDER_VOUCHER_PAGE_};
constexpr Statement kListOfPartner{
    "redemption.list_vouchers_of_partner",
    "select " GUILDER_VOUCHER_COLUMNS_ GUILDER_VOUCHER_NAMES_
    "where exists (select from catalogue.voucher_uses u where u.partner_id = $4 "
    "and u.book = v.book and u.voucher = v.number) " GUILDER_VOUCHER_PAGE_};

#undef GUILDER_VOUCHER_COLUMNS_
#undef GUILDER_VOUCHER_NAMES_
#undef GUILDER_VOUCHER_PAGE_

constexpr Statement kReadUses{"redemption.read_voucher_uses", R"sql(
  select u.book, u.number, u.voucher, u.account_id, u.partner_id, u.contract_id, u.amount, u.points,
         u.refunded_amount, u.refunded_points
    from unnest($1::int[], $2::bigint[]) as w (book, number)
    join catalogue.voucher_uses u on u.book = w.book and u.number = w.number
)sql"};

constexpr Statement kInsert{"redemption.insert_vouchers", R"sql(
  insert into catalogue.vouchers
    (book, number, account_id, reward_id, price_version, points, face_amount, single_use,
     issued_at_us, expires_at_us, partner_ids)
  select w.book, w.number, w.account_id, w.reward_id, w.price_version, w.points, w.face_amount,
         w.single_use, w.issued_at_us, w.expires_at_us, string_to_array(w.partners, ',')::bigint[]
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::bigint[],
                $7::bigint[], $8::boolean[], $9::bigint[], $10::bigint[], $11::text[])
           as w (book, number, account_id, reward_id, price_version, points, face_amount,
                 single_use, issued_at_us, expires_at_us, partners)
)sql"};

constexpr Statement kInsertCodes{"redemption.insert_voucher_codes", R"sql(
  insert into catalogue.voucher_codes (code_hash, book, number)
  select * from unnest($1::bytea[], $2::int[], $3::bigint[])
)sql"};

constexpr Statement kInsertUses{"redemption.insert_voucher_uses", R"sql(
  insert into catalogue.voucher_uses
    (book, number, voucher, account_id, partner_id, contract_id, amount, points)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[],
                       $7::bigint[], $8::bigint[])
)sql"};

constexpr Statement kUse{"redemption.use_vouchers", R"sql(
  update catalogue.vouchers v
     set used_amount = w.used, used_points = v.used_points + w.points
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[]) as w (book, number, used, points)
   where v.book = w.book and v.number = w.number
)sql"};

constexpr Statement kEnd{"redemption.end_vouchers", R"sql(
  update catalogue.vouchers v
     set refunded = true
    from unnest($1::int[], $2::bigint[]) as w (book, number)
   where v.book = w.book and v.number = w.number
)sql"};

constexpr Statement kRefundUses{"redemption.refund_voucher_uses", R"sql(
  update catalogue.voucher_uses u
     set refunded_amount = u.refunded_amount + w.amount, refunded_points = u.refunded_points + w.points
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[])
           as w (book, number, amount, points)
   where u.book = w.book and u.number = w.number
)sql"};

constexpr Statement kFindByCode{"redemption.find_voucher_by_code", R"sql(
  select book, number from catalogue.voucher_codes where code_hash = $1
)sql"};

constexpr Statement kWasUsedAt{"redemption.was_voucher_used_at", R"sql(
  select 1 from catalogue.voucher_uses where book = $1 and voucher = $2 and partner_id = $3 limit 1
)sql"};

Voucher FromRow(const Row& row) {
  Voucher voucher;
  voucher.book = row.Id<BookId>(0);
  voucher.number = row.Id<RecordNumber>(1);
  voucher.account = row.Id<AccountId>(2);
  voucher.reward = row.Id<RewardId>(3);
  voucher.price_version = static_cast<int32_t>(row.Int(4));
  voucher.points = row.Id<Points>(5);
  voucher.face = row.Id<MinorUnits>(6);
  voucher.used = row.Id<MinorUnits>(7);
  voucher.used_points = row.Id<Points>(8);
  voucher.single_use = row.Bool(9);
  voucher.refunded = row.Bool(10);
  voucher.issued_at = row.Id<Timestamp>(11);
  voucher.expires_at = row.Id<Timestamp>(12);
  for (const int64_t partner : row.IntArray(13)) {
    voucher.partners.emplace_back(static_cast<int32_t>(partner));
  }
  return voucher;
}

VoucherRow ShownFromRow(const Row& row) {
  VoucherRow shown;
  shown.voucher = FromRow(row);
  shown.reward_slug = row.Text(14);
  const std::string partners(row.Text(15));
  shown.partner_slugs = absl::StrSplit(partners, '\n', absl::SkipEmpty());
  shown.now = row.Id<Timestamp>(16);
  return shown;
}

Params ParamsOf(const std::vector<RecordKey>& keys) {
  return std::move(Params().IntArray(keys, &RecordKey::first).IntArray(keys, &RecordKey::second));
}

}  // namespace

std::map<RecordKey, Voucher> ReadVouchers(Transaction& tx, const std::vector<RecordKey>& keys) {
  std::map<RecordKey, Voucher> vouchers;
  if (keys.empty()) return vouchers;
  for (const Row& row : tx.Execute(kRead, ParamsOf(keys))) {
    const Voucher voucher = FromRow(row);
    vouchers.emplace(RecordKey(voucher.book, voucher.number), voucher);
  }
  return vouchers;
}

std::map<RecordKey, VoucherUse> ReadUses(Transaction& tx, const std::vector<RecordKey>& keys) {
  std::map<RecordKey, VoucherUse> uses;
  if (keys.empty()) return uses;
  for (const Row& row : tx.Execute(kReadUses, ParamsOf(keys))) {
    const VoucherUse use = {.book = row.Id<BookId>(0),
                            .number = row.Id<RecordNumber>(1),
                            .voucher = row.Id<RecordNumber>(2),
                            .account = row.Id<AccountId>(3),
                            .partner = row.Id<PartnerId>(4),
                            .contract = row.Id<ContractId>(5),
                            .amount = row.Id<MinorUnits>(6),
                            .points = row.Id<Points>(7),
                            .refunded = row.Id<MinorUnits>(8),
                            .refunded_points = row.Id<Points>(9)};
    uses.emplace(RecordKey(use.book, use.number), use);
  }
  return uses;
}

void InsertVouchers(Transaction& tx, const std::vector<NewVoucher>& vouchers) {
  if (vouchers.empty()) return;
  const auto of = [](auto member) {
    return [member](const NewVoucher& v) { return v.voucher.*member; };
  };
  tx.Execute(kInsert, Params()
                          .IntArray(vouchers, of(&Voucher::book))
                          .IntArray(vouchers, of(&Voucher::number))
                          .IntArray(vouchers, of(&Voucher::account))
                          .IntArray(vouchers, of(&Voucher::reward))
                          .IntArray(vouchers, of(&Voucher::price_version))
                          .IntArray(vouchers, of(&Voucher::points))
                          .IntArray(vouchers, of(&Voucher::face))
                          .BoolArray(vouchers, of(&Voucher::single_use))
                          .IntArray(vouchers, of(&Voucher::issued_at))
                          .IntArray(vouchers, of(&Voucher::expires_at))
                          .TextArray(vouchers, [](const NewVoucher& v) {
                            const auto append = [](std::string* out, PartnerId partner) {
                              out->append(std::to_string(partner.value()));
                            };
                            return absl::StrJoin(v.voucher.partners, ",", append);
                          }));
  tx.Execute(kInsertCodes, Params()
                               .BytesArray(vouchers, &NewVoucher::code_hash)
                               .IntArray(vouchers, of(&Voucher::book))
                               .IntArray(vouchers, of(&Voucher::number)));
}

void InsertUses(Transaction& tx, const std::vector<Used>& uses) {
  if (uses.empty()) return;
  const auto of = [](auto member) {
    return [member](const Used& used) { return used.use.*member; };
  };
  tx.Execute(kInsertUses, Params()
                              .IntArray(uses, of(&VoucherUse::book))
                              .IntArray(uses, of(&VoucherUse::number))
                              .IntArray(uses, of(&VoucherUse::voucher))
                              .IntArray(uses, of(&VoucherUse::account))
                              .IntArray(uses, of(&VoucherUse::partner))
                              .IntArray(uses, of(&VoucherUse::contract))
                              .IntArray(uses, of(&VoucherUse::amount))
                              .IntArray(uses, of(&VoucherUse::points)));
  tx.Execute(kUse, Params()
                       .IntArray(uses, of(&VoucherUse::book))
                       .IntArray(uses, of(&VoucherUse::voucher))
                       .IntArray(uses, &Used::used)
                       .IntArray(uses, of(&VoucherUse::points)));
}

void EndVouchers(Transaction& tx, const std::vector<RecordKey>& refunded) {
  if (!refunded.empty()) tx.Execute(kEnd, ParamsOf(refunded));
}

void RefundUses(Transaction& tx, const std::vector<UseRefund>& refunds) {
  if (refunds.empty()) return;
  tx.Execute(kRefundUses,
             Params()
                 .IntArray(refunds, [](const UseRefund& r) { return r.use.first; })
                 .IntArray(refunds, [](const UseRefund& r) { return r.use.second; })
                 .IntArray(refunds, [](const UseRefund& r) { return r.refunded.amount; })
                 .IntArray(refunds, [](const UseRefund& r) { return r.refunded.points; }));
}

std::optional<RecordKey> FindByCode(Transaction& tx, const Digest& code_hash) {
  const Rows rows = tx.Execute(kFindByCode, Params().Bytes(code_hash));
  if (rows.empty()) return std::nullopt;
  return RecordKey(rows[0].Id<BookId>(0), rows[0].Id<RecordNumber>(1));
}

std::optional<VoucherUse> FindUse(Transaction& tx, const RecordKey& key) {
  const auto found = ReadUses(tx, {key});
  if (found.empty()) return std::nullopt;
  return found.begin()->second;
}

std::optional<VoucherRow> FindVoucher(Transaction& tx, const RecordKey& key) {
  const Rows rows = tx.Execute(kFind, Params().Int(key.first).Int(key.second));
  if (rows.empty()) return std::nullopt;
  return ShownFromRow(rows[0]);
}

std::vector<VoucherRow> ListVouchers(Transaction& tx, const SeenBy& seen_by, const RecordKey& after,
                                     int limit) {
  Params params = Params().Int(after.first).Int(after.second).Int(limit);
  const Statement* statement = &kListAll;
  if (seen_by.account) {
    statement = &kListOfMember;
    params.Int(ledger::BookOf(seen_by.account)).Int(seen_by.account);
  } else if (seen_by.partner) {
    statement = &kListOfPartner;
    params.Int(seen_by.partner);
  }
  std::vector<VoucherRow> vouchers;
  for (const Row& row : tx.Execute(*statement, params)) vouchers.push_back(ShownFromRow(row));
  return vouchers;
}

bool WasUsedAt(Transaction& tx, const RecordKey& voucher, PartnerId partner) {
  const Params params = Params().Int(voucher.first).Int(voucher.second).Int(partner);
  return !tx.Execute(kWasUsedAt, params).empty();
}

}  // namespace guilder::redemption
