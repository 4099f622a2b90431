#include "services/redemption/rpc/voucher_handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "libs/security/secrets.h"
#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"
#include "services/redemption/domain/voucher_code.h"
#include "services/redemption/rpc/catalog_lists.h"
#include "services/redemption/rpc/catalog_proto.h"

namespace guilder::redemption {
namespace {

using postgres::Transaction;

constexpr char kVouchers[] = "vouchers";
constexpr size_t kMaxReferenceBytes = 256;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

Timestamp Now() {
  return Timestamp(absl::ToUnixMicros(absl::Now()));
}

// Where a till wants to use a voucher; the code is read later.
absl::StatusOr<UseRequest> FromProto(const v1::RedeemVoucherRequest& request) {
  UseRequest asked;
  const auto store = rpc::ParseName("partners/{}/stores/{}", request.store());
  if (!store) return Malformed("store");
  asked.partner_slug = (*store)[0];
  asked.store_code = (*store)[1];
  asked.reference = request.reference();
  if (asked.reference.size() > kMaxReferenceBytes ||
      asked.reference.find('\0') != std::string::npos) {
    return Malformed("reference");
  }
  return asked;
}

}  // namespace

VoucherHandlers::VoucherHandlers(const CatalogServiceDependencies& dependencies, CatalogRows& rows)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      rows_(rows),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<MinorUnits> VoucherHandlers::AmountOf(const guilder::type::v1::Money& money) const {
  const MinorUnits amount(money.minor_units());
  if (amount < MinorUnits(1) || amount > kMaxAmount) {
    return Refuse(Reason::kAmountOutOfRange, "amount", {{"field", "amount"}});
  }
  if (money.currency_code() != FormatCurrency(lanes_.configuration()->programme().currency)) {
    return Refuse(Reason::kCurrencyNotSupported, "amount", {{"field", "amount"}});
  }
  return amount;
}

v1::Voucher VoucherHandlers::Shown(const rpc::Call& call, const VoucherRow& row) const {
  v1::Voucher voucher = ToProto(row, lanes_.configuration()->programme().currency);
  if (call.principal().IsPartner()) {
    voucher.clear_member();
    voucher.clear_points();
  }
  // Not for operators: who has the code can spend it.
  if (call.principal().IsMember()) {
    voucher.set_code(
        rows_.codes().CodeOf(row.voucher.book, row.voucher.number, row.voucher.issued_at));
  }
  return voucher;
}

void VoucherHandlers::IssueVoucher(std::shared_ptr<const rpc::Call> call,
                                   const v1::IssueVoucherRequest& request,
                                   rpc::Responder<v1::IssueVoucherResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  auto asked = redemption::FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  if (const absl::Status own = call->CheckActsForMember(asked->account); !own.ok()) {
    return respond(own);
  }
  const auto answer = [this, call, respond](absl::StatusOr<ledger::Answer> answered) {
    if (!answered.ok()) return respond(answered.status());
    auto response = rpc::ToResponse<v1::IssueVoucherResponse>(*answered, *call);
    if (response.ok()) {
      v1::Voucher& voucher = *response->mutable_voucher();
      const auto issued_at = rpc::FromProto(voucher.issue_time());
      voucher.set_code(rows_.codes().CodeOf(answered->place.book, answered->place.number,
                                            issued_at.value_or(Timestamp())));
    }
    respond(std::move(response));
  };
  auto submit = [this, call, request_id = *request_id, asked = *std::move(asked), respond, answer,
                 name = request.reward()]() mutable {
    const auto reward = ReadRewardId(pool_, name, call->deadline());
    if (!reward.ok()) return respond(reward.status());
    asked.reward = *reward;
    auto command = MakeCommand(rows_, request_id, asked);
    command->deadline = call->deadline();
    lanes_.Submit(std::move(command), answer);
  };
  if (!workers_.TrySubmit(std::move(submit))) respond(Refuse(Reason::kQueueFull));
}

absl::StatusOr<VoucherRow> VoucherHandlers::ReadRow(const RecordKey& key, absl::Time deadline) {
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<VoucherRow> {
        auto row = FindVoucher(tx, key);
        if (!row) return Refuse(Reason::kVoucherNotFound);
        return *std::move(row);
      },
      deadline);
}

