#include "libs/ledger/store/verify_money.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/merkle.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// One statement, hence one snapshot: the head, how many transactions there are, and an entry that
// belongs to none.
constexpr Statement kReadHead{"verify.read_money_head", R"sql(
  select coalesce(max(h.last_number), 0), coalesce(max(h.last_posted_at_us), 0),
         coalesce(max(encode(h.frontier, 'hex')), ''), count(*),
         (select count(*) from settlement.money_transactions),
         (select coalesce(max(number), 0) from settlement.money_transactions),
         (select min(e.number)
            from settlement.money_entries e
            left join settlement.money_transactions t using (number)
           where t.number is null),
         count(*) filter (where not exists (select from ledger.programmes p
                                             where p.programme_id = h.programme_id))
    from settlement.money_heads h
)sql"};

// The content that a leaf is over, written anew from the rows.
constexpr Statement kReadTransactions{"verify.read_money_transactions", R"sql(
  select t.number, t.posted_at_us, t.leaf, t.root,
         concat_ws(E'\n', 'money/1', t.number, t.posted_at_us, t.kind, t.currency, t.reference,
                   t.idempotency_key, t.posted_by, coalesce(t.settlement_id::text, '-'))
         || coalesce((select string_agg(E'\n' || concat_ws(E'\t', e.line, e.debit_account,
                                                  coalesce(e.debit_partner::text, '-'),
                                                  e.credit_account,
                                                  coalesce(e.credit_partner::text, '-'), e.amount,
                                                  coalesce(e.partner_id::text, '-'),
                                                  coalesce(e.contract_id::text, '-'), e.cause),
                                       '' order by e.line)
                        from settlement.money_entries e
                       where e.number = t.number), '')
    from settlement.money_transactions t
   where t.number > $1
     and t.number <= $2
   order by t.number
   limit 32
)sql"};

class MoneyProof {
 public:
  explicit MoneyProof(Findings& findings) : findings_(findings) {}

  // The number of the last transaction.
  int64_t ReadHead(Transaction& transaction) {
    const Rows rows = transaction.Execute(kReadHead);
    const Row row = rows[0];
    const int64_t last = row.Int(0);
    last_posted_at_ = row.Id<Timestamp>(1);
    frontier_hex_ = row.Text(2);
    if (row.Int(3) > 1 || row.Int(7) > 0) Fail("there is a head of the money ledger too many");
    if (row.Int(4) != last || row.Int(5) != last) {
      Fail(absl::StrCat("the head of the money ledger has ", last, " transactions, there are ",
                        row.Int(4)));
    }
    if (!row.IsNull(6)) {
      Fail(absl::StrCat("money transaction ", row.Int(6), " has entries, and is not there"));
    }
    return last;
  }

  // Those after `after` up to `until`, not necessarily all. Gives the number of the last one read.
  int64_t Read(Transaction& transaction, int64_t after, int64_t until) {
    const Rows rows = transaction.Execute(kReadTransactions, Params().Int(after).Int(until));
    if (rows.empty()) return until;
    for (const Row& row : rows) {
      const int64_t number = row.Int(0);
      const std::string name = absl::StrCat("money transaction ", number);
      findings_.Examined(CheckId::kMoneyProof);
      if (number != frontier_.size() + 1) Fail(name + " is out of order");
      const Digest leaf = LeafHash(row.Text(4));
      if (leaf != row.Digest(2)) Fail(name + " does not say what its leaf digests");
      if (row.Id<Timestamp>(1) < posted_at_) Fail(name + " was posted before the one before");
      posted_at_ = row.Id<Timestamp>(1);
      frontier_.Append(leaf);
      if (frontier_.Root() != row.Digest(3)) Fail(name + " has another root");
      after = number;
    }
    return after;
  }

  void CompareHead() {
    if (ToHex(frontier_.ToBytes()) != frontier_hex_ || posted_at_ != last_posted_at_) {
      Fail("the head of the money ledger does not follow from its transactions");
    }
  }

 private:
  void Fail(std::string what) { findings_.Fail(CheckId::kMoneyProof, std::move(what)); }

  Findings& findings_;
  Timestamp last_posted_at_;
  std::string frontier_hex_;
  Timestamp posted_at_;
  Frontier frontier_;
};

}  // namespace

absl::Status VerifyMoney(postgres::Pool& pool, Findings& findings,
                         absl::FunctionRef<absl::Status()> go_on) {
  MoneyProof proof(findings);
  int64_t last = 0;
  GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& transaction) {
    last = proof.ReadHead(transaction);
    return absl::OkStatus();
  }));
  for (int64_t after = 0; after < last;) {
    GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& transaction) {
      after = proof.Read(transaction, after, last);
      return absl::OkStatus();
    }));
    GUILDER_RETURN_IF_ERROR(go_on());
  }
  proof.CompareHead();
  return absl::OkStatus();
}

}  // namespace guilder::ledger
