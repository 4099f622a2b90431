#include "tests/support/coalition.h"

#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/digest.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"

namespace guilder::testing {
namespace {

constexpr postgres::Statement kIssueCard{"test.issue_card", R"sql(
  insert into member.cards (card_number, account_id, book, state, issued_at_us, request_id)
  values ($1, $2, $3, 0, 0, $4)
)sql"};

constexpr postgres::Statement kInsertKey{"test.insert_key", R"sql(
  insert into partner.credentials (credential_id, partner_id, display_name, key_hash, scopes,
                                   created_at_us)
  select $1, partner_id, 'test', $2, '{}', 0 from partner.partners where slug = $1
)sql"};

constexpr postgres::Statement kInsertRules{"test.insert_rules", R"sql(
  insert into accrual.rule_sets (state, effective_from_us, rules, proposed_by, approved_by)
  values ('APPROVED', 0, $1, 'anna', 'bert')
)sql"};

constexpr char kPartners[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, state, programme_operator)
  values ('fresh', 1, 'Fresh', 'ACTIVE', false), ('books', 1, 'Books', 'ACTIVE', false),
         ('house', 1, 'House', 'ACTIVE', true);
  insert into partner.stores (partner_id, code, display_name, time_zone)
  select partner_id, 's1', 'Store', 'Europe/Berlin' from partner.partners;
  insert into partner.terminals (store_id, code) select store_id, 't1' from partner.stores;
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, activation_days, lot_life_days,
                                 fee_ppm, fee_tax_code, fee_tax_ppm, proposed_by, approved_by)
  select partner_id, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 14, 365, 0, '', 0,
         'anna', 'bert'
    from partner.partners
  union all
  select partner_id, 2, 'REDEMPTION', 'APPROVED', 0, 8000, 'EUR', 'OUT', 0, 0, 0, 20000, 'S19', 190000,
         'anna', 'bert'
    from partner.partners;
  update ledger.configuration set version = version + 1;
)sql";

std::string Rules() {
  accrual::v1::RuleSet rules;
  accrual::v1::EarnRule& base = *rules.add_rules();
  base.set_rule_id("base");
  base.set_display_name("Base rate");
  base.mutable_base_rate()->set_points(1);
  base.mutable_base_rate()->set_per_minor_units(100);
  accrual::v1::EarnRule& not_goods = *rules.add_rules();
  not_goods.set_rule_id("not-goods");
  not_goods.set_display_name("No points for postage");
  not_goods.mutable_selector()->add_categories("not-goods");
  not_goods.mutable_exclusion()->set_reason("not goods");
  return rules.SerializeAsString();
}

// Stable keys, so that a channel can be made at any time.
std::string KeyOf(const std::string& slug) {
  return absl::StrCat("gk_", slug, "_", ToHex(AsView(Sha256({slug}))));
}

// Opens an account and issues its card, as an enrolment does.
class OpenAccount final : public ledger::Command, public ledger::RowStore {
 public:
  OpenAccount(int64_t card_number, const ledger::Lanes& lanes) : card_number_(card_number) {
    kind = ledger::RecordKind::kEnrolment;
    request_id = security::RandomUuid();
    book = lanes.BookForNewAccount(request_id);
    rows = this;
  }
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    account_ = posting.account().id;
    return std::string();
  }
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override {
    for (const ledger::Command* command : commands) {
      const auto& ours = static_cast<const OpenAccount&>(*command);
      tx.Execute(kIssueCard, postgres::Params()
                                 .Int(ours.card_number_)
                                 .Int(ours.account_)
                                 .Int(ours.book)
                                 .Uuid(ours.request_id));
    }
  }

 private:
  const int64_t card_number_;
  AccountId account_;
};

template <typename T>
T OrThrow(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(value.status().ToString());
  return *std::move(value);
}

}  // namespace

Coalition::Coalition(int books, bool gated) : network_({.books = books, .gated = gated}) {
  network_.database().Query(kPartners);
  const security::KeyHasher hasher(network_.secrets().KeyPepper());
  const absl::Status inserted = network_.pool().Run([&](postgres::Transaction& tx) {
    for (const char* slug : {"fresh", "books", "house"}) {
      tx.Execute(kInsertKey, postgres::Params().Text(slug).Bytes(hasher.Hash(KeyOf(slug))));
    }
    tx.Execute(kInsertRules, postgres::Params().Bytes(Rules()));
    return absl::OkStatus();
  });
  if (!inserted.ok()) throw std::runtime_error(inserted.ToString());
  lanes_ = OrThrow(ledger::Lanes::Start({.dsn = network_.dsn(), .lanes = gated ? 1 : 2}));
  cards_ = std::make_unique<ledger::CardDirectory>(network_.pool());
}

Coalition::~Coalition() = default;

clients::Channel Coalition::AsPartner(const std::string& slug) const {
  return network_.WithKey(KeyOf(slug));
}

std::string Coalition::AMember() {
  const std::string payload = std::to_string(++last_card_);
  const std::string number = payload + LuhnCheckDigit(payload);
  std::promise<absl::Status> done;
  // The row store lives as long as its command, and its batch has no other that uses it.
  lanes_->Submit(
      std::make_unique<OpenAccount>(*ParseInt(number), *lanes_),
      [&](const absl::StatusOr<ledger::Answer>& answer) { done.set_value(answer.status()); });
  if (const absl::Status status = done.get_future().get(); !status.ok()) {
    throw std::runtime_error(status.ToString());
  }
  return number;
}

AccountId Coalition::AccountOf(const std::string& card) const {
  const auto rows =
      database().Query("select account_id from member.cards where card_number = " + card);
  return rows[0].Id<AccountId>(0);
}

Timestamp Coalition::Now() const {
  const auto rows = database().Query(
      "select (extract(epoch from clock_timestamp()) * 1000000)::bigint + max(clock_offset_us) "
      "from ledger.books");
  return rows[0].Id<Timestamp>(0);
}

}  // namespace guilder::testing