absl::StatusOr<VoucherRow> VoucherHandlers::FindByTypedCode(const rpc::Call& call,
                                                            const std::string& typed) {
  // A slip of the finger is no guess.
  const auto code = ParseVoucherCode(typed);
  if (!code) return Refuse(Reason::kVoucherCodeMistyped);
  const auto verdict = lookups_.Ask(call.principal().id, Now());
  if (!verdict.allowed) {
    return rpc::WithRetryDelay(Refuse(Reason::kRateLimited, "too many codes that do not exist"),
                               absl::Microseconds(verdict.wait_us));
  }
  const auto key = pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<RecordKey> {
        const auto found = FindByCode(tx, rows_.codes().IndexOf(*code));
        if (!found) return Refuse(Reason::kVoucherNotFound);
        return *found;
      },
      call.deadline());
  if (key.ok() || absl::IsNotFound(key.status())) NoteLookup(call, key.ok());
  if (!key.ok()) return key.status();
  return ReadRow(*key, call.deadline());
}

void VoucherHandlers::NoteLookup(const rpc::Call& call, bool found) {
  telemetry::GetCounter("guilder_voucher_lookups_total",
                        "Codes of vouchers presented, by what came of it",
                        {{"found", found ? "yes" : "no"}})
      .Add();
  if (!lookups_.Note(call.principal().id, found, Now())) return;
  telemetry::Log(telemetry::Severity::kWarning, "somebody tries codes of vouchers",
                 {{"caller", call.principal().id}, {"peer", call.peer()}});
}

void VoucherHandlers::RedeemVoucher(std::shared_ptr<const rpc::Call> call,
                                    const v1::RedeemVoucherRequest& request,
                                    rpc::Responder<v1::RedeemVoucherResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  const auto amount = AmountOf(request.amount());
  if (!amount.ok()) return respond(amount.status());
  asked->amount = *amount;
  if (const absl::Status own = call->CheckActsIn(asked->store_code); !own.ok()) {
    return respond(own);
  }
  auto submit = [this, call, request_id = *request_id, asked = *std::move(asked), respond,
                 typed = request.code()]() mutable {
    const auto row = FindByTypedCode(*call, typed);
    if (!row.ok()) return respond(row.status());
    asked.book = row->voucher.book;
    asked.voucher = row->voucher.number;
    rpc::SubmitAndRespond<v1::RedeemVoucherResponse>(
        lanes_, MakeCommand(rows_, call->principal().partner, request_id, row->voucher, asked),
        call, respond);
  };
  if (!workers_.TrySubmit(std::move(submit))) respond(Refuse(Reason::kQueueFull));
}

absl::StatusOr<std::unique_ptr<ledger::Command>> VoucherHandlers::MakeRefund(
    const rpc::Call& call, const v1::RefundVoucherRequest& request, const Uuid& request_id) {
  using Request = v1::RefundVoucherRequest;
  const PartnerId partner = call.principal().partner;
  if (request.what_case() == Request::kVoucher) {
    if (request.has_amount()) return Malformed("amount");
    GUILDER_ASSIGN_OR_RETURN(const RecordKey key, ParseRecordName("vouchers", request.voucher(),
                                                                  Reason::kVoucherNotFound));
    GUILDER_ASSIGN_OR_RETURN(const VoucherRow row, ReadRow(key, call.deadline()));
    // What is left is the member's: no partner's.
    if (partner || !call.CheckActsForMember(row.voucher.account).ok()) {
      return Refuse(Reason::kVoucherNotFound);
    }
    return MakeRefundCommand(rows_, partner, request_id, row.voucher);
  }
  if (request.what_case() != Request::kVoucherUse) return Malformed("what");
  MinorUnits amount;
  if (request.has_amount()) {
    GUILDER_ASSIGN_OR_RETURN(amount, AmountOf(request.amount()));
  }
  GUILDER_ASSIGN_OR_RETURN(
      const RecordKey key,
      ParseRecordName("voucherUses", request.voucher_use(), Reason::kVoucherNotFound));
  GUILDER_ASSIGN_OR_RETURN(const VoucherUse use,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<VoucherUse> {
                                 const auto found = FindUse(tx, key);
                                 if (!found) return Refuse(Reason::kVoucherNotFound);
                                 return *found;
                               },
                               call.deadline()));
  // Goods come back to who sold them; a member alone cannot say that they did.
  if (call.principal().IsMember() || !call.CheckActsFor(use.partner).ok()) {
    return Refuse(Reason::kVoucherNotFound);
  }
  return MakeRefundCommand(rows_, partner, request_id, use, amount);
}

