// CSV files, and texts in encodings that nobody declared.
#include <string>
#include <vector>

#include "services/cli/demo/csv.h"
#include "services/cli/demo/rows.h"
#include "tests/fuzz/property.h"

namespace guilder::cli::demo {
namespace {

using Records = std::vector<std::vector<std::string>>;

Records Read(std::string text) {
  CsvReader reader(std::move(text));
  Records records;
  while (const auto* fields = reader.Next()) {
    FUZZ_CHECK(!fields->empty());
    records.emplace_back(fields->begin(), fields->end());
  }
  FUZZ_CHECK(reader.Next() == nullptr);
  return records;
}

// With every field in quotation marks.
std::string Write(const Records& records) {
  std::string text;
  for (const std::vector<std::string>& record : records) {
    for (size_t i = 0; i < record.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : record[i]) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

void CheckHeader(const std::string& text) {
  CsvReader reader(text);
  const auto places = reader.Header({"InvoiceNo", "Quantity"});
  if (!places.ok()) return;
  FUZZ_CHECK(places->size() == 2 && (*places)[0] != (*places)[1]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(fuzz::View(data, size));
  const Records records = Read(text);
  size_t bytes = 0;
  for (const auto& record : records) {
    for (const std::string& field : record) bytes += field.size();
  }
  FUZZ_CHECK(bytes <= text.size());
  FUZZ_CHECK(Read(Write(records)) == records);
  CheckHeader(text);

  const std::string utf8 = ToUtf8(text);
  FUZZ_CHECK(ToUtf8(utf8) == utf8);

  // Both ends of a row's arithmetic are in range, whatever the file says.
  const auto invoices = ReadInvoices(text);
  if (!invoices.ok()) return 0;
  for (const Invoice& invoice : *invoices) {
    for (const InvoiceRow& row : invoice.rows) {
      FUZZ_CHECK(AmountOfRow(row).value() <= kMaxAmount.value() + 1);
    }
  }
  return 0;
}

}  // namespace guilder::cli::demo
