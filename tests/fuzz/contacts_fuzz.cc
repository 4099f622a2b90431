// What people type about themselves and their companies: names, phones, e-mail addresses, IBANs,
// time zones, and texts for a bank. The first byte is the length that a bank allows.
#include <algorithm>
#include <string>

#include "libs/iso20022/iban.h"
#include "libs/iso20022/pain001.h"
#include "services/member/domain/profile.h"
#include "services/partner/domain/names.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

constexpr std::string_view kSepaCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ";

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void CheckContacts(std::string_view text) {
  if (const auto phone = member::NormalPhone(text)) {
    FUZZ_CHECK(member::NormalPhone(*phone) == phone);
    FUZZ_CHECK(phone->front() == '+' && phone->size() >= 8 && phone->size() <= 16);
    FUZZ_CHECK(phone->find_first_not_of("0123456789", 1) == std::string::npos);
  }
  if (const auto email = member::NormalEmail(text)) {
    FUZZ_CHECK(member::NormalEmail(*email) == email);
    FUZZ_CHECK(!HasControl(*email));
    FUZZ_CHECK(std::count(email->begin(), email->end(), '@') == 1);
  }
}

// The text as four fields, cut at line ends.
member::Profile ProfileOf(std::string_view text) {
  member::Profile profile;
  for (std::string* field :
       {&profile.given_name, &profile.family_name, &profile.phone, &profile.email}) {
    const size_t end = std::min(text.find('\n'), text.size());
    *field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return profile;
}

void CheckProfile(std::string_view text) {
  const auto profile = member::CheckedProfile(ProfileOf(text));
  if (!profile.ok()) return;
  const auto again = member::CheckedProfile(*profile);
  FUZZ_CHECK(again.ok() && *again == *profile);
  FUZZ_CHECK(member::DecodeProfile(member::EncodeProfile(*profile)) == *profile);
  // A mask hides.
  const member::Profile masked = member::Masked(*profile);
  FUZZ_CHECK(profile->phone.empty() || masked.phone != profile->phone);
  FUZZ_CHECK(profile->email.empty() || masked.email != profile->email);
}

void CheckIban(std::string_view text) {
  const std::string iban = iso20022::NormaliseIban(text);
  FUZZ_CHECK(iso20022::NormaliseIban(iban) == iban);
  if (!iso20022::CheckIban(iban).ok()) return;
  FUZZ_CHECK(iso20022::IbanCheckDigitsFit(iban));
  FUZZ_CHECK(iban.size() >= 15 && iban.size() <= 34);
  // The check finds every single digit that is mistyped.
  for (size_t i = 2; i < iban.size(); ++i) {
    if (iban[i] < '0' || iban[i] > '9') continue;
    std::string mistyped(iban);
    mistyped[i] = mistyped[i] == '9' ? '0' : static_cast<char>(mistyped[i] + 1);
    FUZZ_CHECK(!iso20022::CheckIban(mistyped).ok());
  }
}

void CheckBankText(std::string_view text, size_t most) {
  const std::string sepa = iso20022::ToSepaText(text, most);
  FUZZ_CHECK(sepa.size() <= most);
  FUZZ_CHECK(sepa.find_first_not_of(kSepaCharacters) == std::string::npos);
  FUZZ_CHECK(iso20022::ToSepaText(sepa, most) == sepa);
}

void CheckPartnerForms(std::string_view text) {
  if (partner::CheckText("display_name", text).ok()) FUZZ_CHECK(!HasControl(text));
  for (const absl::Status& status :
       {partner::CheckPartnerSlug(text), partner::CheckStoreCode(text),
        partner::CheckTerminalCode(text), partner::CheckMerchantCategoryCode(text)}) {
    if (status.ok()) FUZZ_CHECK(!text.empty() && text.size() <= 40 && !HasControl(text));
  }
  // A zone is a file of this machine: no other file, and nothing that a file's name would cut off.
  if (partner::CheckTimeZone(std::string(text)).ok()) {
    FUZZ_CHECK(!HasControl(text) && text.front() != '/' &&
               text.find("..") == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = fuzz::View(data, size);
  const size_t most = fuzz::TakeByte(text);
  CheckContacts(text);
  CheckProfile(text);
  CheckIban(text);
  CheckBankText(text, most);
  CheckPartnerForms(text);
  return 0;
}

}  // namespace guilder
