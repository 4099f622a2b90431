// From the settlement service's values to its messages.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/settlement/domain/settlement.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/obligations.h"
#include "services/settlement/store/settlements.h"
#include "services/settlement/store/windows.h"

namespace guilder::settlement {

// A settlement, or the part of it that concerns one partner, with the names of what it refers to.
struct SettlementView {
  Settlement settlement;
  std::vector<Timestamp> window_starts;
  std::vector<Line> lines;
  std::vector<Net> nets;
  Directory directory;
  int currency_exponent = 2;
};

// What an approval names: the digest, in hexadecimal.
std::string Etag(const Settlement& settlement);

// What "settlements/12/obligations/grocer" names: a settlement, and a partner by its slug.
struct NamedObligation {
  SettlementId settlement;
  std::string partner;
};
std::optional<NamedObligation> ParseObligationName(const std::string& name);

v1::Window ToProto(const WindowFacts& window, const std::vector<BookHead>& heads = {});
// Without windows, lines and nets.
v1::Settlement ToProto(const Settlement& settlement);
v1::Settlement ToProto(const SettlementView& view);
// With the parts of fees; `lines` are by partner.
void AddLines(SettlementId settlement, const std::vector<Line>& lines, const Directory& directory,
              int currency_exponent, google::protobuf::RepeatedPtrField<v1::SettlementLine>& added);
v1::SettlementLine ToProto(SettlementId settlement, const Line& line, const Directory& directory);
v1::PartnerNet ToProto(const Net& net, const Directory& directory);
v1::Obligation ToProto(const StoredObligation& obligation, const Directory& directory);

}  // namespace guilder::settlement
