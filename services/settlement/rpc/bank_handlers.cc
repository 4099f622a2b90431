#include "services/settlement/rpc/bank_handlers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/secrets.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/store/bank.h"
#include "services/settlement/store/evidence.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/obligations.h"
#include "services/settlement/store/settlements.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr int kEntriesOfTransaction = 50;
constexpr int kEntriesOfAnswer = 1'000;
constexpr char kEntryList[] = "bankEntries";

absl::StatusOr<OwnAccount> LoadOwnAccount(Transaction& transaction) {
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  const absl::StatusOr<PartnerFacts> house = FindOperatorPartner(transaction);
  OwnAccount own{house.ok() ? house->iban : std::string(), programme.currency, {}};
  for (const Currency& currency : ReadCurrencies(transaction, programme)) {
    own.exponents[currency] = programme.ExponentOf(currency);
  }
  return own;
}

// An imported file, and whether it was imported before.
struct Imported {
  StoredBankFile file;
  bool before = false;
};

// Stores the file with its payments, unless it is known.
absl::StatusOr<Imported> Import(Transaction& transaction, const BankFile& read,
                                const OwnAccount& own, StoredBankFile file) {
  LockForWriting(transaction);
  if (const auto known = FindBankFile(transaction, file.digest)) return Imported{*known, true};
  if (FindBankFile(transaction, file.request_id)) return Refuse(Reason::kRequestIdReused);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  file.imported_at = programme.now;
  file.kind = read.kind;
  file.message_id = read.message_id;
  file.original_message_id = read.original_message_id;
  file.id = InsertBankFile(
      transaction, file,
      read.all_rejected ? RejectedPaymentsOf(transaction, read, own) : read.payments);
  return Imported{file, false};
}

// Looks at some payments that are pending; false when there are none.
absl::StatusOr<bool> SettleSome(Transaction& transaction, const StoredBankFile& file) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  const std::vector<BankEntry> pending = ReadPending(transaction, file.id, kEntriesOfTransaction);
  for (const BankEntry& entry : pending) {
    GUILDER_RETURN_IF_ERROR(SettleBankEntry(transaction, programme, entry, file));
  }
  return !pending.empty();
}

v1::BankOutcome ToProto(BankOutcome outcome) {
  return static_cast<v1::BankOutcome>(static_cast<int>(outcome) + 1);
}

v1::BankFile ToProto(const StoredBankFile& file, const std::map<BankOutcome, int64_t>& outcomes) {
  v1::BankFile out;
  out.set_name(absl::StrCat("bankFiles/", file.id.value()));
  out.set_kind(file.kind == BankFileKind::kStatement ? v1::BANK_FILE_KIND_STATEMENT
                                                     : v1::BANK_FILE_KIND_STATUS_REPORT);
  out.set_message_id(file.message_id);
  out.set_imported_by(file.imported_by);
  *out.mutable_import_time() = rpc::ToProto(file.imported_at);
  for (const auto& [outcome, count] : outcomes) {
    v1::BankOutcomeCount& added = *out.add_outcomes();
    added.set_outcome(ToProto(outcome));
    added.set_count(count);
  }
  return out;
}

v1::BankEntry ToProto(const BankEntry& entry, const Directory& directory) {
  const BankPayment& payment = entry.payment;
  v1::BankEntry out;
  out.set_name(BankEntryName(entry.id));
  out.set_file(absl::StrCat("bankFiles/", entry.file.value()));
  out.set_account(payment.account);
  out.set_bank_reference(payment.bank_reference);
  out.set_booking_date(payment.booking_date);
  out.set_credit(payment.credit);
  out.mutable_amount()->set_currency_code(FormatCurrency(payment.currency));
  out.mutable_amount()->set_minor_units(payment.amount.value());
  out.set_end_to_end_id(payment.end_to_end_id);
  out.set_counterparty_name(payment.counterparty_name);
  out.set_counterparty_account(payment.counterparty_account);
  out.set_remittance(payment.remittance);
  out.set_return_reason(payment.return_reason);
  out.set_outcome(ToProto(payment.outcome));
  if (entry.obligation) {
    out.set_obligation(
        ObligationName(entry.obligation->settlement, directory.SlugOf(entry.obligation->partner)));
  }
  out.set_applied_minor_units(entry.applied.value());
  out.set_suspense_minor_units(entry.suspense.value());
  return out;
}

Directory DirectoryOf(Transaction& transaction, const std::vector<BankEntry>& entries) {
  std::vector<PartnerId> partners;
  for (const BankEntry& entry : entries) {
    if (entry.obligation) partners.push_back(entry.obligation->partner);
  }
  return LoadDirectory(transaction, partners);
}

