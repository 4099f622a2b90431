#include "services/cli/importing/member_rows.h"

#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/demo/csv.h"
#include "services/cli/importing/columns.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::importing {
namespace {

namespace v1 = member::v1;
using Fields = std::vector<std::string_view>;

class Reader {
 public:
  static absl::StatusOr<Reader> Make(const Fields& header, const MemberMapping& mapping) {
    Reader reader(mapping);
    reader.width_ = header.size();
    const std::pair<Placed*, const Source*> all[] = {{&reader.reference_, &mapping.reference},
                                                     {&reader.given_name_, &mapping.given_name},
                                                     {&reader.family_name_, &mapping.family_name},
                                                     {&reader.phone_, &mapping.phone},
                                                     {&reader.email_, &mapping.email},
                                                     {&reader.address_, &mapping.address},
                                                     {&reader.birth_date_, &mapping.birth_date},
                                                     {&reader.card_, &mapping.card},
                                                     {&reader.issuer_, &mapping.issuer},
                                                     {&reader.contract_, &mapping.contract},
                                                     {&reader.points_, &mapping.points},
                                                     {&reader.expires_, &mapping.expires},
                                                     {&reader.activates_, &mapping.activates},
                                                     {&reader.spent_only_, &mapping.spent_only}};
    for (const auto& [placed, source] : all) {
      GUILDER_ASSIGN_OR_RETURN(*placed, Placed::In(header, *source));
    }
    return reader;
  }

  std::string Reference(const Fields& fields) const { return TextOf(reference_, fields); }

  // The person and the cards.
  v1::ImportMembersRequest Head(const Fields& fields) const {
    v1::ImportMembersRequest request;
    v1::Member& member = *request.mutable_member();
    member.set_given_name(TextOf(given_name_, fields));
    member.set_family_name(TextOf(family_name_, fields));
    member.set_phone(TextOf(phone_, fields));
    member.set_email(TextOf(email_, fields));
    member.set_address(TextOf(address_, fields));
    member.set_birth_date(TextOf(birth_date_, fields));
    const std::string cards = TextOf(card_, fields);
    const char separator = mapping_->card_separator;
    if (separator == '\0') {
      if (!cards.empty()) request.add_card_numbers(cards);
    } else {
      for (const auto card : absl::StrSplit(cards, separator, absl::SkipWhitespace())) {
        request.add_card_numbers(std::string(card));
      }
    }
    return request;
  }

  // The lot of a row; no points for none. What is wrong with it goes to `error`.
  v1::OpeningLot Lot(const Fields& fields, std::string& error) const {
    v1::OpeningLot lot;
    error = WrongWidth(fields, width_);
    if (!error.empty()) return lot;
    const std::string text = TextOf(points_, fields);
    const std::string digits = WithoutThousands(text, *mapping_).value_or("?");
    const auto points = digits.empty() ? std::optional<int64_t>(0) : ParseInt(digits);
    if (!points || *points < 0) {
      error = absl::StrCat("'", text.substr(0, 40), "' is no number of points");
      return lot;
    }
    lot.set_points(*points);
    lot.set_issuer(absl::StrCat("partners/", TextOf(issuer_, fields)));
    const std::string contract = TextOf(contract_, fields);
    if (!contract.empty()) lot.set_contract(absl::StrCat(lot.issuer(), "/contracts/", contract));
    lot.set_billed(mapping_->billed);
    if (const auto day = ReadDay(expires_, fields, error)) {
      *lot.mutable_expires_at() =
          rpc::ToProto(FromAbslTime(absl::FromCivil(*day + 1, mapping_->zone)));
    }
    if (const auto day = ReadDay(activates_, fields, error)) {
      *lot.mutable_activates_at() =
          rpc::ToProto(FromAbslTime(absl::FromCivil(*day, mapping_->zone)));
    }
    const std::string spent_only = TextOf(spent_only_, fields);
    if (spent_only == "gifts") {
      lot.mutable_spent_only()->set_gifts(true);
      return lot;
    }
    for (const auto partner : absl::StrSplit(spent_only, ',', absl::SkipWhitespace())) {
      lot.mutable_spent_only()->add_partners(
          absl::StrCat("partners/", absl::StripAsciiWhitespace(partner)));
    }
    return lot;
  }

