#include "libs/ledger/store/verify_since.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::ledger {
namespace {

constexpr uint64_t kStateFormat = 3;

// What a hash is of, so that an account cannot stand for a lot.
enum Kind : uint64_t { kAccount = 1, kLot = 2, kHold = 3 };

template <typename T>
uint64_t Word(T value) {
  return static_cast<uint64_t>(value.value());
}

uint64_t HashOf(const KeyedHash& hash, AccountId id, const AccountSums& sums) {
  return hash.Of({kAccount, Word(id), Word(sums.pending), Word(sums.available), Word(sums.held),
                  Word(sums.debt), Word(sums.captured), Word(sums.refunded), Word(sums.opened_by),
                  Word(sums.merged_into), sums.closed ? 1u : 0u});
}

uint64_t HashOf(const KeyedHash& hash, LotId id, const LotSums& sums) {
  uint64_t sum = hash.Of({kLot,
                          Word(id),
                          Word(sums.account),
                          Word(sums.issuer),
                          Word(sums.contract),
                          Word(sums.activates_at),
                          Word(sums.expires_at),
                          static_cast<uint64_t>(sums.on_due),
                          Word(sums.issued),
                          Word(sums.pending),
                          Word(sums.available),
                          Word(sums.held),
                          Word(sums.redeemed),
                          Word(sums.reversed),
                          Word(sums.expired),
                          Word(sums.debt),
                          Word(sums.captured),
                          Word(sums.moved),
                          Word(sums.origin.account),
                          Word(sums.origin.lot),
                          Word(sums.restricted_to.where())});
  // Lots that name no list keep the hash that states from before there were lists have of them.
  for (const PartnerId partner : sums.restricted_to.listed()) sum = hash.Of({sum, Word(partner)});
  if (sums.lives_by_activity) sum = hash.Of({sum, UINT64_MAX});
  if (sums.forfeited > Points()) sum = hash.Of({sum, Word(sums.forfeited), UINT64_MAX});
  return sum;
}

// What a hold never changes: its state and captures are proved by the sums of lots and accounts.
uint64_t HashOf(const KeyedHash& hash, RecordNumber number, const HoldSums& sums) {
  return hash.Of({kHold, Word(number), Word(sums.account), Word(sums.partner), Word(sums.store),
                  Word(sums.contract), Word(sums.authorized), Word(sums.expires_at),
                  static_cast<uint64_t>(sums.reviewed)});
}

size_t DigestOf(AccountId account) {
  return static_cast<size_t>((SerialOf(account) - 1) / kAccountsPerDigest);
}

void AddTo(std::vector<uint64_t>& digests, size_t at, uint64_t hash) {
  if (at >= digests.size()) digests.resize(at + 1);
  digests[at] += hash;
}

void Subtract(AccountSums& sums, const BookModel& model, AccountId id) {
  const auto found = model.accounts.find(id);
  if (found == model.accounts.end()) return;
  const AccountSums& change = found->second;
  sums.pending -= change.pending;
  sums.available -= change.available;
  sums.held -= change.held;
  sums.debt -= change.debt;
  if (change.closed) sums.closed = false;
  if (change.merged_into == sums.merged_into) sums.merged_into = AccountId();
  sums.captured -= change.captured;
  sums.refunded -= change.refunded;
}

void Subtract(LotSums& sums, const BookModel& model, LotId id) {
  const auto found = model.lots.find(id);
  if (found == model.lots.end()) return;
  const LotSums& change = found->second;
  sums.issued -= change.issued;
  sums.pending -= change.pending;
  sums.available -= change.available;
  sums.held -= change.held;
  sums.redeemed -= change.redeemed;
  sums.reversed -= change.reversed;
  sums.expired -= change.expired;
  sums.forfeited -= change.forfeited;
  sums.debt -= change.debt;
  sums.moved -= change.moved;
  sums.captured -= change.captured;
}

bool IsNothing(const AccountSums& sums) {
  return sums.pending == Points() && sums.available == Points() && sums.held == Points() &&
         sums.debt == Points() && sums.captured == Points() && sums.refunded == Points() &&
         !sums.merged_into && !sums.closed;
}

bool IsNothing(const LotSums& sums) {
  return sums.issued == Points() && sums.remaining() == Points() && sums.pending == Points() &&
         sums.held == Points() && sums.redeemed == Points() && sums.reversed == Points() &&
         sums.expired == Points() && sums.forfeited == Points() && sums.debt == Points() &&
         sums.captured == Points() && sums.moved == Points();
}

// The accounts of one digest.
class DigestComparison {
 public:
  DigestComparison(const BookInterval& interval, Findings& findings)
      : interval_(interval), findings_(findings) {}

