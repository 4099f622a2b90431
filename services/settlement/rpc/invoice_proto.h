// Invoices as documents and as messages.
#pragma once

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/postgres/connection.h"
#include "services/settlement/domain/invoice_document.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

// What the invoice's face says. In the caller's transaction.
InvoiceDocument LoadDocument(postgres::Transaction& transaction, const Programme& programme,
                             Invoice invoice);

v1::Invoice ToProto(const InvoiceDocument& document);
v1::FeeParts ToProto(const netting::FeeParts& parts);

}  // namespace guilder::settlement
