#include "services/member/rpc/document_handlers.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/reader.h"
#include "libs/rpc/proto_time.h"
#include "services/member/domain/timeline.h"
#include "services/member/rpc/document_page.h"
#include "services/member/rpc/history_proto.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/rpc/standing_handlers.h"
#include "services/member/store/consents.h"
#include "services/member/store/history.h"
#include "services/member/store/residences.h"
#include "services/member/store/standing.h"

namespace guilder::member {
namespace {

constexpr int kDefaultRecords = 100;
constexpr int kMostRecords = 1'000;
// Far more than anybody has; the export is one answer.
constexpr int kAllRecords = 1'000'000;

absl::Status CheckFormat(v1::MemberDocumentFormat format) {
  const bool stated =
      v1::MemberDocumentFormat_IsValid(format) && format != v1::MEMBER_DOCUMENT_FORMAT_UNSPECIFIED;
  if (stated) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, "format is not stated", {{"field", "format"}});
}

// "3 points from freshmart (partners/freshmart/contracts/1): ISSUED to PENDING; lots/1-2048".
std::string Explain(const ledger::Configuration& configuration, const ledger::Entry& entry,
                    const std::map<LotId, const ledger::Lot*>& lots,
                    const ledger::AccountState& account, const absl::TimeZone& zone) {
  const LotId id = entry.credit.lot ? entry.credit.lot : entry.debit.lot;
  std::string text =
      absl::StrCat(entry.points.value(), " from ", ToAbsl(ledger::BucketName(entry.debit.bucket)),
                   " to ", ToAbsl(ledger::BucketName(entry.credit.bucket)));
  const auto found = lots.find(id);
  if (found == lots.end()) return text;
  const ledger::Lot& lot = *found->second;
  absl::StrAppend(&text, "; given by ", PartnerName(configuration, lot.issuer), " under ",
                  ContractName(configuration, lot.issuer, lot.contract), " as ",
                  LotName(ledger::BookOf(account.id), lot.id));
  if (const Timestamp end = account.EndOf(lot); end != kNever) {
    absl::StrAppend(&text, ", until ", absl::FormatTime("%Y-%m-%d %H:%M", ToAbslTime(end), zone));
  }
  return text;
}

// By day of the zone: what becomes available, and what expires.
void AddCalendar(const ledger::AccountState& account, const absl::TimeZone& zone,
                 v1::MemberDocument& document) {
  std::map<std::string, std::pair<int64_t, int64_t>> days;
  const auto day = [&](Timestamp at) { return absl::FormatTime("%Y-%m-%d", ToAbslTime(at), zone); };
  for (const ledger::Lot& lot : account.lots) {
    const int64_t points = lot.free().value();
    if (points <= 0) continue;
    const bool pending = lot.state == ledger::LotState::kPending;
    if (pending && lot.on_due == ledger::OnDue::kActivate) {
      days[day(lot.activates_at)].first += points;
    }
    // An instant at midnight is the end of the day before.
    const bool lapses = pending && lot.on_due == ledger::OnDue::kCancel;
    const Timestamp end = account.EndOf(lot);
    if (end != kNever && !lapses) {
      days[day(end - Timestamp(1))].second += points;
    }
  }
  for (const auto& [date, points] : days) {
    v1::CalendarDay& out = *document.add_calendar();
    out.set_date(date);
    out.set_activating_points(points.first);
    out.set_expiring_points(points.second);
  }
}

void AddLots(const ledger::Configuration& configuration, const ledger::AccountState& account,
             bool all, v1::MemberDocument& document) {
  std::vector<const ledger::Lot*> lots;
  for (const ledger::Lot& lot : account.lots) {
    if (all || lot.remaining > Points(0)) lots.push_back(&lot);
  }
  if (!all) {
    std::sort(lots.begin(), lots.end(), [&](const ledger::Lot* a, const ledger::Lot* b) {
      return std::pair(account.EndOf(*a), a->id) < std::pair(account.EndOf(*b), b->id);
    });
  }
  for (const ledger::Lot* lot : lots) {
    *document.add_lots() = LotToProto(configuration, account, *lot);
  }
}

void AddRecords(const ledger::Configuration& configuration, std::vector<PostedRecord> records,
                const ledger::AccountState& account, const absl::TimeZone& zone,
                v1::MemberDocument& document) {
  std::map<LotId, const ledger::Lot*> lots;
  for (const ledger::Lot& lot : account.lots) lots[lot.id] = &lot;
  const BookId book = ledger::BookOf(account.id);
  std::sort(records.begin(), records.end(),
            [](const PostedRecord& a, const PostedRecord& b) { return a.number < b.number; });
  for (const PostedRecord& record : records) {
    const TimelineItem item = Describe(record);
    v1::PostedRecord& out = *document.add_records();
    out.set_name(item.subject);
    out.set_kind(std::string(ledger::RecordKindName(record.kind)));
    *out.mutable_posted_at() = rpc::ToProto(record.posted_at);
    out.set_partner(PartnerName(configuration, record.partner));
    out.set_text(item.text);
    out.set_points(item.points.value());
    int line = 0;
    for (const ledger::Entry& entry : record.entries) {
      v1::ExplainedEntry& explained = *out.add_entries();
      *explained.mutable_entry() =
          EntryToProto(book, {{record.number, ++line}, record.posted_at, record.kind, entry});
      explained.set_explanation(Explain(configuration, entry, lots, account, zone));
    }
  }
}

std::string ToJson(const v1::MemberDocument& document) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(document, &json, options);
  return status.ok() ? json : std::string();
}

