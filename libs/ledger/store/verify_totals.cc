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

constexpr Statement kSumAccounts{"verify.sum_accounts", R"sql(
  select coalesce(sum(pending + available + held - debt), 0)::bigint
    from ledger.accounts
   where book = $1
)sql"};

constexpr Statement kSumLots{"verify.sum_lots", R"sql(
  select issuer_id, sum(issued)::bigint, sum(remaining)::bigint, sum(redeemed)::bigint,
         sum(expired)::bigint, sum(reversed)::bigint, sum(debt)::bigint
    from ledger.lots
   where book = $1
   group by issuer_id
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

std::string Named(BookId book, const PositionKey& key) {
  return absl::StrCat("book ", book.value(), ", window ", FormatTimestamp(key.window_start),
                      ", contract ", key.contract.value(), ", ",
                      ToAbsl(MovementName(key.movement)));
}

// The stored balances by kind and partner.
using Control = std::map<std::pair<Bucket, PartnerId>, Points>;

Control CompareControlAccounts(Transaction& transaction, JournalReplay& replay,
                               Findings& findings) {
  Control stored;
  absl::flat_hash_map<AccountId, Points> expected = replay.model().control_accounts;
  for (const Row& row : transaction.Execute(kReadControlAccounts, Params().Int(replay.book()))) {
    findings.Examined(CheckId::kControlAccounts);
    const auto id = row.Id<AccountId>(0);
    const auto kind = row.Enum<Bucket>(1);
    const auto partner = row.Id<PartnerId>(2);
    const auto balance = row.Id<Points>(3);
    stored[{kind, partner}] += balance;
    const ControlAccount named = ControlAccountOf(id);
    if (expected[id] != balance || named.kind != kind || named.partner != partner) {
      findings.Fail(CheckId::kControlAccounts,
                    absl::StrCat("book ", replay.book().value(), ", ", ToAbsl(BucketName(kind)),
                                 " of partner ", partner.value(), ": ", balance.value(),
                                 ", entries give ", expected[id].value()));
    }
    expected.erase(id);
  }
  for (const auto& [id, balance] : expected) {
    if (balance == Points(0)) continue;
    findings.Fail(CheckId::kControlAccounts, absl::StrCat("account ", id.value(), " is missing"));
  }
  return stored;
}

void CheckZeroSum(Transaction& transaction, BookId book, const Control& control,
                  Findings& findings) {
  findings.Examined(CheckId::kZeroSum);
  Points sum = transaction.Execute(kSumAccounts, Params().Int(book))[0].Id<Points>(0);
  for (const auto& [account, balance] : control) sum += balance;
  if (sum != Points(0)) {
    findings.Fail(CheckId::kZeroSum,
                  absl::StrCat("book ", book.value(), " comes to ", sum.value()));
  }
}

Points SumOf(const Control& control, Bucket kind) {
  Points sum;
  for (const auto& [account, balance] : control) {
    if (account.first == kind) sum += balance;
  }
  return sum;
}

void CheckIssuers(Transaction& transaction, BookId book, Control control, Findings& findings) {
  Points all_redeemed;
  Points all_expired;
  const auto fail = [&](std::string_view what) {
    findings.Fail(CheckId::kIssuers, absl::StrCat("book ", book.value(), ", ", ToAbsl(what)));
  };
  for (const Row& row : transaction.Execute(kSumLots, Params().Int(book))) {
    findings.Examined(CheckId::kIssuers);
    const auto issuer = row.Id<PartnerId>(0);
    const auto issued = row.Id<Points>(1);
    const auto remaining = row.Id<Points>(2);
    const auto redeemed = row.Id<Points>(3);
    const auto expired = row.Id<Points>(4);
    const auto reversed = row.Id<Points>(5);
    const auto debt = row.Id<Points>(6);
    const bool lots_agree = issued + debt == remaining + redeemed + expired + reversed;
    Points& outside = control[{Bucket::kIssued, issuer}];
    if (!lots_agree || outside != reversed - issued) {
      fail(absl::StrCat("issuer ", issuer.value(), ": issued ", issued.value(), ", outstanding ",
                        (remaining - debt).value(), ", redeemed ", redeemed.value(), ", expired ",
                        expired.value(), ", reversed ", reversed.value(), ", by its account ",
                        -outside.value()));
    }
    outside = Points(0);
    all_redeemed += redeemed;
    all_expired += expired;
  }
  if (SumOf(control, Bucket::kIssued) != Points(0)) fail("an issuer has no lots");
  if (SumOf(control, Bucket::kRedeemed) != all_redeemed) {
    fail(absl::StrCat("lots say redeemed ", all_redeemed.value()));
  }
  if (SumOf(control, Bucket::kExpired) != all_expired) {
    fail(absl::StrCat("lots say expired ", all_expired.value()));
  }
}

void FindOutside(Transaction& transaction, const JournalReplay& replay, Findings& findings) {
  for (const Row& row :
       transaction.Execute(kFindOutside, Params().Int(replay.book()).Int(replay.number()))) {
    const bool is_record = row.Text(0) == "record";
    findings.Fail(is_record ? CheckId::kNumbers : CheckId::kEntries,
                  absl::StrCat(is_record ? "record " : "an entry of record ", replay.book().value(),
                               "-", row.Int(1), " is outside of the journal"));
  }
}

}  // namespace

std::optional<PositionKey> ComparePositions(Transaction& transaction, JournalReplay& replay,
                                            const PositionKey& after, int limit,
                                            Findings& findings) {
  const Rows rows = transaction.Execute(kReadPositions, Params()
                                                            .Int(replay.book())
                                                            .Int(after.window_start)
                                                            .Int(after.contract)
                                                            .Int(after.movement)
                                                            .Int(limit));
  const std::map<PositionKey, Points>& model = replay.model().positions;
  const auto missing = [&](const PositionKey& key) {
    findings.Fail(CheckId::kPositions, Named(replay.book(), key) + " is missing");
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
      findings.Fail(CheckId::kPositions, absl::StrCat(Named(replay.book(), key), ": ", row.Int(3),
                                                      ", entries give ", points.value()));
    }
  }
  if (rows.size() == limit) return key;
  for (; expected != model.end(); ++expected) missing(expected->first);
  return std::nullopt;
}

void CompareTotals(Transaction& transaction, JournalReplay& replay, Findings& findings) {
  const Control control = CompareControlAccounts(transaction, replay, findings);
  CheckZeroSum(transaction, replay.book(), control, findings);
  CheckIssuers(transaction, replay.book(), control, findings);
  FindOutside(transaction, replay, findings);
}

}  // namespace guilder::ledger
