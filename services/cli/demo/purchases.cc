#include "services/cli/demo/purchases.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/rows.h"
#include "services/cli/demo/sales.h"

namespace guilder::cli::demo {
namespace {

constexpr char kWebStore[] = "web";
constexpr char kWebTerminal[] = "shop";
constexpr char kWebCategory[] = "giftware";

// FNV-1a: stable over machines and library versions, unlike std::hash.
uint32_t StableHash(std::string_view text) {
  uint32_t hash = 2'166'136'261;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16'777'619;
  return hash;
}

// A receipt as one till saw it, before refused lines are set apart and long ones are cut.
struct Draft {
  Receipt head;  // Without lines.
  absl::CivilSecond at;
  std::vector<ReceiptLine> good;
  std::vector<ReceiptLine> bad;  // Quantity or amount not above zero.
};

// Where a good line of a draft ended up.
struct Placed {
  size_t receipt;
  std::string line_id;
};

class Builder {
 public:
  explicit Builder(const PurchaseOptions& options) : options_(options) {
    stores_.resize(DemoPartners().size());
  }

  void AddCompleteJourney(const JourneyRows& rows);
  void AddOnlineRetail(const std::vector<Invoice>& invoices);
  TillWork Finish() &&;

 private:
  size_t Member(const std::string& key);
  std::string MemberOfCustomer(const std::string& customer) const;
  Timestamp Instant(absl::CivilSecond local) const {
    return FromAbslTime(absl::FromCivil(local, options_.zone));
  }
  int64_t ShiftDays(absl::CivilDay last) const { return options_.today - 1 - last; }
  std::vector<Placed> AddReceipts(Draft draft);
  void AddReceipt(Receipt head, absl::CivilSecond at, std::vector<ReceiptLine> lines,
                  const std::string& suffix);
  void AddSale(const Invoice& invoice, int64_t shift_days);
  void AddCancellation(const Invoice& invoice, int64_t shift_days);
  void SortByTime();

