#include <future>
#include <utility>

#include "absl/strings/str_split.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/moves.h"
#include "libs/ledger/store/forwards.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/names.h"
#include "libs/security/secrets.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/rpc/points_handlers.h"
#include "services/member/rpc/points_proto.h"

namespace guilder::member {
namespace {

using ledger::Posting;
using ledger::RecordKind;

constexpr size_t kMostNoteBytes = 800;

// What was asked, as fingerprinted: format, accounts as they were named, points.
Digest FingerprintOf(RecordKind kind, AccountId from, AccountId to, Points points) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat).Unsigned(static_cast<uint64_t>(kind)).Id(from).Id(to).Quantity(points);
  return Sha256({encoder.str()});
}

// The content of a transfer's record: format, receiver, points.
std::string ContentOf(AccountId to, Points points) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat).Id(to).Quantity(points);
  return encoder.Take();
}

std::string NameOf(RecordKind kind, const Posting& posting) {
  return ledger::RecordName(kind, ledger::BookOf(posting.account().id), posting.number());
}

absl::StatusOr<std::string> NamesSeveral() {
  return absl::InternalError("a command on several accounts was decided over one");
}

class DoTransfer final : public TransferCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&, Posting&) override {
    return NamesSeveral();
  }
  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext&,
                                             std::vector<Posting>& postings) override {
    GUILDER_ASSIGN_OR_RETURN(fee,
                             DecideTransfer(policy, Facts(), postings[0], postings[1], points));
    received_by = postings[1].number();
    v1::TransferPointsResponse response;
    response.set_name(NameOf(kind, postings[0]));
    response.set_target(MemberName(others[0]));
    response.set_points(points.value());
    response.set_fee_points(fee.value());
    response.set_available_points(postings[0].account().available.value());
    return response.SerializeAsString();
  }
};

class DoReversal final : public ReversalCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&, Posting&) override {
    return NamesSeveral();
  }
  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext&,
                                             std::vector<Posting>& postings) override {
    if (transfer.reversed) return Refuse(Reason::kWrongState, "it was reversed");
    GUILDER_ASSIGN_OR_RETURN(
        const Points back, DecideTransferReversal(policy, transfer.posted_at, transfer.received_by,
                                                  transfer.points, postings[0], postings[1]));
    v1::ReverseTransferResponse response;
    response.set_name(ledger::RecordName(RecordKind::kTransfer, book, refers_to));
    response.set_points(back.value());
    return response.SerializeAsString();
  }
};

class DoMerge final : public MergeCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&, Posting&) override {
    return NamesSeveral();
  }
  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext&,
                                             std::vector<Posting>& postings) override {
    const ledger::AccountState source = postings[0].account();
    const bool open = source.status == ledger::AccountStatus::kOpen;
    // A card that nobody has enrolled with goes to a member, and not the other way.
    if (!into_member) return Refuse(Reason::kMemberNotFound);
    if (open && !has_working_card) return Refuse(Reason::kCardBlocked);
    if (open && spending_locked) return Refuse(Reason::kSpendingLocked);
    GUILDER_RETURN_IF_ERROR(ledger::DecideMerge(postings[0], postings[1]));
    v1::MergeMembersResponse response;
    response.set_name(NameOf(kind, postings[0]));
    response.set_member(MemberName(others[0]));
    response.set_available_points(source.available.value());
    response.set_pending_points(source.pending.value());
    response.set_debt_points(source.debt.value());
    response.set_held_points(source.held.value());
    response.set_both_were_welcomed(both_were_welcomed);
    return response.SerializeAsString();
  }
};

void Address(ledger::Command& command, const rpc::Call& call, RecordKind kind, AccountId from,
             AccountId to) {
  command.kind = kind;
  command.partner = call.principal().partner;
  command.account = from;
  command.book = ledger::BookOf(from);
  command.others = {to};
}

// "transfers/3-1042".
std::optional<std::pair<BookId, RecordNumber>> ParseTransfer(std::string_view name) {
  const auto parts = rpc::ParseName("transfers/{}", name);
  if (!parts) return std::nullopt;
  const std::vector<std::string> numbers = absl::StrSplit((*parts)[0], '-');
  if (numbers.size() != 2) return std::nullopt;
  const auto book = rpc::ParseNumber(numbers[0]);
  const auto number = rpc::ParseNumber(numbers[1]);
  if (!book || !number || *book >= ledger::kBooksPerSerial) return std::nullopt;
  return std::pair(BookId(static_cast<int32_t>(*book)), RecordNumber(*number));
}

}  // namespace

PointsHandlers::PointsHandlers(const MemberServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      vault_(dependencies.secrets),
      residences_(dependencies.pool, dependencies.lanes, vault_),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<AccountId> PointsHandlers::Resolve(const rpc::Call& call, AccountId account) const {
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<AccountId> {
        if (!AccountExists(tx, account)) return Refuse(Reason::kMemberNotFound);
        return ledger::SurvivorOf(tx, account);
      },
      call.deadline());
}

