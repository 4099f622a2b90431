#include "services/member/rpc/import_handlers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/names.h"
#include "libs/rpc/points_restriction.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/runtime.h"
#include "services/member/domain/card_number.h"
#include "services/member/domain/opening.h"

namespace guilder::member {
namespace {

constexpr int kMostCards = 10;
constexpr int kMostLots = 1'000;

absl::Status Malformed(const char* field, const char* problem) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", problem), {{"field", field}});
}

absl::StatusOr<OpeningLot> LotOf(const v1::OpeningLot& lot,
                                 const ledger::Configuration& configuration) {
  OpeningLot opening;
  const auto issuer = rpc::ParseName("partners/{}", lot.issuer());
  if (!issuer) return Refuse(Reason::kPartnerNotFound);
  opening.issuer = (*issuer)[0];
  if (!lot.contract().empty()) {
    const auto contract = rpc::ParseName("partners/{}/contracts/{}", lot.contract());
    const auto number = contract ? rpc::ParseNumber((*contract)[1]) : std::nullopt;
    if (!number || (*contract)[0] != opening.issuer || *number > INT32_MAX) {
      return Refuse(Reason::kContractNotFound);
    }
    opening.contract = static_cast<int>(*number);
  }
  opening.billed = lot.billed();
  if (lot.points() <= 0 || lot.points() > kMaxPointsPerCommand.value()) {
    return Refuse(Reason::kAmountOutOfRange, "points");
  }
  opening.points = Points(lot.points());
  if (lot.has_activates_at()) {
    const auto at = rpc::FromProto(lot.activates_at());
    if (!at) return Malformed("activates_at", "is no instant");
    opening.activates_at = *at;
  }
  if (lot.has_expires_at()) {
    const auto at = rpc::FromProto(lot.expires_at());
    if (!at) return Malformed("expires_at", "is no instant");
    opening.expires_at = *at;
  }
  if (lot.has_spent_only()) {
    GUILDER_ASSIGN_OR_RETURN(opening.spent_only, rpc::FromProto(lot.spent_only(), configuration));
  }
  return opening;
}

absl::StatusOr<std::vector<OpeningLot>> LotsOf(const v1::ImportMembersRequest& item,
                                               const ledger::Configuration& configuration) {
  if (item.lots_size() > kMostLots) return Malformed("lots", "are 1,000 at most");
  std::vector<OpeningLot> lots;
  for (const v1::OpeningLot& lot : item.lots()) {
    GUILDER_ASSIGN_OR_RETURN(lots.emplace_back(), LotOf(lot, configuration));
  }
  return lots;
}

absl::StatusOr<std::vector<CardNumber>> CardsOf(const v1::ImportMembersRequest& item) {
  if (item.card_numbers_size() > kMostCards) return Malformed("card_numbers", "are 10 at most");
  std::vector<CardNumber> cards;
  for (const std::string& digits : item.card_numbers()) {
    GUILDER_ASSIGN_OR_RETURN(const CardNumber card, rpc::ParseCardNumber(digits));
    if (std::find(cards.begin(), cards.end(), card) != cards.end()) {
      return Malformed("card_numbers", "name one twice");
    }
    cards.push_back(card);
  }
  return cards;
}

// What the journal keeps of it: the format's version, the cards, and what entries and lots do not
// say. Who it is stands nowhere in the journal.
std::string EncodeContent(const std::vector<CardNumber>& cards) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat).Unsigned(cards.size());
  for (const CardNumber card : cards) encoder.Id(card);
  return encoder.Take();
}

// What besides the profile makes two items the same.
std::string EncodeAsked(const std::vector<CardNumber>& cards, const std::vector<OpeningLot>& lots) {
  Encoder encoder;
  encoder.Unsigned(cards.size());
  for (const CardNumber card : cards) encoder.Id(card);
  for (const OpeningLot& lot : lots) {
    encoder.Bytes(lot.issuer)
        .Signed(lot.contract)
        .Unsigned(lot.billed ? 1 : 0)
        .Quantity(lot.points)
        .Quantity(lot.activates_at.value_or(Timestamp()))
        .Quantity(lot.expires_at);
    // What states none is the same as before there were restrictions.
    if (!lot.spent_only) continue;
    encoder.Bytes("spent only").Id(lot.spent_only->where());
    for (const PartnerId partner : lot.spent_only->listed()) encoder.Id(partner);
  }
  return encoder.Take();
}

