// What the parts of an explanation share. For services/operator/store/explain*.cc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"
#include "services/operator/domain/explanation.h"

namespace guilder::operator_ {

// How many entries, positions or lots of one thing are shown.
inline constexpr int kShown = 20;

class Walk {
 public:
  explicit Walk(postgres::Transaction& transaction) : transaction_(transaction) {}

  postgres::Rows Execute(const postgres::Statement& statement, const postgres::Params& params) {
    return transaction_.Execute(statement, params);
  }
  void Add(int depth, std::string name, std::string kind, std::string text) {
    steps_.push_back({depth, std::move(name), std::move(kind), std::move(text)});
  }
  // "and 12 more"; nothing when all were shown.
  void AddMore(int depth, const std::string& kind, int64_t all, int64_t shown);

  // "12.34 EUR" in the programme's currency.
  std::string Money(int64_t minor_units);
  // In that currency, and in a settlement's.
  std::string MoneyIn(const std::string& currency, int64_t minor_units);
  std::string MoneyOf(int64_t settlement, int64_t minor_units);

  std::vector<Step> Take() && { return std::move(steps_); }

 private:
  postgres::Transaction& transaction_;
  std::vector<Step> steps_;
  void ReadProgramme();

  std::string currency_;  // Read when it is first needed.
  int exponent_ = 2;
  std::map<int64_t, std::string> currencies_;  // By settlement; the same.
};

// Points in words: "1 point", "20 points".
std::string PointsText(int64_t points);
// "of partners/fresh", or nothing.
std::string ByPartner(std::string_view slug);

// Each explains what has that name, at that depth, and says whether there is such a thing.

// explain_points.cc
bool ExplainRecord(Walk& walk, int depth, BookId book, RecordNumber number);
bool ExplainEntry(Walk& walk, int depth, BookId book, RecordNumber number, int line);
bool ExplainLot(Walk& walk, int depth, BookId book, LotId lot);
bool ExplainMember(Walk& walk, int depth, AccountId account);
bool ExplainContract(Walk& walk, int depth, const std::string& partner, int number);
bool ExplainRuleSet(Walk& walk, int depth, int64_t id);
// The name of the record that an item refers to is left to the caller.
bool ExplainParkedItem(Walk& walk, int depth, PartnerId partner, const Uuid& request_id,
                       std::string* refers_to);

// The entries of a contract that a settlement's leg bills, posted in [from, until): `limit` of
// them, with the record of each and where that comes from. Gives how many.
int ExplainBilledEntries(Walk& walk, int depth, ContractId contract, bool at_activation,
                         Timestamp from, Timestamp until, int limit);

// explain_money.cc
bool ExplainPayment(Walk& walk, int depth, const std::string& end_to_end_id);
bool ExplainObligation(Walk& walk, int depth, int64_t settlement, const std::string& partner);
bool ExplainInvoice(Walk& walk, int depth, const std::string& number);
bool ExplainSettlement(Walk& walk, int depth, int64_t settlement);
bool ExplainLine(Walk& walk, int depth, int64_t settlement, int64_t line);
bool ExplainWindow(Walk& walk, int depth, const std::string& start_in_utc);

// explain_evidence.cc
// What paid an obligation, or was to: bank entries, allocations, a write-off.
void ExplainPaymentsOf(Walk& walk, int depth, int64_t settlement, int64_t partner);
bool ExplainBankEntry(Walk& walk, int depth, int64_t entry);
bool ExplainBankFile(Walk& walk, int depth, int64_t file);
bool ExplainReconciliation(Walk& walk, int depth, int64_t reconciliation);
// What it is about and what puts it right are left to the caller.
bool ExplainBreak(Walk& walk, int depth, int64_t id, std::string* subject, std::string* fix);
bool ExplainAdjustment(Walk& walk, int depth, int64_t id);
bool ExplainDispute(Walk& walk, int depth, int64_t id);
bool ExplainCreditNote(Walk& walk, int depth, const std::string& number);

// explain_ledger.cc
// What it was posted for is left to the caller.
bool ExplainMoneyTransaction(Walk& walk, int depth, int64_t number, std::string* reference);
bool ExplainPointBlock(Walk& walk, int depth, const std::string& partner, int64_t number);
// Those that a settlement bills under a contract version.
void ExplainPointBlocksOf(Walk& walk, int depth, int64_t settlement, ContractId contract);
// `partner` is its number.
bool ExplainWriteOff(Walk& walk, int depth, int64_t settlement, int64_t partner);
bool ExplainPaymentFile(Walk& walk, int depth, const std::string& message_id);
bool ExplainOperator(Walk& walk, int depth, const std::string& id);

// explain_names.cc
bool ExplainPartner(Walk& walk, int depth, const std::string& slug);
bool ExplainStore(Walk& walk, int depth, const std::string& partner, const std::string& store);
bool ExplainCard(Walk& walk, int depth, int64_t number);
bool ExplainReward(Walk& walk, int depth, const std::string& slug);
// What an order or a voucher, by the record that made it, is of; nothing for other records.
void ExplainGift(Walk& walk, int depth, BookId book, RecordNumber number);

}  // namespace guilder::operator_