// The obligation of a name, "settlements/12/obligations/grocer".
absl::StatusOr<StoredObligation> ParseObligation(Transaction& transaction,
                                                 const std::string& name) {
  const absl::Status none = Refuse(Reason::kNameNotFound, "no such obligation");
  const std::optional<NamedObligation> named = ParseObligationName(name);
  if (!named) return none;
  const absl::StatusOr<PartnerId> partner = FindPartner(transaction, named->partner);
  if (!partner.ok()) return none;
  const auto obligation = FindObligation(transaction, named->settlement, *partner);
  if (!obligation) return none;
  return *obligation;
}

ObligationKey KeyOf(const StoredObligation& obligation) {
  return {obligation.settlement, obligation.debt.partner};
}

// Of what was proposed; its approval is no part of it. The list of what waits for approval says the
// same in SQL (services/operator/store/approvals.cc).
std::string EtagOf(const StoredWriteOff& write_off) {
  const ObligationKey& obligation = write_off.obligation;
  return ToHex(AsView(Sha256({absl::StrCat(
      obligation.settlement.value(), "/", obligation.partner.value(), "/", write_off.amount.value(),
      "/", write_off.proposed_at.value(), "/", write_off.proposed_by, "/", write_off.note)})));
}

v1::WriteOff ToProto(const StoredWriteOff& write_off, const std::string& obligation,
                     const Currency& currency) {
  v1::WriteOff out;
  out.set_obligation(obligation);
  out.mutable_amount()->set_currency_code(FormatCurrency(currency));
  out.mutable_amount()->set_minor_units(write_off.amount.value());
  out.set_note(write_off.note);
  out.set_proposed_by(write_off.proposed_by);
  *out.mutable_propose_time() = rpc::ToProto(write_off.proposed_at);
  out.set_approved_by(write_off.approved_by);
  if (write_off.approved_at) *out.mutable_approve_time() = rpc::ToProto(*write_off.approved_at);
  out.set_etag(EtagOf(write_off));
  return out;
}

// An empty etag is of whatever is proposed.
absl::Status CheckEtag(const StoredWriteOff& write_off, const std::string& etag) {
  if (etag.empty() || etag == EtagOf(write_off)) return absl::OkStatus();
  return Refuse(Reason::kChangeDiffers);
}

absl::StatusOr<v1::WriteOff> Propose(Transaction& transaction,
                                     const v1::ProposeWriteOffRequest& request,
                                     const std::string& by) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const StoredObligation obligation,
                           ParseObligation(transaction, request.obligation()));
  // Only to see whether it could be.
  GUILDER_RETURN_IF_ERROR(WriteOff(obligation.debt, obligation.status).status());
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  const MinorUnits open = OpenAmount(obligation.debt, obligation.status);
  std::optional<StoredWriteOff> write_off = FindWriteOff(transaction, KeyOf(obligation));
  const bool repeated = write_off && write_off->proposed_by == by && write_off->amount == open &&
                        write_off->note == request.note() && write_off->approved_by.empty();
  if (!repeated) {
    write_off = StoredWriteOff{KeyOf(obligation), open, request.note(), by, programme.now, "", {}};
    StoreWriteOff(transaction, *write_off);
  }
  return ToProto(*write_off, request.obligation(), obligation.currency);
}

absl::StatusOr<v1::WriteOff> Approve(Transaction& transaction,
                                     const v1::ApproveWriteOffRequest& request,
                                     const std::string& by) {
  const std::string& name = request.obligation();
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const StoredObligation obligation, ParseObligation(transaction, name));
  std::optional<StoredWriteOff> write_off = FindWriteOff(transaction, KeyOf(obligation));
  if (!write_off) return Refuse(Reason::kWrongState, "nobody proposed to write it off");
  if (!write_off->approved_by.empty()) {
    // Whoever approved it did not get the answer.
    if (write_off->approved_by != by) return Refuse(Reason::kWrongState);
    return ToProto(*write_off, name, obligation.currency);
  }
  if (write_off->proposed_by == by) return Refuse(Reason::kSamePerson);
  GUILDER_RETURN_IF_ERROR(CheckEtag(*write_off, request.etag()));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  write_off->approved_by = by;
  write_off->approved_at = programme.now;
  GUILDER_RETURN_IF_ERROR(WriteOffObligation(transaction, programme, *write_off));
  return ToProto(*write_off, name, obligation.currency);
}

