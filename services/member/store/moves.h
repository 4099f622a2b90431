// What commands that move members' points read and write besides the ledger, in its transaction.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/transfer.h"

namespace guilder::member {

// Whether there is such an account.
bool AccountExists(postgres::Transaction& transaction, AccountId account);

// What an account gave and got in this calendar year.
struct YearOfMoves {
  Points sent;
  Points received;
};

// Gives points of `account` to the other one. Decide sets what it left.
class TransferCommand : public ledger::Command {
 public:
  TransferPolicy policy;
  Points points;

  // What Load found, shared by the commands of a batch.
  TransferFacts facts;
  std::shared_ptr<std::map<AccountId, YearOfMoves>> years;

  // What was decided.
  Points fee;
  RecordNumber received_by;

  TransferFacts Facts() const;
  void OnAccepted() override;
};

// Of TransferCommands alone. Thread safe.
class TransferRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

// A transfer as it was made.
struct Transfer {
  AccountId from;
  AccountId to;
  RecordNumber received_by;  // None once one of the accounts was merged.
  Points points;
  Timestamp posted_at;
  bool reversed = false;
};

std::optional<Transfer> FindTransfer(postgres::Transaction& transaction, BookId book,
                                     RecordNumber number);

// Reverses the transfer that it refers to.
class ReversalCommand : public ledger::Command {
 public:
  TransferPolicy policy;
  Transfer transfer;
};

// Of ReversalCommands alone. Thread safe.
class ReversalRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

// Merges `account` into the other one.
class MergeCommand : public ledger::Command {
 public:
  std::string actor;
  std::string note;

  // What Load found: whether a card of the source works and its spending is locked, whether the
  // other one is somebody's, and whether both were welcomed.
  bool has_working_card = false;
  bool spending_locked = false;
  bool into_member = false;
  bool both_were_welcomed = false;
};

// Of MergeCommands alone: cards follow. Thread safe.
class MergeRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

}  // namespace guilder::member
