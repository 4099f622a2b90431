// Explains what has a name of its own and no points: partners, their stores, cards, and rewards.
#include <string>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kReadPartner{"explain.partner", R"sql(
  select partner_id, state, display_name, programme_operator, submitted_by, reviewed_by, approved_by
    from partner.partners
   where slug = $1
)sql"};

constexpr Statement kReadContractsOf{"explain.contracts_of", R"sql(
  select number
    from partner.contracts
   where partner_id = $1
   order by number
   limit $2
)sql"};

constexpr Statement kReadStore{"explain.store", R"sql(
  select s.display_name, s.open, s.time_zone, s.region, s.any_terminal,
         coalesce((select string_agg(t.code, ', ' order by t.code)
                     from (select code from partner.terminals t
                            where t.store_id = s.store_id order by code limit $3) t), '')
    from partner.stores s
    join partner.partners p using (partner_id)
   where p.slug = $1
     and s.code = $2
)sql"};

constexpr Statement kReadCard{"explain.card", R"sql(
  select coalesce(account_id, 0), issued_at_us, blocked_reason
    from member.cards
   where card_number = $1
)sql"};

constexpr Statement kReadReward{"explain.reward", R"sql(
  select r.reward_id, r.kind, r.display_name, r.withdrawn, coalesce(p.slug, '')
    from catalogue.rewards r
    left join partner.partners p using (partner_id)
   where r.slug = $1
)sql"};

constexpr Statement kReadPrices{"explain.reward_prices", R"sql(
  select version, points, money_amount, honoured_until_us
    from catalogue.reward_prices
   where reward_id = $1
   order by version desc
   limit $2
)sql"};

constexpr Statement kReadOrder{"explain.order", R"sql(
  select r.slug, o.quantity, o.points, o.price_version, o.confirm_by_us,
         (array['ordered', 'confirmed', 'shipped', 'delivered', 'returned', 'cancelled'])[o.state]
    from catalogue.orders o
    join catalogue.rewards r using (reward_id)
   where o.book = $1
     and o.number = $2
)sql"};

constexpr Statement kReadVoucher{"explain.voucher", R"sql(
  select r.slug, v.face_amount, v.used_amount, v.points, v.price_version, v.expires_at_us, v.refunded
    from catalogue.vouchers v
    join catalogue.rewards r using (reward_id)
   where v.book = $1
     and v.number = $2
)sql"};

std::string BySomebody(std::string_view did, std::string_view who) {
  return who.empty() ? std::string() : absl::StrCat(", ", ToAbsl(did), " by ", ToAbsl(who));
}

}  // namespace

bool ExplainPartner(Walk& walk, int depth, const std::string& slug) {
  const Rows rows = walk.Execute(kReadPartner, Params().Text(slug));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("partners/", slug), "partner",
           absl::StrCat(ToAbsl(row.Text(2)), ", ", ToAbsl(row.Text(1)),
                        row.Bool(3) ? ", operates the programme" : "",
                        BySomebody("submitted", row.Text(4)), BySomebody("reviewed", row.Text(5)),
                        BySomebody("approved", row.Text(6))));
  for (const Row& contract : walk.Execute(kReadContractsOf, Params().Int(row.Int(0)).Int(kShown))) {
    ExplainContract(walk, depth + 1, slug, static_cast<int>(contract.Int(0)));
  }
  return true;
}

bool ExplainStore(Walk& walk, int depth, const std::string& partner, const std::string& store) {
  const Rows rows = walk.Execute(kReadStore, Params().Text(partner).Text(store).Int(kShown));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text = absl::StrCat(ToAbsl(row.Text(0)), row.Bool(1) ? ", open" : ", closed", ", in ",
                                  ToAbsl(row.Text(2)));
  if (!row.Text(3).empty()) absl::StrAppend(&text, ", region ", ToAbsl(row.Text(3)));
  absl::StrAppend(&text, row.Bool(4) ? ", any terminal" : ", terminals ",
                  row.Bool(4)           ? ""
                  : row.Text(5).empty() ? "none"
                                        : ToAbsl(row.Text(5)));
  walk.Add(depth, absl::StrCat("partners/", partner, "/stores/", store), "store", std::move(text));
  ExplainPartner(walk, depth + 1, partner);
  return true;
}

bool ExplainCard(Walk& walk, int depth, int64_t number) {
  const Rows rows = walk.Execute(kReadCard, Params().Int(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const AccountId account = row.Id<AccountId>(0);
  walk.Add(depth, absl::StrCat("cards/", number), "card",
           absl::StrCat(account.value() == 0 ? std::string("nobody's yet")
                                             : absl::StrCat("of members/", account.value()),
                        ", issued at ", FormatTimestamp(row.Id<Timestamp>(1)),
                        row.Text(2).empty() ? "" : ", blocked: ", ToAbsl(row.Text(2))));
  if (account.value() != 0) ExplainMember(walk, depth + 1, account);
  return true;
}

bool ExplainReward(Walk& walk, int depth, const std::string& slug) {
  const Rows rows = walk.Execute(kReadReward, Params().Text(slug));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text = absl::StrCat(row.Int(1) == 1 ? "gift \"" : "voucher \"", ToAbsl(row.Text(2)),
                                  "\"", row.Bool(3) ? ", withdrawn" : "");
  if (!row.Text(4).empty()) absl::StrAppend(&text, ", sent by partners/", ToAbsl(row.Text(4)));
  walk.Add(depth, absl::StrCat("rewards/", slug), "reward", std::move(text));
  for (const Row& price : walk.Execute(kReadPrices, Params().Int(row.Int(0)).Int(kShown))) {
    std::string of = absl::StrCat("version ", price.Int(0), ": ", PointsText(price.Int(1)));
    if (price.Int(2) != 0) absl::StrAppend(&of, " and ", walk.Money(price.Int(2)));
    if (!price.IsNull(3)) {
      absl::StrAppend(&of, ", honoured until ", FormatTimestamp(price.Id<Timestamp>(3)));
    }
    walk.Add(depth + 1, "", "price", std::move(of));
  }
  return true;
}

void ExplainGift(Walk& walk, int depth, BookId book, RecordNumber number) {
  const Params of = Params().Int(book).Int(number);
  for (const Row& row : walk.Execute(kReadOrder, of)) {
    walk.Add(depth, absl::StrCat("rewards/", ToAbsl(row.Text(0))), "gift",
             absl::StrCat(row.Int(1), " for ", PointsText(row.Int(2)), " by price version ",
                          row.Int(3), ", ", ToAbsl(row.Text(5)), ", to be confirmed until ",
                          FormatTimestamp(row.Id<Timestamp>(4))));
  }
  for (const Row& row : walk.Execute(kReadVoucher, of)) {
    walk.Add(
        depth, absl::StrCat("rewards/", ToAbsl(row.Text(0))), "voucher's worth",
        absl::StrCat(walk.Money(row.Int(1)), " for ", PointsText(row.Int(3)), " by price version ",
                     row.Int(4), ", ", walk.Money(row.Int(2)), " of it used, valid until ",
                     FormatTimestamp(row.Id<Timestamp>(5)), row.Bool(6) ? ", refunded" : ""));
  }
}

}  // namespace guilder::operator_
