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
                                   tax, credited_invoice)
  select $1, $2, number, kind, partner_id, net, tax, nullif(credited, '')
    from unnest($3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[])
      as i (number, kind, partner_id, net, tax, credited)
)sql"};

// As they are called now. What a settlement leaves to be paid has a due date.
constexpr Statement kInsertParties{"settlement.insert_document_parties", R"sql(
  insert into settlement.document_parties
         (document_number, partner_name, partner_registration_number, partner_tax_id, operator_slug,
          operator_name, operator_registration_number, operator_tax_id, due_at_us)
  select d.number, coalesce(nullif(p.legal_name, ''), p.display_name), p.registration_number, p.tax_id,
         coalesce(h.slug, ''), coalesce(nullif(h.legal_name, ''), h.display_name, ''),
         coalesce(h.registration_number, ''), coalesce(h.tax_id, ''), o.due_at_us
    from unnest($1::text[], $2::int[]) as d (number, partner_id)
    join partner.partners p using (partner_id)
    left join partner.partners h on h.programme_operator
    left join settlement.obligations o on o.settlement_id = $3 and o.partner_id = d.partner_id
)sql"};

constexpr Statement kFindCredited{"settlement.find_credited_invoices", R"sql(
  select l.line, i.invoice_number
    from settlement.lines l
   cross join lateral (select b.settlement_id, b.line
                         from settlement.lines b
                        where b.contract_id = l.contract_id
                          and b.leg = l.leg
                          and b.settlement_id < l.settlement_id
                          and b.amount > 0
                        order by b.settlement_id desc
                        limit 1) as billed
    join settlement.invoice_lines i
      on i.settlement_id = billed.settlement_id and i.line = billed.line
   where l.settlement_id = $1
     and (l.amount < 0 or l.tax < 0)
)sql"};

constexpr Statement kInsertInvoiceLines{"settlement.insert_invoice_lines", R"sql(
  insert into settlement.invoice_lines (settlement_id, invoice_number, line)
  select $1, l.* from unnest($2::text[], $3::int[]) as l
)sql"};

#define GUILDER_INVOICE_COLUMNS_                                                                \
  "n.number, n.kind, n.partner_id, n.settlement_id, s.currency, n.issued_at_us, n.net, n.tax, " \
  "n.lines, s.start_us, s.end_us, coalesce(n.credited, ''), n.source, n.place, p.slug, "        \
  "d.partner_name, d.partner_registration_number, d.partner_tax_id, d.operator_slug, "          \
  "d.operator_name, d.operator_registration_number, d.operator_tax_id, d.due_at_us, "           \
  "coalesce(o.partner_is_paid, false), coalesce(o.amount, 0) "

#define GUILDER_INVOICE_JOINS_                                          \
  "join settlement.settlements s using (settlement_id) "                \
  "join partner.partners p using (partner_id) "                         \
  "join settlement.document_parties d on d.document_number = n.number " \
  "left join settlement.obligations o "                                 \
  "on o.settlement_id = n.settlement_id and o.partner_id = n.partner_id and n.source = '' "

// With the lines that it bills or credits.
#define GUILDER_ISSUED_                                                         \
  "(select i.invoice_number as number, i.kind, i.partner_id, i.settlement_id, " \
  "i.issued_at_us, i.net, i.tax, "                                              \
  "array(select l.line::bigint from settlement.invoice_lines l "                \
  "where l.invoice_number = i.invoice_number order by l.line) as lines, "       \
  "i.credited_invoice as credited, ''::text as source, 0::bigint as place "     \
  "from settlement.invoices i) n "

constexpr Statement kFindInvoice{"settlement.find_invoice",
                                 "select " GUILDER_INVOICE_COLUMNS_
                                 "from " GUILDER_ISSUED_ GUILDER_INVOICE_JOINS_ R"sql(
   where n.number = $1
)sql"};

// What was credited for a part of one line. Its place is that on the invoice.
constexpr Statement kFindNote{"settlement.find_note_as_invoice",
                              "select " GUILDER_INVOICE_COLUMNS_ R"sql(
    from (select c.credit_note_number as number, 'CREDIT_NOTE' as kind, a.partner_id, a.settlement_id,
                 c.issued_at_us, a.net, a.tax, array[a.line::bigint] as lines,
                 c.invoice_number as credited, a.source,
                 (select count(*)
                    from settlement.invoice_lines l
                   where l.invoice_number = c.invoice_number
                     and l.line <= a.line) as place
            from settlement.credit_notes c
            join settlement.adjustments a using (adjustment_id)
           where c.credit_note_number = $1) n
)sql" GUILDER_INVOICE_JOINS_};

