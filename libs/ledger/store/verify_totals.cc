#include <map>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadPositions{"verify.read_positions", R"sql(
  select window_start_us, contract_id, movement, points
    from ledger.positions
   where book = $1
     and (window_start_us, contract_id, movement) > ($2, $3, $4)
   order by window_start_us, contract_id, movement
   limit $5
)sql"};

constexpr Statement kReadControlAccounts{"verify.read_control_accounts", R"sql(
  select account_id, kind, partner_id, balance
    from ledger.control_accounts
   where book = $1
)sql"};

// Records and entries outside of the numbers that the book has given out.
constexpr Statement kFindOutside{"verify.find_outside", R"sql(
  (select 'record', number from ledger.journal where book = $1 and number > $2 limit 1)
   union all
  (select 'record', number from ledger.journal where book = $1 and number < 1 limit 1)
   union all
  (select 'entry', number from ledger.entries where book = $1 and number > $2 limit 1)
   union all
  (select 'entry', number from ledger.entries where book = $1 and number < 1 limit 1)
)sql"};

constexpr Statement kFindForwardOfNone{"verify.find_forward_of_none", R"sql(
  select f.account_id
    from ledger.forwards f
   where f.book = $1
     and not exists (select 1 from ledger.accounts a
                      where a.book = f.book and a.account_id = f.account_id)
   limit 1
)sql"};

std::string Named(BookId book, const PositionKey& key) {
  return absl::StrCat("book ", book.value(), ", window ", FormatTimestamp(key.window_start),
                      ", contract ", key.contract.value(), ", ",
                      ToAbsl(MovementName(key.movement)));
}

// By issuer, what lots and control accounts must say.
using Issuers = std::map<PartnerId, IssuerTotals>;

void Include(Issuers& issuers, const Issuers& more) {
  for (const auto& [issuer, off] : more) {
    IssuerTotals& totals = issuers[issuer];
    totals.issued += off.issued;
    totals.remaining += off.remaining;
    totals.redeemed += off.redeemed;
    totals.expired += off.expired;
    totals.reversed += off.reversed;
    totals.debt += off.debt;
    totals.moved += off.moved;
    totals.arrived += off.arrived;
  }
}

void CheckIssuers(const Replayed& replayed, const StoredTotals& stored, Findings& findings) {
  Issuers issuers;
  for (const auto& [id, lot] : replayed.model.lots) issuers[lot.issuer].Add(lot);
  Include(issuers, stored.issuers_off);
  std::map<Bucket, Points> control;
  std::map<PartnerId, Points> issued;
  for (const auto& [id, balance] : stored.control_accounts) {
    const ControlAccount account = ControlAccountOf(id);
    control[account.kind] += balance;
    if (account.kind == Bucket::kIssued) issued[account.partner] += balance;
  }
  const auto fail = [&](const std::string& what) {
    findings.Fail(CheckId::kIssuers, absl::StrCat("book ", replayed.book.value(), ", ", what));
  };
  Points all_redeemed;
  Points all_expired;
  Points all_moved;
  for (const auto& [issuer, t] : issuers) {
    findings.Examined(CheckId::kIssuers);
    const bool lots_agree =
        t.issued + t.debt == t.remaining + t.redeemed + t.expired + t.reversed + t.moved;
    const Points outside = issued[issuer];
    issued.erase(issuer);
    if (!lots_agree || outside != t.reversed - (t.issued - t.arrived)) {
      fail(absl::StrCat("issuer ", issuer.value(), ": issued ", t.issued.value(), ", outstanding ",
                        (t.remaining - t.debt).value(), ", redeemed ", t.redeemed.value(),
                        ", expired ", t.expired.value(), ", reversed ", t.reversed.value(),
                        ", by its account ", -outside.value()));
    }
    all_redeemed += t.redeemed;
    all_expired += t.expired;
    all_moved += t.moved - t.arrived;
  }
  for (const auto& [issuer, balance] : issued) {
    if (balance != Points(0)) fail(absl::StrCat("issuer ", issuer.value(), " has no lots"));
  }
  if (control[Bucket::kRedeemed] != all_redeemed) {
    fail(absl::StrCat("lots say redeemed ", all_redeemed.value()));
  }
  if (control[Bucket::kExpired] != all_expired) {
    fail(absl::StrCat("lots say expired ", all_expired.value()));
  }
  if (control[Bucket::kInTransit] != all_moved) {
    fail(absl::StrCat("lots say in transit ", all_moved.value()));
  }
}

}  // namespace

