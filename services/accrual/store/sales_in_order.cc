#include "services/accrual/store/sales_in_order.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"

namespace guilder::accrual {
namespace {

constexpr int kInMemory = 20'000;
constexpr int kMostAtOnce = 2'000;
constexpr int kLeastAtOnce = 20;

auto PlaceOf(const Sale& sale) {
  return std::make_tuple(sale.posted_at, sale.book, sale.number);
}

}  // namespace

SalesInOrder::SalesInOrder(postgres::Pool& pool, const std::vector<PartnerId>& partners,
                           Timestamp from, Timestamp until)
    : pool_(pool),
      until_(until),
      chunk_(std::clamp(kInMemory / std::max(1, static_cast<int>(partners.size())), kLeastAtOnce,
                        kMostAtOnce)) {
  for (const PartnerId partner : partners) sources_.push_back({partner, {from, {}, {}}, {}, false});
}

absl::Status SalesInOrder::Fill(Source& source) {
  if (source.ended || !source.read.empty()) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(std::vector<Sale> sales, pool_.Read([&](postgres::Transaction& tx) {
    return ListSales(tx, source.partner, source.after, chunk_);
  }));
  source.ended = sales.size() < static_cast<size_t>(chunk_);
  for (Sale& sale : sales) {
    source.after = {sale.posted_at, sale.book, sale.number};
    if (sale.posted_at >= until_) {
      source.ended = true;
      break;
    }
    source.read.push_back(std::move(sale));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Sale>> SalesInOrder::Next() {
  Source* first = nullptr;
  for (Source& source : sources_) {
    GUILDER_RETURN_IF_ERROR(Fill(source));
    if (source.read.empty()) continue;
    if (first == nullptr || PlaceOf(source.read.front()) < PlaceOf(first->read.front())) {
      first = &source;
    }
  }
  if (first == nullptr) return std::optional<Sale>();
  std::optional<Sale> next(std::move(first->read.front()));
  first->read.pop_front();
  return next;
}

}  // namespace guilder::accrual