  void Add(const StoredAccount& stored) {
    CheckAgreement(interval_.book, stored, findings_);
    AddAccount(stored);
    for (const StoredLot& lot : stored.lots) AddLot(stored, lot);
    for (const StoredHold& hold : stored.holds) AddHold(hold);
  }

  // At the earlier proof, and at the new one.
  uint64_t before() const { return before_; }
  uint64_t now() const { return now_; }

 private:
  RecordNumber from() const { return interval_.from.point.number; }

  void AddAccount(const StoredAccount& stored) {
    findings_.Examined(CheckId::kBalances);
    const RecordNumber opened_by = stored.sums.opened_by;
    AccountSums now = stored.sums;
    Subtract(now, interval_.after, stored.id);
    if (opened_by <= interval_.until) now_ += HashOf(interval_.hash, stored.id, now);
    AccountSums before = stored.sums;
    Subtract(before, interval_.since, stored.id);
    if (opened_by <= from()) {
      before_ += HashOf(interval_.hash, stored.id, before);
      return;
    }
    AccountSums& expected = interval_.since.accounts[stored.id];
    expected.seen_at = opened_by;
    if (!IsNothing(before)) findings_.Fail(CheckId::kBalances, NameOf(stored.id));
    if (expected.opened_by != opened_by) {
      findings_.Fail(CheckId::kDates, NameOf(stored.id) + " was opened by another record");
    }
  }

  void AddLot(const StoredAccount& stored, const StoredLot& lot) {
    LotSums sums = lot.sums;
    sums.captured = stored.holds.empty() ? Points(0) : stored.CapturedOf(lot.id);
    const RecordNumber created_by = RecordOf(lot.id);
    LotSums now = sums;
    Subtract(now, interval_.after, lot.id);
    if (created_by <= interval_.until) now_ += HashOf(interval_.hash, lot.id, now);
    LotSums before = sums;
    Subtract(before, interval_.since, lot.id);
    if (created_by <= from()) {
      before_ += HashOf(interval_.hash, lot.id, before);
      return;
    }
    const auto expected = interval_.since.lots.find(lot.id);
    if (expected == interval_.since.lots.end()) {
      findings_.Fail(CheckId::kLots, NameOfLot(interval_.book, lot.id) + " has no entries");
      return;
    }
    expected->second.seen = true;
    if (!IsNothing(before) || expected->second.account != stored.id) {
      findings_.Fail(CheckId::kLots, NameOfLot(interval_.book, lot.id));
    }
  }

  void AddHold(const StoredHold& stored) {
    const Hold& hold = stored.hold;
    HoldSums sums;
    sums.account = stored.account;
    sums.partner = hold.partner;
    sums.store = hold.store;
    sums.contract = hold.contract;
    sums.authorized = hold.authorized;
    sums.expires_at = hold.expires_at;
    sums.reviewed = hold.reviewed;
    const uint64_t digest = HashOf(interval_.hash, hold.number, sums);
    if (hold.number <= interval_.until) now_ += digest;
    if (hold.number <= from()) {
      before_ += digest;
      return;
    }
    const auto expected = interval_.since.holds.find(hold.number);
    if (expected == interval_.since.holds.end() || expected->second.account != stored.account ||
        expected->second.authorized != hold.authorized) {
      findings_.Fail(CheckId::kHolds, NameOfHold(interval_.book, hold.number));
      return;
    }
    expected->second.seen = true;
  }

  const BookInterval& interval_;
  Findings& findings_;
  uint64_t before_ = 0;
  uint64_t now_ = 0;
};

AccountId FirstOf(size_t digest, BookId book) {
  return MakeAccountId(static_cast<int64_t>(digest) * kAccountsPerDigest + 1, book);
}

}  // namespace

std::vector<uint64_t> DigestsOf(const KeyedHash& hash, const BookModel& model) {
  std::vector<uint64_t> digests;
  for (const auto& [id, account] : model.accounts) {
    AddTo(digests, DigestOf(id), HashOf(hash, id, account));
  }
  for (const auto& [id, lot] : model.lots) {
    AddTo(digests, DigestOf(lot.account), HashOf(hash, id, lot));
  }
  for (const auto& [number, hold] : model.holds) {
    AddTo(digests, DigestOf(hold.account), HashOf(hash, number, hold));
  }
  return digests;
}

std::set<size_t> TouchedDigests(const BookModel& model) {
  std::set<size_t> touched;
  for (const auto& [id, account] : model.accounts) touched.insert(DigestOf(id));
  return touched;
}

