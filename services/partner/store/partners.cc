#include "services/partner/store/partners.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"
#include "services/partner/store/documents.h"

namespace guilder::partner {
namespace {

// Every statement that gives a partner gives these columns.
#define GUILDER_PARTNER_COLUMNS_                                                                \
  "partner_id, slug, display_name, legal_name, registration_number, tax_id, iban, "             \
  "merchant_category_code, state, submitted_by, reviewed_by, approved_by, programme_operator, " \
  "revision, sanctions_result, sanctions_reference, reviewed_at_us, approved_at_us, "           \
  "last_issue_us, last_redemption_us, last_return_us, final_settlement_us "

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
         approved_by = $11, revision = revision + 1, sanctions_result = $12,
         sanctions_reference = $13, reviewed_at_us = $14, approved_at_us = $15, last_issue_us = $16,
         last_redemption_us = $17, last_return_us = $18, final_settlement_us = $19
   where partner_id = $1
  returning )sql" GUILDER_PARTNER_COLUMNS_};

#undef GUILDER_PARTNER_COLUMNS_

struct SanctionsText {
  SanctionsResult result;
  std::string_view name;
};
constexpr SanctionsText kSanctions[] = {{SanctionsResult::kNotScreened, ""},
                                        {SanctionsResult::kClear, "CLEAR"},
                                        {SanctionsResult::kHit, "HIT"}};

std::string_view NameOf(SanctionsResult result) {
  for (const SanctionsText& text : kSanctions) {
    if (text.result == result) return text.name;
  }
  return "";
}

SanctionsResult SanctionsFromName(std::string_view name) {
  for (const SanctionsText& text : kSanctions) {
    if (text.name == name) return text.result;
  }
  return SanctionsResult::kNotScreened;
}

std::optional<Timestamp> DateOf(const Partner& partner, Timestamp RunOff::*date) {
  if (!partner.run_off) return std::nullopt;
  return (*partner.run_off).*date;
}

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
  partner.evidence.sanctions = SanctionsFromName(row.Text(14));
  partner.evidence.sanctions_reference = row.Text(15);
  partner.evidence.reviewed_at = row.OptionalId<Timestamp>(16);
  partner.evidence.approved_at = row.OptionalId<Timestamp>(17);
  if (!row.IsNull(18)) {
    partner.run_off = RunOff{row.Id<Timestamp>(18), row.Id<Timestamp>(19), row.Id<Timestamp>(20),
                             row.Id<Timestamp>(21)};
  }
  return partner;
}

absl::StatusOr<Partner> OnlyRow(postgres::Transaction& transaction, const postgres::Rows& rows) {
  if (rows.empty()) return Refuse(Reason::kPartnerNotFound);
  Partner partner = FromRow(rows[0]);
  partner.evidence.documents = ListDocuments(transaction, partner.id);
  return partner;
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
  return OnlyRow(transaction, transaction.Execute(kFind, postgres::Params().Text(slug)));
}

absl::StatusOr<Partner> LockPartner(postgres::Transaction& transaction, std::string_view slug) {
  return OnlyRow(transaction, transaction.Execute(kLock, postgres::Params().Text(slug)));
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
  Partner stored = FromRow(
      transaction.Execute(kUpdate, postgres::Params()
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
                                       .Text(partner.approved_by)
                                       .Text(NameOf(partner.evidence.sanctions))
                                       .Text(partner.evidence.sanctions_reference)
                                       .Int(partner.evidence.reviewed_at)
                                       .Int(partner.evidence.approved_at)
                                       .Int(DateOf(partner, &RunOff::last_issue))
                                       .Int(DateOf(partner, &RunOff::last_redemption))
                                       .Int(DateOf(partner, &RunOff::last_return))
                                       .Int(DateOf(partner, &RunOff::final_settlement)))[0]);
  stored.evidence.documents = partner.evidence.documents;
  return stored;
}

}  // namespace guilder::partner