absl::StatusOr<AccountId> PointsHandlers::TargetOf(const rpc::Call& call,
                                                   const v1::TransferPointsRequest& request) const {
  using Request = v1::TransferPointsRequest;
  switch (request.to_case()) {
    case Request::kTarget:
      // Names of members can be guessed; their cards are shown to who may know them.
      if (call.principal().IsMember()) {
        return Refuse(Reason::kPermissionDenied, "members name the other one's card");
      }
      return ParseMemberName(request.target());
    case Request::kTargetCardNumber: {
      GUILDER_ASSIGN_OR_RETURN(const CardNumber card, ParseAskedCard(request.target_card_number()));
      return pool_.Read(
          [&](postgres::Transaction& tx) -> absl::StatusOr<AccountId> {
            const auto account = FindByCard(tx, card);
            if (!account) return Refuse(Reason::kCardNotFound);
            return *account;
          },
          call.deadline());
    }
    case Request::TO_NOT_SET:
      break;
  }
  return Refuse(Reason::kRequestMalformed, "target or target_card_number", {{"field", "target"}});
}

absl::StatusOr<ledger::Answer> PointsHandlers::Post(
    const rpc::Call& call, std::unique_ptr<ledger::Command> command) const {
  command->deadline = call.deadline();
  auto promise = std::make_shared<std::promise<absl::StatusOr<ledger::Answer>>>();
  auto answer = promise->get_future();
  lanes_.Submit(std::move(command), [promise](absl::StatusOr<ledger::Answer> outcome) {
    promise->set_value(std::move(outcome));
  });
  return answer.get();
}

absl::StatusOr<v1::TransferPointsResponse> PointsHandlers::TransferPoints(
    const rpc::Call& call, const v1::TransferPointsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId named, ParseMemberName(request.source()));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(named));
  GUILDER_ASSIGN_OR_RETURN(const AccountId asked, TargetOf(call, request));
  if (request.points() <= 0) return Refuse(Reason::kAmountOutOfRange, "points");
  GUILDER_ASSIGN_OR_RETURN(const AccountId source, Resolve(call, named));
  GUILDER_ASSIGN_OR_RETURN(const AccountId target, Resolve(call, asked));
  if (source == target) {
    return Refuse(Reason::kRequestMalformed, "nobody gives points to themselves",
                  {{"field", "target"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const v1::PointsPolicy policy, ReadPolicy(call));

  auto command = std::make_unique<DoTransfer>();
  Address(*command, call, RecordKind::kTransfer, source, target);
  command->request_id = request_id;
  command->points = Points(request.points());
  command->fingerprint = FingerprintOf(command->kind, named, asked, command->points);
  command->content = ContentOf(target, command->points);
  command->policy = FromProto(policy.transfer());
  command->rows = &transfer_rows_;
  GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, Post(call, std::move(command)));
  auto response = rpc::ToResponse<v1::TransferPointsResponse>(answer, call);
  if (response.ok() && call.principal().IsMember()) response->clear_target();
  return response;
}

absl::StatusOr<v1::ReverseTransferResponse> PointsHandlers::ReverseTransfer(
    const rpc::Call& call, const v1::ReverseTransferRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  const auto place = ParseTransfer(request.name());
  if (!place) return Refuse(Reason::kNameNotFound);
  GUILDER_ASSIGN_OR_RETURN(const Transfer transfer,
                           pool_.Read(
                               [&](postgres::Transaction& tx) -> absl::StatusOr<Transfer> {
                                 const auto found = FindTransfer(tx, place->first, place->second);
                                 if (!found) return Refuse(Reason::kNameNotFound);
                                 return *found;
                               },
                               call.deadline()));
  if (!transfer.received_by) return Refuse(Reason::kAccountClosed);
  GUILDER_ASSIGN_OR_RETURN(const v1::PointsPolicy policy, ReadPolicy(call));

  auto command = std::make_unique<DoReversal>();
  Address(*command, call, RecordKind::kTransferReversal, transfer.from, transfer.to);
  command->book = place->first;
  command->request_id = request_id;
  command->refers_to = place->second;
  command->transfer = transfer;
  command->fingerprint = FingerprintOf(command->kind, transfer.from, transfer.to, transfer.points);
  command->policy = FromProto(policy.transfer());
  command->rows = &reversal_rows_;
  GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, Post(call, std::move(command)));
  return rpc::ToResponse<v1::ReverseTransferResponse>(answer, call);
}

absl::StatusOr<v1::MergeMembersResponse> PointsHandlers::MergeMembers(
    const rpc::Call& call, const v1::MergeMembersRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  const std::string& note = request.note();
  if (note.size() > kMostNoteBytes || note.find('\0') != std::string::npos) {
    return Refuse(Reason::kRequestMalformed, "note", {{"field", "note"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const AccountId source, ParseMemberName(request.source()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId asked, ParseMemberName(request.target()));
  if (source == asked) {
    return Refuse(Reason::kRequestMalformed, "an account is not merged into itself",
                  {{"field", "target"}});
  }
  // The source is taken as it is named: an account that was merged already cannot be again.
  GUILDER_RETURN_IF_ERROR(Resolve(call, source).status());
  GUILDER_ASSIGN_OR_RETURN(const AccountId target, Resolve(call, asked));
  if (source == target) return Refuse(Reason::kAccountClosed);

  auto command = std::make_unique<DoMerge>();
  Address(*command, call, RecordKind::kMerge, source, target);
  command->request_id = request_id;
  command->fingerprint = FingerprintOf(command->kind, source, asked, Points(0));
  command->content = ledger::EncodeMerge(target);
  command->actor = call.principal().id;
  command->note = request.note();
  command->rows = &merge_rows_;
  GUILDER_ASSIGN_OR_RETURN(const ledger::Answer answer, Post(call, std::move(command)));
  return rpc::ToResponse<v1::MergeMembersResponse>(answer, call);
}

}  // namespace guilder::member
