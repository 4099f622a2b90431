#include "services/settlement/store/invoices.h"

#include <algorithm>

#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/store/settlements.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// The row stays locked until the commit, so a number is given again when the transaction fails.
constexpr Statement kTakeNumbers{"settlement.take_numbers", R"sql(
  insert into settlement.number_ranges (kind, year, last_number)
  values ($1, $2, $3)
      on conflict (kind, year)
      do update set last_number = number_ranges.last_number + excluded.last_number
  returning last_number
)sql"};

constexpr Statement kInsertInvoices{"settlement.insert_invoices", R"sql(
  insert into settlement.invoices (settlement_id, issued_at_us, invoice_number, kind, partner_id, net,
                                   tax)
  select $1, $2, i.*
    from unnest($3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[]) as i
)sql"};

constexpr Statement kInsertInvoiceLines{"settlement.insert_invoice_lines", R"sql(
  insert into settlement.invoice_lines (settlement_id, invoice_number, line)
  select $1, l.* from unnest($2::text[], $3::int[]) as l
)sql"};

#define GUILDER_INVOICE_COLUMNS_                                                          \
  "i.invoice_number, i.kind, i.partner_id, i.settlement_id, s.currency, i.issued_at_us, " \
  "i.net, i.tax, "                                                                        \
  "array(select l.line::bigint from settlement.invoice_lines l "                          \
  "       where l.invoice_number = i.invoice_number order by l.line) "                    \
  "from settlement.invoices i join settlement.settlements s using (settlement_id) "

constexpr Statement kFindInvoice{"settlement.find_invoice", "select " GUILDER_INVOICE_COLUMNS_
                                                            R"sql(
   where i.invoice_number = $1
)sql"};

// Invoices come before self-billed ones, as their letters do.
constexpr Statement kReadInvoiceNumbers{"settlement.read_invoice_numbers", R"sql(
  select invoice_number from settlement.invoices where settlement_id = $1 order by invoice_number
)sql"};

constexpr Statement kReadPartnerInvoices{"settlement.read_partner_invoices", R"sql(
  select p.slug, i.invoice_number
    from settlement.invoices i
    join partner.partners p using (partner_id)
   where i.settlement_id = $1
   order by i.invoice_number
)sql"};

constexpr Statement kReadInvoices{"settlement.read_invoices", "select " GUILDER_INVOICE_COLUMNS_
                                                              R"sql(
   where i.settlement_id = $1
     and i.partner_id = $2
   order by i.invoice_number
)sql"};

#undef GUILDER_INVOICE_COLUMNS_

// With the lines out of all of the partner's in that settlement.
Invoice InvoiceFromRow(const Row& row, const std::vector<Line>& lines) {
  Invoice invoice;
  invoice.number = row.Text(0);
  invoice.kind = InvoiceKindFromName(row.Text(1)).value();
  invoice.partner = row.Id<PartnerId>(2);
  invoice.settlement = row.Id<SettlementId>(3);
  invoice.currency = ParseCurrency(row.Text(4)).value();
  invoice.issued_at = row.Id<Timestamp>(5);
  invoice.net = row.Id<MinorUnits>(6);
  invoice.tax = row.Id<MinorUnits>(7);
  const std::vector<int64_t> numbers = row.IntArray(8);
  for (const Line& line : lines) {
    if (std::binary_search(numbers.begin(), numbers.end(), line.number)) {
      invoice.lines.push_back(line);
    }
  }
  return invoice;
}

}  // namespace

std::vector<std::string> WriteInvoices(Transaction& transaction, const Settlement& settlement,
                                       int year, const std::vector<InvoiceDraft>& drafts) {
  std::vector<std::string> numbers;
  for (const InvoiceKind kind : {InvoiceKind::kInvoice, InvoiceKind::kSelfBilled}) {
    const auto count = std::count_if(drafts.begin(), drafts.end(),
                                     [&](const InvoiceDraft& draft) { return draft.kind == kind; });
    if (count == 0) continue;
    const Rows taken = transaction.Execute(
        kTakeNumbers, Params().Text(InvoiceKindName(kind)).Int(year).Int(count));
    const auto first = static_cast<int>(taken[0].Int(0) - count) + 1;
    for (int i = 0; i < count; ++i) numbers.push_back(InvoiceNumber(kind, year, first + i));
  }

  transaction.Execute(
      kInsertInvoices,
      Params()
          .Int(settlement.id)
          .Int(settlement.approved_at)
          .TextArray(numbers)
          .TextArray(drafts, [](const InvoiceDraft& draft) { return InvoiceKindName(draft.kind); })
          .IntArray(drafts, &InvoiceDraft::partner)
          .IntArray(drafts, &InvoiceDraft::net)
          .IntArray(drafts, &InvoiceDraft::tax));
  std::vector<std::string> numbers_of_lines;
  std::vector<int> lines;
  for (size_t i = 0; i < drafts.size(); ++i) {
    numbers_of_lines.insert(numbers_of_lines.end(), drafts[i].lines.size(), numbers[i]);
    lines.insert(lines.end(), drafts[i].lines.begin(), drafts[i].lines.end());
  }
  transaction.Execute(kInsertInvoiceLines,
                      Params().Int(settlement.id).TextArray(numbers_of_lines).IntArray(lines));
  return numbers;
}

std::vector<std::string> ReadInvoiceNumbers(Transaction& transaction, SettlementId settlement) {
  std::vector<std::string> numbers;
  for (const Row& row : transaction.Execute(kReadInvoiceNumbers, Params().Int(settlement))) {
    numbers.emplace_back(row.Text(0));
  }
  return numbers;
}

std::vector<PartnerInvoice> ReadPartnerInvoices(Transaction& transaction, SettlementId settlement) {
  std::vector<PartnerInvoice> invoices;
  for (const Row& row : transaction.Execute(kReadPartnerInvoices, Params().Int(settlement))) {
    invoices.push_back({std::string(row.Text(0)), std::string(row.Text(1))});
  }
  return invoices;
}

std::optional<Invoice> FindInvoice(Transaction& transaction, const std::string& number) {
  const Rows rows = transaction.Execute(kFindInvoice, Params().Text(number));
  if (rows.empty()) return std::nullopt;
  const std::vector<Line> lines =
      ReadLines(transaction, rows[0].Id<SettlementId>(3), rows[0].Id<PartnerId>(2));
  return InvoiceFromRow(rows[0], lines);
}

std::vector<Invoice> ReadInvoices(Transaction& transaction, SettlementId settlement,
                                  PartnerId partner) {
  const std::vector<Line> lines = ReadLines(transaction, settlement, partner);
  std::vector<Invoice> invoices;
  for (const Row& row : transaction.Execute(kReadInvoices, Params().Int(settlement).Int(partner))) {
    invoices.push_back(InvoiceFromRow(row, lines));
  }
  return invoices;
}

}  // namespace guilder::settlement
