#include "libs/ledger/store/verify_claims.h"

#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/claims.h"

namespace guilder::ledger {
namespace {

using postgres::PackedRow;
using postgres::PackedRows;
using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr int64_t kRecordsPerSum = 1'024;

constexpr Statement kReadClaims{"verify.read_claims", R"sql(
  select row(claim_key, book, number, posted_at_us)
    from ledger.claims
   where claim_key >= $1
   order by claim_key
   limit $2
)sql"};

// `offset 0` keeps the planner at one look at the key for each record, however many claims there
// are.
constexpr Statement kFindUnclaimed{"verify.find_unclaimed", R"sql(
  select r.number
    from unnest($2::uuid[], $3::bigint[], $4::bigint[]) as r (claim_key, number, posted_at_us)
   where not exists (select 1
                       from ledger.claims c
                      where c.claim_key = r.claim_key
                        and c.book = $1
                        and c.number = r.number
                        and c.posted_at_us = r.posted_at_us
                     offset 0)
   order by r.number
   limit 1
)sql"};

constexpr Statement kHasRecord{"verify.has_record", R"sql(
  select exists (select 1 from ledger.journal
                  where book = $1 and number = $2 and posted_at_us = $3)
)sql"};

struct Claim {
  Uuid key{};
  BookId book;
  RecordNumber number;
  Timestamp posted_at;
  friend auto operator<=>(const Claim&, const Claim&) = default;
};

uint64_t HashOf(const KeyedHash& hash, const Claim& claim) {
  uint64_t high;
  uint64_t low;
  std::memcpy(&high, claim.key.data(), sizeof high);
  std::memcpy(&low, claim.key.data() + sizeof high, sizeof low);
  return hash.Of({high, low, static_cast<uint64_t>(claim.number.value()),
                  static_cast<uint64_t>(claim.posted_at.value()),
                  static_cast<uint64_t>(claim.book.value())});
}

Claim ToClaim(PackedRow row) {
  Claim claim;
  claim.key = row.Uuid();
  claim.book = row.Id<BookId>();
  claim.number = row.Id<RecordNumber>();
  claim.posted_at = row.Id<Timestamp>();
  return claim;
}

std::vector<Claim> ClaimsOf(const Record& record) {
  const Claim request{RequestClaimKey(record.partner, record.request_id), record.book,
                      record.number, record.posted_at};
  std::vector<Claim> claims = {request};
  if (record.natural_key) {
    claims.push_back(request);
    claims.back().key = *record.natural_key;
  }
  return claims;
}

Uuid Successor(Uuid key) {
  for (auto byte = key.rbegin(); byte != key.rend() && ++*byte == 0; ++byte) {
  }
  return key;
}

size_t SumOf(RecordNumber number) {
  return static_cast<size_t>((number.value() - 1) / kRecordsPerSum);
}

class ClaimScan {
 public:
  ClaimScan(postgres::Pool& pool, const KeyedHash& hash, const std::map<BookId, ClaimSums>& books,
            int claims_per_read, Findings& findings,
            absl::FunctionRef<absl::Status(int64_t)> progress)
      : pool_(pool),
        hash_(hash),
        books_(books),
        claims_per_read_(claims_per_read),
        findings_(findings),
        progress_(progress) {}

  absl::Status Run() {
    for (const auto& [book, expected] : books_) sums_[book].resize(expected.sums().size());
    GUILDER_RETURN_IF_ERROR(Scan([&](Transaction& transaction, const Claim& claim) {
      findings_.Examined(CheckId::kClaimRecords);
      if (!IsReplayed(claim)) return CheckRecordOf(transaction, claim);
      sums_[claim.book][SumOf(claim.number)] += HashOf(hash_, claim);
    }));
    for (const auto& [book, expected] : books_) {
      for (size_t i = 0; i < expected.sums().size(); ++i) {
        if (expected.sums()[i] != sums_[book][i]) wrong_.emplace(book, i);
      }
    }
    if (wrong_.empty()) return absl::OkStatus();
    for (const auto& [book, sum] : wrong_) GUILDER_RETURN_IF_ERROR(LookUp(book, sum));
    return Scan([&](Transaction&, const Claim& claim) {
      if (!IsReplayed(claim) || !wrong_.contains({claim.book, SumOf(claim.number)})) return;
      // Erased, so that a second one of the same key is one too many.
      if (expected_.erase(claim) == 0) Fail(claim);
    });
  }