void VoucherHandlers::RefundVoucher(std::shared_ptr<const rpc::Call> call,
                                    const v1::RefundVoucherRequest& request,
                                    rpc::Responder<v1::RefundVoucherResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  auto submit = [this, call, request_id = *request_id, respond, &request] {
    auto command = MakeRefund(*call, request, request_id);
    if (!command.ok()) return respond(command.status());
    rpc::SubmitAndRespond<v1::RefundVoucherResponse>(lanes_, *std::move(command), call, respond);
  };
  if (!workers_.TrySubmit(std::move(submit))) respond(Refuse(Reason::kQueueFull));
}

absl::StatusOr<v1::GetVoucherResponse> VoucherHandlers::GetVoucher(
    const rpc::Call& call, const v1::GetVoucherRequest& request) {
  using Request = v1::GetVoucherRequest;
  const rpc::Principal& caller = call.principal();
  v1::GetVoucherResponse response;
  if (request.by_case() == Request::kCode) {
    GUILDER_ASSIGN_OR_RETURN(const VoucherRow row, FindByTypedCode(call, request.code()));
    const auto& partners = row.voucher.partners;
    const bool taken_here = !caller.IsPartner() || std::find(partners.begin(), partners.end(),
                                                             caller.partner) != partners.end();
    if (!taken_here || !call.CheckActsForMember(row.voucher.account).ok()) {
      return Refuse(Reason::kVoucherNotFound);
    }
    *response.mutable_voucher() = Shown(call, row);
    return response;
  }
  if (request.by_case() != Request::kName) return Malformed("by");
  GUILDER_ASSIGN_OR_RETURN(const RecordKey key,
                           ParseRecordName("vouchers", request.name(), Reason::kVoucherNotFound));
  GUILDER_ASSIGN_OR_RETURN(const VoucherRow row, ReadRow(key, call.deadline()));
  bool visible = call.CheckActsForMember(row.voucher.account).ok();
  if (caller.IsPartner()) {
    GUILDER_ASSIGN_OR_RETURN(visible, pool_.Read(
                                          [&](Transaction& tx) -> absl::StatusOr<bool> {
                                            return WasUsedAt(tx, key, caller.partner);
                                          },
                                          call.deadline()));
  }
  if (!visible) return Refuse(Reason::kVoucherNotFound);
  *response.mutable_voucher() = Shown(call, row);
  return response;
}

absl::StatusOr<v1::ListVouchersResponse> VoucherHandlers::ListVouchers(
    const rpc::Call& call, const v1::ListVouchersRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const SeenBy seen_by, WhoSees(call, request.member()));
  const std::string list =
      absl::StrCat(kVouchers, "/", seen_by.account.value(), "/", seen_by.partner.value());
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<VoucherRow> rows,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<std::vector<VoucherRow>> {
                                 return redemption::ListVouchers(tx, seen_by, KeyOf(position),
                                                                 page_size + 1);
                               },
                               call.deadline()));
  v1::ListVouchersResponse response;
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_vouchers() = Shown(call, rows[i]);
  if (count < rows.size()) {
    const Voucher& last = rows[count - 1].voucher;
    response.set_next_page_token(page_tokens_.Make(list, PositionOf({last.book, last.number})));
  }
  return response;
}

}  // namespace guilder::redemption
