#include "tests/support/database.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "libs/postgres/migrator.h"
#include "libs/postgres/private_cluster.h"

namespace guilder::testing {
namespace {

using postgres::Connection;
using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

// Creating a database copies files, and others may be doing the same.
const postgres::SessionSettings kPatient{.statement_timeout = std::chrono::milliseconds(60'000)};

// Test programs that share a server create the template once between them.
constexpr Statement kLockTemplate{"test.lock_template", "select pg_advisory_lock(4845338)"};
constexpr Statement kUnlockTemplate{"test.unlock_template", "select pg_advisory_unlock(4845338)"};
constexpr Statement kTemplateExists{"test.template_exists",
                                    "select exists(select from pg_database where datname = $1)"};

[[noreturn]] void Fail(const std::string& what, const absl::Status& status) {
  throw std::runtime_error(absl::StrCat(what, ": ", status.ToString()));
}

template <typename T>
T ValueOrThrow(const std::string& what, absl::StatusOr<T> value) {
  if (!value.ok()) Fail(what, value.status());
  return *std::move(value);
}

void CheckOk(const std::string& what, const absl::Status& status) {
  if (!status.ok()) Fail(what, status);
}

// The dsn of another database of the same server.
std::string WithDatabase(const std::string& dsn, const std::string& database) {
  if (!absl::StartsWith(dsn, "postgres://") && !absl::StartsWith(dsn, "postgresql://")) {
    // Of equal parameters libpq takes the last.
    return absl::StrCat(dsn, " dbname='", database, "'");
  }
  const size_t host = dsn.find("://") + 3;
  const size_t question = dsn.find('?', host);
  const std::string address = dsn.substr(0, std::min(dsn.find('/', host), question));
  const std::string rest = question == std::string::npos ? "" : dsn.substr(question);
  return absl::StrCat(address, "/", database, rest);
}

// The server of this process's tests, with its template.
class Server {
 public:
  static Server& Get() {
    static Server server;
    return server;
  }

  const std::string& dsn() const { return dsn_; }

  void Create(const std::string& database, TestDatabase::Schema schema) {
    const bool migrated = schema == TestDatabase::Schema::kMigrated;
    const std::lock_guard lock(mutex_);
    if (migrated) EnsureTemplate();
    CheckOk("create a test database",
            postgres::ExecuteAlone(*admin_, absl::StrCat("create database ", database, " template ",
                                                         migrated ? template_ : "template0")));
  }

  void Drop(const std::string& database) {
    const std::lock_guard lock(mutex_);
    // With force, because a test may leave sessions behind when it fails. If this fails
    // nonetheless, the database goes with the server.
    postgres::ExecuteAlone(*admin_,
                           absl::StrCat("drop database if exists ", database, " with (force)"))
        .IgnoreError();
  }

 private:
  Server() {
    if (const char* const given = std::getenv("GUILDER_TEST_DSN")) {
      dsn_ = given;
    } else {
      StartCluster();
    }
    admin_ = ValueOrThrow("connect to the test server",
                          Connection::Open(WithDatabase(dsn_, "postgres"), kPatient));
    template_ = absl::StrCat("guilder_template_", postgres::MigrationsChecksum().substr(0, 16));
  }

  ~Server() {
    admin_.reset();
    if (cluster_ == nullptr) return;
    cluster_->Stop().IgnoreError();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  // Nothing here has to survive a loss of power, and many programs may run at once.
  void StartCluster() {
    directory_ = absl::StrCat("/tmp/guilder-test-", getpid());
    cluster_ = ValueOrThrow(
        "start a test server",
        postgres::PrivateCluster::Start({.directory = directory_,
                                         .settings = {{"fsync", "off"},
                                                      {"full_page_writes", "off"},
                                                      {"shared_buffers", "64MB"},
                                                      {"synchronous_commit", "off"}}}));
    dsn_ = cluster_->dsn();
  }

  void EnsureTemplate() {
    if (has_template_) return;
    const absl::Status locked = RunInTransaction(*admin_, [](Transaction& transaction) {
      transaction.Execute(kLockTemplate);
      return absl::OkStatus();
    });
    CheckOk("lock the template", locked);
    const absl::Status made = MakeTemplate();
    const absl::Status unlocked = RunInTransaction(*admin_, [](Transaction& transaction) {
      transaction.Execute(kUnlockTemplate);
      return absl::OkStatus();
    });
    CheckOk("make the template database", made);
    CheckOk("unlock the template", unlocked);
    has_template_ = true;
  }

  // Under another name until it is complete, so that a run that was interrupted leaves nothing
  // wrong.
  absl::Status MakeTemplate() {
    const auto exists = RunInTransaction(*admin_, [&](Transaction& t) -> absl::StatusOr<bool> {
      return t.Execute(kTemplateExists, Params().Text(template_))[0].Bool(0);
    });
    if (!exists.ok()) return exists.status();
    if (*exists) return absl::OkStatus();
    const std::string unfinished = template_ + "_new";
    for (const std::string& sql :
         {absl::StrCat("drop database if exists ", unfinished, " with (force)"),
          absl::StrCat("create database ", unfinished, " template template0")}) {
      if (absl::Status status = postgres::ExecuteAlone(*admin_, sql); !status.ok()) return status;
    }
    {
      auto connection = Connection::Open(WithDatabase(dsn_, unfinished), kPatient);
      if (!connection.ok()) return connection.status();
      if (const auto done = postgres::MigrateUp(*connection); !done.ok()) return done.status();
    }
    return postgres::ExecuteAlone(
        *admin_, absl::StrCat("alter database ", unfinished, " rename to ", template_));
  }

  std::mutex mutex_;
  std::string directory_;
  std::unique_ptr<postgres::PrivateCluster> cluster_;
  std::string dsn_;
  std::string template_;
  bool has_template_ = false;
  std::optional<Connection> admin_;
};

std::string NewName() {
  static std::atomic<int> count = 0;
  return absl::StrCat("guilder_test_", getpid(), "_", ++count);
}

}  // namespace

TestDatabase::TestDatabase(Schema schema) : name_(NewName()) {
  Server& server = Server::Get();
  // A killed test program may have had this process's number.
  server.Drop(name_);
  server.Create(name_, schema);
  dsn_ = WithDatabase(server.dsn(), name_);
}

TestDatabase::~TestDatabase() {
  Server::Get().Drop(name_);
}

Connection TestDatabase::Connect(const postgres::SessionSettings& settings) const {
  return ValueOrThrow("connect to " + name_, Connection::Open(dsn_, settings));
}

postgres::Rows TestDatabase::Query(const std::string& sql) const {
  Connection connection = Connect(kPatient);
  return ValueOrThrow(
      sql, RunInTransaction(connection, [&](Transaction& t) -> absl::StatusOr<postgres::Rows> {
        return t.Script(sql);
      }));
}

void TestDatabase::AwaitRow(const std::string& sql) const {
  Connection connection = Connect(kPatient);
  bool found = false;
  while (!found) {
    found =
        !ValueOrThrow(sql, RunInTransaction(connection,
                                            [&](Transaction& t) -> absl::StatusOr<postgres::Rows> {
                                              return t.Script(sql);
                                            }))
             .empty();
  }
}

}  // namespace guilder::testing
