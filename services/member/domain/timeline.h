// A member's timeline in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/core/state.h"

namespace guilder::member {

enum class ItemKind { kPosting, kRefusal, kParked, kPromise, kExpiry };

struct TimelineItem {
  Timestamp at;
  ItemKind kind{};
  PartnerId partner;    // None where no partner takes part.
  std::string subject;  // The name of what it is about.
  std::string text;     // A sentence for people, without its full stop.
  Points points;        // The change of available and pending points together.
};

// A journal record of the member's account, with its entries.
struct PostedRecord {
  BookId book;
  RecordNumber number;
  Timestamp posted_at;
  ledger::RecordKind kind{};
  PartnerId partner;
  std::vector<ledger::Entry> entries;
};

struct Refusal {
  Timestamp at;
  ledger::RecordKind kind{};
  PartnerId partner;
  std::string reason;  // "INSUFFICIENT_POINTS"
};

struct ParkedItem {
  Timestamp at;
  PartnerId partner;
  std::string name;
  std::string reason;  // "RECEIPT_CONFLICT"
  bool resolved = false;
};

TimelineItem Describe(const PostedRecord& record);
TimelineItem Describe(const Refusal& refusal);
TimelineItem Describe(const ParkedItem& item);

// What will become of a lot by time alone: when it becomes available or lapses, and when it
// expires: at `end`. `issuer` is the partner's name for people.
std::vector<TimelineItem> Promises(BookId book, const ledger::Lot& lot, Timestamp end,
                                   const std::string& issuer);

// "lots/{book}-{lot}".
std::string LotName(BookId book, LotId lot);

// The past and the promised in the order of time, at most `limit`: of what is promised the soonest,
// in up to half of the places, and of what happened the latest.
std::vector<TimelineItem> Merge(std::vector<TimelineItem> past, std::vector<TimelineItem> promised,
                                size_t limit);

}  // namespace guilder::member