void CompareTouched(postgres::Transaction& transaction, const BookInterval& interval, size_t first,
                    size_t last, std::vector<uint64_t>& digests, Findings& findings) {
  const AccountId after(FirstOf(first, interval.book).value() - 1);
  const AccountId until(FirstOf(last, interval.book).value() - 1);
  const std::vector<StoredAccount> accounts =
      ReadAccounts(transaction, interval.book, after, until,
                   static_cast<int>((last - first) * kAccountsPerDigest) + 1, findings);
  auto account = accounts.begin();
  for (size_t digest = first; digest < last; ++digest) {
    DigestComparison comparison(interval, findings);
    const AccountId end = FirstOf(digest + 1, interval.book);
    for (; account != accounts.end() && account->id < end; ++account) comparison.Add(*account);
    const std::vector<uint64_t>& proved = interval.from.digests;
    if (comparison.before() != (digest < proved.size() ? proved[digest] : 0)) {
      findings.Fail(CheckId::kBalances,
                    absl::StrCat("accounts ", FirstOf(digest, interval.book).value(), " to ",
                                 end.value() - kBooksPerSerial,
                                 ", their lots or holds were changed by more than entries"));
    }
    if (digest >= digests.size()) digests.resize(digest + 1);
    digests[digest] = comparison.now();
  }
}

void FindMissingSince(const BookInterval& interval, Findings& findings) {
  const RecordNumber from = interval.from.point.number;
  const auto is_new = [&](RecordNumber number) {
    return number > from && number <= interval.until;
  };
  for (const auto& [id, account] : interval.since.accounts) {
    if (SerialOf(id) > interval.from.last_serial && is_new(account.opened_by) && !account.seen_at) {
      findings.Fail(CheckId::kBalances, NameOf(id) + " is missing");
    }
  }
  for (const auto& [id, lot] : interval.since.lots) {
    if (is_new(RecordOf(id)) && !lot.seen) {
      findings.Fail(CheckId::kLots, NameOfLot(interval.book, id) + " is missing");
    }
  }
  for (const auto& [number, hold] : interval.since.holds) {
    if (is_new(number) && !hold.seen) {
      findings.Fail(CheckId::kHolds, NameOfHold(interval.book, number) + " is missing");
    }
  }
}

std::string VerifyState::Encode() const {
  Encoder out;
  out.Unsigned(kStateFormat).Unsigned(hash.k0).Unsigned(hash.k1).Unsigned(books.size());
  for (const auto& [id, book] : books) {
    out.Id(id)
        .Id(book.point.number)
        .Quantity(book.point.posted_at)
        .Bytes(book.point.frontier.ToBytes())
        .Signed(book.last_serial)
        .Unsigned(book.control_accounts.size());
    for (const auto& [account, balance] : book.control_accounts) out.Id(account).Quantity(balance);
    out.Quantity(book.window_start).Unsigned(book.positions.size());
    for (const auto& [key, points] : book.positions) {
      out.Id(key.contract).Unsigned(static_cast<uint64_t>(key.movement)).Quantity(points);
    }
    out.Unsigned(book.digests.size());
    for (const uint64_t digest : book.digests) out.Unsigned(digest);
  }
  out.Raw(AsView(Sha256({out.str()})));
  return out.Take();
}

absl::StatusOr<VerifyState> VerifyState::Decode(std::string_view bytes) {
  const absl::Status malformed =
      Refuse(Reason::kRequestMalformed, "this is not what a verification has left");
  if (bytes.size() < sizeof(Digest)) return malformed;
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(Digest));
  if (AsView(Sha256({content})) != bytes.substr(content.size())) return malformed;
  Decoder in(content);
  if (in.Unsigned() != kStateFormat) return malformed;
  VerifyState state;
  state.hash.k0 = in.Unsigned();
  state.hash.k1 = in.Unsigned();
  for (uint64_t n = in.Unsigned(); n > 0 && in.ok(); --n) {
    BookProof book;
    book.book = in.ReadId<BookId>();
    book.point.number = in.ReadId<RecordNumber>();
    book.point.posted_at = in.ReadQuantity<Timestamp>();
    std::optional<Frontier> frontier = Frontier::Parse(book.point.number.value(), in.Bytes());
    if (!frontier) return malformed;
    book.point.frontier = *std::move(frontier);
    book.last_serial = in.Signed();
    for (uint64_t i = in.Unsigned(); i > 0 && in.ok(); --i) {
      const auto account = in.ReadId<AccountId>();
      book.control_accounts[account] = in.ReadQuantity<Points>();
    }
    book.window_start = in.ReadQuantity<Timestamp>();
    for (uint64_t i = in.Unsigned(); i > 0 && in.ok(); --i) {
      PositionKey key{book.window_start, in.ReadId<ContractId>(), {}};
      key.movement = static_cast<Movement>(in.Unsigned());
      book.positions[key] = in.ReadQuantity<Points>();
    }
    for (uint64_t i = in.Unsigned(); i > 0 && in.ok(); --i) book.digests.push_back(in.Unsigned());
    const BookId id = book.book;
    state.books[id] = std::move(book);
  }
  if (!in.ok() || !in.AtEnd()) return malformed;
  return state;
}

}  // namespace guilder::ledger
