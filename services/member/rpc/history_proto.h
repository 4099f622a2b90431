// Lots, entries and consents on the wire.
#pragma once

#include <string>

#include "guilder/member/v1/member_service.pb.h"
#include "guilder/member/v1/person_service.pb.h"

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/state.h"
#include "services/member/store/consents.h"
#include "services/member/store/history.h"

namespace guilder::member {

// "partners/{partner_id}"; empty for none.
std::string PartnerName(const ledger::Configuration& configuration, PartnerId id);
// "partners/{partner_id}/contracts/{number}" of an issuance contract; empty for none.
std::string ContractName(const ledger::Configuration& configuration, PartnerId id,
                         ContractId contract);

// Adds what of the available points may be spent only somewhere. The account has its lots.
void AddRestricted(const ledger::Configuration& configuration, const ledger::AccountState& account,
                   v1::GetBalanceResponse& balance);

// With the date that holds now.
v1::Lot LotToProto(const ledger::Configuration& configuration, const ledger::AccountState& account,
                   const ledger::Lot& lot);
v1::Entry EntryToProto(BookId book, const EntryRow& row);
v1::Consent ConsentToProto(const ledger::Configuration& configuration, const ConsentRow& row);

}  // namespace guilder::member
