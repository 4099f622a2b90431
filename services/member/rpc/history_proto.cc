#include "services/member/rpc/history_proto.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/ledger/core/account.h"
#include "libs/rpc/points_restriction.h"
#include "libs/rpc/proto_time.h"
#include "services/member/domain/timeline.h"

namespace guilder::member {

std::string PartnerName(const ledger::Configuration& configuration, PartnerId id) {
  const ledger::Partner* const partner = configuration.FindPartner(id);
  return partner == nullptr ? "" : absl::StrCat("partners/", partner->slug);
}

std::string ContractName(const ledger::Configuration& configuration, PartnerId id,
                         ContractId contract) {
  const ledger::Partner* const partner = configuration.FindPartner(id);
  if (partner == nullptr) return "";
  for (const ledger::Contract& version : partner->issuance) {
    if (version.id == contract) {
      return absl::StrCat("partners/", partner->slug, "/contracts/", version.number);
    }
  }
  return "";
}

v1::Lot LotToProto(const ledger::Configuration& configuration, const ledger::AccountState& account,
                   const ledger::Lot& lot) {
  v1::Lot proto;
  proto.set_name(LotName(ledger::BookOf(account.id), lot.id));
  proto.set_issuer(PartnerName(configuration, lot.issuer));
  proto.set_contract(ContractName(configuration, lot.issuer, lot.contract));
  proto.set_issued_points(lot.issued.value());
  proto.set_remaining_points(lot.remaining.value());
  proto.set_held_points(lot.held.value());
  proto.set_pending(lot.state == ledger::LotState::kPending);
  *proto.mutable_activates_at() = rpc::ToProto(lot.activates_at);
  const Timestamp end = account.EndOf(lot);
  if (end != kNever) *proto.mutable_expires_at() = rpc::ToProto(end);
  if (lot.restricted_to) {
    *proto.mutable_spent_only() = rpc::ToProto(lot.restricted_to, configuration);
  }
  return proto;
}

void AddRestricted(const ledger::Configuration& configuration, const ledger::AccountState& account,
                   v1::GetBalanceResponse& balance) {
  std::vector<std::pair<ledger::Restriction, Points>> sums;
  for (const ledger::Lot& lot : account.lots) {
    const bool counts = lot.state == ledger::LotState::kActive && lot.free() > Points(0);
    if (!counts || !lot.restricted_to) continue;
    const auto same = [&lot](const auto& sum) { return sum.first == lot.restricted_to; };
    const auto found = std::find_if(sums.begin(), sums.end(), same);
    if (found == sums.end()) {
      sums.emplace_back(lot.restricted_to, lot.free());
    } else {
      found->second += lot.free();
    }
  }
  for (const auto& [restriction, points] : sums) {
    v1::RestrictedPoints& out = *balance.add_restricted();
    *out.mutable_spent_only() = rpc::ToProto(restriction, configuration);
    out.set_points(points.value());
  }
}

v1::Entry EntryToProto(BookId book, const EntryRow& row) {
  v1::Entry proto;
  proto.set_name(
      absl::StrCat("entries/", book.value(), "-", row.place.number.value(), "-", row.place.line));
  proto.set_record(ledger::RecordName(row.kind, book, row.place.number));
  proto.set_kind(std::string(ledger::RecordKindName(row.kind)));
  *proto.mutable_posted_at() = rpc::ToProto(row.posted_at);
  proto.set_debit(std::string(ledger::BucketName(row.entry.debit.bucket)));
  proto.set_credit(std::string(ledger::BucketName(row.entry.credit.bucket)));
  proto.set_points(row.entry.points.value());
  const LotId lot = row.entry.debit.lot ? row.entry.debit.lot : row.entry.credit.lot;
  if (lot) proto.set_lot(LotName(book, lot));
  return proto;
}

v1::Consent ConsentToProto(const ledger::Configuration& configuration, const ConsentRow& row) {
  v1::Consent consent;
  consent.set_partner(PartnerName(configuration, row.key.partner));
  consent.set_purpose(static_cast<v1::ConsentPurpose>(row.key.purpose));
  consent.set_channel(static_cast<v1::ConsentChannel>(row.key.channel));
  consent.set_granted(row.granted);
  *consent.mutable_change_time() = rpc::ToProto(row.changed_at);
  consent.set_changed_by(row.changed_by);
  consent.set_source(row.source);
  return consent;
}

}  // namespace guilder::member