  const PurchaseOptions& options_;
  TillWork work_;
  std::vector<std::string> households_;  // Sorted by number.
  std::map<std::string, size_t> members_;
  std::vector<std::set<std::string>> stores_;
  OpenSales open_sales_;
};

size_t Builder::Member(const std::string& key) {
  const auto [found, is_new] = members_.try_emplace(key, work_.members.size());
  if (is_new) work_.members.push_back(key);
  return found->second;
}

// A third of the customers are households that shop in town as well.
std::string Builder::MemberOfCustomer(const std::string& customer) const {
  const uint32_t hash = StableHash(customer);
  if (hash % 3 == 0 && !households_.empty()) {
    return "household-" + households_[hash / 3 % households_.size()];
  }
  return "customer-" + customer;
}

void Builder::AddReceipt(Receipt head, absl::CivilSecond at, std::vector<ReceiptLine> lines,
                         const std::string& suffix) {
  head.number += suffix;
  head.occurred_at = Instant(at);
  head.business_date = absl::FormatCivilTime(absl::CivilDay(at));
  head.lines = std::move(lines);
  for (size_t i = 0; i < head.lines.size(); ++i) head.lines[i].line_id = absl::StrCat(i + 1);
  const auto count = static_cast<int64_t>(head.lines.size());
  switch (head.expected) {
    case Expected::kRecorded:
      work_.counts.recorded_lines += count;
      for (const ReceiptLine& line : head.lines) {
        work_.counts.not_goods_lines += line.category == kNotGoodsCategory;
      }
      break;
    case Expected::kCardMissing:
      work_.counts.card_missing_lines += count;
      break;
    case Expected::kAmountOutOfRange:
      work_.counts.amount_out_of_range_lines += count;
      break;
  }
  stores_[head.partner].insert(head.store);
  work_.receipts.push_back(std::move(head));
}

// Refused lines go into receipts of their own, so that the good ones are not lost with them.
std::vector<Placed> Builder::AddReceipts(Draft draft) {
  std::vector<Placed> placed;
  const auto add = [&](std::vector<ReceiptLine>& lines, Expected expected,
                       const std::string& suffix) {
    for (size_t from = 0; from < lines.size(); from += kMaxLinesPerReceipt) {
      const size_t to = std::min(from + kMaxLinesPerReceipt, lines.size());
      draft.head.expected = expected;
      AddReceipt(draft.head, draft.at,
                 {std::make_move_iterator(lines.begin() + from),
                  std::make_move_iterator(lines.begin() + to)},
                 from == 0 ? suffix : absl::StrCat(suffix, "-", from / kMaxLinesPerReceipt + 1));
      if (expected == Expected::kAmountOutOfRange) continue;
      for (size_t i = from; i < to; ++i) {
        placed.push_back({work_.receipts.size() - 1, absl::StrCat(i - from + 1)});
      }
    }
  };
  add(draft.good, draft.head.member ? Expected::kRecorded : Expected::kCardMissing, "");
  add(draft.bad, Expected::kAmountOutOfRange, "-x");
  return placed;
}

void Builder::AddCompleteJourney(const JourneyRows& rows) {
  work_.counts.lines_read += rows.lines_read;
  work_.counts.exact_duplicates += rows.exact_duplicates;
  households_ = rows.households;
  const int64_t shift_days = ShiftDays(rows.last_day);
  for (const JourneyBasket& basket : rows.baskets) {
    Draft draft;
    draft.at = basket.at + shift_days * 86'400;
    draft.head.partner = basket.partner;
    const uint32_t branch = StableHash(basket.store) % static_cast<uint32_t>(options_.branches);
    draft.head.store = absl::StrCat("branch-", branch + 1);
    draft.head.terminal = absl::StrCat(
        "till-", StableHash(basket.basket) % static_cast<uint32_t>(options_.terminals) + 1);
    draft.head.number = basket.basket;
    draft.head.member = Member("household-" + basket.household);
    for (const JourneyLine& line : basket.lines) {
      const bool is_good = line.quantity > 0 && line.amount > MinorUnits(0);
      (is_good ? draft.good : draft.bad)
          .push_back({"", line.product, line.quantity, line.amount, line.category});
    }
    AddReceipts(std::move(draft));
  }
}

void Builder::AddSale(const Invoice& invoice, int64_t shift_days) {
  Draft draft;
  draft.at = invoice.at + shift_days * 86'400;
  draft.head.partner = WebShopPartner();
  draft.head.store = kWebStore;
  draft.head.terminal = kWebTerminal;
  draft.head.number = invoice.number;
  draft.head.is_order = true;
  if (!invoice.customer.empty()) draft.head.member = Member(MemberOfCustomer(invoice.customer));
  std::vector<const InvoiceRow*> good_rows;
  for (const InvoiceRow& row : invoice.rows) {
    const MinorUnits amount = AmountOfRow(row);
    const bool is_good = row.quantity > 0 && amount > MinorUnits(0);
    ReceiptLine line{"", row.code, row.quantity, amount,
                     IsNotGoods(row.code) ? kNotGoodsCategory : kWebCategory};
    (is_good ? draft.good : draft.bad).push_back(std::move(line));
    if (is_good) good_rows.push_back(&row);
  }
  const std::vector<Placed> placed = AddReceipts(std::move(draft));
  if (invoice.customer.empty()) return;
  for (size_t i = 0; i < good_rows.size(); ++i) {
    const InvoiceRow& row = *good_rows[i];
    if (IsNotGoods(row.code)) continue;
    open_sales_.Add({invoice.customer, row.code, row.price},
                    {placed[i].receipt, placed[i].line_id, row.quantity});
  }
}

void Builder::AddCancellation(const Invoice& invoice, int64_t shift_days) {
  Return head;
  head.partner = WebShopPartner();
  head.store = kWebStore;
  head.number = invoice.number;
  head.occurred_at = Instant(invoice.at + shift_days * 86'400);
  if (!invoice.customer.empty()) head.member = Member(MemberOfCustomer(invoice.customer));
  stores_[head.partner].insert(head.store);

  std::vector<Return>
      parts;  // One for each receipt, in the order of finding; then what found none.
  std::vector<ReturnLine> unmatched;
  for (const InvoiceRow& row : invoice.rows) {
    ++work_.counts.cancellation_lines;
    if (IsNotGoods(row.code)) {
      ++work_.counts.cancelled_not_goods;
      continue;
    }
    int64_t left = row.quantity < 0 ? -row.quantity : row.quantity;
    const std::vector<SoldLine> found =
        invoice.customer.empty() ? std::vector<SoldLine>{}
                                 : open_sales_.Take({invoice.customer, row.code, row.price}, left);
    for (const SoldLine& sold : found) {
      left -= sold.quantity;
      auto part = std::find_if(parts.begin(), parts.end(), [&](const Return& candidate) {
        return candidate.receipt == sold.receipt;
      });
      if (part == parts.end()) {
        parts.push_back(head);
        part = parts.end() - 1;
        part->receipt = sold.receipt;
      }
      const auto same = std::find_if(part->lines.begin(), part->lines.end(), [&](const auto& line) {
        return line.line_id == sold.line_id;
      });
      if (same == part->lines.end()) {
        part->lines.push_back({sold.line_id, row.code, sold.quantity});
      } else {
        same->quantity += sold.quantity;
      }
    }
    work_.counts.matched_cancellations += !found.empty();
    work_.counts.parked_cancellations += left > 0;
    if (left > 0) unmatched.push_back({"", row.code, left});
  }
  for (size_t from = 0; from < unmatched.size(); from += kMaxLinesPerReceipt) {
    const size_t to = std::min(from + kMaxLinesPerReceipt, unmatched.size());
    parts.push_back(head);
    parts.back().lines.assign(unmatched.begin() + from, unmatched.begin() + to);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts.size() > 1) absl::StrAppend(&parts[i].number, "-", i + 1);
    work_.returns.push_back(std::move(parts[i]));
  }
}

void Builder::AddOnlineRetail(const std::vector<Invoice>& invoices) {
  if (invoices.empty()) return;
  // The invoices come in the order of time, so every earlier sale is open when a cancellation
  // comes.
  const int64_t shift_days = ShiftDays(absl::CivilDay(invoices.back().at));
  for (const Invoice& invoice : invoices) {
    work_.counts.lines_read += static_cast<int64_t>(invoice.rows.size());
    work_.counts.exact_duplicates += invoice.exact_duplicates;
    if (absl::StartsWith(invoice.number, "C")) {
      AddCancellation(invoice, shift_days);
    } else {
      AddSale(invoice, shift_days);
    }
  }
}

void Builder::SortByTime() {
  std::vector<size_t> order(work_.receipts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Receipt& left = work_.receipts[a];
    const Receipt& right = work_.receipts[b];
    return std::tie(left.occurred_at, left.partner, left.number, a) <
           std::tie(right.occurred_at, right.partner, right.number, b);
  });
  std::vector<Receipt> sorted;
  sorted.reserve(order.size());
  std::vector<size_t> place(order.size());
  for (const size_t from : order) {
    place[from] = sorted.size();
    sorted.push_back(std::move(work_.receipts[from]));
  }
  work_.receipts = std::move(sorted);
  for (Return& one : work_.returns) {
    if (one.receipt) one.receipt = place[*one.receipt];
  }
  std::stable_sort(work_.returns.begin(), work_.returns.end(), [](const auto& a, const auto& b) {
    return std::tie(a.occurred_at, a.number) < std::tie(b.occurred_at, b.number);
  });
}

TillWork Builder::Finish() && {
  SortByTime();
  for (const auto& of_partner : stores_) {
    work_.stores.emplace_back(of_partner.begin(), of_partner.end());
  }
  return std::move(work_);
}

}  // namespace

