#include "tests/model/check.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/ledger/store/journal.h"
#include "tests/model/replay.h"

namespace guilder::model {
namespace {

using postgres::Row;
using postgres::Rows;

constexpr int64_t kRecordsPerRead = 20'000;

// Rows of a table, or what the model says they are: the account, the row's name, and what it says.
using Table = std::map<std::pair<AccountId, std::string>, std::string>;

std::string Join(const std::vector<int64_t>& values) {
  return absl::StrJoin(values, " ");
}

int StateOf(HoldEnd end) {
  return static_cast<int>(end);
}

class Checker {
 public:
  Checker(World& world, const std::vector<Played>& played) : world_(world), played_(played) {}

  std::optional<Failure> Run() {
    if (const std::string trouble = world_.trouble(); !trouble.empty()) return Failure{{}, trouble};
    if (auto failure = Replay(ReadJournal(), ReadBoundaries(), played_, replayed_)) return failure;
    CompareAccounts();
    CompareForwards();
    CompareLots();
    CompareHolds();
    CompareControlAccounts();
    ComparePositions();
    CompareClaims();
    CompareSeals();
    CompareDueDates();
    CompareCards();
    CompareRewrites();
    if (failure_) return failure_;
    world_.Verify();
    if (const std::string trouble = world_.trouble(); !trouble.empty()) return Failure{{}, trouble};
    return std::nullopt;
  }

 private:
  Rows Query(const std::string& sql) const { return world_.database().Query(sql); }

  std::vector<ledger::StoredRecord> ReadJournal() {
    std::vector<ledger::StoredRecord> records;
    const absl::Status status = world_.pool().Run([&](postgres::Transaction& transaction) {
      for (int book = 1; book <= kBooks; ++book) {
        for (RecordNumber after;;) {
          const RecordNumber until(after.value() + kRecordsPerRead);
          ledger::JournalRange range = ledger::ReadRecords(transaction, BookId(book), after, until);
          if (range.records.empty()) break;
          std::move(range.records.begin(), range.records.end(), std::back_inserter(records));
          after = until;
        }
      }
      return absl::OkStatus();
    });
    if (!status.ok()) Fail({}, status.ToString());
    return records;
  }

  std::set<Timestamp> ReadBoundaries() const {
    std::set<Timestamp> boundaries;
    for (const Row& row : Query("select boundary_us from ledger.boundaries")) {
      boundaries.insert(row.Id<Timestamp>(0));
    }
    return boundaries;
  }

  void Fail(std::optional<size_t> history, const std::string& what) {
    if (!failure_) failure_ = Failure{history, what};
  }

  std::optional<size_t> HistoryOf(AccountId account) const {
    const auto found = replayed_.accounts.find(account);
    if (found == replayed_.accounts.end()) return std::nullopt;
    return found->second.history;
  }

  void Compare(const char* table, const Table& expected, const Table& actual) {
    for (const auto& [name, row] : expected) {
      const auto found = actual.find(name);
      if (found != actual.end() && found->second == row) continue;
      return Fail(
          HistoryOf(name.first),
          absl::StrCat(table, " ", name.second, " is ",
                       found == actual.end() ? "missing" : found->second, " rather than ", row));
    }
    for (const auto& [name, row] : actual) {
      if (!expected.contains(name)) {
        return Fail(HistoryOf(name.first), absl::StrCat(table, " ", name.second, " is ", row));
      }
    }
  }

  void CompareAccounts() {
    Table expected;
    for (const auto& [id, account] : replayed_.accounts) {
      const Account& model = account.model;
      expected[{id, absl::StrCat(id.value())}] =
          Join({account.opened_by.value(), model.merged_into() ? 2 : 0, model.waiting().value(),
                model.available().value(), model.held().value(), model.owed().value()});
    }
    Table actual;
    for (const Row& row : Query("select account_id, opened_number, status, pending, available, "
                                "held, debt from ledger.accounts")) {
      actual[{row.Id<AccountId>(0), absl::StrCat(row.Int(0))}] = Numbers(row, 1, 6);
    }
    Compare("account", expected, actual);
  }