template <typename Response>
Response Rendered(const v1::MemberDocument& document, const std::string& title,
                  const std::string& file, v1::MemberDocumentFormat format,
                  const absl::TimeZone& zone) {
  Response response;
  switch (format) {
    case v1::MEMBER_DOCUMENT_FORMAT_JSON:
      response.set_content_type("application/json");
      response.set_content(ToJson(document));
      response.set_file_name(file + ".json");
      break;
    case v1::MEMBER_DOCUMENT_FORMAT_TEXT:
      response.set_content_type("text/plain; charset=utf-8");
      response.set_content(TextPage(title, document, zone));
      response.set_file_name(file + ".txt");
      break;
    default:
      response.set_content_type("text/html; charset=utf-8");
      response.set_content(HtmlDocument(title, document, zone));
      response.set_file_name(file + ".html");
  }
  return response;
}

// "statement-65539".
std::string FileName(const char* what, const v1::MemberDocument& document) {
  return absl::StrCat(what, "-", document.member().name().substr(sizeof "members/" - 1));
}

}  // namespace

absl::StatusOr<v1::MemberDocument> DocumentHandlers::Read(const rpc::Call& call,
                                                          std::string_view name,
                                                          const Wanted& wanted) const {
  GUILDER_ASSIGN_OR_RETURN(const AccountId id, view_.names().Parse(call.principal(), name));
  const auto configuration = lanes_.configuration();
  const absl::TimeZone& zone = configuration->calendar().time_zone();
  return view_.Inspect(call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::MemberDocument> {
    v1::MemberDocument document;
    const auto account = ledger::ReadAccountWithLots(tx, id, LotId(1));
    if (!account) return Refuse(Reason::kMemberNotFound);
    *document.mutable_time() = rpc::ToProto(account->now);
    AddLots(*configuration, account->state, wanted.all, document);
    AddCalendar(account->state, zone, document);
    AddRecords(*configuration, ReadRecords(tx, id, wanted.all ? kAllRecords : wanted.records),
               account->state, zone, document);
    if (wanted.all) {
      for (const ConsentRow& row : ReadConsents(tx, id, PartnerId(), /*history=*/true)) {
        *document.add_consents() = ConsentToProto(*configuration, row);
      }
      for (const TierChange& row : ReadTierChanges(tx, id)) {
        *document.add_tier_changes() = member::ToProto(row);
      }
      for (const SegmentTime& row : ReadSegments(tx, id)) {
        *document.add_segments() = member::ToProto(row);
      }
      for (const Residence& row : ReadResidences(tx, view_.vault(), id)) {
        *document.add_residences() = member::ToProto(row);
      }
    }
    // Last, because it notes who looked.
    GUILDER_ASSIGN_OR_RETURN(*document.mutable_member(),
                             view_.ReadVisible(call, tx, id, {}, wanted.action));
    *document.mutable_balance() = BalanceToProto(*account);
    document.mutable_balance()->set_member(document.member().name());
    AddRestricted(*configuration, account->state, *document.mutable_balance());
    return document;
  });
}

absl::StatusOr<v1::RenderMemberStatementResponse> DocumentHandlers::RenderMemberStatement(
    const rpc::Call& call, const v1::RenderMemberStatementRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckFormat(request.format()));
  if (request.records() < 0) {
    return Refuse(Reason::kRequestMalformed, "records is negative", {{"field", "records"}});
  }
  const int records =
      request.records() == 0 ? kDefaultRecords : std::min(request.records(), kMostRecords);
  GUILDER_ASSIGN_OR_RETURN(
      v1::MemberDocument document,
      Read(call, request.name(), {"MemberDocumentService/RenderMemberStatement", records, false}));
  return Rendered<v1::RenderMemberStatementResponse>(
      document, "Statement of points", FileName("statement", document), request.format(),
      lanes_.configuration()->calendar().time_zone());
}

absl::StatusOr<v1::ExportMemberResponse> DocumentHandlers::ExportMember(
    const rpc::Call& call, const v1::ExportMemberRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckFormat(request.format()));
  GUILDER_ASSIGN_OR_RETURN(
      v1::MemberDocument document,
      Read(call, request.name(), {"MemberDocumentService/ExportMember", 0, true}));
  return Rendered<v1::ExportMemberResponse>(document, "Everything that is kept about a member",
                                            FileName("member", document), request.format(),
                                            lanes_.configuration()->calendar().time_zone());
}

}  // namespace guilder::member
