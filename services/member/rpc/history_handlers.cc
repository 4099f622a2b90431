#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/forwards.h"
#include "libs/rpc/proto_time.h"
#include "services/member/domain/timeline.h"
#include "services/member/rpc/history_proto.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/store/history.h"

namespace guilder::member {
namespace {

constexpr int kDefaultTimelineItems = 100;
constexpr int kMostTimelineItems = 1'000;

v1::TimelineKind KindToProto(ItemKind kind) {
  switch (kind) {
    case ItemKind::kPosting:
      return v1::TIMELINE_KIND_POSTING;
    case ItemKind::kRefusal:
      return v1::TIMELINE_KIND_REFUSAL;
    case ItemKind::kParked:
      return v1::TIMELINE_KIND_PARKED;
    case ItemKind::kPromise:
      return v1::TIMELINE_KIND_PROMISE;
    case ItemKind::kExpiry:
      return v1::TIMELINE_KIND_EXPIRY;
  }
  return v1::TIMELINE_KIND_UNSPECIFIED;
}

v1::TimelineItem ItemToProto(const ledger::Configuration& configuration, const TimelineItem& item) {
  v1::TimelineItem proto;
  *proto.mutable_at() = rpc::ToProto(item.at);
  proto.set_kind(KindToProto(item.kind));
  proto.set_partner(PartnerName(configuration, item.partner));
  proto.set_subject(item.subject);
  proto.set_text(item.text);
  proto.set_points(item.points.value());
  return proto;
}

// Where a lot stands in the order of spending.
using SpendingOrder = std::tuple<Timestamp, LotId>;

SpendingOrder OrderOf(const ledger::AccountState& account, const ledger::Lot& lot) {
  return {account.EndOf(lot), lot.id};
}

std::string EncodePosition(const SpendingOrder& order) {
  Encoder encoder;
  encoder.Quantity(std::get<Timestamp>(order)).Id(std::get<LotId>(order));
  return encoder.Take();
}

// The lots with points left, in the order of spending.
std::vector<ledger::Lot> LotsToSpend(const ledger::AccountState& account) {
  std::vector<ledger::Lot> lots;
  for (const ledger::Lot& lot : account.lots) {
    if (lot.remaining > Points(0)) lots.push_back(lot);
  }
  std::sort(lots.begin(), lots.end(), [&](const ledger::Lot& a, const ledger::Lot& b) {
    return OrderOf(account, a) < OrderOf(account, b);
  });
  return lots;
}

absl::StatusOr<int> TimelineSize(int asked) {
  if (asked < 0) return Refuse(Reason::kRequestMalformed, "page_size is negative");
  return asked == 0 ? kDefaultTimelineItems : std::min(asked, kMostTimelineItems);
}

// Whose statement it is.
absl::StatusOr<AccountId> FindAccount(postgres::Transaction& tx, CardNumber card,
                                      AccountId member) {
  if (!card) return member;
  const auto account = FindByCard(tx, card);
  if (!account) return Refuse(Reason::kCardNotFound);
  return *account;
}

}  // namespace

absl::StatusOr<v1::ListLotsResponse> MemberHandlers::ListLots(const rpc::Call& call,
                                                              const v1::ListLotsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId id,
                           view_.names().Parse(call.principal(), request.parent()));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(id));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("ListLots ", request.parent());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  Decoder decoder(position);
  const auto after_expiry = decoder.ReadQuantity<Timestamp>();
  const SpendingOrder after{after_expiry, decoder.ReadId<LotId>()};

  GUILDER_ASSIGN_OR_RETURN(
      const ledger::AccountAsOfNow account,
      pool_.Read(
          [&](postgres::Transaction& tx) -> absl::StatusOr<ledger::AccountAsOfNow> {
            auto read = ledger::ReadAccountWithLots(tx, id);
            if (!read) return Refuse(Reason::kMemberNotFound);
            return *std::move(read);
          },
          call.deadline()));
  const auto configuration = lanes_.configuration();
  v1::ListLotsResponse response;
  SpendingOrder last;
  for (const ledger::Lot& lot : LotsToSpend(account.state)) {
    if (!position.empty() && OrderOf(account.state, lot) <= after) continue;
    if (response.lots_size() == page_size) {
      response.set_next_page_token(page_tokens_.Make(list, EncodePosition(last)));
      break;
    }
    *response.add_lots() = LotToProto(*configuration, account.state, lot);
    last = OrderOf(account.state, lot);
  }
  return response;
}

