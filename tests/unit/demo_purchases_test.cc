#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "services/cli/demo/csv.h"
#include "services/cli/demo/partners.h"
#include "services/cli/demo/purchases.h"
#include "tests/support/catch2.h"

namespace guilder::cli::demo {
namespace {

constexpr char kTransactionsHeader[] =
    "household_id,store_id,basket_id,product_id,quantity,sales_value,transaction_timestamp\n";
constexpr char kProducts[] =
    "product_id,department,product_category\n"
    "1,GROCERY,SOUP\n2,FLORAL,ROSES\n3,GROCERY,\n4,TOYS,KITES\n";
constexpr char kInvoicesHeader[] =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

PurchaseOptions Options() {
  PurchaseOptions options;
  options.today = absl::CivilDay(2026, 3, 10);
  REQUIRE(absl::LoadTimeZone("Europe/Berlin", &options.zone));
  return options;
}

absl::StatusOr<TillWork> Build(const std::string& transactions, const std::string& invoices) {
  return BuildPurchases(kTransactionsHeader + transactions, kProducts, kInvoicesHeader + invoices,
                        Options());
}

TillWork Built(const std::string& transactions, const std::string& invoices) {
  absl::StatusOr<TillWork> work = Build(transactions, invoices);
  INFO(work.status().ToString());
  REQUIRE(work.ok());
  return *std::move(work);
}

// An invoice row of customer 9 with invented goods.
std::string Row(const std::string& invoice, const std::string& code, int quantity,
                const std::string& time, const std::string& price,
                const std::string& customer = "9") {
  return invoice + "," + code + ",\"A, B\"," + std::to_string(quantity) + "," + time + "," + price +
         "," + customer + ",France\n";
}

TEST_CASE("Csv: quoted commas, quotes, line ends and CRLF are read", "[unit][demo]") {
  CsvReader reader(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x,\"\"y\"\"\n\",2\r\n\r\n,\n\"\",last");

  REQUIRE(reader.Header({"b", "a"}).value() == std::vector<size_t>{1, 0});
  CHECK(*reader.Next() == std::vector<std::string_view>{"x,\"y\"\n", "2"});
  CHECK(*reader.Next() == std::vector<std::string_view>{"", ""});
  CHECK(*reader.Next() == std::vector<std::string_view>{"", "last"});
  CHECK(reader.Next() == nullptr);
}

TEST_CASE("Csv: a missing column is an error", "[unit][demo]") {
  CHECK_FALSE(CsvReader("a,b\n").Header({"c"}).ok());
  CHECK_FALSE(CsvReader("").Header({"c"}).ok());
}

TEST_CASE("Csv: decimals are read exactly, also in exponent form", "[unit][demo]") {
  CHECK(ParseDecimal("3.86", 2) == 386);
  CHECK(ParseDecimal("-11062.06", 4) == -110620600);
  CHECK(ParseDecimal("4.440892e-16", 2) == 0);
  CHECK(ParseDecimal("4.0128e+10", 0) == 40'128'000'000);
  CHECK(ParseDecimal("1e+05", 0) == 100'000);
  CHECK(ParseDecimal("0.005", 2) == 1);
  CHECK(ParseDecimal("-0.005", 2) == -1);
  CHECK(ParseDecimal("0.00499", 2) == 0);
  CHECK(ParseDecimal("149", -2) == 1);
  CHECK(ParseDecimal("9223372036854775807", 0) == INT64_MAX);
  for (const char* text :
       {"", "-", ".", "1.2.3", "1e", "1e+", "x", "9223372036854775808", "1e19"}) {
    CHECK_FALSE(ParseDecimal(text, 0).has_value());
  }
}

TEST_CASE("Csv: what is not UTF-8 is read as Latin-1", "[unit][demo]") {
  CHECK(ToUtf8("caf\xC3\xA9") == "caf\xC3\xA9");
  CHECK(ToUtf8("caf\xE9") == "caf\xC3\xA9");
}

TEST_CASE("Data files: missing and damaged ones are told apart", "[unit][demo]") {
  CHECK(ReadDataFile("/nonexistent/file").status().code() == absl::StatusCode::kInvalidArgument);

  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  std::ifstream whole(std::string(source) + "/tests/data/completejourney_products.csv.xz",
                      std::ios::binary);
  char head[10'000];
  REQUIRE(whole.read(head, sizeof head));
  char path[] = "/tmp/guilder_demo_data_XXXXXX";
  REQUIRE(close(mkstemp(path)) == 0);
  std::ofstream(path, std::ios::binary).write(head, sizeof head);
  CHECK(ReadDataFile(path).status().code() == absl::StatusCode::kDataLoss);
  std::remove(path);
}

TEST_CASE("Purchases: a receipt is a partner, store, household and basket", "[unit][demo]") {
  const TillWork work = Built(
      "7,300,55,1,2,3.00,2017-12-31 10:00:00\n"
      "7,300,55,2,1,9.99,2017-12-31 10:00:00\n"
      "7,300,55,3,1,1.5,2017-12-31 10:00:00\n"
      "8,300,56,4,1,5,2017-12-30 10:00:00\n",
      "");

  REQUIRE(work.receipts.size() == 3);
  const Receipt& kite = work.receipts[0];
  CHECK(DemoPartners()[kite.partner].key == "general-store");
  const Receipt& soup = work.receipts[1];
  CHECK(DemoPartners()[soup.partner].key == "grocery");
  CHECK(soup.number == "55");
  CHECK_FALSE(soup.is_order);
  CHECK(work.members[soup.member.value()] == "household-7");
  REQUIRE(soup.lines.size() == 2);
  CHECK(soup.lines[0].amount == MinorUnits(300));
  CHECK(soup.lines[0].quantity == 2);
  CHECK(soup.lines[0].category == "SOUP");
  CHECK(soup.lines[1].line_id == "2");
  CHECK(soup.lines[1].category == "GROCERY");
  CHECK(DemoPartners()[work.receipts[2].partner].key == "florist");
  CHECK(work.counts.lines_read == 4);
}

TEST_CASE("Purchases: each data set ends yesterday, at its local time of day", "[unit][demo]") {
  const TillWork work =
      Built("7,300,55,1,1,3,2017-12-31 22:47:38\n7,300,54,1,1,3,2017-07-01 10:00:00\n",
            Row("1", "85123", 1, "12/9/2011 12:50", "2.5"));

  REQUIRE(work.receipts.size() == 3);
  CHECK(work.receipts[0].business_date == "2025-09-07");
  CHECK(work.receipts[0].occurred_at == Timestamp(1'757'232'000'000'000));  // 08:00 UTC: summer.
  CHECK(work.receipts[1].business_date == "2026-03-09");
  CHECK(work.receipts[1].number == "1");
  CHECK(work.receipts[2].occurred_at == Timestamp(1'773'092'858'000'000));  // 21:47:38 UTC.
}

TEST_CASE("Purchases: exact duplicates inside one invoice are lines of their own", "[unit][demo]") {
  const std::string row = Row("1", "85123", 2, "12/9/2011 12:50", "2.55");
  const TillWork work = Built("", row + row);

  REQUIRE(work.receipts.size() == 1);
  REQUIRE(work.receipts[0].lines.size() == 2);
  CHECK(work.receipts[0].lines[0].amount == MinorUnits(510));
  CHECK(work.receipts[0].lines[1].line_id == "2");
  CHECK(work.receipts[0].is_order);
  CHECK(work.counts.exact_duplicates == 1);
}

TEST_CASE("Purchases: refused lines do not take good ones with them", "[unit][demo]") {
  const TillWork work = Built(
      "7,300,55,1,1,3,2017-12-31 10:00:00\n"
      "7,300,55,1,0,0,2017-12-31 10:00:00\n",
      Row("1", "85123", 1, "12/9/2011 12:50", "0") + Row("1", "85124", 1, "12/9/2011 12:50", "1") +
          Row("A2", "B", 1, "12/9/2011 12:51", "-11062.06", "") +
          Row("3", "85123", -5, "12/9/2011 12:52", "0", "") +
          Row("4", "85123", 5, "12/9/2011 12:53", "1", ""));

  std::map<std::string, Expected> expected;
  for (const Receipt& receipt : work.receipts) expected[receipt.number] = receipt.expected;
  CHECK(expected == std::map<std::string, Expected>{{"55", Expected::kRecorded},
                                                    {"55-x", Expected::kAmountOutOfRange},
                                                    {"1", Expected::kRecorded},
                                                    {"1-x", Expected::kAmountOutOfRange},
                                                    {"A2-x", Expected::kAmountOutOfRange},
                                                    {"3-x", Expected::kAmountOutOfRange},
                                                    {"4", Expected::kCardMissing}});
  CHECK(work.counts.amount_out_of_range_lines == 4);
  CHECK(work.counts.card_missing_lines == 1);
  CHECK(work.counts.recorded_lines == 2);
}

TEST_CASE("Purchases: what is not goods is marked, and not returned", "[unit][demo]") {
  const TillWork work = Built("", Row("1", "POST", 1, "12/1/2011 9:00", "18") +
                                      Row("1", "gift_0001_20", 1, "12/1/2011 9:00", "20") +
                                      Row("1", "85123A", 1, "12/1/2011 9:00", "2") +
                                      Row("C2", "POST", -1, "12/2/2011 9:00", "18") +
                                      Row("C2", "D", -1, "12/2/2011 9:00", "5"));

  REQUIRE(work.receipts.size() == 1);
  CHECK(work.receipts[0].lines[0].category == kNotGoodsCategory);
  CHECK(work.receipts[0].lines[1].category == kNotGoodsCategory);
  CHECK(work.receipts[0].lines[2].category != kNotGoodsCategory);
  CHECK(work.counts.not_goods_lines == 2);
  CHECK(work.counts.cancelled_not_goods == 2);
  CHECK(work.returns.empty());
}

TEST_CASE("Cancellations: the latest earlier sale comes first, split as needed", "[unit][demo]") {
  const TillWork work = Built("", Row("1", "85123", 10, "12/1/2011 9:00", "2") +
                                      Row("2", "85123", 4, "12/2/2011 9:00", "2") +
                                      Row("C3", "85123", -6, "12/3/2011 9:00", "2") +
                                      Row("4", "85123", 50, "12/4/2011 9:00", "2"));

  REQUIRE(work.returns.size() == 2);
  const Return& latest = work.returns[0];
  CHECK(latest.number == "C3-1");
  CHECK(work.receipts[latest.receipt.value()].number == "2");
  CHECK(latest.lines[0].quantity == 4);
  const Return& before = work.returns[1];
  CHECK(before.number == "C3-2");
  CHECK(work.receipts[before.receipt.value()].number == "1");
  CHECK(before.lines[0].quantity == 2);
  CHECK(before.lines[0].line_id == "1");
  CHECK(work.counts.matched_cancellations == 1);
  CHECK(work.counts.parked_cancellations == 0);
}

TEST_CASE("Cancellations: what is exhausted is not taken twice, the rest is parked",
          "[unit][demo]") {
  const TillWork work = Built("", Row("1", "85123", 3, "12/1/2011 9:00", "2") +
                                      Row("C2", "85123", -2, "12/2/2011 9:00", "2") +
                                      Row("C3", "85123", -2, "12/3/2011 9:00", "2"));

  REQUIRE(work.returns.size() == 3);
  CHECK(work.returns[0].number == "C2");
  CHECK(work.returns[1].lines[0].quantity == 1);
  CHECK(work.returns[1].receipt.has_value());
  CHECK_FALSE(work.returns[2].receipt.has_value());
  CHECK(work.returns[2].number == "C3-2");
  CHECK(work.returns[2].lines[0].quantity == 1);
  CHECK(work.returns[2].lines[0].line_id.empty());
  CHECK(work.counts.parked_cancellations == 1);
}

TEST_CASE("Cancellations: customer, stock code and price must all be the sale's", "[unit][demo]") {
  const TillWork work = Built("", Row("1", "85123", 9, "12/1/2011 9:00", "2") +
                                      Row("C2", "85123", -1, "12/2/2011 9:00", "2", "10") +
                                      Row("C3", "85124", -1, "12/2/2011 9:01", "2") +
                                      Row("C4", "85123", -1, "12/2/2011 9:02", "2.01") +
                                      Row("C5", "85123", -1, "12/2/2011 9:03", "2", ""));

  REQUIRE(work.returns.size() == 4);
  for (const Return& parked : work.returns) CHECK_FALSE(parked.receipt.has_value());
  CHECK_FALSE(work.returns[3].member.has_value());
}

TEST_CASE("Cancellations: rows of one cancellation that meet one sale line are one line",
          "[unit][demo]") {
  const TillWork work = Built("", Row("1", "85123", 9, "12/1/2011 9:00", "2") +
                                      Row("1", "85124", 9, "12/1/2011 9:00", "2") +
                                      Row("C2", "85123", -1, "12/2/2011 9:00", "2") +
                                      Row("C2", "85124", -2, "12/2/2011 9:00", "2") +
                                      Row("C2", "85123", -3, "12/2/2011 9:00", "2"));

  REQUIRE(work.returns.size() == 1);
  REQUIRE(work.returns[0].lines.size() == 2);
  CHECK(work.returns[0].lines[0].quantity == 4);
  CHECK(work.returns[0].lines[1].quantity == 2);
}

TEST_CASE("Purchases: an invoice longer than the service takes is cut", "[unit][demo]") {
  std::string rows;
  for (int i = 0; i < 501; ++i)
    rows += Row("1", std::to_string(10'000 + i), 1, "12/1/2011 9:00", "2");
  rows += Row("C2", "10500", -1, "12/2/2011 9:00", "2");
  const TillWork work = Built("", rows);

  REQUIRE(work.receipts.size() == 2);
  CHECK(work.receipts[0].lines.size() == kMaxLinesPerReceipt);
  CHECK(work.receipts[1].number == "1-2");
  REQUIRE(work.returns.size() == 1);
  CHECK(work.returns[0].receipt == size_t{1});
  CHECK(work.returns[0].lines[0].line_id == "1");
}

TEST_CASE("Purchases: malformed values are named with their record", "[unit][demo]") {
  const absl::Status status = Build("7,300,55,1,1,3,2017-13-31 10:00:00\n", "").status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(status.message()) ==
        "transaction_timestamp in record 1: '2017-13-31 10:00:00' is malformed");
  CHECK_FALSE(Build("", Row("1", "85123", 1, "12/1/2011 9:00", "two")).ok());
  CHECK_FALSE(Build("7,300\n", "").ok());
}

TEST_CASE("Purchases: the shipped slices give what the demonstration promises", "[unit][demo]") {
  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  const absl::StatusOr<TillWork> work =
      LoadPurchases(ShippedFiles(std::string(source) + "/tests/data"), Options());
  INFO(work.status().ToString());
  REQUIRE(work.ok());

  const PurchaseCounts& counts = work->counts;
  CHECK(counts.lines_read == 127'388);
  CHECK(counts.exact_duplicates == 222);
  CHECK(counts.recorded_lines == 121'767);
  CHECK(counts.not_goods_lines == 228);
  CHECK(counts.card_missing_lines == 3'530);
  CHECK(counts.amount_out_of_range_lines == 595);
  CHECK(counts.cancellation_lines == 1'496);
  CHECK(counts.cancelled_not_goods == 104);
  CHECK(counts.matched_cancellations == 1'161);
  CHECK(counts.parked_cancellations == 236);
  CHECK(counts.recorded_lines + counts.card_missing_lines + counts.amount_out_of_range_lines +
            counts.cancellation_lines ==
        counts.lines_read);

  std::map<Expected, int> receipts;
  std::map<size_t, std::set<size_t>> partners_by_member;
  std::set<size_t> partners;
  for (const Receipt& receipt : work->receipts) {
    ++receipts[receipt.expected];
    partners.insert(receipt.partner);
    if (receipt.member) partners_by_member[*receipt.member].insert(receipt.partner);
  }
  CHECK(receipts[Expected::kRecorded] == 60'375);
  CHECK(receipts[Expected::kCardMissing] == 37);
  CHECK(receipts[Expected::kAmountOutOfRange] == 591);
  CHECK(partners.size() == DemoPartners().size());
  CHECK(work->members.size() == 2'537);

  int with_sale = 0;
  for (const Return& one : work->returns) {
    if (!one.receipt) continue;
    ++with_sale;
    CHECK(work->receipts[*one.receipt].occurred_at <= one.occurred_at);
    CHECK(work->receipts[*one.receipt].member == one.member);
  }
  CHECK(with_sale == 559);
  CHECK(work->returns.size() == 676);

  int web_households = 0;
  for (const auto& [member, shops] : partners_by_member) {
    web_households += shops.size() > 1 && shops.count(WebShopPartner()) > 0;
  }
  CHECK(web_households > 50);
  CHECK(work->receipts.back().business_date == "2026-03-09");
}

}  // namespace
}  // namespace guilder::cli::demo
