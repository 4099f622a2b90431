#include "services/settlement/rpc/reconciliation_handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/secrets.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/statement.h"
#include "services/settlement/rpc/submitted_view.h"
#include "services/settlement/store/disputes.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/reconciliations.h"
#include "services/settlement/store/settlements.h"
#include "services/settlement/store/windows.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr int kRecordsOfPage = 20'000;
constexpr size_t kClaimsOfPage = 10'000;

// The window that a view is of, and the programme's clock.
struct Ground {
  WindowFacts window;
  Timestamp now;
};

absl::StatusOr<Ground> LoadGround(Transaction& transaction, const std::string& window) {
  const std::optional<Timestamp> start = ParseWindowName(window);
  if (!start) return Refuse(Reason::kWindowNotFound);
  Ground ground;
  GUILDER_ASSIGN_OR_RETURN(ground.window, FindWindow(transaction, *start));
  if (ground.window.state == WindowState::kOpen || ground.window.state == WindowState::kEnded) {
    return Refuse(Reason::kWindowNotSealed);
  }
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  ground.now = programme.now;
  return ground;
}

// Finds which records the receipts are, some thousands at a time.
absl::Status FindReceipts(postgres::Pool& pool, absl::Time deadline,
                          std::vector<SubmittedLine>& lines) {
  std::vector<SubmittedLine*> page;
  const auto find = [&]() -> absl::Status {
    std::vector<Uuid> claims;
    for (const SubmittedLine* line : page) claims.push_back(*line->claim);
    std::map<Uuid, RecordPlace> found;
    GUILDER_RETURN_IF_ERROR(pool.Read(
        [&](Transaction& transaction) {
          found = FindClaimed(transaction, claims);
          return absl::OkStatus();
        },
        deadline));
    for (SubmittedLine* line : page) {
      const auto place = found.find(*line->claim);
      if (place != found.end()) line->line.place = place->second;
    }
    page.clear();
    return absl::OkStatus();
  };
  for (SubmittedLine& line : lines) {
    if (!line.claim) continue;
    page.push_back(&line);
    if (page.size() == kClaimsOfPage) GUILDER_RETURN_IF_ERROR(find());
  }
  return page.empty() ? absl::OkStatus() : find();
}

// Reads what is here of a sealed window, which does not change, in transactions of a page each.
absl::Status ReadOurs(postgres::Pool& pool, absl::Time deadline, PartnerId partner,
                      const ledger::Window& window, Reconciler& reconciler) {
  GUILDER_RETURN_IF_ERROR(pool.Read(
      [&](Transaction& transaction) {
        for (const auto& [item, points] : ReadOurTotals(transaction, partner, window.start)) {
          reconciler.SetOurTotal(item, points);
        }
        return absl::OkStatus();
      },
      deadline));
  std::optional<RecordPosition> after = RecordPosition();
  while (after) {
    OurPage page;
    GUILDER_RETURN_IF_ERROR(pool.Read(
        [&](Transaction& transaction) {
          page =
              ReadOurItems(transaction, partner, window.start, window.end, *after, kRecordsOfPage);
          return absl::OkStatus();
        },
        deadline));
    for (OurItem& item : page.items) reconciler.AddOurs(std::move(item));
    after = page.last;
  }
  return absl::OkStatus();
}

v1::ReconciledItem ToProto(ReconciledItem item) {
  return static_cast<v1::ReconciledItem>(static_cast<int>(item) + 1);
}

v1::Reconciliation ToProto(const Reconciliation& reconciliation, const std::string& slug) {
  const Comparison& found = reconciliation.found;
  v1::Reconciliation out;
  out.set_name(absl::StrCat("reconciliations/", reconciliation.id.value()));
  out.set_partner(PartnerName(slug));
  out.set_window(WindowName(reconciliation.window_start));
  *out.mutable_submit_time() = rpc::ToProto(reconciliation.submitted_at);
  out.set_submitted_by(reconciliation.submitted_by);
  out.set_lines(found.lines);
  out.set_matched(found.matched);
  out.set_missing_here(found.missing_here);
  out.set_missing_there(found.missing_there);
  out.set_amount_differs(found.amount_differs);
  out.set_duplicates(found.duplicates);
  out.set_cleared(reconciliation.cleared);
  return out;
}