class Opening final : public EnrolmentCommand {
 public:
  Opening(const rpc::MemberNames& names, rpc::Principal caller, std::vector<OpeningLot> lots)
      : names_(names), caller_(std::move(caller)), lots_(std::move(lots)) {}

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    if (Existing()) return Refuse(Reason::kAlreadyExists, "a member has this phone number");
    if (IsCardTaken()) return Refuse(Reason::kAlreadyExists, "a card is somebody's");
    GUILDER_ASSIGN_OR_RETURN(const Points points,
                             DecideOpening(context.configuration, lots_, posting));
    opened = posting.account().id;
    v1::ImportedMember imported;
    imported.set_member(names_.Of(caller_, opened));
    for (const CardNumber card : cards) {
      imported.add_card_numbers(absl::StrCat(card.value()));
    }
    imported.set_points(points.value());
    return imported.SerializeAsString();
  }

 private:
  const rpc::MemberNames& names_;
  const rpc::Principal caller_;
  const std::vector<OpeningLot> lots_;
};

}  // namespace

ImportHandlers::ImportHandlers(const MemberServiceDependencies& dependencies,
                               const MemberView& view)
    : lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      view_(view),
      rows_(view.vault()),
      card_serials_(dependencies.pool) {}

void ImportHandlers::Import(const std::shared_ptr<const rpc::Call>& call,
                            const v1::ImportMembersRequest& item, ledger::Lanes::Done done) {
  auto profile = CheckedProfile(ProfileOf(item.member()));
  if (!profile.ok()) return done(profile.status());
  const auto request_id = rpc::ParseRequestId(item.request_id());
  if (!request_id.ok()) return done(request_id.status());
  auto cards = CardsOf(item);
  if (!cards.ok()) return done(cards.status());
  const auto configuration = lanes_.configuration();
  auto lots = LotsOf(item, *configuration);
  if (!lots.ok()) return done(lots.status());

  auto command = std::make_unique<Opening>(view_.names(), call->principal(), *lots);
  command->kind = ledger::RecordKind::kOpeningBalance;
  command->partner = call->principal().partner;
  command->request_id = *request_id;
  command->fingerprint = view_.vault().Fingerprint(*profile, EncodeAsked(*cards, *lots));
  command->book = lanes_.BookForNewAccount(*request_id);
  command->rows = &rows_;
  for (const OpeningLot& lot : *lots) {
    const ledger::Partner* const issuer = configuration->FindPartner(std::string_view(lot.issuer));
    if (issuer != nullptr) command->payers.push_back(issuer->id);
  }
  command->profile = *std::move(profile);
  command->cards_given = !cards->empty();
  command->cards = *std::move(cards);
  command->deadline = call->deadline();
  if (command->cards_given) return Submit(std::move(command), done);
  if (const auto serial = card_serials_.TryTake()) {
    command->cards = {MakeCardNumber(*serial)};
    return Submit(std::move(command), done);
  }
  auto draw = [this,
               shared = std::make_shared<std::unique_ptr<EnrolmentCommand>>(std::move(command)),
               done] {
    const auto serial = card_serials_.Take((*shared)->deadline);
    if (!serial.ok()) return done(serial.status());
    (*shared)->cards = {MakeCardNumber(*serial)};
    Submit(std::move(*shared), done);
  };
  if (!workers_.TrySubmit(std::move(draw))) done(Refuse(Reason::kQueueFull));
}

void ImportHandlers::Submit(std::unique_ptr<EnrolmentCommand> command,
                            const ledger::Lanes::Done& done) {
  command->content = EncodeContent(command->cards);
  lanes_.Submit(std::move(command), done);
}

}  // namespace guilder::member