std::optional<PositionKey> ComparePositions(Transaction& transaction, const Replayed& replayed,
                                            const PositionKey& after, int limit,
                                            Findings& findings) {
  const Rows rows = transaction.Execute(kReadPositions, Params()
                                                            .Int(replayed.book)
                                                            .Int(after.window_start)
                                                            .Int(after.contract)
                                                            .Int(after.movement)
                                                            .Int(limit));
  const std::map<PositionKey, Points> model(replayed.model.positions.begin(),
                                            replayed.model.positions.end());
  const auto missing = [&](const PositionKey& key) {
    findings.Fail(CheckId::kPositions, Named(replayed.book, key) + " is missing");
  };
  auto expected = model.upper_bound(after);
  PositionKey key = after;
  for (const Row& row : rows) {
    findings.Examined(CheckId::kPositions);
    key = {row.Id<Timestamp>(0), row.Id<ContractId>(1), row.Enum<Movement>(2)};
    for (; expected != model.end() && expected->first < key; ++expected) missing(expected->first);
    Points points;
    if (expected != model.end() && expected->first == key) points = (expected++)->second;
    if (points != row.Id<Points>(3)) {
      findings.Fail(CheckId::kPositions, absl::StrCat(Named(replayed.book, key), ": ", row.Int(3),
                                                      ", entries give ", points.value()));
    }
  }
  if (rows.size() == limit) return key;
  for (; expected != model.end(); ++expected) missing(expected->first);
  return std::nullopt;
}

void CompareControlAccounts(Transaction& transaction, const Replayed& replayed,
                            StoredTotals& totals, Findings& findings) {
  absl::flat_hash_map<AccountId, Points> expected = replayed.model.control_accounts;
  for (const Row& row : transaction.Execute(kReadControlAccounts, Params().Int(replayed.book))) {
    findings.Examined(CheckId::kControlAccounts);
    const auto id = row.Id<AccountId>(0);
    const auto kind = row.Enum<Bucket>(1);
    const auto partner = row.Id<PartnerId>(2);
    const auto balance = row.Id<Points>(3);
    totals.control_accounts[id] = balance;
    const ControlAccount named = ControlAccountOf(id);
    if (expected[id] != balance || named.kind != kind || named.partner != partner ||
        BookOf(id) != replayed.book) {
      findings.Fail(CheckId::kControlAccounts,
                    absl::StrCat("book ", replayed.book.value(), ", ", ToAbsl(BucketName(kind)),
                                 " of partner ", partner.value(), ": ", balance.value(),
                                 ", entries give ", expected[id].value()));
    }
    expected.erase(id);
  }
  for (const auto& [id, balance] : expected) {
    if (balance == Points(0)) continue;
    findings.Fail(CheckId::kControlAccounts, NameOf(id) + " is missing");
  }
}

void CheckTotals(const Replayed& replayed, const StoredTotals& totals, Findings& findings) {
  findings.Examined(CheckId::kZeroSum);
  // The entries themselves come to zero by their form.
  Points sum = totals.accounts_off;
  for (const auto& [id, balance] : totals.control_accounts) sum += balance;
  for (const auto& [id, balance] : replayed.model.control_accounts) sum -= balance;
  if (sum != Points(0)) {
    findings.Fail(CheckId::kZeroSum,
                  absl::StrCat("book ", replayed.book.value(), " comes to ", sum.value()));
  }
  CheckIssuers(replayed, totals, findings);
}

void FindOutside(Transaction& transaction, const Replayed& replayed, Findings& findings) {
  for (const Row& row : transaction.Execute(kFindForwardOfNone, Params().Int(replayed.book))) {
    findings.Fail(CheckId::kDates,
                  NameOf(row.Id<AccountId>(0)) + " was merged, and there is no such account");
  }
  for (const Row& row :
       transaction.Execute(kFindOutside, Params().Int(replayed.book).Int(replayed.number))) {
    const bool is_record = row.Text(0) == "record";
    findings.Fail(is_record ? CheckId::kNumbers : CheckId::kEntries,
                  absl::StrCat(is_record ? "record " : "an entry of record ", replayed.book.value(),
                               "-", row.Int(1), " is outside of the journal"));
  }
}

}  // namespace guilder::ledger