// Takes a proposal away that is not approved, and answers with it.
absl::StatusOr<v1::WriteOff> TakeAway(Transaction& transaction,
                                      const v1::RejectWriteOffRequest& request) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const StoredObligation obligation,
                           ParseObligation(transaction, request.obligation()));
  const std::optional<StoredWriteOff> write_off = FindWriteOff(transaction, KeyOf(obligation));
  if (!write_off) return Refuse(Reason::kWrongState, "nobody proposed to write it off");
  if (!write_off->approved_by.empty()) return Refuse(Reason::kWrongState, "it is written off");
  GUILDER_RETURN_IF_ERROR(CheckEtag(*write_off, request.etag()));
  DeleteWriteOff(transaction, KeyOf(obligation));
  return ToProto(*write_off, request.obligation(), obligation.currency);
}

absl::StatusOr<v1::BankEntry> AllocateSome(Transaction& transaction,
                                           const v1::AllocateSuspenseRequest& request,
                                           const Uuid& request_id, const std::string& by) {
  LockForWriting(transaction);
  const auto number = rpc::ParseNumberedName("bankEntries/{}", request.entry());
  if (!number) return Refuse(Reason::kNameNotFound, "no such bank entry");
  GUILDER_ASSIGN_OR_RETURN(const BankEntry entry,
                           LockBankEntry(transaction, BankEntryId(number->front())));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  Allocation allocation;
  allocation.request_id = request_id;
  allocation.entry = entry.id;
  allocation.amount = MinorUnits(request.amount_minor_units());
  allocation.allocated_by = by;
  allocation.allocated_at = programme.now;
  if (const auto other = rpc::ParseNumberedName("bankEntries/{}", request.obligation())) {
    allocation.against = BankEntryId(other->front());
  } else {
    GUILDER_ASSIGN_OR_RETURN(const StoredObligation obligation,
                             ParseObligation(transaction, request.obligation()));
    allocation.obligation = KeyOf(obligation);
  }
  if (const auto known = FindAllocation(transaction, request_id)) {
    const bool same = known->entry == entry.id && known->obligation == allocation.obligation &&
                      known->against == allocation.against &&
                      (request.amount_minor_units() == 0 || known->amount == allocation.amount);
    if (!same) return Refuse(Reason::kRequestIdReused);
  } else {
    GUILDER_RETURN_IF_ERROR(Allocate(transaction, programme, entry, std::move(allocation)));
  }
  GUILDER_ASSIGN_OR_RETURN(const BankEntry changed, LockBankEntry(transaction, entry.id));
  return ToProto(changed, DirectoryOf(transaction, {changed}));
}

}  // namespace