v1::Break ToProto(const Break& found, Timestamp now) {
  v1::Break out;
  out.set_name(absl::StrCat("breaks/", found.id.value()));
  out.set_partner(PartnerName(found.partner_slug));
  out.set_window(WindowName(found.window_start));
  out.set_reconciliation(absl::StrCat("reconciliations/", found.reconciliation.value()));
  // Both enumerations begin with a value that is not stated.
  out.set_kind(static_cast<v1::BreakKind>(static_cast<int>(found.finding.kind) + 1));
  out.set_item(ToProto(found.finding.item));
  out.set_subject(found.finding.subject);
  out.set_reference(found.finding.reference);
  if (found.finding.here) out.set_points_here(found.finding.here->value());
  if (found.finding.there) out.set_points_there(found.finding.there->value());
  out.set_state(static_cast<v1::BreakState>(static_cast<int>(found.state) + 1));
  if (!found.owner.empty()) out.set_owner(absl::StrCat("operators/", found.owner));
  *out.mutable_open_time() = rpc::ToProto(found.opened_at);
  const Timestamp until = found.resolved_at.value_or(now);
  out.set_age_days(static_cast<int32_t>((until - found.opened_at).value() / kMicrosPerDay));
  out.set_resolution(static_cast<v1::BreakResolution>(static_cast<int>(found.resolution)));
  out.set_fix(found.fix);
  out.set_note(found.note);
  out.set_resolved_by(found.resolved_by);
  if (found.resolved_at) *out.mutable_resolve_time() = rpc::ToProto(*found.resolved_at);
  return out;
}

std::optional<BreakId> ParseBreakName(const std::string& name) {
  const auto number = rpc::ParseNumberedName("breaks/{}", name);
  return number ? std::optional(BreakId(number->front())) : std::nullopt;
}

// The partner that a name names, and that the caller may act for.
absl::StatusOr<PartnerId> ParsePartner(Transaction& transaction, const rpc::Call& call,
                                       const std::string& name) {
  const auto parts = rpc::ParseName("partners/{}", name);
  if (!parts) return Refuse(Reason::kPartnerNotFound);
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, FindPartner(transaction, parts->front()));
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner));
  return partner;
}

// A break under the caller's lock, changed by `change`, and stored.
template <typename Change>
absl::StatusOr<v1::Break> ChangeBreak(Transaction& transaction, const std::string& name,
                                      Change change) {
  const std::optional<BreakId> id = ParseBreakName(name);
  if (!id) return Refuse(Reason::kNameNotFound, "no such break");
  GUILDER_ASSIGN_OR_RETURN(Break found, LockBreak(transaction, *id));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  GUILDER_RETURN_IF_ERROR(change(found, programme.now));
  UpdateBreak(transaction, found);
  return ToProto(found, programme.now);
}

// Credits the partner for a line in the open window, and links the break to it.
absl::Status Credit(Transaction& transaction, const rpc::Call& call,
                    const v1::ResolveBreakRequest& request, Break& found) {
  GUILDER_ASSIGN_OR_RETURN(const NamedLine named, FindNamedLine(transaction, call, request.line()));
  if (named.line.bill.partner != found.partner) {
    return Refuse(Reason::kNameNotFound, "the partner has no such line");
  }
  if (!call.principal().roles.Has(security::Role::kFinanceApprover)) {
    return Refuse(Reason::kPermissionDenied);
  }
  // One looks after it, and another gives the money.
  if (found.owner.empty()) return Refuse(Reason::kWrongState, "nobody looks after it; assign it");
  if (found.owner == call.principal().id) return Refuse(Reason::kSamePerson);
  if (!named.settlement.approved_at) return Refuse(Reason::kWrongState, "it is not approved");
  Adjustment adjustment;
  adjustment.partner = found.partner;
  adjustment.settlement = named.settlement.id;
  adjustment.line = named.line.number;
  adjustment.source = absl::StrCat("breaks/", found.id.value());
  adjustment.net = MinorUnits(request.credited_minor_units());
  adjustment.posted_by = call.principal().id;
  if (adjustment.net <= MinorUnits()) return Refuse(Reason::kAmountOutOfRange, "nothing");
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  GUILDER_ASSIGN_OR_RETURN(adjustment,
                           PostAdjustment(transaction, programme, named.line, adjustment));
  found.resolution = BreakResolution::kAdjusted;
  found.fix = absl::StrCat("adjustments/", adjustment.id.value());
  return absl::OkStatus();
}

