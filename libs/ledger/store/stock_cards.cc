#include "libs/ledger/store/stock_cards.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/command.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// In the order of their numbers, so that two batches wait for each other in one direction.
constexpr Statement kLock{"stock_cards.lock", R"sql(
  select s.card_number, s.state, r.claim_days, c.account_id
    from member.stock_cards s
    join member.card_batches b using (batch_id)
    join member.card_ranges r using (range_id)
    left join member.cards c on c.card_number = s.card_number
   where s.card_number = any($1::bigint[])
   order by s.card_number
     for no key update of s
)sql"};

constexpr Statement kOpen{"stock_cards.open", R"sql(
  with opened as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[])
               as w (card_number, account_id, at_us, request_id, claim_by_us)
  ), shown as (
    update member.stock_cards s set state = 1 from opened o where s.card_number = o.card_number
  ), unclaimed as (
    insert into member.unclaimed_accounts (book, account_id, opened_at_us, claim_by_us)
    select (account_id & 65535)::int, account_id, at_us, claim_by_us from opened
  ), events as (
    insert into member.card_events (card_number, number, at_us, event, actor)
    select card_number, 1, at_us, 1, '' from opened
  )
  insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id)
  select card_number, (account_id & 65535)::int, account_id, 0, at_us, request_id from opened
)sql"};

enum class StockState { kWaits = 0, kShown = 1, kBlocked = 2 };

class OpenCommand final : public Command {
 public:
  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    if (!state) return Refuse(Reason::kCardNotFound);
    if (*state == StockState::kBlocked) return Refuse(Reason::kCardBlocked);
    // It was given to a member meanwhile, and has that member's account.
    if (*state == StockState::kShown) return Refuse(Reason::kAlreadyExists);
    opened = posting.account().id;
    claim_by.reset();
    if (claim_days > 0) claim_by = context.configuration.EndOfDayAfter(posting.now(), claim_days);
    return absl::StrCat(opened.value());
  }

  CardNumber shown;
  // Set by OpenRows.
  std::optional<StockState> state;
  int claim_days = 0;
  // Set by Decide.
  AccountId opened;
  std::optional<Timestamp> claim_by;
};

class OpenRows final : public RowStore {
 public:
  void Load(postgres::Transaction& transaction, const Configuration&,
            const std::vector<Command*>& commands) override {
    std::map<CardNumber, OpenCommand*> by_card;
    std::vector<CardNumber> cards;
    for (Command* command : commands) {
      auto& open = static_cast<OpenCommand&>(*command);
      open.state.reset();
      by_card[open.shown] = &open;
      cards.push_back(open.shown);
    }
    for (const Row row : transaction.Execute(kLock, Params().IntArray(cards))) {
      OpenCommand& open = *by_card.at(row.Id<CardNumber>(0));
      open.state = row.IsNull(3) ? row.Enum<StockState>(1) : StockState::kShown;
      open.claim_days = static_cast<int>(row.Int(2));
    }
  }

  void Write(postgres::Transaction& transaction, const std::vector<Command*>& commands) override {
    std::vector<const OpenCommand*> rows;
    for (const Command* command : commands) {
      rows.push_back(static_cast<const OpenCommand*>(command));
    }
    using Opened = const OpenCommand*;
    transaction.Execute(kOpen, Params()
                                   .IntArray(rows, [](Opened row) { return row->shown; })
                                   .IntArray(rows, [](Opened row) { return row->opened; })
                                   .IntArray(rows, [](Opened row) { return row->place.posted_at; })
                                   .UuidArray(rows, [](Opened row) { return row->request_id; })
                                   .IntArray(rows, [](Opened row) { return row->claim_by; }));
  }
};

OpenRows& Rows() {
  static OpenRows* const rows = new OpenRows;
  return *rows;
}

}  // namespace

absl::StatusOr<AccountId> OpenStockCard(Lanes& lanes, CardNumber card, absl::Time deadline) {
  const std::string content = absl::StrCat("card/", card.value());
  auto command = std::make_unique<OpenCommand>();
  command->kind = RecordKind::kCardActivation;
  command->fingerprint = Sha256({content});
  std::copy_n(command->fingerprint.begin(), command->request_id.size(),
              command->request_id.begin());
  command->content = content;
  command->book = lanes.BookForNewAccount(command->request_id);
  command->rows = &Rows();
  command->deadline = deadline;
  command->shown = card;
  auto answered = std::make_shared<std::promise<absl::StatusOr<Answer>>>();
  std::future<absl::StatusOr<Answer>> answer = answered->get_future();
  lanes.Submit(std::move(command), [answered](absl::StatusOr<Answer> opened) {
    answered->set_value(std::move(opened));
  });
  GUILDER_ASSIGN_OR_RETURN(const Answer opened, answer.get());
  const auto account = ParseInt(opened.response);
  if (!account) return absl::InternalError("the record of a card's activation cannot be read");
  return AccountId(*account);
}

}  // namespace guilder::ledger