BankHandlers::BankHandlers(postgres::Pool& pool, const security::Secrets& secrets)
    : pool_(pool), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::ImportBankStatementResponse> BankHandlers::ImportBankStatement(
    const rpc::Call& call, const v1::ImportBankStatementRequest& request) {
  StoredBankFile file;
  GUILDER_ASSIGN_OR_RETURN(file.request_id, rpc::ParseRequestId(request.request_id()));
  file.digest = Sha256({request.file()});
  file.imported_by = call.principal().id;
  GUILDER_ASSIGN_OR_RETURN(
      const OwnAccount own,
      pool_.Read([](Transaction& transaction) { return LoadOwnAccount(transaction); },
                 call.deadline()));
  GUILDER_ASSIGN_OR_RETURN(const BankFile read, ReadBankFile(request.file(), own));
  GUILDER_ASSIGN_OR_RETURN(
      const Imported imported,
      rpc::RunAudited(
          pool_, call, "SettlementService/ImportBankStatement", ToHex(AsView(file.digest)), nullptr,
          [&](Transaction& transaction) { return Import(transaction, read, own, file); }));
  // In transactions of some payments each. One that was interrupted is gone on with by repeating.
  for (bool more = true; more;) {
    GUILDER_ASSIGN_OR_RETURN(
        more,
        pool_.Run([&](Transaction& transaction) { return SettleSome(transaction, imported.file); },
                  call.deadline()));
  }
  v1::ImportBankStatementResponse response;
  response.set_imported_before(imported.before);
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) {
        *response.mutable_file() =
            ToProto(imported.file, CountOutcomes(transaction, imported.file.id));
        const std::vector<BankEntry> entries = settlement::ListBankEntries(
            transaction, {.file = imported.file.id}, BankEntryId(), kEntriesOfAnswer);
        const Directory directory = DirectoryOf(transaction, entries);
        for (const BankEntry& entry : entries) *response.add_entries() = ToProto(entry, directory);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ListBankEntriesResponse> BankHandlers::ListBankEntries(
    const rpc::Call& call, const v1::ListBankEntriesRequest& request) {
  const std::string list =
      absl::StrCat(kEntryList, "/", request.parent(), request.in_suspense() ? "/suspense" : "/all");
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  BankEntryFilter filter;
  filter.in_suspense = request.in_suspense();
  if (!request.parent().empty()) {
    const auto number = rpc::ParseNumberedName("bankFiles/{}", request.parent());
    if (!number) return Refuse(Reason::kNameNotFound, "no such bank file");
    filter.file = BankFileId(number->front());
  }
  const BankEntryId after(ParseInt(position).value_or(0));
  v1::ListBankEntriesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) {
        const std::vector<BankEntry> entries =
            settlement::ListBankEntries(transaction, filter, after, page_size + 1);
        const Directory directory = DirectoryOf(transaction, entries);
        const size_t count = std::min(entries.size(), static_cast<size_t>(page_size));
        for (size_t i = 0; i < count; ++i) {
          *response.add_bank_entries() = ToProto(entries[i], directory);
        }
        if (entries.size() > count) {
          response.set_next_page_token(
              page_tokens_.Make(list, absl::StrCat(entries[count - 1].id.value())));
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::AllocateSuspenseResponse> BankHandlers::AllocateSuspense(
    const rpc::Call& call, const v1::AllocateSuspenseRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  v1::AllocateSuspenseResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_entry(),
      rpc::RunAudited(pool_, call, "SettlementService/AllocateSuspense", request.entry(), &request,
                      [&](Transaction& transaction) {
                        return AllocateSome(transaction, request, request_id, call.principal().id);
                      }));
  return response;
}

absl::StatusOr<v1::ProposeWriteOffResponse> BankHandlers::ProposeWriteOff(
    const rpc::Call& call, const v1::ProposeWriteOffRequest& request) {
  if (request.note().empty() || !rpc::CheckNote(request.note()).ok()) {
    return Refuse(Reason::kRequestMalformed, "a note of one line, 1 to 500 bytes, says why");
  }
  v1::ProposeWriteOffResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_write_off(),
      rpc::RunAudited(pool_, call, "SettlementService/ProposeWriteOff", request.obligation(),
                      &request, [&](Transaction& transaction) {
                        return Propose(transaction, request, call.principal().id);
                      }));
  return response;
}

absl::StatusOr<v1::ApproveWriteOffResponse> BankHandlers::ApproveWriteOff(
    const rpc::Call& call, const v1::ApproveWriteOffRequest& request) {
  v1::ApproveWriteOffResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_write_off(),
      rpc::RunAudited(pool_, call, "SettlementService/ApproveWriteOff", request.obligation(),
                      &request, [&](Transaction& transaction) {
                        return Approve(transaction, request, call.principal().id);
                      }));
  return response;
}

absl::StatusOr<v1::RejectWriteOffResponse> BankHandlers::RejectWriteOff(
    const rpc::Call& call, const v1::RejectWriteOffRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  v1::RejectWriteOffResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(*response.mutable_write_off(), TakeAway(transaction, request));
        rpc::Audit(transaction, call, "SettlementService/RejectWriteOff", request.obligation(),
                   &response.write_off(), &request);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::GetAgeingResponse> BankHandlers::GetAgeing(const rpc::Call& call,
                                                              const v1::GetAgeingRequest&) {
  v1::GetAgeingResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        *response.mutable_as_of() = rpc::ToProto(programme.now);
        for (const AgeingRow& row : ReadAgeing(transaction, programme.now)) {
          v1::AgeingLine& line = *response.add_lines();
          line.set_partner(PartnerName(row.partner_slug));
          line.set_currency_code(FormatCurrency(row.currency));
          line.set_not_due_minor_units(row.not_due.value());
          line.set_days_1_to_30_minor_units(row.to_30.value());
          line.set_days_31_to_60_minor_units(row.to_60.value());
          line.set_days_61_to_90_minor_units(row.to_90.value());
          line.set_days_over_90_minor_units(row.over_90.value());
          line.set_total_minor_units(
              (row.not_due + row.to_30 + row.to_60 + row.to_90 + row.over_90 + row.disputed)
                  .value());
          line.set_disputed_minor_units(row.disputed.value());
          *line.mutable_oldest_due_time() = rpc::ToProto(row.oldest_due);
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

}  // namespace guilder::settlement