absl::Status Resolve(Transaction& transaction, const rpc::Call& call,
                     const v1::ResolveBreakRequest& request, Break& found, Timestamp now) {
  const std::string& by = call.principal().id;
  if (found.state == BreakState::kResolved) {
    // Whoever closed it did not get the answer.
    const bool fixed = request.line().empty() ? found.fix == request.record()
                                              : found.resolution == BreakResolution::kAdjusted;
    const bool repeated = found.resolved_by == by && found.note == request.note() && fixed;
    return repeated ? absl::OkStatus() : Refuse(Reason::kWrongState);
  }
  found.resolution = BreakResolution::kAccepted;
  if (!request.record().empty()) {
    const auto place = ParseRecord({"purchases", "returns", "records"}, request.record());
    GUILDER_ASSIGN_OR_RETURN(const WindowFacts window, FindWindow(transaction, found.window_start));
    if (!place || !WasPostedAfter(transaction, found.partner, *place, window.window.end)) {
      return Refuse(Reason::kNameNotFound, "the partner posted no such record after the window");
    }
    found.resolution = BreakResolution::kPosted;
    found.fix = request.record();
  } else if (!request.line().empty()) {
    GUILDER_RETURN_IF_ERROR(Credit(transaction, call, request, found));
  }
  found.state = BreakState::kResolved;
  found.note = request.note();
  found.resolved_by = by;
  found.resolved_at = now;
  return absl::OkStatus();
}

}  // namespace

ReconciliationHandlers::ReconciliationHandlers(postgres::Pool& pool,
                                               const security::Secrets& secrets)
    : pool_(pool), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::SubmitReconciliationResponse> ReconciliationHandlers::SubmitReconciliation(
    const rpc::Call& call, const std::vector<v1::SubmitReconciliationRequest>& parts) {
  GUILDER_ASSIGN_OR_RETURN(const v1::ReconciliationHeader header, HeaderOf(parts));
  Reconciliation submitted;
  GUILDER_ASSIGN_OR_RETURN(submitted.request_id, rpc::ParseRequestId(parts[0].request_id()));
  submitted.fingerprint = FingerprintOf(parts);
  submitted.submitted_by = call.principal().id;
  const std::string slug = header.partner().substr(header.partner().find('/') + 1);

  std::optional<Reconciliation> known;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(submitted.partner,
                                 ParsePartner(transaction, call, header.partner()));
        known = FindReconciliation(transaction, submitted.partner, submitted.request_id);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::SubmitReconciliationResponse response;
  if (known) {
    if (known->fingerprint != submitted.fingerprint) return Refuse(Reason::kRequestIdReused);
    call.SetTrailingMetadata(rpc::kReplayedKey, "true");
    *response.mutable_reconciliation() = ToProto(*known, slug);
    return response;
  }
  GUILDER_ASSIGN_OR_RETURN(
      const Ground ground,
      pool_.Read([&](Transaction& transaction) { return LoadGround(transaction, header.window()); },
                 call.deadline()));
  submitted.window_start = ground.window.window.start;
  submitted.submitted_at = ground.now;
  GUILDER_ASSIGN_OR_RETURN(SubmittedView view, ReadView(parts, submitted.partner, slug));
  GUILDER_RETURN_IF_ERROR(FindReceipts(pool_, call.deadline(), view.lines));
  Reconciler reconciler(view.tolerances, std::move(view.complete));
  for (SubmittedLine& line : view.lines) reconciler.AddTheirs(std::move(line.line));
  GUILDER_RETURN_IF_ERROR(
      ReadOurs(pool_, call.deadline(), submitted.partner, ground.window.window, reconciler));
  submitted.found = reconciler.Finish();
  GUILDER_ASSIGN_OR_RETURN(
      const Reconciliation stored,
      pool_.Run(
          [&](Transaction& transaction) { return StoreReconciliation(transaction, submitted); },
          call.deadline()));
  *response.mutable_reconciliation() = ToProto(stored, slug);
  return response;
}

