#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/member/domain/reinstatement.h"
#include "services/member/rpc/points_handlers.h"
#include "services/member/store/reinstatements.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

// Accounts of a page, each a command of its own.
constexpr int kPage = 200;
constexpr int kMostLifeDays = 3'650;

// Gives expired points back. Its answer is how many.
class Reinstate final : public ledger::Command {
 public:
  ReinstatementTerms terms;

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    if (posting.account().status != ledger::AccountStatus::kOpen) {
      return Refuse(Reason::kAccountClosed);
    }
    GUILDER_ASSIGN_OR_RETURN(const Points points,
                             DecideReinstatement(context.configuration, terms, posting));
    Encoder encoder;
    encoder.Quantity(points);
    return encoder.Take();
  }
};

// What is asked, without the page: so that all pages are of one content.
std::string ContentOf(const v1::ReinstatePointsRequest& request) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat)
      .Signed(request.start_time().seconds())
      .Signed(request.end_time().seconds())
      .Bytes(request.issuer())
      .Unsigned(static_cast<uint64_t>(request.reason()))
      .Bytes(request.payer())
      .Signed(request.life_days())
      .Bytes(request.note());
  return encoder.Take();
}

// An account gets its points once for a request, however often the request is repeated.
Uuid RequestIdFor(const Uuid& request_id, AccountId account) {
  const Digest digest = Sha256({"reinstate", AsView(request_id), std::to_string(account.value())});
  Uuid id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

absl::StatusOr<Timestamp> TimeOf(const google::protobuf::Timestamp& time, const char* field) {
  const auto at = rpc::FromProto(time);
  if (!at) return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
  return *at;
}

// What is asked for, once it is seen to make sense.
absl::StatusOr<ReinstatementTerms> TermsOf(const v1::ReinstatePointsRequest& request,
                                           const ledger::Configuration& configuration) {
  ReinstatementTerms terms;
  GUILDER_ASSIGN_OR_RETURN(terms.from, TimeOf(request.start_time(), "start_time"));
  GUILDER_ASSIGN_OR_RETURN(terms.until, TimeOf(request.end_time(), "end_time"));
  terms.life_days = request.life_days();
  if (terms.life_days < 1 || terms.life_days > kMostLifeDays) {
    return Refuse(Reason::kRequestMalformed, "life_days", {{"field", "life_days"}});
  }
  // The form of reason and note is that of adjustments.
  Adjustment checked;
  checked.points = Points(1);
  checked.reason = static_cast<AdjustmentReason>(request.reason());
  checked.note = request.note();
  GUILDER_RETURN_IF_ERROR(CheckAdjustment(checked));
  const auto find = [&](const std::string& name) -> const ledger::Partner* {
    const auto parts = rpc::ParseName("partners/{}", name);
    return parts ? configuration.FindPartner((*parts)[0]) : nullptr;
  };
  const ledger::Partner* const payer = find(request.payer());
  if (payer == nullptr) return Refuse(Reason::kPartnerNotFound, "payer");
  terms.payer = payer->id;
  const bool operator_pays = payer == configuration.operator_partner();
  if (!operator_pays && payer->state != ledger::PartnerState::kActive) {
    return Refuse(Reason::kPartnerNotActive);
  }
  if (!request.issuer().empty()) {
    const ledger::Partner* const issuer = find(request.issuer());
    if (issuer == nullptr) return Refuse(Reason::kPartnerNotFound, "issuer");
    terms.issuer = issuer->id;
  }
  return terms;
}

}  // namespace

absl::StatusOr<v1::ReinstatePointsResponse> PointsHandlers::ReinstatePoints(
    const rpc::Call& call, const v1::ReinstatePointsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const ReinstatementTerms terms,
                           TermsOf(request, *lanes_.configuration()));
  const std::string content = ContentOf(request);
  const Digest fingerprint = Sha256({content});
  const std::string list = absl::StrCat("reinstate/", request.request_id());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  BookId book;
  AccountId after;
  std::vector<AccountId> accounts;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& tx) {
        if (position.empty()) {
          book = NextBook(tx, programme(), BookId());
          rpc::Audit(tx, call, "PointsService/ReinstatePoints", "pointsPolicy", nullptr, &request);
        } else {
          const std::vector<std::string> parts = absl::StrSplit(position, '-');
          book = BookId(std::stoi(parts.at(0)));
          after = AccountId(std::stoll(parts.at(1)));
        }
        accounts = FindWithExpired(tx, book, after, terms, kPage);
        return absl::OkStatus();
      },
      call.deadline()));

  v1::ReinstatePointsResponse response;
  for (const AccountId account : accounts) {
    auto command = std::make_unique<Reinstate>();
    command->kind = ledger::RecordKind::kReinstatement;
    command->request_id = RequestIdFor(request_id, account);
    command->fingerprint = fingerprint;
    command->content = content;
    command->account = account;
    command->book = ledger::BookOf(account);
    command->needs_lots = true;
    command->needs_lot = LotId(1);
    command->terms = terms;
    command->payers = {terms.payer};
    const absl::StatusOr<ledger::Answer> answer = Post(call, std::move(command));
    // It was merged meanwhile, and its lots with it.
    if (guilder::ReasonOf(answer.status()) == Reason::kAccountClosed) continue;
    if (!answer.ok()) return answer.status();
    Decoder decoder(answer->response);
    const auto points = decoder.ReadQuantity<Points>();
    if (points == Points(0)) continue;
    response.set_members(response.members() + 1);
    response.set_points(response.points() + points.value());
  }
  if (accounts.size() == static_cast<size_t>(kPage)) {
    response.set_next_page_token(
        page_tokens_.Make(list, absl::StrCat(book.value(), "-", accounts.back().value())));
    return response;
  }
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        book = NextBook(tx, programme(), book);
        return absl::OkStatus();
      },
      call.deadline()));
  if (book) response.set_next_page_token(page_tokens_.Make(list, absl::StrCat(book.value(), "-0")));
  return response;
}

}  // namespace guilder::member
