#include "services/cli/importing/receipts.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/demo/csv.h"
#include "services/cli/demo/sales.h"
#include "services/cli/importing/rejects.h"
#include "services/cli/importing/row_reader.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::importing {
namespace {

namespace v1 = accrual::v1;

constexpr int kMaxLines = 500;
Refusal Malformed(std::string detail) {
  return {std::string(ReasonName(Reason::kRequestMalformed)), std::move(detail)};
}

// A receipt or return as its rows come together.
struct Draft {
  size_t place = 0;           // among all of the file
  std::vector<int64_t> rows;  // parallel to the lines
  int64_t line = 0;
  Row head;
  std::vector<RowLine> lines;
  Refusal refusal;
};

// A line of a sale that a later return may find.
struct OpenLine {
  const Draft* draft = nullptr;
  demo::SaleKey key;
  demo::SoldLine sold;
};

bool IsEarlier(const Draft& a, const Draft& b) {
  return std::tie(a.head.occurred, a.place) < std::tie(b.head.occurred, b.place);
}

void AddReturnLine(const std::string& line_id, const std::string& sku, int64_t quantity,
                   v1::RecordReturnRequest& request) {
  for (v1::ReturnLine& line : *request.mutable_lines()) {
    const bool same = line.line_id() == line_id && line.sku() == sku;
    if (same) return line.set_quantity(line.quantity() + quantity);
  }
  v1::ReturnLine& line = *request.add_lines();
  line.set_line_id(line_id);
  line.set_sku(sku);
  line.set_quantity(quantity);
}

class Assembly {
 public:
  Assembly(const Mapping& mapping, std::string partner)
      : mapping_(mapping), partner_(std::move(partner)) {}

  void Add(Row row, int64_t number, int64_t line);
  FileWork Finish() &&;

 private:
  void AddSale(const Draft& draft);
  void AddReturn(const Draft& draft);
  Item ItemOf(const Draft& draft) const;
  void SetReceipt(const Draft& draft, const std::string& number, v1::ReceiptKey& key) const;
  void SetOriginal(const Draft& draft, v1::RecordReturnRequest& request) const;
  void AddReturnParts(const Draft& draft, std::vector<Item> parts);

