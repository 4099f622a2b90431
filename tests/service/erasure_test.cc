// Erasure, looked for from outside: in a dump of the database, in its files, in the log, and in a
// backup from before that is restored.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "absl/time/clock.h"

#include "libs/base/text.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "services/member/domain/vault.h"
#include "services/member/store/key_rotation.h"
#include "services/member/store/members.h"
#include "tests/service/person_world.h"
#include "tests/support/child_process.h"

namespace guilder::member {
namespace {

// What stands in Ada's profile, in a person's who shares her account, and, last, in what staff
// wrote.
const std::vector<std::string>& Traces() {
  static const auto* const traces = new std::vector<std::string>{
      "Byron-Lovelace", "49301234567", "countess.example", "Saint James",
      "1985-12-10",     "Noel-King",   "49307654321",      "lost by Ada"};
  return *traces;
}

// The traces that are in a text as they are, or as the hexadecimal digits of a dump.
std::vector<std::string> TracesIn(const std::string& text) {
  std::vector<std::string> found;
  for (const std::string& trace : Traces()) {
    if (text.find(trace) != std::string::npos || text.find(ToHex(trace)) != std::string::npos) {
      found.push_back(trace);
    }
  }
  return found;
}

// Everything that is written to standard error while it lives.
class CapturedLog {
 public:
  CapturedLog() : before_(dup(STDERR_FILENO)) {
    std::fflush(stderr);
    const int file = open(path().c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~CapturedLog() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  std::string Text() const {
    std::fflush(stderr);
    return testing::ReadFile(path());
  }

 private:
  std::string path() const { return directory_.path() + "/log"; }
  testing::TemporaryDirectory directory_;
  int before_;
};

std::string PostgresProgram(const PersonWorld& world, const std::string& name) {
  return std::string(
             world.Query("select setting from pg_config where name = 'BINDIR'")[0].Text(0)) +
         "/" + name;
}

void Dump(const PersonWorld& world, const std::string& file) {
  testing::ChildProcess dump({PostgresProgram(world, "pg_dump"), "--no-owner", "--file", file,
                              world.coalition.database().dsn()});
  REQUIRE(dump.Wait() == 0);
}

// The files below a folder. The server removes files while this looks, so what has gone since its
// name was read is passed over.
std::vector<std::filesystem::path> FilesBelow(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> folders = {root};
  while (!folders.empty()) {
    const std::filesystem::path folder = folders.back();
    folders.pop_back();
    std::error_code gone;
    for (std::filesystem::directory_iterator entry(folder, gone), end; !gone && entry != end;
         entry.increment(gone)) {
      std::error_code unknown;
      if (entry->is_directory(unknown)) folders.push_back(entry->path());
      if (entry->is_regular_file(unknown)) files.push_back(entry->path());
    }
  }
  return files;
}

// All that the server keeps on disk: tables with what was overwritten in them, the write-ahead log,
// its own log. What staff wrote about a card was never sealed: it is gone from the table, and from
// the files when the server has used their space anew.
std::vector<std::string> FilesWithTraces(const PersonWorld& world) {
  world.Query("checkpoint");
  const std::string root(world.Query("show data_directory")[0].Text(0));
  const std::vector<std::filesystem::path> files = FilesBelow(root);
  // A database has hundreds of files: this did look.
  CHECK(files.size() > 300);
  std::vector<std::string> found;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::vector<std::string> traces = TracesIn(bytes);
    std::erase(traces, Traces().back());
    if (!traces.empty()) found.push_back(file.string());
  }
  return found;
}

// Ada with everything that is personal, and points earned and spent.
PersonWorld::Enrolled ALife(const PersonWorld& world) {
  const auto ada = world.Enrol();
  v1::AddPersonRequest person;
  person.set_request_id(clients::NewRequestId());
  person.set_parent(ada.name);
  person.mutable_person()->set_family_name("Noel-King");
  person.mutable_person()->set_phone("+49307654321");
  REQUIRE(world.Ask(&v1::PersonService::Stub::AddPerson, person).ok());
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(ada.name);
  update.mutable_member()->set_given_name("Augusta Ada");
  update.mutable_update_mask()->add_paths("given_name");
  REQUIRE(world.Ask(&v1::PersonService::Stub::UpdateMember, update).ok());
  v1::IssueCardsRequest more;
  more.set_request_id(clients::NewRequestId());
  more.set_member(ada.name);
  more.set_count(1);
  const auto issued = PersonWorld::Call<v1::MemberService>(
      world.Operator(), &v1::MemberService::Stub::IssueCards, more);
  REQUIRE(issued.ok());
  v1::BlockCardRequest block;
  block.set_name(issued->cards(0).name());
  block.set_reason("lost by Ada");
  REQUIRE(PersonWorld::Call<v1::MemberService>(world.Operator(),
                                               &v1::MemberService::Stub::BlockCard, block)
              .ok());
  // Looked for in vain and found, by staff and by a till.
  REQUIRE(world.FindByPhone("+49301234567").ok());
  CHECK_FALSE(world.FindByPhone("+49301234568").ok());
  v1::FindMemberRequest find;
  find.set_email("ada.49301234567@countess.example");
  REQUIRE(PersonWorld::Call<v1::MemberService>(world.Partner(),
                                               &v1::MemberService::Stub::FindMember, find)
              .ok());
  return ada;
}

std::string Positions(const PersonWorld& world) {
  const auto rows = world.Query(
      "select coalesce(string_agg(p::text, ' ' order by p::text), '') from ledger.positions p "
      "where movement in (1, 2, 3, 4, 5, 6)");
  return std::string(rows[0].Text(0));
}

TEST_CASE("EraseMember: nobody finds the person, in the database, its files or the log",
          "[service][member][inv-100]") {
  const PersonWorld world;
  testing::TemporaryDirectory directory;
  const CapturedLog log;
  const auto ada = ALife(world);
  const std::string billed = Positions(world);

  const auto erased = world.Erase(ada.name);
  INFO(erased.status().ToString());
  REQUIRE(erased.ok());

  CHECK(erased->expired_points() == 50);
  Dump(world, directory.path() + "/after.sql");
  const std::string dump = testing::ReadFile(directory.path() + "/after.sql");
  CHECK(dump.find("member.members") != std::string::npos);
  CHECK(TracesIn(dump) == std::vector<std::string>{});
  CHECK(FilesWithTraces(world) == std::vector<std::string>{});
  CHECK(TracesIn(log.Text()) == std::vector<std::string>{});
  // Nor is anything sealed left, or any index by which the person was found.
  CHECK(world.Count("member.people") == 0);
  CHECK(world.Count("member.members where num_nonnulls(sealed_key, sealed_profile, phone_index, "
                    "email_index) > 0") == 0);
  const auto seen = world.Get(ada.name);
  REQUIRE(seen.ok());
  CHECK(seen->erased());
  CHECK(seen->given_name().empty());
  CHECK(seen->people_size() == 0);
  // What partners pay for is what it was, and every leaf still follows from its record.
  CHECK(Positions(world) == billed);
  const auto verified = ledger::Verify(world.coalition.network().pool(), {},
                                       [](const ledger::VerifyProgress&) { return true; });
  REQUIRE(verified.ok());
  for (const ledger::VerifyCheck& check : verified->checks) {
    INFO(check.name);
    CHECK(check.first_failure == "");
  }
}

TEST_CASE("EraseMember: a repeat, and a second request, get the first answer",
          "[service][member][inv-11]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::EraseMemberRequest request;
  request.set_request_id("1");
  request.set_name(ada.name);
  const auto erase = [&] { return world.Ask(&v1::PersonService::Stub::EraseMember, request); };
  CHECK(ReasonOf(erase()) == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());

  const auto first = erase();
  const auto repeated = erase();
  request.set_request_id(clients::NewRequestId());
  const auto second = erase();

  REQUIRE(first.ok());
  REQUIRE(repeated.ok());
  REQUIRE(second.ok());
  CHECK(repeated->SerializeAsString() == first->SerializeAsString());
  CHECK(second->SerializeAsString() == first->SerializeAsString());
  request.set_name("members/65539");
  CHECK(ReasonOf(erase()) == Reason::kMemberNotFound);
  // A request id is of one member.
  const auto eve = world.Enrol(PersonWorld::Ada("+49307654321"));
  request.set_name(eve.name);
  CHECK(erase().ok());
}

TEST_CASE("EraseMember: of a member who closed the account before", "[service][member][inv-100]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::CloseMemberRequest close;
  close.set_request_id(clients::NewRequestId());
  close.set_name(ada.name);
  REQUIRE(world.Ask(&v1::PersonService::Stub::CloseMember, close).ok());

  const auto erased = world.Erase(ada.name);

  REQUIRE(erased.ok());
  CHECK(erased->expired_points() == 0);
  CHECK(world.Get(ada.name)->erased());
  const auto verified = ledger::Verify(world.coalition.network().pool(), {},
                                       [](const ledger::VerifyProgress&) { return true; });
  REQUIRE(verified.ok());
  for (const ledger::VerifyCheck& check : verified->checks) {
    INFO(check.name);
    CHECK(check.first_failure == "");
  }
}

TEST_CASE("EraseMember: who enrols again with the same phone number is a new member",
          "[service][member][inv-100]") {
  const PersonWorld world;
  const auto before = world.Enrol();
  REQUIRE(world.Erase(before.name).ok());

  const auto after = world.Enrol();

  CHECK(after.name != before.name);
  CHECK(after.partner != before.partner);
  CHECK(world.FindByPhone("+49301234567")->name() == after.name);
}

TEST_CASE("EraseMember: after a rotation nobody is found in a restored backup",
          "[service][member][inv-100]") {
  const PersonWorld world;
  testing::TemporaryDirectory directory;
  const auto ada = ALife(world);
  const auto eve = world.Enrol(PersonWorld::Ada("+442079460000"));
  const std::string backup = directory.path() + "/backup.sql";
  Dump(world, backup);
  REQUIRE(world.Erase(ada.name).ok());
  testing::TestDatabase restored(testing::TestDatabase::Schema::kEmpty);
  testing::ChildProcess restore(
      {PostgresProgram(world, "psql"), "--quiet", "--no-psqlrc", "--file", backup, restored.dsn()},
      directory.path() + "/restored.log");
  REQUIRE(restore.Wait() == 0);
  const security::Secrets& secrets = world.coalition.network().secrets();
  const AccountId account = world.coalition.AccountOf(ada.card);
  postgres::Pool pool(restored.dsn(), 2);
  // What the installation's own secrets tell of Ada in the backup.
  const auto found_in_backup = [&] {
    const Vault vault(secrets);
    return pool.Read([&](postgres::Transaction& tx) -> absl::StatusOr<int> {
      const auto member = ReadMember(tx, account);
      REQUIRE(member.has_value());
      REQUIRE(member->sealed.has_value());
      return (FindByPhone(tx, vault.PhoneIndexes("+49301234567")) ? 1 : 0) +
             (vault.Open(account, *member->sealed) ? 1 : 0);
    });
  };
  // Until then the keys open the backup: this is what the rotation is for.
  CHECK(*found_in_backup() == 2);

  const auto rotated =
      world.Ask(&v1::PersonService::Stub::RotateMemberKeys, v1::RotateMemberKeysRequest());

  INFO(rotated.status().ToString());
  REQUIRE(rotated.ok());
  CHECK(rotated->epoch() == 1);
  CHECK(rotated->members() == 1);
  CHECK(*found_in_backup() == 0);
  // Who lives on is found as before, by what was indexed anew.
  CHECK(world.FindByPhone("+442079460000")->name() == eve.name);
  CHECK(world.Get(eve.name)->family_name() == "Byron-Lovelace");
  CHECK(world.TryEnrol(PersonWorld::Ada("+442079460000"))->existed());

  // Whoever goes on with the backup forgets as much as an erasure does.
  const auto words = [&] {
    return restored
        .Query(
            "select (select count(*) from member.cards where blocked_reason <> '') + (select "
            "count(*) from member.card_events where reason <> '') + (select count(*) from "
            "member.people)")[0]
        .Int(0);
  };
  REQUIRE(words() >= 3);
  const auto forgotten = RotateKeys(pool, Vault(secrets), absl::Now() + absl::Minutes(1));
  INFO(forgotten.status().ToString());
  REQUIRE(forgotten.ok());
  CHECK(forgotten->unreadable == 2);
  CHECK(words() == 0);
}

}  // namespace
}  // namespace guilder::member
