#include <map>
#include <set>

#include "absl/strings/ascii.h"

#include "libs/base/reason.h"
#include "services/partner/domain/contract.h"
#include "services/partner/domain/credential.h"
#include "services/partner/domain/exit_plan.h"
#include "services/partner/domain/names.h"
#include "services/partner/domain/partner.h"
#include "services/partner/domain/point_block.h"
#include "services/partner/domain/vat_number.h"
#include "tests/support/catch2.h"

namespace guilder::partner {
namespace {

constexpr Currency kEur{'E', 'U', 'R'};

Partner APartner(PartnerState state) {
  Partner partner;
  partner.slug = "fresh";
  partner.details = {"Fresh", "Fresh GmbH", "HRB 1", "DE136695976", "DE89370400440532013000",
                     "5411"};
  partner.evidence.documents = {{"register extract", "hrb.pdf", Digest{7}, "anna", Timestamp(0)}};
  partner.evidence.sanctions = SanctionsResult::kClear;
  partner.state = state;
  return partner;
}

Contract AContract(int64_t number, int64_t from, std::optional<int64_t> until = {}) {
  Contract contract;
  contract.id = ContractId(static_cast<int32_t>(number));
  contract.number = number;
  contract.period.from = Timestamp(from);
  if (until) contract.period.until = Timestamp(*until);
  IssuanceTerms terms;
  terms.rate_micros = 10'000;
  terms.currency = "EUR";
  terms.tax = {"DE-S19", 190'000};
  contract.terms = terms;
  contract.proposed_by = "anna";
  return contract;
}

TEST_CASE("Partner: each step leads from its states and from no other", "[unit][partner]") {
  const std::map<std::pair<Step, PartnerState>, PartnerState> allowed{
      {{Step::kSubmit, PartnerState::kDraft}, PartnerState::kSubmitted},
      {{Step::kReview, PartnerState::kSubmitted}, PartnerState::kInReview},
      {{Step::kApprove, PartnerState::kInReview}, PartnerState::kActive},
      {{Step::kReject, PartnerState::kSubmitted}, PartnerState::kDraft},
      {{Step::kReject, PartnerState::kInReview}, PartnerState::kDraft},
      {{Step::kSuspend, PartnerState::kActive}, PartnerState::kSuspended},
      {{Step::kReinstate, PartnerState::kSuspended}, PartnerState::kActive},
      {{Step::kTerminate, PartnerState::kActive}, PartnerState::kTerminating},
      {{Step::kTerminate, PartnerState::kSuspended}, PartnerState::kTerminating},
      {{Step::kEnd, PartnerState::kTerminating}, PartnerState::kTerminated},
  };
  for (int step = 0; step < 8; ++step) {
    for (int state = 0; state < 7; ++state) {
      const auto key = std::pair(static_cast<Step>(step), static_cast<PartnerState>(state));
      const auto taken = TakeStep(key.first, APartner(key.second), "anna");
      const auto expected = allowed.find(key);
      INFO("step " << step << " from " << StateName(key.second));
      if (expected == allowed.end()) {
        CHECK(ReasonOf(taken.status()) == Reason::kWrongState);
      } else {
        REQUIRE(taken.ok());
        CHECK(taken->state == expected->second);
      }
    }
  }
}

TEST_CASE("Partner: nobody signs twice", "[unit][partner]") {
  Partner partner = *TakeStep(Step::kSubmit, APartner(PartnerState::kDraft), "anna");
  CHECK(ReasonOf(TakeStep(Step::kReview, partner, "anna").status()) == Reason::kSamePerson);
  partner = *TakeStep(Step::kReview, partner, "bert");
  CHECK(ReasonOf(TakeStep(Step::kApprove, partner, "anna").status()) == Reason::kSamePerson);
  CHECK(ReasonOf(TakeStep(Step::kApprove, partner, "bert").status()) == Reason::kSamePerson);
  partner = *TakeStep(Step::kApprove, partner, "cleo");
  CHECK(partner.submitted_by == "anna");
  CHECK(partner.reviewed_by == "bert");
  CHECK(partner.approved_by == "cleo");
}

TEST_CASE("Partner: a submission needs every detail and says which are missing",
          "[unit][partner]") {
  for (const DetailField& field : DetailFields()) {
    Partner partner = APartner(PartnerState::kDraft);
    (partner.details.*field.value).clear();
    const auto submitted = TakeStep(Step::kSubmit, partner, "anna");
    CHECK(ReasonOf(submitted.status()) == Reason::kRequestMalformed);
    CHECK(DetailsOf(submitted.status())["missing"] == field.name);
  }
}

TEST_CASE("Partner: a change before the approval takes it back to draft", "[unit][partner]") {
  Partner partner = *TakeStep(Step::kSubmit, APartner(PartnerState::kDraft), "anna");
  partner = *TakeStep(Step::kReview, partner, "bert");
  PartnerDetails wanted = partner.details;
  wanted.iban = "GB29NWBK60161331926819";

  const auto changed = ChangeDetails(partner, wanted, DetailFields());

  REQUIRE(changed.ok());
  CHECK(changed->state == PartnerState::kDraft);
  CHECK(changed->submitted_by.empty());
  CHECK(changed->reviewed_by.empty());
  // What changes nothing leaves everything as it is.
  CHECK(ChangeDetails(partner, partner.details, DetailFields())->state == PartnerState::kInReview);
}

TEST_CASE("Partner: what was reviewed does not change after the approval", "[unit][partner]") {
  for (const PartnerState state :
       {PartnerState::kActive, PartnerState::kSuspended, PartnerState::kTerminating}) {
    const Partner partner = APartner(state);
    for (const DetailField& field : DetailFields()) {
      PartnerDetails wanted = partner.details;
      wanted.*field.value = "other";
      CHECK(ChangeDetails(partner, wanted, {field}).ok() == !field.reviewed);
      (wanted.*field.value).clear();
      CHECK(ReasonOf(ChangeDetails(partner, wanted, {field}).status()) == Reason::kWrongState);
    }
  }
  CHECK(ReasonOf(ChangeDetails(APartner(PartnerState::kTerminated), {}, {}).status()) ==
        Reason::kWrongState);
}

TEST_CASE("Contract: approved versions follow each other without gaps and overlaps",
          "[unit][partner][inv-82]") {
  const Timestamp now(1'000);
  const auto approve = [&](const Contract& contract, const std::vector<Contract>& approved) {
    return Approve(contract, "", approved, "bert", now, /*may_begin_in_past=*/false);
  };
  const auto reason = [](const auto& result) { return ReasonOf(result.status()); };

  SECTION("the first version may begin now, and ends nothing") {
    const auto first = approve(AContract(1, 1'000), {});
    REQUIRE(first.ok());
    CHECK_FALSE(first->ended);
  }
  SECTION("a successor ends an open version where it begins") {
    const auto second = approve(AContract(2, 5'000), {AContract(1, 1'000)});
    REQUIRE(second.ok());
    CHECK(second->ended == ContractId(1));
  }
  SECTION("a successor of an ended version begins where that ends") {
    CHECK(approve(AContract(2, 3'000), {AContract(1, 1'000, 3'000)}).ok());
    CHECK(reason(approve(AContract(2, 2'999), {AContract(1, 1'000, 3'000)})) ==
          Reason::kContractOverlap);
    CHECK(reason(approve(AContract(2, 3'001), {AContract(1, 1'000, 3'000)})) ==
          Reason::kContractGap);
  }
  SECTION("nothing is put before or instead of an approved version") {
    CHECK(reason(approve(AContract(2, 4'000), {AContract(1, 4'000)})) == Reason::kContractOverlap);
    CHECK(reason(approve(AContract(2, 1'000, 4'000), {AContract(1, 4'000)})) ==
          Reason::kContractOverlap);
  }
  SECTION("nothing takes effect before its approval, but where the programme is not live") {
    CHECK(reason(approve(AContract(1, 999), {})) == Reason::kEffectiveInPast);
    CHECK(Approve(AContract(1, 1), "", {}, "bert", now, /*may_begin_in_past=*/true).ok());
  }
  SECTION("the state comes before the person, the person before the dates") {
    Contract contract = AContract(1, 1);
    CHECK(reason(Approve(contract, "", {}, "anna", now, false)) == Reason::kSamePerson);
    contract.state = ContractState::kApproved;
    CHECK(reason(Approve(contract, "", {}, "anna", now, false)) == Reason::kWrongState);
  }
}

TEST_CASE("Contract: terms must make sense", "[unit][partner]") {
  const auto check = [](auto change) {
    Contract contract = AContract(1, 1'000);
    IssuanceTerms terms = std::get<IssuanceTerms>(contract.terms);
    change(contract, terms);
    contract.terms = terms;
    return ReasonOf(CheckContract(contract));
  };
  CHECK(check([](Contract&, IssuanceTerms&) {}) == std::nullopt);
  CHECK(check([](Contract& c, IssuanceTerms&) { c.period.until = Timestamp(1'000); }) ==
        Reason::kRequestMalformed);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.rate_micros = -1; }) ==
        Reason::kRequestMalformed);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.tax.code.clear(); }) ==
        Reason::kRequestMalformed);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.tax.ppm = 1'000'001; }) ==
        Reason::kRequestMalformed);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.activation_days = t.lot_life_days = 14; }) ==
        Reason::kRequestMalformed);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.currency = "USD"; }) == std::nullopt);
  CHECK(check([](Contract&, IssuanceTerms& t) { t.currency = "usd"; }) ==
        Reason::kCurrencyNotSupported);

  Contract redemption = AContract(1, 1'000);
  redemption.terms = RedemptionTerms{9'000, "EUR", {"DE-S19", 190'000}, 50'000, 0, {}};
  // A fee needs its tax.
  CHECK(ReasonOf(CheckContract(redemption)) == Reason::kRequestMalformed);
}

TEST_CASE("Names: forms are checked", "[unit][partner]") {
  for (const char* good : {"abc", "fresh-food-2", "a23456789012345678901234567890123456789x"}) {
    CHECK(CheckPartnerSlug(good).ok());
  }
  for (const char* bad :
       {"", "ab", "1abc", "Fresh", "a_b", "a23456789012345678901234567890123456789xy"}) {
    CHECK_FALSE(CheckPartnerSlug(bad).ok());
  }
  CHECK(CheckStoreCode("7").ok());
  CHECK_FALSE(CheckStoreCode("A").ok());
  CHECK(CheckTerminalCode("T-1").ok());
  CHECK_FALSE(CheckTerminalCode("T.1").ok());
  CHECK(CheckText("f", "Bäckerei 東京 🥐").ok());
  for (const char* bad : {" a", "a ", "a\nb", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82"}) {
    CHECK_FALSE(CheckText("f", bad).ok());
  }
  CHECK_FALSE(CheckText("f", std::string(201, 'a')).ok());
  CHECK(CheckMerchantCategoryCode("5411").ok());
  for (const char* bad : {"541", "54111", "541a"}) CHECK_FALSE(CheckMerchantCategoryCode(bad).ok());
  CHECK(CheckTimeZone("Europe/Berlin").ok());
  CHECK(CheckTimeZone("UTC").ok());
  for (const char* bad : {"", "Mars/Olympus", "/etc/localtime", "../UTC", "localtime"}) {
    INFO(bad);
    CHECK_FALSE(CheckTimeZone(bad).ok());
  }
  // A file's name would end at the NUL.
  CHECK_FALSE(CheckTimeZone(std::string("Europe/Berlin\0x", 15)).ok());
}

TEST_CASE("PointBlocks: a partner buys points until it leaves", "[unit][partner]") {
  for (const PartnerState state :
       {PartnerState::kDraft, PartnerState::kSubmitted, PartnerState::kInReview,
        PartnerState::kActive, PartnerState::kSuspended, PartnerState::kTerminating,
        PartnerState::kTerminated}) {
    Partner partner;
    partner.state = state;
    const bool leaves = state == PartnerState::kTerminating || state == PartnerState::kTerminated;
    CHECK(CheckMayBuyPoints(partner).ok() != leaves);
  }
}

TEST_CASE("Partner: a submission needs a document, an approval a clear screening",
          "[unit][partner]") {
  Partner partner = APartner(PartnerState::kDraft);
  partner.evidence.documents.clear();
  const auto submitted = TakeStep(Step::kSubmit, partner, "anna");
  CHECK(DetailsOf(submitted.status())["missing"] == "documents");

  const Timestamp now(1'000);
  const Partner waits = APartner(PartnerState::kSubmitted);
  CHECK(
      ReasonOf(ReviewPartner(waits, SanctionsResult::kNotScreened, "list", "bert", now).status()) ==
      Reason::kRequestMalformed);
  CHECK(ReasonOf(ReviewPartner(waits, SanctionsResult::kClear, "", "bert", now).status()) ==
        Reason::kRequestMalformed);
  const auto hit = ReviewPartner(waits, SanctionsResult::kHit, "list", "bert", now);
  REQUIRE(hit.ok());
  CHECK(hit->evidence.reviewed_at == now);
  CHECK(ReasonOf(TakeStep(Step::kApprove, *hit, "cleo").status()) == Reason::kSanctionsHit);
}

TEST_CASE("Partner: a document that is added takes it back to draft, the same one does not",
          "[unit][partner]") {
  const Partner reviewed =
      *ReviewPartner(APartner(PartnerState::kSubmitted), SanctionsResult::kClear, "list", "bert",
                     Timestamp(1'000));
  Document document{"licence", "licence.pdf", Digest{8}, "anna", Timestamp(0)};

  const auto changed = AttachDocument(reviewed, document);

  REQUIRE(changed.ok());
  CHECK(changed->state == PartnerState::kDraft);
  CHECK(changed->evidence.sanctions == SanctionsResult::kNotScreened);
  CHECK(changed->evidence.documents.size() == 2);
  document.sha256 = Digest{7};
  CHECK(AttachDocument(reviewed, document)->state == PartnerState::kInReview);
  CHECK(ReasonOf(AttachDocument(APartner(PartnerState::kActive), document).status()) ==
        Reason::kWrongState);
}

TEST_CASE("PlanExit: ages, what is expected to be spent, and what has to be put up",
          "[unit][partner]") {
  const Timestamp now(1'000 * kMicrosPerDay);
  const auto days_ago = [&](int days) { return Timestamp(now.value() - days * kMicrosPerDay); };
  ExitFacts facts;
  facts.outstanding = {{days_ago(0), Points(10)},
                       {days_ago(29), Points(20)},
                       {days_ago(30), Points(40)},
                       {days_ago(365), Points(80)},
                       {days_ago(364), Points(0)}};
  facts.redeemed = Points(300);
  facts.expired = Points(100);
  facts.figures.unbilled_issuance = MinorUnits(500);
  facts.figures.outstanding_issuance = MinorUnits(1'000);
  facts.figures.owed_to_partner = MinorUnits(200);
  facts.collateral = MinorUnits(400);
  facts.reserve = MinorUnits(100);
  facts.last_expiry_month = 197312;

  const auto plan = PlanExit(facts, std::nullopt, {.issuance = 60, .redemption = 90}, now);

  REQUIRE(plan.ok());
  REQUIRE(plan->ages.size() == 3);
  CHECK(plan->ages[0].points == Points(30));
  CHECK(plan->ages[1].least_days == 30);
  CHECK(plan->ages[2].most_days == 0);
  CHECK(plan->outstanding == Points(150));
  CHECK(plan->redeemed_share_ppm == 750'000);
  CHECK(plan->expected_redeemed == Points(113));  // 112.5
  CHECK(plan->escrow == MinorUnits(500 + 1'000 - 200 - 500));
  CHECK(plan->run_off.last_issue.value() == now.value() + 60 * kMicrosPerDay);
  CHECK(plan->steps.front().kind == ExitStepKind::kGiveNotice);
  CHECK(plan->steps.front().at == now);
  CHECK(plan->steps[1].kind == ExitStepKind::kTellMembers);
  CHECK(plan->steps.back().kind == ExitStepKind::kLastExpiry);
  // 1 January 1974.
  CHECK(plan->steps.back().at.value() == 1'461 * kMicrosPerDay);
  // Without a past all is expected to be spent; and nobody puts up less than nothing.
  facts.redeemed = facts.expired = Points(0);
  facts.collateral = MinorUnits(10'000);
  const auto safe = PlanExit(facts, std::nullopt, {}, now);
  REQUIRE(safe.ok());
  CHECK(safe->expected_redeemed == safe->outstanding);
  CHECK(safe->escrow == MinorUnits(0));
}

TEST_CASE("RunOff: what is not asked for follows, and nothing ends before its notice",
          "[unit][partner]") {
  const Timestamp now(1'700'000'000'000'000);
  const auto in_days = [&](int64_t days) { return Timestamp(now.value() + days * kMicrosPerDay); };
  const NoticeDays notice{.issuance = 30, .redemption = 60};
  const auto usual = PlanRunOff({}, notice, now);
  REQUIRE(usual.ok());
  CHECK(*usual == RunOff{in_days(30), in_days(60), in_days(150), in_days(240)});

  AskedRunOff asked;
  asked.last_issue = in_days(29);
  CHECK(ReasonOf(PlanRunOff(asked, notice, now).status()) == Reason::kNoticeTooShort);
  asked.for_cause = "insolvent";
  CHECK(PlanRunOff(asked, notice, now)->last_issue == in_days(29));
  CHECK(PlanRunOff(asked, notice, now)->last_redemption == now);
  asked.last_return = in_days(28);
  CHECK(ReasonOf(PlanRunOff(asked, notice, now).status()) == Reason::kRequestMalformed);
  asked.last_return = in_days(40);
  asked.final_settlement = in_days(39);
  CHECK(ReasonOf(PlanRunOff(asked, notice, now).status()) == Reason::kRequestMalformed);
  asked.final_settlement = in_days(40);
  CHECK(PlanRunOff(asked, notice, now)->final_settlement == in_days(40));
  asked.last_issue = Timestamp(now.value() - 1);
  CHECK(ReasonOf(PlanRunOff(asked, notice, now).status()) == Reason::kRequestMalformed);

  Partner leaving = APartner(PartnerState::kTerminating);
  leaving.run_off = *usual;
  CHECK(ReasonOf(CheckRunOffIsOver(leaving, in_days(239))) == Reason::kWrongState);
  CHECK(CheckRunOffIsOver(leaving, in_days(240)).ok());
}

TEST_CASE("Contract: an approval is bound to what was proposed, and to 30 days",
          "[unit][partner][inv-97]") {
  Contract contract = AContract(1, 1'000'000);
  contract.proposed_at = Timestamp(0);
  const std::string etag = ContractEtag(contract);
  const auto reason = [&](const std::string& bound_to, Timestamp now) {
    return ReasonOf(Approve(contract, bound_to, {}, "bert", now, true).status());
  };
  CHECK_FALSE(reason(etag, Timestamp(1)));
  CHECK(reason(etag, Timestamp(30 * kMicrosPerDay)) == Reason::kApprovalExpired);
  CHECK_FALSE(reason(etag, Timestamp(30 * kMicrosPerDay - 1)));
  // Whatever of it changes, another approval is needed.
  std::get<IssuanceTerms>(contract.terms).rate_micros += 1;
  CHECK(reason(etag, Timestamp(1)) == Reason::kChangeDiffers);
  std::get<IssuanceTerms>(contract.terms).rate_micros -= 1;
  contract.notice_days = 1;
  CHECK(reason(etag, Timestamp(1)) == Reason::kChangeDiffers);
  contract.notice_days = 0;
  contract.period.until = Timestamp(2'000'000);
  CHECK(reason(etag, Timestamp(1)) == Reason::kChangeDiffers);
  // And nobody approves what they proposed.
  CHECK(ReasonOf(Approve(contract, "", {}, "anna", Timestamp(1), true).status()) ==
        Reason::kSamePerson);
}

// Published numbers of companies, and the same with one digit changed.
TEST_CASE("VAT numbers: forms and check digits of each country", "[unit][partner]") {
  const char* const valid[] = {
      "ATU13585627",    "BE0403019261",   "BG175074752",    "CY10259033P",   "CZ25123891",
      "DE136695976",    "DE811907980",    "DK13585628",     "EE100931558",   "EL094259216",
      "ESB58378431",    "ESJ99216582",    "FI20774740",     "FR40303265045", "FR83404833048",
      "HR33392005961",  "HU12892312",     "IE6433435F",     "IE6433435OA",   "IE8D79739I",
      "IT00743110157",  "LT119511515",    "LT100001919017", "LU15027442",    "LV40003521600",
      "MT11679112",     "NL004495445B01", "PL8567346215",   "PT501964843",   "RO18547290",
      "SE123456789701", "SI50223054",     "SK2022749619",   "XI980780684"};
  for (const std::string number : valid) {
    INFO(number);
    CHECK(CheckVatNumber(number).ok());
    // The one digit in the middle that every algorithm covers.
    std::string mistyped = number;
    char& digit = mistyped[5];
    digit = digit == '9' ? '0' : static_cast<char>(digit + 1);
    CHECK(ReasonOf(CheckVatNumber(mistyped)) == Reason::kTaxIdInvalid);
    CHECK(ReasonOf(CheckVatNumber(number + "12345678")) == Reason::kTaxIdInvalid);
    CHECK(ReasonOf(CheckVatNumber(number.substr(0, 3))) == Reason::kTaxIdInvalid);
    CHECK(ReasonOf(CheckVatNumber(absl::AsciiStrToLower(number))) == Reason::kTaxIdInvalid);
  }
  CHECK(ReasonOf(CheckVatNumber("GR094259216")) == Reason::kTaxIdInvalid);
  // Others have forms of their own.
  CHECK(CheckVatNumber("CHE-116.281.710 MWST").ok());
  CHECK(CheckVatNumber("").ok());
}

TEST_CASE("CheckMerchantCategoryCode: knows the codes of ISO 18245", "[unit][partner]") {
  CHECK(CheckMerchantCategoryCode("5411").ok());
  CHECK(CheckMerchantCategoryCode("0742").ok());
  CHECK_FALSE(CheckMerchantCategoryCode("5410").ok());
  CHECK_FALSE(CheckMerchantCategoryCode("0000").ok());
  CHECK_FALSE(CheckMerchantCategoryCode("54a1").ok());
  CHECK(CheckRegion("DE-BE").ok());
  CHECK(CheckRegion("").ok());
  for (const char* const wrong : {"Berlin", "DE", "DE-", "de-BE", "DE-BERL"}) {
    CHECK_FALSE(CheckRegion(wrong).ok());
  }
}

TEST_CASE("Credentials: a partner gives no more than its own key has", "[unit][partner]") {
  using security::Scope;
  security::Principal giver{.kind = security::Principal::Kind::kPartner};
  giver.scopes = {Scope::kAdmin, Scope::kPost};
  Credential given;
  given.scopes = {Scope::kPost};
  CHECK(CheckMayGive(giver, given).ok());
  given.scopes = {Scope::kPost, Scope::kRedeem};
  CHECK(ReasonOf(CheckMayGive(giver, given)) == Reason::kNotYours);
  CHECK(CheckMayGive({.kind = security::Principal::Kind::kOperator}, given).ok());

  given.scopes = {Scope::kPost};
  giver.stores = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"s1"});
  CHECK(ReasonOf(CheckMayGive(giver, given)) == Reason::kNotYours);
  given.stores = {"s1"};
  CHECK(CheckMayGive(giver, given).ok());
  given.stores = {"s1", "s2"};
  CHECK(ReasonOf(CheckMayGive(giver, given)) == Reason::kNotYours);
}

TEST_CASE("Credentials: a rotation lets the old key work for the overlap and no longer",
          "[unit][partner]") {
  constexpr int64_t kHourUs = 3'600'000'000;
  const Timestamp now(1'700'000'000'000'000);
  Credential old;
  old.created_at = Timestamp(now.value() - 9 * kHourUs);
  old.scopes = {security::Scope::kRedeem};
  old.stores = {"s1"};

  const auto next = Rotate(old, 3'600, now);

  REQUIRE(next.ok());
  CHECK(old.expires_at == Timestamp(now.value() + kHourUs));
  CHECK(next->scopes == old.scopes);
  CHECK(next->stores == old.stores);
  CHECK_FALSE(next->expires_at);
  // One that ends sooner is not made to last. The overlap says nothing of how long its successor
  // does.
  const auto again = Rotate(old, 7'200, now);
  REQUIRE(again.ok());
  CHECK(old.expires_at == Timestamp(now.value() + kHourUs));
  CHECK_FALSE(again->expires_at);
  CHECK(ReasonOf(Rotate(old, -1, now).status()) == Reason::kRequestMalformed);
  CHECK(ReasonOf(Rotate(old, 1, Timestamp(now.value() + kHourUs)).status()) == Reason::kWrongState);
}

TEST_CASE("Credentials: what follows one with a stated end lasts as long as was stated",
          "[unit][partner]") {
  constexpr int64_t kHourUs = 3'600'000'000;
  const Timestamp now(1'700'000'000'000'000);
  Credential old;
  old.created_at = Timestamp(now.value() - 9 * kHourUs);
  old.stated_end = Timestamp(now.value() + 11 * kHourUs);
  // Its certificate ends before.
  old.expires_at = Timestamp(now.value() + 2 * kHourUs);

  const auto next = Rotate(old, 3'600, now);

  REQUIRE(next.ok());
  CHECK(next->stated_end == Timestamp(now.value() + 20 * kHourUs));
  CHECK(next->expires_at == next->stated_end);
  CHECK(old.expires_at == Timestamp(now.value() + kHourUs));
  CHECK(old.stated_end == Timestamp(now.value() + 11 * kHourUs));
}

}  // namespace
}  // namespace guilder::partner
