#include "services/redemption/store/reviews.h"

#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

#define GUILDER_REVIEW_COLUMNS_                                                            \
  "r.book, r.number, r.account_id, r.partner_id, p.slug, s.code, h.authorized, r.reason, " \
  "r.created_at_us, h.expires_at_us, r.captures "                                          \
  "from redemption.reviews r "                                                             \
  "join ledger.holds h on h.book = r.book and h.number = r.number "                        \
  "join ledger.books b on b.book = r.book "                                                \
  "join partner.partners p on p.partner_id = h.partner_id "                                \
  "join partner.stores s on s.store_id = h.store_id "

// A hold that ran out, or was voided, waits for nobody.
constexpr Statement kListOpen{"redemption.list_open_reviews", "select " GUILDER_REVIEW_COLUMNS_
                                                              R"sql(
   where r.decided_at_us is null
     and h.state = $1
     and h.expires_at_us > greatest(b.last_posted_at_us, b.clock_offset_us
                                    + (extract(epoch from clock_timestamp()) * 1000000)::bigint)
     and (r.created_at_us, r.book, r.number) > ($2, $3, $4)
   order by r.created_at_us, r.book, r.number
   limit $5
)sql"};

constexpr Statement kFind{"redemption.find_review", "select " GUILDER_REVIEW_COLUMNS_
                                                    R"sql(
   where r.book = $1 and r.number = $2
)sql"};

#undef GUILDER_REVIEW_COLUMNS_

constexpr Statement kClose{"redemption.close_reviews", R"sql(
  update redemption.reviews r
     set decided_at_us = w.decided_at_us, decided_by = w.decided_by, note = w.note
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
           as w (book, number, decided_at_us, decided_by, note)
   where r.book = w.book and r.number = w.number
)sql"};

ReviewRow FromRow(const Row& row) {
  ReviewRow review;
  review.redemption = {row.Id<BookId>(0), row.Id<RecordNumber>(1)};
  review.account = row.Id<AccountId>(2);
  review.partner = row.Id<PartnerId>(3);
  review.partner_slug = row.Text(4);
  review.store_code = row.Text(5);
  review.points = row.Id<Points>(6);
  const bool counted = row.Text(7) == ReviewReasonName(ReviewReason::kCount);
  review.reason = counted ? ReviewReason::kCount : ReviewReason::kNewDevice;
  review.created_at = row.Id<Timestamp>(8);
  review.expires_at = row.Id<Timestamp>(9);
  review.captures = row.Bool(10);
  return review;
}

}  // namespace

std::vector<ReviewRow> ListOpenReviews(postgres::Transaction& tx,
                                       const std::optional<ReviewPosition>& after, int limit) {
  const ReviewPosition from = after.value_or(ReviewPosition{});
  std::vector<ReviewRow> reviews;
  for (const Row& row : tx.Execute(kListOpen, Params()
                                                  .Int(ledger::HoldState::kInReview)
                                                  .Int(from.created_at)
                                                  .Int(from.redemption.book)
                                                  .Int(from.redemption.number)
                                                  .Int(limit))) {
    reviews.push_back(FromRow(row));
  }
  return reviews;
}

std::optional<ReviewRow> FindReview(postgres::Transaction& tx, const RedemptionId& redemption) {
  const postgres::Rows rows =
      tx.Execute(kFind, Params().Int(redemption.book).Int(redemption.number));
  if (rows.empty()) return std::nullopt;
  return FromRow(rows[0]);
}

void CloseReviews(postgres::Transaction& tx, const std::vector<DecidedReview>& decided) {
  if (decided.empty()) return;
  tx.Execute(
      kClose,
      Params()
          .IntArray(decided, [](const DecidedReview& review) { return review.redemption.book; })
          .IntArray(decided, [](const DecidedReview& review) { return review.redemption.number; })
          .IntArray(decided, &DecidedReview::decided_at)
          .TextArray(decided, &DecidedReview::decided_by)
          .TextArray(decided, &DecidedReview::note));
}

}  // namespace guilder::redemption