 private:
  explicit Reader(const MemberMapping& mapping) : mapping_(&mapping) {}

  std::optional<absl::CivilDay> ReadDay(const Placed& placed, const Fields& fields,
                                        std::string& error) const {
    const std::string text = TextOf(placed, fields);
    if (text.empty()) return std::nullopt;
    absl::Time at;
    std::string why;
    if (!absl::ParseTime(mapping_->date_format, text, absl::UTCTimeZone(), &at, &why) ||
        at == absl::InfiniteFuture() || at == absl::InfinitePast()) {
      error = absl::StrCat("'", text.substr(0, 40), "' is no date like ", mapping_->date_format);
      return std::nullopt;
    }
    return absl::ToCivilDay(at, absl::UTCTimeZone());
  }

  const MemberMapping* mapping_;
  size_t width_ = 0;
  Placed reference_, given_name_, family_name_, phone_, email_, address_, birth_date_, card_,
      issuer_, contract_, points_, expires_, activates_, spent_only_;
};

void Refuse(MemberItem& item, int64_t line, const std::string& what) {
  if (!item.refusal.reason.empty()) return;
  item.refusal = {std::string(ReasonName(Reason::kRequestMalformed)),
                  absl::StrCat("line ", line, ": ", what)};
}

}  // namespace

absl::StatusOr<MemberWork> ReadMemberWork(std::string text, const MemberMapping& mapping) {
  demo::CsvReader csv(WithoutMark(std::move(text)), mapping.delimiter);
  const auto* header = csv.Next();
  if (header == nullptr) return absl::InvalidArgumentError("the file is empty");
  GUILDER_ASSIGN_OR_RETURN(const Reader reader, Reader::Make(*header, mapping));
  MemberWork work;
  std::unordered_map<std::string, size_t> item_of_reference;
  for (int64_t number = 0; const auto* fields = csv.Next(); ++number) {
    ++work.rows;
    const std::string reference = reader.Reference(*fields);
    v1::ImportMembersRequest head = reader.Head(*fields);
    // Rows without a reference are members of their own.
    const auto [found, is_new] = item_of_reference.try_emplace(
        reference.empty() ? absl::StrCat("\n", number) : reference, work.items.size());
    if (is_new) {
      MemberItem& item = work.items.emplace_back();
      item.line = csv.line();
      item.request = head;
      if (reference.empty()) Refuse(item, csv.line(), "it has no reference");
    }
    MemberItem& item = work.items[found->second];
    item.rows.push_back(number);
    if (!is_new &&
        (item.request.member().SerializeAsString() != head.member().SerializeAsString() ||
         absl::StrJoin(item.request.card_numbers(), " ") !=
             absl::StrJoin(head.card_numbers(), " "))) {
      Refuse(item, csv.line(), "it says something else of the member than the row before");
    }
    std::string error;
    v1::OpeningLot lot = reader.Lot(*fields, error);
    if (!error.empty()) Refuse(item, csv.line(), error);
    work.points += lot.points();
    item.points += lot.points();
    if (lot.points() == 0) continue;
    ++work.lots;
    *item.request.add_lots() = std::move(lot);
  }
  for (const auto& [reference, place] : item_of_reference) {
    MemberItem& item = work.items[place];
    // Fields are written in the order of their numbers, and none is a map.
    item.request.set_request_id(RequestIdFor(
        "import/members", absl::StrCat(reference, "\n", item.request.SerializeAsString())));
  }
  return work;
}

absl::Status CheckControl(const MemberWork& work, const ControlTotal& control) {
  std::vector<std::string> differences;
  const auto check = [&](const char* what, const std::optional<int64_t>& wanted, int64_t found) {
    if (!wanted || *wanted == found) return;
    differences.push_back(absl::StrCat(found, " ", what, ", and not ", *wanted));
  };
  check("members", control.members, static_cast<int64_t>(work.items.size()));
  check("lots", control.lots, work.lots);
  check("points", control.points, work.points);
  if (differences.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the file differs from its control total: it has ",
                                                 absl::StrJoin(differences, "; ")));
}

}  // namespace guilder::cli::importing
