#include "libs/ledger/core/moves.h"

#include <algorithm>

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"

namespace guilder::ledger {
namespace {

constexpr uint64_t kFormat = 1;

Points Total(const AccountState& account) {
  return account.pending + account.available + account.held;
}

absl::Status CheckBothOpen(const Posting& from, const Posting& to) {
  for (const Posting* posting : {&from, &to}) {
    if (posting->account().status != AccountStatus::kOpen) return Refuse(Reason::kAccountClosed);
  }
  return absl::OkStatus();
}

absl::Status CheckRoom(const Posting& to, Points points) {
  if (Total(to.account()) <= kMaxPointsPerAccount - points) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, "the account's points");
}

}  // namespace

absl::Status DecideMove(Posting& from, Posting& to, Points points) {
  if (absl::Status open = CheckBothOpen(from, to); !open.ok()) return open;
  if (points <= Points(0) || points > kMaxPointsPerCommand) {
    return Refuse(Reason::kAmountOutOfRange, "points");
  }
  if (absl::Status room = CheckRoom(to, points); !room.ok()) return room;
  const AccountState& account = from.account();
  if (account.debt > Points(0)) {
    return Refuse(Reason::kAccountInDebt, {},
                  {{"debt_points", std::to_string(account.debt.value())}});
  }
  const Points available = account.available;
  if (available < points) {
    return Refuse(Reason::kInsufficientPoints, {},
                  {{"available_points", std::to_string(available.value())}});
  }
  const std::vector<Sent> sent = from.Send(points);
  if (available - from.account().available != points) {
    return Refuse(Reason::kAmountOutOfRange, "the points are of too many lots");
  }
  to.Receive(sent);
  to.BringUpToNow();
  return absl::OkStatus();
}

void MoveAll(Posting& from, Posting& to) {
  to.Receive(from.SendAll());
  to.ReceiveDebts(from.SendDebts());
  to.BringUpToNow();
}

absl::Status DecideMerge(Posting& from, Posting& into) {
  if (absl::Status open = CheckBothOpen(from, into); !open.ok()) return open;
  if (absl::Status room = CheckRoom(into, Total(from.account())); !room.ok()) return room;
  MoveAll(from, into);
  // What comes back to it later lives as it would at the survivor.
  from.Spare({}, {});
  from.Close(AccountStatus::kMerged);
  return absl::OkStatus();
}

void SpareWhatMoves(const Configuration& configuration, bool to_survivor,
                    std::vector<Posting>& postings) {
  for (Posting& posting : postings) {
    const Timestamp now = posting.now();
    if (posting.account().spared_until <= now) continue;
    posting.LetMovedLive(configuration.EndOfDayAfter(now, kMovedLifeDays));
  }
  if (to_survivor) postings[0].SpareAsAt(postings[1].account());
}

void BringHome(Posting& home, Posting& survivor, RecordNumber acts_on) {
  std::vector<LotId> lots;
  for (const Lot& lot : survivor.account().lots) {
    if (lot.origin.account == home.account().id && RecordOf(lot.origin.lot) == acts_on) {
      lots.push_back(lot.id);
    }
  }
  for (const LotId lot : lots) survivor.GiveBack(lot, home);
}

std::string EncodeMerge(AccountId into) {
  Encoder encoder;
  encoder.Unsigned(kFormat).Id(into);
  return encoder.Take();
}

std::optional<AccountId> DecodeMerge(std::string_view content) {
  Decoder decoder(content);
  if (decoder.Unsigned() != kFormat) return std::nullopt;
  const auto into = decoder.ReadId<AccountId>();
  if (!decoder.ok() || !decoder.AtEnd()) return std::nullopt;
  return into;
}

std::string EncodePart(const Part& part) {
  Encoder encoder;
  encoder.Unsigned(kFormat)
      .Unsigned(static_cast<uint64_t>(part.kind))
      .Id(part.account)
      .Id(part.book)
      .Id(part.number);
  return encoder.Take();
}

std::optional<Part> DecodePart(std::string_view content) {
  Decoder decoder(content);
  if (decoder.Unsigned() != kFormat) return std::nullopt;
  Part part;
  part.kind = static_cast<RecordKind>(decoder.Unsigned());
  part.account = decoder.ReadId<AccountId>();
  part.book = decoder.ReadId<BookId>();
  part.number = decoder.ReadId<RecordNumber>();
  if (!decoder.ok() || !decoder.AtEnd()) return std::nullopt;
  return part;
}

Uuid PartRequestId(const Uuid& request_id, int part) {
  const Digest digest = Sha256({"part of a command", AsView(request_id), std::to_string(part)});
  Uuid id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

}  // namespace guilder::ledger