absl::StatusOr<v1::GetReconciliationResponse> ReconciliationHandlers::GetReconciliation(
    const rpc::Call& call, const v1::GetReconciliationRequest& request) {
  const auto number = rpc::ParseNumberedName("reconciliations/{}", request.name());
  const absl::Status none = Refuse(Reason::kNameNotFound, "no such reconciliation");
  if (!number) return none;
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::GetReconciliationResponse> {
        const auto found = FindReconciliation(transaction, ReconciliationId(number->front()));
        if (!found || !call.CheckActsFor(found->partner).ok()) return none;
        const Directory directory = LoadDirectory(transaction, {found->partner});
        v1::GetReconciliationResponse response;
        *response.mutable_reconciliation() = ToProto(*found, directory.SlugOf(found->partner));
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListBreaksResponse> ReconciliationHandlers::ListBreaks(
    const rpc::Call& call, const v1::ListBreaksRequest& request) {
  const std::string list = absl::StrCat("breaks/", request.parent(), "/", request.window(), "/",
                                        request.include_resolved() ? "all" : "open");
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const BreakId after(ParseInt(position).value_or(0));
  v1::ListBreaksResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        BreakFilter filter;
        filter.include_resolved = request.include_resolved();
        if (!request.parent().empty()) {
          GUILDER_ASSIGN_OR_RETURN(filter.partner,
                                   ParsePartner(transaction, call, request.parent()));
        } else if (call.principal().IsPartner()) {
          filter.partner = call.principal().partner;
        }
        if (!request.window().empty()) {
          filter.window_start = ParseWindowName(request.window());
          if (!filter.window_start) return Refuse(Reason::kWindowNotFound);
        }
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        const std::vector<Break> breaks =
            settlement::ListBreaks(transaction, filter, after, page_size + 1);
        const size_t count = std::min(breaks.size(), static_cast<size_t>(page_size));
        response.Clear();
        for (size_t i = 0; i < count; ++i) {
          *response.add_breaks() = ToProto(breaks[i], programme.now);
        }
        if (breaks.size() > count) {
          response.set_next_page_token(
              page_tokens_.Make(list, absl::StrCat(breaks[count - 1].id.value())));
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::AssignBreakResponse> ReconciliationHandlers::AssignBreak(
    const rpc::Call& call, const v1::AssignBreakRequest& request) {
  const auto owner = rpc::ParseName("operators/{}", request.owner());
  v1::AssignBreakResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_break_(),
      rpc::RunAudited(pool_, call, "SettlementService/AssignBreak", request.name(), &request,
                      [&](Transaction& transaction) {
                        return ChangeBreak(
                            transaction, request.name(), [&](Break& found, Timestamp) {
                              if (!owner || !OperatorExists(transaction, owner->front())) {
                                return Refuse(Reason::kOperatorNotFound);
                              }
                              if (found.state == BreakState::kResolved)
                                return Refuse(Reason::kWrongState);
                              found.state = BreakState::kAssigned;
                              found.owner = owner->front();
                              return absl::OkStatus();
                            });
                      }));
  return response;
}

absl::StatusOr<v1::ResolveBreakResponse> ReconciliationHandlers::ResolveBreak(
    const rpc::Call& call, const v1::ResolveBreakRequest& request) {
  if (request.note().empty() || !rpc::CheckNote(request.note()).ok()) {
    return Refuse(Reason::kRequestMalformed, "a note of one line, 1 to 500 bytes, says why");
  }
  v1::ResolveBreakResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_break_(),
      rpc::RunAudited(pool_, call, "SettlementService/ResolveBreak", request.name(), &request,
                      [&](Transaction& transaction) {
                        // Money may be posted: before the break's own lock, as everywhere.
                        LockForWriting(transaction);
                        return ChangeBreak(transaction, request.name(),
                                           [&](Break& found, Timestamp now) {
                                             return Resolve(transaction, call, request, found, now);
                                           });
                      }));
  return response;
}

}  // namespace guilder::settlement
