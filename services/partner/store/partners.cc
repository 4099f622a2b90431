#include "services/partner/store/partners.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

// Every statement that gives a partner gives these columns.
#define GUILDER_PARTNER_COLUMNS_                                                                \
  "partner_id, slug, display_name, legal_name, registration_number, tax_id, iban, "             \
  "merchant_category_code, state, submitted_by, reviewed_by, approved_by, programme_operator, " \
  "revision "

constexpr postgres::Statement kInsert{"partner.insert", R"sql(
  insert into partner.partners
         (slug, programme_id, display_name, legal_name, registration_number, tax_id, iban,
          merchant_category_code, state, programme_operator)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict do nothing
  returning )sql" GUILDER_PARTNER_COLUMNS_};

constexpr postgres::Statement kFind{"partner.find", "select " GUILDER_PARTNER_COLUMNS_ R"sql(
    from partner.partners
   where slug = $1
)sql"};

constexpr postgres::Statement kLock{"partner.lock", "select " GUILDER_PARTNER_COLUMNS_ R"sql(
    from partner.partners
   where slug = $1
     for no key update
)sql"};

constexpr postgres::Statement kList{"partner.list", "select " GUILDER_PARTNER_COLUMNS_ R"sql(
    from partner.partners
   where slug > $1
   order by slug
   limit $2
)sql"};

constexpr postgres::Statement kUpdate{"partner.update", R"sql(
  update partner.partners
     set display_name = $2, legal_name = $3, registration_number = $4, tax_id = $5, iban = $6,
         merchant_category_code = $7, state = $8, submitted_by = $9, reviewed_by = $10,
         approved_by = $11, revision = revision + 1
   where partner_id = $1
  returning )sql" GUILDER_PARTNER_COLUMNS_};

#undef GUILDER_PARTNER_COLUMNS_

Partner FromRow(const postgres::Row& row) {
  Partner partner;
  partner.id = row.Id<PartnerId>(0);
  partner.slug = row.Text(1);
  partner.details.display_name = row.Text(2);
  partner.details.legal_name = row.Text(3);
  partner.details.registration_number = row.Text(4);
  partner.details.tax_id = row.Text(5);
  partner.details.iban = row.Text(6);
  partner.details.merchant_category_code = row.Text(7);
  partner.state = StateFromName(row.Text(8)).value();
  partner.submitted_by = row.Text(9);
  partner.reviewed_by = row.Text(10);
  partner.approved_by = row.Text(11);
  partner.programme_operator = row.Bool(12);
  partner.revision = row.Int(13);
  return partner;
}

absl::StatusOr<Partner> OnlyRow(const postgres::Rows& rows) {
  if (rows.empty()) return Refuse(Reason::kPartnerNotFound);
  return FromRow(rows[0]);
}

}  // namespace

absl::StatusOr<Partner> InsertPartner(postgres::Transaction& transaction, ProgrammeId programme,
                                      const Partner& partner) {
  const PartnerDetails& details = partner.details;
  const postgres::Rows rows = transaction.Execute(kInsert, postgres::Params()
                                                               .Text(partner.slug)
                                                               .Int(programme)
                                                               .Text(details.display_name)
                                                               .Text(details.legal_name)
                                                               .Text(details.registration_number)
                                                               .Text(details.tax_id)
                                                               .Text(details.iban)
                                                               .Text(details.merchant_category_code)
                                                               .Text(StateName(partner.state))
                                                               .Bool(partner.programme_operator));
  if (!rows.empty()) return FromRow(rows[0]);
  const bool slug_taken = FindPartner(transaction, partner.slug).ok();
  return Refuse(Reason::kAlreadyExists,
                slug_taken ? "" : "the programme has an operator-partner already");
}

absl::StatusOr<Partner> FindPartner(postgres::Transaction& transaction, std::string_view slug) {
  return OnlyRow(transaction.Execute(kFind, postgres::Params().Text(slug)));
}

absl::StatusOr<Partner> LockPartner(postgres::Transaction& transaction, std::string_view slug) {
  return OnlyRow(transaction.Execute(kLock, postgres::Params().Text(slug)));
}

std::vector<Partner> ListPartners(postgres::Transaction& transaction, std::string_view after,
                                  int limit) {
  std::vector<Partner> partners;
  for (const postgres::Row row :
       transaction.Execute(kList, postgres::Params().Text(after).Int(limit))) {
    partners.push_back(FromRow(row));
  }
  return partners;
}

Partner UpdatePartner(postgres::Transaction& transaction, const Partner& partner) {
  const PartnerDetails& details = partner.details;
  return FromRow(transaction.Execute(kUpdate, postgres::Params()
                                                  .Int(partner.id)
                                                  .Text(details.display_name)
                                                  .Text(details.legal_name)
                                                  .Text(details.registration_number)
                                                  .Text(details.tax_id)
                                                  .Text(details.iban)
                                                  .Text(details.merchant_category_code)
                                                  .Text(StateName(partner.state))
                                                  .Text(partner.submitted_by)
                                                  .Text(partner.reviewed_by)
                                                  .Text(partner.approved_by))[0]);
}

}  // namespace guilder::partner
