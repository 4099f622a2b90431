#include "services/partner/store/documents.h"

#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

constexpr postgres::Statement kList{"partner.list_documents", R"sql(
  select kind, display_name, sha256, attached_by, attached_at_us
    from partner.documents
   where partner_id = $1
   order by attached_at_us, sha256
)sql"};

constexpr postgres::Statement kInsert{"partner.insert_document", R"sql(
  insert into partner.documents (partner_id, sha256, kind, display_name, attached_by, attached_at_us)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

constexpr postgres::Statement kOpenObligations{"partner.open_obligations", R"sql(
  select count(*)
    from settlement.obligations
   where partner_id = $1
     and state not in ('PAID', 'WRITTEN_OFF')
)sql"};

// By the last settlement of each currency.
constexpr postgres::Statement kCarriedForward{"partner.carried_forward", R"sql(
  select count(*)
    from settlement.nets n
    join (select distinct on (currency) settlement_id
            from settlement.settlements
           where state <> 'COMPUTED'
           order by currency, settlement_id desc) s using (settlement_id)
   where n.partner_id = $1
     and n.carried_out <> 0
)sql"};

// The final settlement of a currency is the first that ends after its date.
constexpr postgres::Statement kFinalSettlementToCome{"partner.final_settlement_to_come", R"sql(
  select exists (select
                   from partner.contracts c
                   join partner.partners p using (partner_id)
                  where c.partner_id = $1
                    and c.state = 'APPROVED'
                    and not exists (select
                                      from settlement.settlements s
                                     where s.currency = c.currency
                                       and s.state <> 'COMPUTED'
                                       and s.end_us > p.final_settlement_us))
)sql"};

constexpr postgres::Statement kNotice{"partner.notice_days", R"sql(
  select coalesce(max(notice_days) filter (where kind = 'ISSUANCE'), 0),
         coalesce(max(notice_days) filter (where kind = 'REDEMPTION'), 0)
    from partner.contracts
   where partner_id = $1
     and state = 'APPROVED'
     and effective_from_us <= $2
     and (effective_until_us is null or effective_until_us > $2)
)sql"};

}  // namespace

std::vector<Document> ListDocuments(postgres::Transaction& transaction, PartnerId partner) {
  std::vector<Document> documents;
  for (const postgres::Row row : transaction.Execute(kList, postgres::Params().Int(partner))) {
    documents.push_back({std::string(row.Text(0)), std::string(row.Text(1)), row.Digest(2),
                         std::string(row.Text(3)), row.Id<Timestamp>(4)});
  }
  return documents;
}

void InsertDocument(postgres::Transaction& transaction, PartnerId partner,
                    const Document& document) {
  transaction.Execute(kInsert, postgres::Params()
                                   .Int(partner)
                                   .Bytes(document.sha256)
                                   .Text(document.kind)
                                   .Text(document.display_name)
                                   .Text(document.attached_by)
                                   .Int(document.attached_at));
}

int64_t CountOpenObligations(postgres::Transaction& transaction, PartnerId partner) {
  return transaction.Execute(kOpenObligations, postgres::Params().Int(partner))[0].Int(0);
}

bool IsCarriedForward(postgres::Transaction& transaction, PartnerId partner) {
  return transaction.Execute(kCarriedForward, postgres::Params().Int(partner))[0].Int(0) > 0;
}

bool IsFinalSettlementToCome(postgres::Transaction& transaction, PartnerId partner) {
  return transaction.Execute(kFinalSettlementToCome, postgres::Params().Int(partner))[0].Bool(0);
}

NoticeDays ReadNoticeDays(postgres::Transaction& transaction, PartnerId partner, Timestamp at) {
  const postgres::Rows rows = transaction.Execute(kNotice, postgres::Params().Int(partner).Int(at));
  return {static_cast<int32_t>(rows[0].Int(0)), static_cast<int32_t>(rows[0].Int(1))};
}

}  // namespace guilder::partner