  void CompareForwards() {
    Table expected;
    for (const auto& [id, account] : replayed_.accounts) {
      if (const AccountId into = account.model.merged_into()) {
        expected[{id, absl::StrCat(id.value())}] = Join({into.value()});
      }
    }
    Table actual;
    for (const Row& row : Query("select account_id, into_account from ledger.forwards")) {
      actual[{row.Id<AccountId>(0), absl::StrCat(row.Int(0))}] = Numbers(row, 1, 1);
    }
    Compare("forward", expected, actual);
  }

  void CompareLots() {
    Table expected;
    for (const auto& [id, account] : replayed_.accounts) {
      for (const auto& [number, lot] : account.model.lots()) {
        expected[{id, absl::StrCat(number.value())}] =
            Join({lot.issuer.value(), lot.contract.value(), lot.issued.value(),
                  lot.activates_at.value(), lot.expires_at.value(), lot.cancel_on_due, lot.active,
                  (lot.waiting + lot.free + lot.held).value(), lot.held.value(),
                  lot.redeemed.value(), lot.reversed.value(), lot.expired.value(), lot.owed.value(),
                  lot.restricted_to.value(), lot.restored_until.value(), lot.moved.value(),
                  lot.first_account.value(), lot.first_lot.value(), lot.forfeited.value()});
      }
    }
    Table actual;
    for (const Row& row :
         Query("select account_id, lot_id, issuer_id, contract_id, issued, activates_at_us, "
               "expires_at_us, on_due, state, remaining, held, redeemed, reversed, expired, debt, "
               "restricted_to, restored_until_us, moved, coalesce(origin_account, 0), "
               "coalesce(origin_lot, 0), forfeited from ledger.lots")) {
      actual[{row.Id<AccountId>(0), absl::StrCat(row.Int(1))}] = Numbers(row, 2, 19);
    }
    Compare("lot", expected, actual);
  }

  void CompareHolds() {
    Table expected;
    for (const auto& [id, account] : replayed_.accounts) {
      for (const auto& [number, hold] : account.model.holds()) {
        std::string text =
            Join({hold.partner.value(), hold.contract.value(), hold.authorized.value(),
                  hold.expires_at.value(), StateOf(hold.end), hold.captured().value(),
                  hold.refunded().value()});
        for (const HoldPart& part : hold.parts) {
          absl::StrAppend(&text, " / ",
                          Join({part.lot.value(), part.held.value(), part.captured.value(),
                                part.refunded.value()}));
        }
        expected[{id, absl::StrCat(number.value())}] = std::move(text);
      }
    }
    Table actual;
    for (const Row& row : Query("select account_id, number, partner_id, contract_id, authorized, "
                                "expires_at_us, state, captured, refunded, lot_ids, lot_held, "
                                "lot_captured, lot_refunded from ledger.holds")) {
      std::string text = Numbers(row, 2, 7);
      const std::vector<int64_t> lots = row.IntArray(9);
      const std::vector<int64_t> held = row.IntArray(10);
      const std::vector<int64_t> captured = row.IntArray(11);
      const std::vector<int64_t> refunded = row.IntArray(12);
      for (size_t i = 0; i < lots.size(); ++i) {
        absl::StrAppend(&text, " / ", Join({lots[i], held.at(i), captured.at(i), refunded.at(i)}));
      }
      actual[{row.Id<AccountId>(0), absl::StrCat(row.Int(1))}] = std::move(text);
    }
    Compare("hold", expected, actual);
  }

  void CompareControlAccounts() {
    Table expected;
    for (const auto& [key, points] : replayed_.control_accounts) {
      const auto& [book, bucket, partner] = key;
      expected[{{}, Join({book.value(), static_cast<int>(bucket), partner.value()})}] =
          Join({points.value()});
    }
    Table actual;
    for (const Row& row :
         Query("select book, kind, partner_id, balance from ledger.control_accounts")) {
      actual[{{}, Numbers(row, 0, 3)}] = Numbers(row, 3, 1);
    }
    Compare("control account", expected, actual);
  }