 private:
  absl::Status Scan(absl::FunctionRef<void(Transaction&, const Claim&)> take) {
    Uuid next{};
    bool more = true;
    while (more) {
      int64_t read = 0;
      GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
        const PackedRows rows =
            transaction.ExecutePacked(kReadClaims, Params().Uuid(next).Int(claims_per_read_));
        for (const PackedRow row : rows) {
          const Claim claim = ToClaim(row);
          take(transaction, claim);
          next = Successor(claim.key);
        }
        read = rows.size();
        more = read == claims_per_read_;
        return absl::OkStatus();
      }));
      GUILDER_RETURN_IF_ERROR(progress_(read));
    }
    return absl::OkStatus();
  }

  bool IsReplayed(const Claim& claim) const {
    const auto book = books_.find(claim.book);
    return book != books_.end() && claim.number >= RecordNumber(1) &&
           claim.number <= book->second.reached();
  }

  // Of a record that was posted since its book was replayed.
  void CheckRecordOf(Transaction& transaction, const Claim& claim) {
    const bool found =
        transaction
            .Execute(kHasRecord, Params().Int(claim.book).Int(claim.number).Int(claim.posted_at))[0]
            .Bool(0);
    if (!found) Fail(claim);
  }

  // The records whose claims do not add up, as they are.
  absl::Status LookUp(BookId book, size_t sum) {
    const RecordNumber after(static_cast<int64_t>(sum) * kRecordsPerSum);
    const RecordNumber until(
        std::min(after.value() + kRecordsPerSum, books_.at(book).reached().value()));
    return pool_.Read([&](Transaction& transaction) {
      const JournalRange range = ReadRecords(transaction, book, after, until);
      CheckClaimsOf(transaction, book, range.records, findings_);
      for (const StoredRecord& stored : range.records) {
        for (const Claim& claim : ClaimsOf(stored.record)) expected_.insert(claim);
      }
      return absl::OkStatus();
    });
  }

  void Fail(const Claim& claim) {
    findings_.Fail(CheckId::kClaimRecords,
                   absl::StrCat("claim ", FormatUuid(claim.key), " names record ",
                                claim.book.value(), "-", claim.number.value()));
  }

  postgres::Pool& pool_;
  const KeyedHash hash_;
  const std::map<BookId, ClaimSums>& books_;
  const int claims_per_read_;
  Findings& findings_;
  absl::FunctionRef<absl::Status(int64_t)> progress_;
  // Of the claims that are there.
  std::map<BookId, std::vector<uint64_t>> sums_;
  std::set<std::pair<BookId, size_t>> wrong_;
  // The claims that the records of `wrong_` must have.
  std::set<Claim> expected_;
};

}  // namespace

void ClaimSums::Add(const Record& record) {
  const size_t sum = SumOf(record.number);
  if (sum >= sums_.size()) sums_.resize(sum + 1);
  Claim claim{RequestClaimKey(record.partner, record.request_id), record.book, record.number,
              record.posted_at};
  sums_[sum] += HashOf(hash_, claim);
  if (!record.natural_key) return;
  claim.key = *record.natural_key;
  sums_[sum] += HashOf(hash_, claim);
}

void CheckClaimsOf(Transaction& transaction, BookId book, const std::vector<StoredRecord>& records,
                   Findings& findings) {
  std::vector<Claim> claims;
  for (const StoredRecord& stored : records) {
    for (const Claim& claim : ClaimsOf(stored.record)) claims.push_back(claim);
  }
  const postgres::Rows rows =
      transaction.Execute(kFindUnclaimed, Params()
                                              .Int(book)
                                              .UuidArray(claims, &Claim::key)
                                              .IntArray(claims, &Claim::number)
                                              .IntArray(claims, &Claim::posted_at));
  if (rows.empty()) return;
  findings.Fail(CheckId::kRecordClaims, absl::StrCat("record ", book.value(), "-", rows[0].Int(0)));
}

absl::Status VerifyClaims(postgres::Pool& pool, const KeyedHash& hash,
                          const std::map<BookId, ClaimSums>& books, int claims_per_read,
                          Findings& findings, absl::FunctionRef<absl::Status(int64_t)> progress) {
  return ClaimScan(pool, hash, books, claims_per_read, findings, progress).Run();
}

}  // namespace guilder::ledger
