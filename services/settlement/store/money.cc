#include "services/settlement/store/money.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/merkle.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using netting::MoneyEntry;
using postgres::Params;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kEnsureHead{"settlement.ensure_money_head", R"sql(
  insert into settlement.money_heads (programme_id) values ($1) on conflict (programme_id) do nothing
)sql"};

constexpr Statement kLockHead{"settlement.lock_money_head", R"sql(
  select last_number, last_posted_at_us, frontier
    from settlement.money_heads
   where programme_id = $1
     for no key update
)sql"};

constexpr Statement kFindKey{"settlement.find_money_key", R"sql(
  select number, posted_at_us, posted_by, leaf
    from settlement.money_transactions
   where idempotency_key = $1
)sql"};

constexpr Statement kReadSealedUntil{"settlement.read_sealed_until", R"sql(
  select coalesce(max(window_end_us), 0) from settlement.windows
)sql"};

constexpr Statement kInsertTransaction{"settlement.insert_money_transaction", R"sql(
  insert into settlement.money_transactions (number, posted_at_us, kind, currency, reference,
                                             idempotency_key, posted_by, settlement_id, leaf, root)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
)sql"};

constexpr Statement kInsertEntries{"settlement.insert_money_entries", R"sql(
  insert into settlement.money_entries (number, line, debit_account, debit_partner, credit_account,
                                        credit_partner, amount, partner_id, contract_id, cause)
  select $1, e.line, e.debit_account, e.debit_partner, e.credit_account, e.credit_partner, e.amount,
         e.partner_id, e.contract_id, e.cause
    from unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::bigint[], $7::int[], $8::int[],
                $9::text[])
         with ordinality
         as e (debit_account, debit_partner, credit_account, credit_partner, amount, partner_id,
               contract_id, cause, line)
)sql"};

constexpr Statement kMoveHead{"settlement.move_money_head", R"sql(
  update settlement.money_heads
     set last_number = $2, last_posted_at_us = $3, frontier = $4
   where programme_id = $1
)sql"};

template <typename Id>
std::optional<Id> NoneIsNull(Id id) {
  return id ? std::optional(id) : std::nullopt;
}

// What was posted under the key, if anything was.
absl::StatusOr<std::optional<PostedMoney>> FindPosted(Transaction& transaction,
                                                      MoneyTransaction money) {
  const Rows rows = transaction.Execute(kFindKey, Params().Text(money.idempotency_key));
  if (rows.empty()) return std::nullopt;
  const PostedMoney posted{rows[0].Id<MoneyNumber>(0), rows[0].Id<Timestamp>(1), true};
  // Whoever repeats it may be somebody else.
  money.posted_by = rows[0].Text(2);
  if (LeafOf(money, posted.number, posted.posted_at) != rows[0].Digest(3)) {
    return Refuse(Reason::kRequestIdReused,
                  "other money was posted under " + money.idempotency_key);
  }
  return posted;
}

void InsertEntries(Transaction& transaction, MoneyNumber number,
                   const std::vector<MoneyEntry>& entries) {
  const auto partner = [](PartnerId id) { return NoneIsNull(id); };
  transaction.Execute(
      kInsertEntries,
      Params()
          .Int(number)
          .TextArray(entries, [](const MoneyEntry& entry) { return AccountName(entry.debit); })
          .IntArray(entries, [&](const MoneyEntry& entry) { return partner(entry.debit.partner); })
          .TextArray(entries, [](const MoneyEntry& entry) { return AccountName(entry.credit); })
          .IntArray(entries, [&](const MoneyEntry& entry) { return partner(entry.credit.partner); })
          .IntArray(entries, &MoneyEntry::amount)
          .IntArray(entries, [&](const MoneyEntry& entry) { return partner(entry.partner); })
          .IntArray(entries, [](const MoneyEntry& entry) { return NoneIsNull(entry.contract); })
          .TextArray(entries, [](const MoneyEntry& entry) { return CauseName(entry.cause); }));
}

}  // namespace

absl::StatusOr<PostedMoney> PostMoney(Transaction& transaction, const MoneyTransaction& money) {
  GUILDER_RETURN_IF_ERROR(CheckMoney(money));
  GUILDER_ASSIGN_OR_RETURN(const ledger::ProgrammeFacts programme,
                           ledger::ReadProgramme(transaction));
  transaction.Execute(kEnsureHead, Params().Int(programme.id));
  const Rows head = transaction.Execute(kLockHead, Params().Int(programme.id));
  // Under the lock, so that of two at once the second finds what the first has posted.
  GUILDER_ASSIGN_OR_RETURN(const std::optional<PostedMoney> found, FindPosted(transaction, money));
  if (found) return *found;

  std::optional<ledger::Frontier> frontier =
      ledger::Frontier::Parse(head[0].Int(0), head[0].Bytes(2));
  if (!frontier) return absl::InternalError("the head of the money ledger is malformed");
  PostedMoney posted;
  posted.number = MoneyNumber(head[0].Int(0) + 1);
  posted.posted_at =
      std::max({head[0].Id<Timestamp>(1), ledger::ReadProgrammeClock(transaction, programme.id),
                transaction.Execute(kReadSealedUntil)[0].Id<Timestamp>(0)});
  const Digest leaf = LeafOf(money, posted.number, posted.posted_at);
  frontier->Append(leaf);
  transaction.Execute(kInsertTransaction, Params()
                                              .Int(posted.number)
                                              .Int(posted.posted_at)
                                              .Text(MoneyKindName(money.kind))
                                              .Text(FormatCurrency(money.currency))
                                              .Text(money.reference)
                                              .Text(money.idempotency_key)
                                              .Text(money.posted_by)
                                              .Int(NoneIsNull(money.settlement))
                                              .Bytes(leaf)
                                              .Bytes(frontier->Root()));
  InsertEntries(transaction, posted.number, money.entries);
  transaction.Execute(kMoveHead, Params()
                                     .Int(programme.id)
                                     .Int(posted.number)
                                     .Int(posted.posted_at)
                                     .Bytes(frontier->ToBytes()));
  return posted;
}

}  // namespace guilder::settlement
