#include "services/partner/store/stores.h"

#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

constexpr postgres::Statement kInsert{"partner.insert_store", R"sql(
  insert into partner.stores (partner_id, code, display_name, time_zone, open, address, region, any_terminal)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict do nothing
)sql"};

constexpr postgres::Statement kLock{"partner.lock_store", R"sql(
  select s.store_id, s.code, s.display_name, s.time_zone, s.open, s.address, s.region,
         s.any_terminal
    from partner.stores s
    join partner.partners p on p.partner_id = s.partner_id
   where p.slug = $1
     and s.code = $2
     for no key update of s
)sql"};

constexpr postgres::Statement kTerminals{"partner.terminals", R"sql(
  select code
    from partner.terminals
   where store_id = $1
   order by code
)sql"};

// Codes hold no commas.
constexpr postgres::Statement kList{"partner.list_stores", R"sql(
  select s.store_id, s.code, s.display_name, s.time_zone, s.open, s.address, s.region,
         s.any_terminal,
         (select coalesce(string_agg(t.code, ',' order by t.code), '')
            from partner.terminals t
           where t.store_id = s.store_id)
    from partner.stores s
   where s.partner_id = $1
     and s.code > $2
   order by s.code
   limit $3
)sql"};

constexpr postgres::Statement kUpdate{"partner.update_store", R"sql(
  update partner.stores
     set display_name = $2, time_zone = $3, open = $4, address = $5, region = $6,
         any_terminal = $7
   where store_id = $1
)sql"};

constexpr postgres::Statement kInsertTerminal{"partner.insert_terminal", R"sql(
  insert into partner.terminals (store_id, code)
  values ($1, $2)
      on conflict do nothing
)sql"};

Store FromRow(const postgres::Row& row) {
  Store store;
  store.id = row.Id<StoreId>(0);
  store.code = row.Text(1);
  store.display_name = row.Text(2);
  store.time_zone = row.Text(3);
  store.open = row.Bool(4);
  store.address = row.Text(5);
  store.region = row.Text(6);
  store.any_terminal = row.Bool(7);
  return store;
}

}  // namespace

absl::Status InsertStore(postgres::Transaction& transaction, PartnerId partner,
                         const Store& store) {
  const postgres::Rows rows = transaction.Execute(kInsert, postgres::Params()
                                                               .Int(partner)
                                                               .Text(store.code)
                                                               .Text(store.display_name)
                                                               .Text(store.time_zone)
                                                               .Bool(store.open)
                                                               .Text(store.address)
                                                               .Text(store.region)
                                                               .Bool(store.any_terminal));
  return rows.affected() == 1 ? absl::OkStatus() : Refuse(Reason::kAlreadyExists);
}

absl::StatusOr<Store> LockStore(postgres::Transaction& transaction, std::string_view partner_slug,
                                std::string_view code) {
  const postgres::Rows rows =
      transaction.Execute(kLock, postgres::Params().Text(partner_slug).Text(code));
  if (rows.empty()) return Refuse(Reason::kStoreNotFound);
  Store store = FromRow(rows[0]);
  for (const postgres::Row row :
       transaction.Execute(kTerminals, postgres::Params().Int(store.id))) {
    store.terminals.emplace_back(row.Text(0));
  }
  return store;
}

std::vector<Store> ListStores(postgres::Transaction& transaction, PartnerId partner,
                              std::string_view after, int limit) {
  std::vector<Store> stores;
  for (const postgres::Row row :
       transaction.Execute(kList, postgres::Params().Int(partner).Text(after).Int(limit))) {
    stores.push_back(FromRow(row));
    stores.back().terminals = absl::StrSplit(ToAbsl(row.Text(8)), ',', absl::SkipEmpty());
  }
  return stores;
}

void UpdateStore(postgres::Transaction& transaction, const Store& store) {
  transaction.Execute(kUpdate, postgres::Params()
                                   .Int(store.id)
                                   .Text(store.display_name)
                                   .Text(store.time_zone)
                                   .Bool(store.open)
                                   .Text(store.address)
                                   .Text(store.region)
                                   .Bool(store.any_terminal));
}

absl::Status InsertTerminal(postgres::Transaction& transaction, StoreId store,
                            std::string_view code) {
  const postgres::Rows rows =
      transaction.Execute(kInsertTerminal, postgres::Params().Int(store).Text(code));
  return rows.affected() == 1 ? absl::OkStatus() : Refuse(Reason::kAlreadyExists);
}

}  // namespace guilder::partner