absl::StatusOr<v1::ListEntriesResponse> MemberHandlers::ListEntries(
    const rpc::Call& call, const v1::ListEntriesRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account,
                           view_.names().Parse(call.principal(), request.parent()));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("ListEntries ", request.parent());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  EntryPlace after;
  if (!position.empty()) {
    Decoder decoder(position);
    after.number = decoder.ReadId<RecordNumber>();
    after.line = static_cast<int>(decoder.Signed());
  }
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<EntryRow> rows,
      pool_.Read(
          [&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<EntryRow>> {
            if (!ReadMember(tx, account)) return Refuse(Reason::kMemberNotFound);
            return ReadEntries(tx, account, after, page_size + 1);
          },
          call.deadline()));
  v1::ListEntriesResponse response;
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) {
    *response.add_entries() = EntryToProto(ledger::BookOf(account), rows[i]);
  }
  if (count < rows.size()) {
    Encoder encoder;
    encoder.Id(rows[count - 1].place.number).Signed(rows[count - 1].place.line);
    response.set_next_page_token(page_tokens_.Make(list, encoder.str()));
  }
  return response;
}

absl::StatusOr<v1::GetStatementResponse> MemberHandlers::GetStatement(
    const rpc::Call& call, const v1::GetStatementRequest& request) {
  using Request = v1::GetStatementRequest;
  CardNumber card;
  AccountId member;
  if (request.of_case() == Request::OF_NOT_SET) {
    return Refuse(Reason::kRequestMalformed, "card_number or member");
  }
  GUILDER_ASSIGN_OR_RETURN(const int limit, TimelineSize(request.page_size()));
  if (request.of_case() == Request::kCardNumber) {
    GUILDER_ASSIGN_OR_RETURN(card, ParseAskedCard(request.card_number()));
  } else {
    GUILDER_ASSIGN_OR_RETURN(member, view_.names().Parse(call.principal(), request.member()));
  }
  const auto configuration = lanes_.configuration();
  return view_.Inspect(
      call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::GetStatementResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId named, FindAccount(tx, card, member));
        v1::GetStatementResponse response;
        GUILDER_ASSIGN_OR_RETURN(
            *response.mutable_member(),
            view_.ReadVisible(call, tx, named, card, "MemberService/GetStatement"));
        // The name of a merged account stands for the one that goes on, in all parts of the answer.
        const AccountId id = ledger::SurvivorOf(tx, named);
        const auto account = ledger::ReadAccountWithLots(tx, id);
        if (!account) return Refuse(Reason::kMemberNotFound);
        *response.mutable_balance() = BalanceToProto(*account);
        response.mutable_balance()->set_member(response.member().name());
        AddRestricted(*configuration, account->state, *response.mutable_balance());

        std::vector<TimelineItem> past;
        for (const auto& record : ReadRecords(tx, id, limit)) past.push_back(Describe(record));
        for (const auto& refusal : ReadRefusals(tx, id, limit)) past.push_back(Describe(refusal));
        for (const auto& item : ReadParkedItems(tx, id, limit)) past.push_back(Describe(item));
        std::vector<TimelineItem> promised;
        for (const ledger::Lot& lot : account->state.lots) {
          const ledger::Partner* const issuer = configuration->FindPartner(lot.issuer);
          for (TimelineItem& item : Promises(ledger::BookOf(id), lot, account->state.EndOf(lot),
                                             issuer == nullptr ? "a partner" : issuer->slug)) {
            promised.push_back(std::move(item));
          }
        }
        for (const TimelineItem& item :
             Merge(std::move(past), std::move(promised), static_cast<size_t>(limit))) {
          *response.add_items() = ItemToProto(*configuration, item);
        }
        return response;
      });
}

}  // namespace guilder::member
