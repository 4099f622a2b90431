// Writes the rows of new members in the transaction that opens their accounts.
#pragma once

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/profile.h"
#include "services/member/domain/vault.h"
#include "services/member/store/cards.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::member {

// A command that enrols a member. Decide sets `opened`, and refuses where `Existing` is somebody.
class EnrolmentCommand : public ledger::Command {
 public:
  Profile profile;
  // Numbers that were given may be somebody's; those that were made are not.
  std::vector<CardNumber> cards;
  bool cards_given = false;
  // The card was handed out: it is of a batch, and may have an account, which is then the
  // command's.
  bool handed_out = false;
  // Who is new gets a welcome. Without it nothing of that is looked for, or remembered.
  bool welcomes = false;
  // Who enrols, for the card's history; empty for a till.
  std::string actor;
  AccountId opened;

  // Whose phone number it is: a member's, or that of a command before it in the same batch.
  AccountId Existing() const {
    if (taken_by) return taken_by;
    for (const EnrolmentCommand* other = twin; other != nullptr; other = other->twin) {
      if (other->accepted) return other->opened;
    }
    return AccountId();
  }
  // Whether one of the cards is somebody's: in the database, or by a command before it in the
  // batch.
  bool IsCardTaken() const {
    return card_taken || std::any_of(card_twins.begin(), card_twins.end(),
                                     [](const EnrolmentCommand* other) { return other->accepted; });
  }
  void OnAccepted() override { accepted = true; }
  // Whether the person was welcomed before: by the phone number or, where none is given, the e-mail
  // address. Somebody without either cannot be told from others.
  bool WasWelcomed() const {
    const EnrolmentCommand* other = email_twin;
    while (other != nullptr && !other->accepted) other = other->email_twin;
    return welcomed_before || other != nullptr;
  }
  bool is_identified() const { return !profile.phone.empty() || !profile.email.empty(); }
  // Set by Decide.
  Points welcome;

  // Set by EnrolmentRows::Load.
  int64_t epoch = 0;
  AccountId taken_by;
  bool card_taken = false;
  // Those before it in the batch that ask for one of its cards.
  std::vector<const EnrolmentCommand*> card_twins;
  HandedOutCard found;
  bool welcomed_before = false;
  // The last one before it in the batch with the same address, or phone number.
  const EnrolmentCommand* email_twin = nullptr;
  const EnrolmentCommand* twin = nullptr;
  bool accepted = false;
  // Set by EnrolmentRows::Take.
  SealedProfile sealed;
  ContactIndexes indexes;
};

// Of EnrolmentCommands alone. Thread safe. The vault outlives it.
class EnrolmentRows final : public ledger::RowStore {
 public:
  explicit EnrolmentRows(const Vault& vault) : vault_(vault) {}
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  absl::Status Take(postgres::Transaction& transaction,
                    const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;

 private:
  void LoadWelcomes(postgres::Transaction& transaction,
                    const std::vector<ledger::Command*>& commands) const;
  void WriteWelcomes(postgres::Transaction& transaction,
                     const std::vector<const EnrolmentCommand*>& rows) const;

  const Vault& vault_;
};

// Serials of cards, drawn from their sequence some at a time. What a stopping process had drawn is
// never used. Thread safe.
class CardSerials {
 public:
  // The pool outlives it.
  explicit CardSerials(postgres::Pool& pool) : pool_(pool) {}

  // Never blocks; nothing when the next ones have to be drawn.
  std::optional<int64_t> TryTake();
  // Errors: kQueueFull, kStoreUnavailable.
  absl::StatusOr<int64_t> Take(absl::Time deadline);

 private:
  postgres::Pool& pool_;
  std::mutex mutex_;
  std::deque<int64_t> drawn_;  // guarded by mutex_
};

}  // namespace guilder::member
