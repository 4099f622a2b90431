#include "services/operator/store/explain.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/currency.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

constexpr postgres::Statement kReadCurrencyOf{"explain.currency_of", R"sql(
  select currency from settlement.settlements where settlement_id = $1
)sql"};

constexpr postgres::Statement kReadCurrency{"explain.currency", R"sql(
  select currency, currency_exponent from ledger.programmes order by programme_id limit 1
)sql"};

// "3-1042" → 3, 1042; any count of positive numbers.
std::optional<std::vector<int64_t>> ParseNumbers(const std::string& text, size_t count) {
  std::vector<int64_t> numbers;
  for (const absl::string_view part : absl::StrSplit(text, '-')) {
    const std::optional<int64_t> number = ParseInt(std::string_view(part.data(), part.size()));
    if (!number || *number <= 0) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.size() != count) return std::nullopt;
  return numbers;
}

BookId ToBook(int64_t number) {
  return BookId(static_cast<int32_t>(std::min<int64_t>(number, 65'536)));
}

bool ExplainName(Walk& walk, int depth, const std::string& name);

bool ExplainParked(Walk& walk, int depth, const std::string& id) {
  const size_t dash = id.find('-');
  if (dash == std::string::npos) return false;
  const std::optional<int64_t> partner = ParseInt(id.substr(0, dash));
  const std::optional<Uuid> request = ParseUuid(id.substr(dash + 1));
  if (!partner || *partner <= 0 || *partner > INT32_MAX || !request) return false;
  std::string refers_to;
  if (!ExplainParkedItem(walk, depth, PartnerId(static_cast<int32_t>(*partner)), *request,
                         &refers_to)) {
    return false;
  }
  // What it names may be nothing that exists: that is why it is parked.
  ExplainName(walk, depth + 1, refers_to);
  return true;
}

bool ExplainNumbered(Walk& walk, int depth, const std::string& collection, const std::string& id) {
  if (collection == "purchases" || collection == "returns" || collection == "redemptions" ||
      collection == "orders" || collection == "vouchers" || collection == "voucherUses" ||
      collection == "transfers" || collection == "merges" || collection == "adjustments" ||
      collection == "records") {
    if (const auto numbers = ParseNumbers(id, 2)) {
      const BookId book = ToBook((*numbers)[0]);
      const RecordNumber number((*numbers)[1]);
      if (!ExplainRecord(walk, depth, book, number)) return false;
      ExplainGift(walk, depth + 1, book, number);
      return true;
    }
    // Adjustments of points have a book; those of settlements are numbered alone.
    if (collection != "adjustments") return false;
  }
  if (collection == "lots") {
    const auto numbers = ParseNumbers(id, 2);
    return numbers && ExplainLot(walk, depth, ToBook((*numbers)[0]), LotId((*numbers)[1]));
  }
  if (collection == "entries") {
    const auto numbers = ParseNumbers(id, 3);
    return numbers && (*numbers)[2] <= INT16_MAX &&
           ExplainEntry(walk, depth, ToBook((*numbers)[0]), RecordNumber((*numbers)[1]),
                        static_cast<int>((*numbers)[2]));
  }
  const auto numbers = ParseNumbers(id, 1);
  if (!numbers) return false;
  const int64_t number = (*numbers)[0];
  if (collection == "cards") return ExplainCard(walk, depth, number);
  if (collection == "members") return ExplainMember(walk, depth, AccountId(number));
  if (collection == "bankEntries") return ExplainBankEntry(walk, depth, number);
  if (collection == "bankFiles") return ExplainBankFile(walk, depth, number);
  if (collection == "reconciliations") return ExplainReconciliation(walk, depth, number);
  if (collection == "adjustments") return ExplainAdjustment(walk, depth, number);
  if (collection == "disputes") return ExplainDispute(walk, depth, number);
  if (collection == "moneyTransactions") {
    std::string reference;
    if (!ExplainMoneyTransaction(walk, depth, number, &reference)) return false;
    ExplainName(walk, depth + 1, reference);
    return true;
  }
  if (collection == "breaks") {
    std::string subject, fix;
    if (!ExplainBreak(walk, depth, number, &subject, &fix)) return false;
    // A receipt or a total is no name.
    ExplainName(walk, depth + 1, subject);
    ExplainName(walk, depth + 1, fix);
    return true;
  }
  if (number > INT32_MAX) return false;
  if (collection == "settlements") return ExplainSettlement(walk, depth, number);
  if (collection == "ruleSets") return ExplainRuleSet(walk, depth, number);
  return false;
}

// "settlements/1/lines/2", "settlements/1/obligations/fresh", "settlements/1/writeOffs/3",
// "partners/fresh/contracts/2", "partners/fresh/pointBlocks/1", "partners/fresh/stores/harbour".
bool ExplainPart(Walk& walk, int depth, const std::vector<std::string>& parts) {
  const std::string& collection = parts[0];
  if (collection == "partners" && parts[2] == "contracts") {
    const auto number = ParseNumbers(parts[3], 1);
    return number && (*number)[0] <= INT32_MAX &&
           ExplainContract(walk, depth, parts[1], static_cast<int>((*number)[0]));
  }
  if (collection == "partners" && parts[2] == "pointBlocks") {
    const auto number = ParseNumbers(parts[3], 1);
    return number && (*number)[0] <= INT32_MAX &&
           ExplainPointBlock(walk, depth, parts[1], (*number)[0]);
  }
  if (collection == "partners" && parts[2] == "stores") {
    return ExplainStore(walk, depth, parts[1], parts[3]);
  }
  const auto settlement = ParseNumbers(parts[1], 1);
  if (collection != "settlements" || !settlement || (*settlement)[0] > INT32_MAX) return false;
  if (parts[2] == "obligations") return ExplainObligation(walk, depth, (*settlement)[0], parts[3]);
  const auto part = ParseNumbers(parts[3], 1);
  if (!part || (*part)[0] > INT32_MAX) return false;
  if (parts[2] == "writeOffs") return ExplainWriteOff(walk, depth, (*settlement)[0], (*part)[0]);
  return parts[2] == "lines" && ExplainLine(walk, depth, (*settlement)[0], (*part)[0]);
}

bool ExplainName(Walk& walk, int depth, const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() == 1) {
    // An end-to-end id, the message id of a file, or an invoice's number as it stands on paper.
    return !name.empty() &&
           (ExplainPayment(walk, depth, name) || ExplainPaymentFile(walk, depth, name) ||
            ExplainInvoice(walk, depth, name));
  }
  if (parts.size() == 4) return ExplainPart(walk, depth, parts);
  if (parts.size() != 2) return false;
  if (parts[0] == "parkedItems") return ExplainParked(walk, depth, parts[1]);
  if (parts[0] == "operators") return ExplainOperator(walk, depth, parts[1]);
  if (parts[0] == "invoices") return ExplainInvoice(walk, depth, parts[1]);
  if (parts[0] == "partners") return ExplainPartner(walk, depth, parts[1]);
  if (parts[0] == "rewards") return ExplainReward(walk, depth, parts[1]);
  if (parts[0] == "windows") return ExplainWindow(walk, depth, parts[1]);
  return ExplainNumbered(walk, depth, parts[0], parts[1]);
}

}  // namespace

void Walk::AddMore(int depth, const std::string& kind, int64_t all, int64_t shown) {
  if (all > shown) Add(depth, "", kind, absl::StrCat("and ", all - shown, " more"));
}

void Walk::ReadProgramme() {
  if (!currency_.empty()) return;
  const postgres::Rows rows = Execute(kReadCurrency, {});
  if (rows.empty()) return;
  currency_ = rows[0].Text(0);
  exponent_ = static_cast<int>(rows[0].Int(1));
}

std::string Walk::Money(int64_t minor_units) {
  ReadProgramme();
  return MoneyIn(currency_, minor_units);
}

std::string Walk::MoneyIn(const std::string& currency, int64_t minor_units) {
  ReadProgramme();
  const int exponent = currency == currency_ ? exponent_ : CurrencyExponent(currency);
  return absl::StrCat(FormatAmount(MinorUnits(minor_units), exponent), " ", currency);
}

std::string Walk::MoneyOf(int64_t settlement, int64_t minor_units) {
  std::string& currency = currencies_[settlement];
  if (currency.empty()) {
    const postgres::Rows rows = Execute(kReadCurrencyOf, postgres::Params().Int(settlement));
    if (rows.empty()) return Money(minor_units);
    currency = rows[0].Text(0);
  }
  return MoneyIn(currency, minor_units);
}

std::string PointsText(int64_t points) {
  return absl::StrCat(points, points == 1 ? " point" : " points");
}

std::string ByPartner(std::string_view slug) {
  return slug.empty() ? std::string() : absl::StrCat(" by partners/", ToAbsl(slug));
}

absl::StatusOr<std::vector<Step>> Explain(postgres::Transaction& transaction,
                                          const std::string& name) {
  // No byte that PostgreSQL would refuse gets into a parameter.
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  Walk walk(transaction);
  if (name.size() > 200 || !printable || !ExplainName(walk, 0, name)) {
    return Refuse(Reason::kNameNotFound);
  }
  return std::move(walk).Take();
}

}  // namespace guilder::operator_
