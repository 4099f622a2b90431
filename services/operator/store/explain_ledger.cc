// Explains transactions of the money ledger and what they were posted for by a name of its own:
// blocks of points, write-offs, files of payments; and who did it.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kReadTransaction{"explain.money_transaction", R"sql(
  select kind, currency, reference, posted_by, posted_at_us,
         (select count(*) from settlement.money_entries e where e.number = t.number)
    from settlement.money_transactions t
   where number = $1
)sql"};

constexpr Statement kReadTransactionEntries{"explain.money_entries", R"sql(
  select e.line, e.cause, e.debit_account, coalesce(d.slug, ''), e.credit_account,
         coalesce(c.slug, ''), e.amount
    from settlement.money_entries e
    left join partner.partners d on d.partner_id = e.debit_partner
    left join partner.partners c on c.partner_id = e.credit_partner
   where e.number = $1
   order by e.line
   limit $2
)sql"};

constexpr Statement kReadPointBlock{"explain.point_block", R"sql(
  select b.points, b.bought_at_us, b.sold_by, coalesce(c.number, 0)
    from partner.point_blocks b
    join partner.partners p using (partner_id)
    left join partner.contracts c using (contract_id)
   where p.slug = $1
     and b.number = $2
)sql"};

// Those that a settlement bills under a contract version: sold in its windows.
constexpr Statement kReadBlocksOf{"explain.point_blocks_of", R"sql(
  select p.slug, b.number
    from settlement.settlements s
    join partner.point_blocks b on b.bought_at_us >= s.start_us and b.bought_at_us < s.end_us
    join partner.partners p using (partner_id)
   where s.settlement_id = $1
     and b.contract_id = $2
   order by b.number
)sql"};

constexpr Statement kReadWriteOff{"explain.named_write_off", R"sql(
  select w.amount, w.note, w.proposed_by, w.approved_by, p.slug
    from settlement.write_offs w
    join partner.partners p using (partner_id)
   where w.settlement_id = $1
     and w.partner_id = $2
)sql"};

constexpr Statement kReadPaymentFile{"explain.payment_file", R"sql(
  select file_name, payments, total
    from settlement.payment_files
   where settlement_id = $1
     and number = $2
)sql"};

constexpr Statement kReadOperator{"explain.operator", R"sql(
  select display_name, array_to_string(roles, ', '), created_at_us, disabled_at_us
    from operator.operators
   where operator_id = $1
)sql"};

// "PARTNER_RECEIVABLE of partners/grocer".
std::string AccountText(std::string_view account, std::string_view partner) {
  return partner.empty() ? std::string(account)
                         : absl::StrCat(ToAbsl(account), " of partners/", ToAbsl(partner));
}

}  // namespace

bool ExplainMoneyTransaction(Walk& walk, int depth, int64_t number, std::string* reference) {
  const Rows rows = walk.Execute(kReadTransaction, Params().Int(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const std::string currency(row.Text(1));
  walk.Add(depth, absl::StrCat("moneyTransactions/", number), "money transaction",
           absl::StrCat(ToAbsl(row.Text(0)), " for ", ToAbsl(row.Text(2)), ", posted by ",
                        ToAbsl(row.Text(3)), " at ", FormatTimestamp(row.Id<Timestamp>(4))));
  for (const Row& entry : walk.Execute(kReadTransactionEntries, Params().Int(number).Int(kShown))) {
    walk.Add(depth + 1, "", "money entry",
             absl::StrCat(walk.MoneyIn(currency, entry.Int(6)), " from ",
                          AccountText(entry.Text(4), entry.Text(5)), " to ",
                          AccountText(entry.Text(2), entry.Text(3)), ": ", ToAbsl(entry.Text(1))));
  }
  walk.AddMore(depth + 1, "money entry", row.Int(5), kShown);
  *reference = row.Text(2);
  return true;
}

bool ExplainPointBlock(Walk& walk, int depth, const std::string& partner, int64_t number) {
  const Rows rows = walk.Execute(kReadPointBlock, Params().Text(partner).Int(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("partners/", partner, "/pointBlocks/", number), "point block",
           absl::StrCat(PointsText(row.Int(0)), " sold to partners/", partner, " by ",
                        ToAbsl(row.Text(2)), " at ", FormatTimestamp(row.Id<Timestamp>(1))));
  if (row.Int(3) != 0) ExplainContract(walk, depth + 1, partner, static_cast<int>(row.Int(3)));
  return true;
}

void ExplainPointBlocksOf(Walk& walk, int depth, int64_t settlement, ContractId contract) {
  const Rows rows = walk.Execute(kReadBlocksOf, Params().Int(settlement).Int(contract));
  for (int i = 0; i < rows.size() && i < kShown; ++i) {
    ExplainPointBlock(walk, depth, std::string(rows[i].Text(0)), rows[i].Int(1));
  }
  walk.AddMore(depth, "point block", rows.size(), kShown);
}

bool ExplainWriteOff(Walk& walk, int depth, int64_t settlement, int64_t partner) {
  const Rows rows = walk.Execute(kReadWriteOff, Params().Int(settlement).Int(partner));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("settlements/", settlement, "/writeOffs/", partner), "write-off",
           absl::StrCat(walk.MoneyOf(settlement, row.Int(0)), ", \"", ToAbsl(row.Text(1)),
                        "\", proposed by ", ToAbsl(row.Text(2)),
                        row.Text(3).empty() ? ", not approved"
                                            : absl::StrCat(", approved by ", ToAbsl(row.Text(3)))));
  ExplainObligation(walk, depth + 1, settlement, std::string(row.Text(4)));
  return true;
}

bool ExplainPaymentFile(Walk& walk, int depth, const std::string& message_id) {
  // "GLD-2" is the first file of settlement 2, "GLD-2.3" its third.
  constexpr std::string_view kPrefix = "GLD-";
  if (message_id.compare(0, kPrefix.size(), kPrefix) != 0) return false;
  // Before the dot there was a hyphen.
  const size_t dot = message_id.find_first_of(".-", kPrefix.size());
  const auto settlement =
      ParseInt(std::string_view(message_id)
                   .substr(kPrefix.size(), dot == std::string::npos ? dot : dot - kPrefix.size()));
  const auto number = dot == std::string::npos
                          ? std::optional<int64_t>(1)
                          : ParseInt(std::string_view(message_id).substr(dot + 1));
  if (!settlement || !number || *settlement > INT32_MAX || *number > INT32_MAX) return false;
  const Rows rows = walk.Execute(kReadPaymentFile, Params().Int(*settlement).Int(*number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, message_id, "payment file",
           absl::StrCat(ToAbsl(row.Text(0)), ": ", row.Int(1), " payments, ",
                        walk.MoneyOf(*settlement, row.Int(2)), " in all"));
  ExplainSettlement(walk, depth + 1, *settlement);
  return true;
}

bool ExplainOperator(Walk& walk, int depth, const std::string& id) {
  const Rows rows = walk.Execute(kReadOperator, Params().Text(id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text = absl::StrCat(ToAbsl(row.Text(0)), ", may act as ", ToAbsl(row.Text(1)),
                                  ", since ", FormatTimestamp(row.Id<Timestamp>(2)));
  if (!row.IsNull(3)) {
    absl::StrAppend(&text, ", disabled at ", FormatTimestamp(row.Id<Timestamp>(3)));
  }
  walk.Add(depth, absl::StrCat("operators/", id), "operator", std::move(text));
  return true;
}

}  // namespace guilder::operator_
