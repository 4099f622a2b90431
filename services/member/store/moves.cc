#include "services/member/store/moves.h"

#include "absl/time/civil_time.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"
#include "services/member/store/bonuses.h"
#include "services/member/store/residences.h"
#include "services/member/store/standing.h"

namespace guilder::member {
namespace {

using ledger::Command;
using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadFacts{"member.read_move_facts", R"sql(
  select w.account_id,
         (select coalesce(sum(t.points), 0) from member.transfers t
           where t.from_account = w.account_id and t.posted_at_us >= $2 and not t.reversed)::bigint,
         (select coalesce(sum(t.points), 0) from member.transfers t
           where t.to_account = w.account_id and t.posted_at_us >= $2 and not t.reversed)::bigint,
         coalesce((select m.enrolled_at_us from member.members m
                    where m.book = (w.account_id & 65535)::int and m.account_id = w.account_id), 0),
         exists (select 1 from member.cards c
                  where c.book = (w.account_id & 65535)::int and c.account_id = w.account_id
                    and c.state = 0),
         exists (select 1 from ledger.accounts a
                   join ledger.entries e on e.book = a.book and e.number = a.opened_number
                  where a.book = (w.account_id & 65535)::int and a.account_id = w.account_id
                    and e.debit_bucket = $3)
           -- Who enrolled with a card that was shown before opened no account with it.
           or exists (select 1 from member.bonuses b
                       where b.book = (w.account_id & 65535)::int and b.account_id = w.account_id
                         and b.kind = 1 and b.points > 0),
         exists (select 1 from redemption.members s
                  where s.book = (w.account_id & 65535)::int and s.account_id = w.account_id
                    and s.locked_at_us is not null)
    from unnest($1::bigint[]) as w (account_id)
)sql"};

constexpr Statement kAccountExists{"member.account_exists", R"sql(
  select exists (select 1 from ledger.accounts where book = $1 and account_id = $2)
)sql"};

constexpr Statement kInsertTransfers{"member.insert_transfers", R"sql(
  insert into member.transfers (book, number, from_account, to_account, to_number, points, fee_points,
                                posted_at_us)
  select ($1[i + 1] & 65535)::int, $1[i], $1[i + 1], $1[i + 2], $1[i + 3], $1[i + 4], $1[i + 5],
         $1[i + 6]
    from generate_series(1, cardinality($1::bigint[]), 7) as i
)sql"};

constexpr Statement kFindTransfer{"member.find_transfer", R"sql(
  select from_account, to_account, to_number, points, posted_at_us, reversed
    from member.transfers
   where book = $1 and number = $2
)sql"};

constexpr Statement kMarkReversed{"member.mark_reversed", R"sql(
  update member.transfers set reversed = true where book = $1 and number = $2
)sql"};

constexpr Statement kMoveCards{"member.move_cards", R"sql(
  update member.cards set book = $1, account_id = $2 where book = $3 and account_id = $4
)sql"};

// The year's limits are those of the person, so what the source gave and got counts for who goes
// on. From then on nothing reverses it: its records are those of the source's book, and so are the
// numbers of the lots.
constexpr Statement kMoveTransfers{"member.move_transfers", R"sql(
  update member.transfers
     set from_account = case from_account when $2 then $1 else from_account end,
         to_account = case to_account when $2 then $1 else to_account end,
         to_number = 0
   where from_account = $2 or to_account = $2
)sql"};

// Whose card it was is known now.
constexpr Statement kClaimMerged{"member.claim_merged", R"sql(
  delete from member.unclaimed_accounts where book = $1 and account_id = $2
)sql"};

constexpr Statement kInsertMerge{"member.insert_merge", R"sql(
  insert into member.merges (book, number, from_account, into_account, merged_at_us, merged_by, note)
  values ($1, $2, $3, $4, $5, $6, $7)
)sql"};

struct Facts {
  YearOfMoves year;
  Timestamp enrolled_at;
  bool has_working_card = false;
  bool welcomed = false;
  bool spending_locked = false;
};

std::map<AccountId, Facts> ReadFacts(Transaction& transaction,
                                     const ledger::Configuration& configuration,
                                     const std::vector<Command*>& commands) {
  std::vector<AccountId> accounts;
  for (const Command* command : commands) {
    accounts.push_back(command->account);
    accounts.insert(accounts.end(), command->others.begin(), command->others.end());
  }
  const Timestamp now = ledger::ReadProgrammeClock(transaction, configuration.programme().id);
  const absl::TimeZone zone = configuration.calendar().time_zone();
  const absl::CivilYear year(absl::ToCivilSecond(ToAbslTime(now), zone));
  const Timestamp begins = FromAbslTime(absl::FromCivil(absl::CivilSecond(year), zone));
  std::map<AccountId, Facts> facts;
  for (const Row& row : transaction.Execute(
           kReadFacts, Params().IntArray(accounts).Int(begins).Int(ledger::Bucket::kIssued))) {
    facts[row.Id<AccountId>(0)] = {{row.Id<Points>(1), row.Id<Points>(2)},
                                   row.Id<Timestamp>(3),
                                   row.Bool(4),
                                   row.Bool(5),
                                   row.Bool(6)};
  }
  return facts;
}

}  // namespace

bool AccountExists(Transaction& transaction, AccountId account) {
  return transaction.Execute(kAccountExists, Params().Int(ledger::BookOf(account)).Int(account))[0]
      .Bool(0);
}

TransferFacts TransferCommand::Facts() const {
  TransferFacts now = facts;
  now.sent = (*years)[account].sent;
  now.received = (*years)[others[0]].received;
  return now;
}

void TransferCommand::OnAccepted() {
  (*years)[account].sent += points;
  (*years)[others[0]].received += points;
}

void TransferRows::Load(Transaction& transaction, const ledger::Configuration& configuration,
                        const std::vector<Command*>& commands) {
  const std::map<AccountId, Facts> facts = ReadFacts(transaction, configuration, commands);
  auto years = std::make_shared<std::map<AccountId, YearOfMoves>>();
  for (const auto& [account, found] : facts) years->emplace(account, found.year);
  for (Command* command : commands) {
    auto& transfer = static_cast<TransferCommand&>(*command);
    const Facts& giver = facts.at(transfer.account);
    transfer.facts.enrolled_at = giver.enrolled_at;
    transfer.facts.has_working_card = giver.has_working_card;
    transfer.facts.spending_locked = giver.spending_locked;
    transfer.years = years;
  }
}

void TransferRows::Write(Transaction& transaction, const std::vector<Command*>& commands) {
  std::vector<const TransferCommand*> rows;
  for (const Command* command : commands) {
    rows.push_back(static_cast<const TransferCommand*>(command));
  }
  using Row = const TransferCommand*;
  transaction.Execute(kInsertTransfers,
                      Params().IntRows(
                          rows, [](Row row) { return row->place.number; },
                          &TransferCommand::account, [](Row row) { return row->others[0]; },
                          &TransferCommand::received_by, &TransferCommand::points,
                          &TransferCommand::fee, [](Row row) { return row->place.posted_at; }));
}

std::optional<Transfer> FindTransfer(Transaction& transaction, BookId book, RecordNumber number) {
  const auto rows = transaction.Execute(kFindTransfer, Params().Int(book).Int(number));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  return Transfer{row.Id<AccountId>(0), row.Id<AccountId>(1), row.Id<RecordNumber>(2),
                  row.Id<Points>(3),    row.Id<Timestamp>(4), row.Bool(5)};
}

// Two that refer to the same transfer never share a batch.
void ReversalRows::Load(Transaction& transaction, const ledger::Configuration&,
                        const std::vector<Command*>& commands) {
  for (Command* command : commands) {
    auto& reversal = static_cast<ReversalCommand&>(*command);
    if (const auto now = FindTransfer(transaction, command->book, command->refers_to)) {
      reversal.transfer = *now;
    }
  }
}

void ReversalRows::Write(Transaction& transaction, const std::vector<Command*>& commands) {
  for (const Command* command : commands) {
    transaction.Execute(kMarkReversed, Params().Int(command->book).Int(command->refers_to));
  }
}

void MergeRows::Load(Transaction& transaction, const ledger::Configuration& configuration,
                     const std::vector<Command*>& commands) {
  const std::map<AccountId, Facts> facts = ReadFacts(transaction, configuration, commands);
  for (Command* command : commands) {
    auto& merge = static_cast<MergeCommand&>(*command);
    const Facts& source = facts.at(merge.account);
    merge.has_working_card = source.has_working_card;
    merge.spending_locked = source.spending_locked;
    merge.into_member = facts.at(merge.others[0]).enrolled_at != Timestamp();
    merge.both_were_welcomed = source.welcomed && facts.at(merge.others[0]).welcomed;
  }
}

void MergeRows::Write(Transaction& transaction, const std::vector<Command*>& commands) {
  for (const Command* command : commands) {
    const auto& merge = static_cast<const MergeCommand&>(*command);
    const AccountId into = merge.others[0];
    // First, because it locks the members: who gives one of them a card then comes before, so that
    // it goes along, or after, and finds a merged account.
    MergeStanding(transaction, merge.account, into, merge.place.posted_at, merge.actor);
    transaction.Execute(
        kMoveCards,
        Params().Int(ledger::BookOf(into)).Int(into).Int(merge.book).Int(merge.account));
    transaction.Execute(kMoveTransfers, Params().Int(into).Int(merge.account));
    MoveBonuses(transaction, merge.account, into);
    NoteMergedResidence(transaction, merge.account, into);
    transaction.Execute(kClaimMerged, Params().Int(merge.book).Int(merge.account));
    transaction.Execute(kInsertMerge, Params()
                                          .Int(merge.book)
                                          .Int(merge.place.number)
                                          .Int(merge.account)
                                          .Int(into)
                                          .Int(merge.place.posted_at)
                                          .Text(merge.actor)
                                          .Text(merge.note));
  }
}

}  // namespace guilder::member