PurchaseFiles ShippedFiles(const std::string& data_directory) {
  return {data_directory + "/completejourney_transactions.csv.xz",
          data_directory + "/completejourney_products.csv.xz",
          data_directory + "/online_retail.csv.xz"};
}

absl::StatusOr<TillWork> BuildPurchases(std::string transactions, std::string products,
                                        std::string online_retail, const PurchaseOptions& options) {
  GUILDER_ASSIGN_OR_RETURN(const JourneyRows journey,
                           ReadJourney(std::move(transactions), std::move(products)));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<Invoice> invoices,
                           ReadInvoices(std::move(online_retail)));
  Builder builder(options);
  builder.AddCompleteJourney(journey);
  builder.AddOnlineRetail(invoices);
  return std::move(builder).Finish();
}

absl::StatusOr<TillWork> LoadPurchases(const PurchaseFiles& files, const PurchaseOptions& options) {
  GUILDER_ASSIGN_OR_RETURN(std::string transactions, ReadDataFile(files.transactions));
  GUILDER_ASSIGN_OR_RETURN(std::string products, ReadDataFile(files.products));
  GUILDER_ASSIGN_OR_RETURN(std::string online_retail, ReadDataFile(files.online_retail));
  return BuildPurchases(std::move(transactions), std::move(products), std::move(online_retail),
                        options);
}

}  // namespace guilder::cli::demo
