// Bonuses as they were given, and what is remembered of who got them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/bonus.h"
#include "services/member/domain/vault.h"

namespace guilder::member {

// The policy in force. Runs in the caller's transaction, as all of these functions.
BonusPolicy ReadBonusPolicy(postgres::Transaction& transaction, ProgrammeId programme);
// Puts a version in force. False where there is one of that number.
bool InsertBonusPolicy(postgres::Transaction& transaction, ProgrammeId programme,
                       const BonusPolicy& policy, Timestamp now, const std::string& set_by);

// Of these marks, those that got a bonus of that kind, with when they got the last.
std::map<Digest, Timestamp> ReadMarks(postgres::Transaction& transaction, BonusKind kind,
                                      const std::vector<Digest>& marks);
void SetMarks(postgres::Transaction& transaction, BonusKind kind, const std::vector<Digest>& marks,
              Timestamp granted_at);

struct GivenBonus {
  BookId record_book;
  RecordNumber number;
  BonusKind kind{};
  AccountId account;
  Points points;
  Timestamp posted_at;
  AccountId other{};
  bool identified = true;
};
void InsertBonuses(postgres::Transaction& transaction, const std::vector<GivenBonus>& bonuses);

// What the account got once holds for these marks, too: who changes the phone number does not get
// it again.
void MarkPerson(postgres::Transaction& transaction, AccountId account,
                const std::vector<Digest>& marks);
// What the one got counts for the other, who goes on.
void MoveBonuses(postgres::Transaction& transaction, AccountId from, AccountId into);

// Gives a birthday's bonus.
class BirthdayCommand : public ledger::Command {
 public:
  std::vector<Digest> marks;
  // Set by BirthdayRows::Load: when account or person got the last one.
  std::optional<Timestamp> last;
  // Set by Decide.
  Points given;
};

// Of BirthdayCommands alone. Thread safe. The vault outlives it.
class BirthdayRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

// Gives both their bonuses: the account is the new member's, the other one the referrer's.
class ReferralCommand : public ledger::Command {
 public:
  BonusPolicy policy;
  // Notes who did it, in the same transaction; may be empty.
  std::function<void(postgres::Transaction&)> note;
  // Set by ReferralRows::Load.
  ReferralFacts facts;
  // Set by Decide.
  RecordNumber referrers_record;
};

// Of ReferralCommands alone. Thread safe.
class ReferralRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& transaction, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

// A member who may have a birthday.
struct BirthdayCandidate {
  AccountId account;
  Timestamp enrolled_at;
  SealedProfile sealed;
};
// Open accounts of members after one of them, in the order of books and accounts.
std::vector<BirthdayCandidate> ReadCandidates(postgres::Transaction& transaction, AccountId after,
                                              int limit);

}  // namespace guilder::member