  void ComparePositions() {
    Table expected;
    for (const auto& [key, points] : replayed_.positions) {
      const auto& [book, window, contract, movement] = key;
      expected[{
          {}, Join({book.value(), window.value(), contract.value(), static_cast<int>(movement)})}] =
          Join({points.value()});
    }
    Table actual;
    for (const Row& row : Query("select book, window_start_us, contract_id, movement, points "
                                "from ledger.positions")) {
      actual[{{}, Numbers(row, 0, 4)}] = Numbers(row, 4, 1);
    }
    Compare("position", expected, actual);
  }

  void CompareClaims() {
    size_t rows = 0;
    for (const Row& row :
         Query("select claim_key, book, number, posted_at_us from ledger.claims")) {
      ++rows;
      const auto owner = replayed_.claims.find(row.Uuid(0));
      if (owner == replayed_.claims.end() || owner->second.place.book != row.Id<BookId>(1) ||
          owner->second.place.number != row.Id<RecordNumber>(2) ||
          owner->second.place.posted_at != row.Id<Timestamp>(3)) {
        Fail({}, absl::StrCat("a claim belongs to ", row.Int(1), "-", row.Int(2)));
      }
    }
    if (rows != replayed_.claims.size()) {
      Fail({}, absl::StrCat(rows, " claims rather than ", replayed_.claims.size()));
    }
  }

  // The records before a seal's boundary are those that it counts.
  void CompareSeals() {
    for (const Row& row : Query("select book, boundary_us, last_number from ledger.seals")) {
      const std::vector<Timestamp>& posted = replayed_.posted[row.Id<BookId>(0)];
      const auto before = std::lower_bound(posted.begin(), posted.end(), row.Id<Timestamp>(1));
      if (before - posted.begin() != row.Int(2)) {
        Fail({}, absl::StrCat("the seal of book ", row.Int(0), " at ", row.Int(1), " has ",
                              row.Int(2), " records rather than ", before - posted.begin()));
      }
    }
  }

  // What an account keeps about its lots to be spared loading them may be too careful, never wrong.
  void CompareDueDates() {
    for (const Row& row :
         Query("select account_id, next_due_at_us, first_open_lot from ledger.accounts")) {
      const auto& [id, account] = *replayed_.accounts.find(row.Id<AccountId>(0));
      if (row.Id<Timestamp>(1) > account.model.NextDue()) {
        Fail(account.history, absl::StrCat("account ", id.value(), " is due later than its lots"));
      }
      for (const auto& [number, lot] : account.model.lots()) {
        const bool open = lot.waiting + lot.free + lot.held + lot.owed > Points(0);
        if (open && number < row.Id<LotId>(2)) {
          Fail(account.history, absl::StrCat("account ", id.value(), " forgot an open lot"));
        }
      }
    }
  }

  void CompareCards() {
    Table expected;
    for (const auto& [id, account] : replayed_.accounts) {
      for (const auto& [card, blocked] : account.model.cards()) {
        expected[{id, absl::StrCat(card.value())}] = blocked ? "1" : "0";
      }
    }
    Table actual;
    for (const Row& row : Query("select account_id, card_number, state from member.cards")) {
      actual[{row.Id<AccountId>(0), absl::StrCat(row.Int(1))}] = absl::StrCat(row.Int(2));
    }
    Compare("card", expected, actual);
  }

  // PostgreSQL counts what was updated or deleted, also where it was rolled back.
  void CompareRewrites() {
    for (const Row& row :
         Query("select relname from pg_stat_user_tables where schemaname = 'ledger' "
               "and relname ~ '^(journal|entries)' and n_tup_upd + n_tup_del > 0")) {
      Fail({}, absl::StrCat("rows of ", std::string(row.Text(0)), " were changed"));
    }
  }

  static std::string Numbers(const Row& row, int first, int count) {
    std::vector<int64_t> numbers;
    for (int i = first; i < first + count; ++i) numbers.push_back(row.Int(i));
    return Join(numbers);
  }

  World& world_;
  const std::vector<Played>& played_;
  Replayed replayed_;
  std::optional<Failure> failure_;
};

}  // namespace

std::optional<Failure> Check(World& world, const std::vector<Played>& played) {
  return Checker(world, played).Run();
}

}  // namespace guilder::model
