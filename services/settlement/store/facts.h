// Reads what settlements follow from: the programme, contracts, and positions of sealed windows.
//
// Each function runs in the caller's transaction.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

struct Programme {
  ProgrammeId id;
  Currency currency{};
  int currency_exponent = 2;
  absl::TimeZone time_zone;
  // By the programme's clock.
  Timestamp now;

  // Digits of the minor unit of its own or another currency.
  int ExponentOf(const Currency& other) const;
};

absl::StatusOr<Programme> LoadProgramme(postgres::Transaction& transaction);

// The currencies that settlements are of: the programme's, and then those of approved contracts.
std::vector<Currency> ReadCurrencies(postgres::Transaction& transaction,
                                     const Programme& programme);

// What a settlement over [start, end), which are sealed windows, follows from. An error that is
// ours when points were counted in a window before `end` that was never sealed; ABORTED, when
// AttributeLots (lots.h) has not been run since they were sealed.
absl::StatusOr<Facts> LoadFacts(postgres::Transaction& transaction, const Programme& programme,
                                const Settlement& settlement);

struct PartnerFacts {
  std::string slug;
  std::string legal_name;  // The display name, when it has no other.
  std::string iban;
};

struct ContractFacts {
  int number = 0;
  Currency currency{};
  netting::Terms terms;
};

// Names and prices of what lines refer to.
struct Directory {
  std::map<PartnerId, PartnerFacts> partners;
  std::map<ContractId, ContractFacts> contracts;

  const std::string& SlugOf(PartnerId partner) const { return partners.at(partner).slug; }
};

// Those partners, and their contracts.
Directory LoadDirectory(postgres::Transaction& transaction, const std::vector<PartnerId>& partners);

// Whose contracts they are.
std::vector<PartnerId> FindPartnersOf(postgres::Transaction& transaction,
                                      const std::vector<ContractId>& contracts);

// PARTNER_NOT_FOUND.
absl::StatusOr<PartnerId> FindPartner(postgres::Transaction& transaction, const std::string& slug);

// The operator-partner. Error: PARTNER_NOT_FOUND, the programme has none.
absl::StatusOr<PartnerFacts> FindOperatorPartner(postgres::Transaction& transaction);

}  // namespace guilder::settlement