  const Mapping& mapping_;
  const std::string partner_;
  std::vector<Draft> drafts_;
  std::unordered_map<std::string, size_t> draft_by_key_;
  std::vector<OpenLine> open_lines_;
  demo::OpenSales open_sales_;
  FileWork work_;
};

void Assembly::Add(Row row, int64_t number, int64_t line) {
  ++work_.rows;
  std::string key(1, row.is_return ? 'R' : 'S');
  for (const std::string* part : {&row.store, &row.terminal, &row.number, &row.business_date}) {
    key += '\x1F';
    // An order is one whatever day its rows name.
    if (part != &row.business_date || mapping_.number.given) key += *part;
  }
  const auto [found, is_new] = draft_by_key_.try_emplace(std::move(key), drafts_.size());
  if (is_new) {
    Draft& draft = drafts_.emplace_back();
    draft.place = drafts_.size();
    draft.line = line;
    draft.head = row;
  }
  Draft& draft = drafts_[found->second];
  if (!row.error.empty() && draft.refusal.reason.empty()) {
    draft.refusal = Malformed(absl::StrCat("line ", line, ": ", row.error));
  }
  if (draft.head.card != row.card && draft.refusal.reason.empty()) {
    draft.refusal = Malformed(absl::StrCat("line ", line, ": another card in one receipt"));
  }
  draft.head.occurred = std::min(draft.head.occurred, row.occurred);
  const bool skipped = mapping_.skip_zero_amounts && row.error.empty() && row.line.amount == 0;
  if (skipped) {
    ++work_.skipped_rows;
    return;
  }
  draft.rows.push_back(number);
  draft.lines.push_back(std::move(row.line));
}

void Assembly::SetReceipt(const Draft& draft, const std::string& number,
                          v1::ReceiptKey& key) const {
  key.set_store(absl::StrCat(partner_, "/stores/", draft.head.store));
  key.set_terminal(draft.head.terminal);
  mapping_.number.given ? key.set_receipt_number(number) : key.set_order_id(number);
  key.set_business_date(draft.head.business_date);
}

Item Assembly::ItemOf(const Draft& draft) const {
  Item item;
  item.line = draft.line;
  item.refusal = draft.refusal;
  item.is_return = draft.head.is_return;
  if (mapping_.issue_cards) item.customer = draft.head.card;
  return item;
}

void Assembly::AddSale(const Draft& draft) {
  for (size_t from = 0; from < draft.lines.size(); from += kMaxLines) {
    const size_t to = std::min(from + kMaxLines, draft.lines.size());
    Item item = ItemOf(draft);
    item.rows.assign(draft.rows.begin() + from, draft.rows.begin() + to);
    v1::RecordPurchaseRequest& request = item.purchase;
    const std::string& number = draft.head.number;
    SetReceipt(draft, from == 0 ? number : absl::StrCat(number, "-", from / kMaxLines + 1),
               *request.mutable_receipt());
    if (!mapping_.issue_cards) request.set_card_number(draft.head.card);
    *request.mutable_occurred_at() = rpc::ToProto(draft.head.occurred);
    request.set_currency_code(draft.head.currency);
    request.set_cashier(draft.head.cashier);
    if (from == 0) request.set_sequence_number(draft.head.sequence);
    for (size_t i = from; i < to; ++i) {
      const RowLine& line = draft.lines[i];
      v1::PurchaseLine& out = *request.add_lines();
      out.set_line_id(line.line_id.empty() ? absl::StrCat(i - from + 1) : line.line_id);
      out.set_sku(line.sku);
      out.set_quantity(line.quantity);
      out.set_amount_minor_units(line.amount);
      out.set_category(line.category);
      out.set_tax_minor_units(line.tax);
    }
    const bool can_come_back =
        mapping_.returns.latest_sale && draft.refusal.reason.empty() && !draft.head.card.empty();
    for (size_t i = from; can_come_back && i < to; ++i) {
      const RowLine& line = draft.lines[i];
      open_lines_.push_back({&draft,
                             {draft.head.card, line.sku, line.unit_price},
                             {work_.items.size(),
                              request.lines(static_cast<int>(i - from)).line_id(), line.quantity}});
    }
    work_.items.push_back(std::move(item));
  }
}

void Assembly::SetOriginal(const Draft& draft, v1::RecordReturnRequest& request) const {
  if (draft.head.sale.empty()) return;
  SetReceipt(draft, draft.head.sale, *request.mutable_receipt());
  request.mutable_receipt()->set_business_date(draft.head.sale_date);
}

// Takes what the lines of a return find among the sales of the file, or, where the file names the
// sale, all of them.
void Assembly::AddReturn(const Draft& draft) {
  std::vector<Item> parts;
  std::map<size_t, size_t> part_of_sale;  // of parts
  std::optional<size_t> rest;             // the part that has found no sale
  const auto part_for = [&](std::optional<size_t> sale) -> Item& {
    if (sale ? part_of_sale.contains(*sale) : rest.has_value()) {
      return parts[sale ? part_of_sale[*sale] : *rest];
    }
    (sale ? part_of_sale[*sale] : rest.emplace()) = parts.size();
    Item& part = parts.emplace_back(ItemOf(draft));
    if (sale) {
      *part.returned.mutable_receipt() = work_.items[*sale].purchase.receipt();
    } else {
      SetOriginal(draft, part.returned);
    }
    return part;
  };
  const auto add_row = [](Item& part, int64_t row) {
    if (part.rows.empty() || part.rows.back() != row) part.rows.push_back(row);
  };
  for (size_t i = 0; i < draft.lines.size(); ++i) {
    const RowLine& line = draft.lines[i];
    int64_t left = line.quantity < 0 ? -line.quantity : line.quantity;
    if (mapping_.returns.latest_sale && draft.refusal.reason.empty()) {
      for (const demo::SoldLine& sold :
           open_sales_.Take({draft.head.card, line.sku, line.unit_price}, left)) {
        left -= sold.quantity;
        Item& part = part_for(sold.receipt);
        add_row(part, draft.rows[i]);
        AddReturnLine(sold.line_id, line.sku, sold.quantity, part.returned);
      }
    }
    if (left == 0 && line.quantity != 0) continue;
    Item& part = part_for(std::nullopt);
    add_row(part, draft.rows[i]);
    AddReturnLine(line.line_id, line.sku, left, part.returned);
  }
  AddReturnParts(draft, std::move(parts));
}

void Assembly::AddReturnParts(const Draft& draft, std::vector<Item> parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    v1::RecordReturnRequest& request = parts[i].returned;
    request.set_store(absl::StrCat(partner_, "/stores/", draft.head.store));
    // The parts are of different sales, so the number is the same return's of none of them.
    request.set_return_number(draft.head.number);
    *request.mutable_occurred_at() = rpc::ToProto(draft.head.occurred);
    if (!mapping_.issue_cards) request.set_card_number(draft.head.card);
    if (request.lines_size() > kMaxLines && parts[i].refusal.reason.empty()) {
      parts[i].refusal = Malformed("a return has at most 500 lines");
    }
    work_.items.push_back(std::move(parts[i]));
  }
}

FileWork Assembly::Finish() && {
  std::vector<const Draft*> returns;
  std::vector<const Draft*> sales;
  for (const Draft& draft : drafts_) {
    if (draft.lines.empty()) continue;
    (draft.head.is_return ? returns : sales).push_back(&draft);
  }
  for (const Draft* draft : sales) AddSale(*draft);
  std::sort(returns.begin(), returns.end(),
            [](const Draft* a, const Draft* b) { return IsEarlier(*a, *b); });
  std::stable_sort(
      open_lines_.begin(), open_lines_.end(),
      [](const OpenLine& a, const OpenLine& b) { return IsEarlier(*a.draft, *b.draft); });
  auto open = open_lines_.begin();
  for (const Draft* draft : returns) {
    for (; open != open_lines_.end() && IsEarlier(*open->draft, *draft); ++open) {
      open_sales_.Add(std::move(open->key), std::move(open->sold));
    }
    AddReturn(*draft);
  }
  return std::move(work_);
}

}  // namespace

absl::StatusOr<FileWork> ReadFileWork(std::string text, const Mapping& mapping,
                                      const std::string& partner) {
  demo::CsvReader reader(WithoutMark(std::move(text)), mapping.delimiter);
  const auto* header = reader.Next();
  if (header == nullptr) return absl::InvalidArgumentError("the file is empty");
  GUILDER_ASSIGN_OR_RETURN(const RowReader rows, RowReader::Make(*header, mapping));
  Assembly assembly(mapping, partner);
  for (int64_t number = 0; const auto* fields = reader.Next(); ++number) {
    assembly.Add(rows.Read(*fields), number, reader.line());
  }
  return std::move(assembly).Finish();
}

std::string RequestIdOf(const std::string& partner, const Item& item) {
  // Fields are written in the order of their numbers, and none is a map: the bytes are the same
  // each time.
  const std::string asked =
      item.is_return ? item.returned.SerializeAsString() : item.purchase.SerializeAsString();
  return RequestIdFor(
      absl::StrCat("import/", partner),
      absl::StrCat(item.is_return ? "return" : "purchase", "/", item.customer, "/", asked));
}

}  // namespace guilder::cli::importing
