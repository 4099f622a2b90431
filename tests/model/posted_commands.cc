#include "tests/model/posted_commands.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "libs/base/types.h"
#include "libs/ledger/core/moves.h"

namespace guilder::model {
namespace {

using ledger::Record;
using ledger::StoredRecord;

using Name = std::pair<BookId, RecordNumber>;

// The record of the command that this one belongs to.
Name CommandOf(const Record& record) {
  if (record.kind == ledger::RecordKind::kPart) {
    if (const auto part = ledger::DecodePart(record.content)) return {part->book, part->number};
  }
  return {record.book, record.number};
}

class Orderer {
 public:
  explicit Orderer(const std::vector<StoredRecord>& records) {
    for (const StoredRecord& stored : records) {
      books_[stored.record.book].push_back(&stored);
      PostedCommand& command = commands_[CommandOf(stored.record)];
      if (stored.record.kind == ledger::RecordKind::kPart) {
        command.parts.push_back(&stored);
      } else {
        command.record = &stored;
      }
    }
    for (auto& [name, command] : commands_) {
      std::sort(command.parts.begin(), command.parts.end(), [](const auto* a, const auto* b) {
        return a->record.request_id < b->record.request_id;
      });
    }
  }

  std::vector<PostedCommand> Run() {
    std::vector<PostedCommand> order;
    while (const PostedCommand* const next = Next()) {
      Pass(next->record->record);
      for (const StoredRecord* part : next->parts) Pass(part->record);
      order.push_back(*next);
    }
    return order;
  }

 private:
  // Of those all of whose records come next in their books, the earliest.
  const PostedCommand* Next() const {
    const PostedCommand* next = nullptr;
    for (const auto& [book, records] : books_) {
      const size_t passed = Passed(book);
      if (passed == records.size()) continue;
      const PostedCommand& command = commands_.at(CommandOf(records[passed]->record));
      if (!ComesNext(command)) continue;
      const bool earlier =
          next == nullptr || command.record->record.posted_at < next->record->record.posted_at;
      if (earlier) next = &command;
    }
    return next;
  }

  bool ComesNext(const PostedCommand& command) const {
    if (command.record == nullptr) return false;
    std::map<BookId, int64_t> last;
    std::map<BookId, int64_t> count;
    const auto add = [&](const Record& record) {
      ++count[record.book];
      last[record.book] = std::max(last[record.book], record.number.value());
    };
    add(command.record->record);
    for (const StoredRecord* part : command.parts) add(part->record);
    return std::all_of(last.begin(), last.end(), [&](const auto& entry) {
      const auto& [book, number] = entry;
      return number == static_cast<int64_t>(Passed(book)) + count[book];
    });
  }

  size_t Passed(BookId book) const {
    const auto found = passed_.find(book);
    return found == passed_.end() ? 0 : found->second;
  }
  void Pass(const Record& record) { ++passed_[record.book]; }

  std::map<BookId, std::vector<const StoredRecord*>> books_;
  std::map<Name, PostedCommand> commands_;
  std::map<BookId, size_t> passed_;
};

}  // namespace

std::vector<PostedCommand> InOrder(const std::vector<StoredRecord>& records) {
  return Orderer(records).Run();
}

}  // namespace guilder::model
