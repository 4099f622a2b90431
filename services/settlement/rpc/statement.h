// A partner's statement of a settlement as a message.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/postgres/connection.h"
#include "libs/rpc/call.h"
#include "services/settlement/domain/settlement.h"
#include "services/settlement/store/invoices.h"

namespace guilder::settlement {

// Errors: SETTLEMENT_NOT_FOUND, PARTNER_NOT_FOUND, NOT_YOURS.
absl::StatusOr<v1::GetPartnerStatementResponse> LoadStatement(postgres::Transaction& transaction,
                                                              const rpc::Call& call,
                                                              SettlementId id,
                                                              const std::string& slug);

// A line that was billed, and its settlement.
struct NamedLine {
  Settlement settlement;
  Line line;
};
// By a name as in "settlements/12/lines/3". Error: NAME_NOT_FOUND, also where the caller may not
// speak for its partner.
absl::StatusOr<NamedLine> FindNamedLine(postgres::Transaction& transaction, const rpc::Call& call,
                                        const std::string& name);

// Adds to each line of the settlement the document that it stands on, where it has one.
void AddInvoicesOfLines(postgres::Transaction& transaction, SettlementId settlement,
                        google::protobuf::RepeatedPtrField<v1::SettlementLine>& lines);

// What a statement of an approved settlement lists: the partner's invoices and credit notes of it,
// and the credit notes that were issued since the settlement before. Each once, by number.
std::vector<Invoice> ReadDocuments(postgres::Transaction& transaction, const Settlement& settlement,
                                   PartnerId partner);

}  // namespace guilder::settlement