// In the order of their letters, as drafts are.
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

constexpr Statement kReadInvoicesOfLines{"settlement.read_invoices_of_lines", R"sql(
  select line, invoice_number from settlement.invoice_lines where settlement_id = $1
)sql"};

constexpr Statement kReadInvoices{"settlement.read_invoices",
                                  "select " GUILDER_INVOICE_COLUMNS_
                                  "from " GUILDER_ISSUED_ GUILDER_INVOICE_JOINS_ R"sql(
   where n.settlement_id = $1
     and n.partner_id = $2
   order by n.number
)sql"};

#undef GUILDER_ISSUED_
#undef GUILDER_INVOICE_JOINS_
#undef GUILDER_INVOICE_COLUMNS_

InvoiceParty PartyFromRow(const Row& row, int slug, int name) {
  return {std::string(row.Text(slug)), std::string(row.Text(name)), std::string(row.Text(name + 1)),
          std::string(row.Text(name + 2))};
}

// A note for a part of one line has that part in the place of what was settled.
void CreditPart(Invoice& invoice) {
  for (Line& line : invoice.lines) {
    line.bill.points = Points();
    line.bill.amount = -invoice.net;
    line.bill.tax = -invoice.tax;
  }
}

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
  invoice.start = row.Id<Timestamp>(9);
  invoice.end = row.Id<Timestamp>(10);
  invoice.credited = row.Text(11);
  invoice.credited_for = row.Text(12);
  invoice.credited_place = static_cast<int>(row.Int(13));
  invoice.partner_party = PartyFromRow(row, 14, 15);
  invoice.operator_party = PartyFromRow(row, 18, 19);
  const std::optional<Timestamp> due = row.OptionalId<Timestamp>(22);
  if (due) invoice.payment = InvoicePayment{row.Bool(23), row.Id<MinorUnits>(24), *due};
  const std::vector<int64_t> numbers = row.IntArray(8);
  for (const Line& line : lines) {
    if (std::binary_search(numbers.begin(), numbers.end(), line.number)) {
      invoice.lines.push_back(line);
    }
  }
  invoice.settled = lines;
  if (!invoice.credited_for.empty()) CreditPart(invoice);
  return invoice;
}

}  // namespace

std::map<int, std::string> FindCreditedInvoices(Transaction& transaction, SettlementId settlement) {
  std::map<int, std::string> credited;
  for (const Row& row : transaction.Execute(kFindCredited, Params().Int(settlement))) {
    credited[static_cast<int>(row.Int(0))] = row.Text(1);
  }
  return credited;
}

void WriteNoteParties(Transaction& transaction, const std::string& number, PartnerId partner) {
  const std::optional<SettlementId> none;
  transaction.Execute(kInsertParties, Params()
                                          .TextArray(std::vector<std::string>{number})
                                          .IntArray(std::vector<PartnerId>{partner})
                                          .Int(none));
}

std::vector<std::string> WriteInvoices(Transaction& transaction, const Settlement& settlement,
                                       int year, const std::vector<InvoiceDraft>& drafts) {
  std::vector<std::string> numbers;
  for (const InvoiceKind kind :
       {InvoiceKind::kCreditNote, InvoiceKind::kInvoice, InvoiceKind::kSelfBilled}) {
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
          .IntArray(drafts, &InvoiceDraft::tax)
          .TextArray(drafts, [](const InvoiceDraft& draft) { return draft.credited; }));
  transaction.Execute(
      kInsertParties,
      Params().TextArray(numbers).IntArray(drafts, &InvoiceDraft::partner).Int(settlement.id));
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

std::map<int, std::string> ReadInvoicesOfLines(Transaction& transaction, SettlementId settlement) {
  std::map<int, std::string> numbers;
  for (const Row& row : transaction.Execute(kReadInvoicesOfLines, Params().Int(settlement))) {
    numbers[static_cast<int>(row.Int(0))] = row.Text(1);
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
  Rows rows = transaction.Execute(kFindInvoice, Params().Text(number));
  if (rows.empty()) rows = transaction.Execute(kFindNote, Params().Text(number));
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
