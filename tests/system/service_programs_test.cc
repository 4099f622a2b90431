// The service executables: they start, say where they listen, drain on SIGTERM, and refuse to start
// on a database that does not fit.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grpc/health/v1/health.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/security/secrets.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder {
namespace {

using testing::TestDatabase;

std::string ProgramPath(const std::string& name) {
  const char* const directory = std::getenv("GUILDER_BIN_DIR");
  return (directory != nullptr ? directory : "../bin") + ("/" + name);
}

// A program with its standard error in a pipe. Killed at the end if it still runs.
class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> arguments) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDERR_FILENO);
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    stderr_ = fdopen(ends[0], "r");
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    fclose(stderr_);
  }

  // The next line of standard error that holds `text`; empty when the program ends before.
  std::string WaitForLine(const std::string& text) {
    char* line = nullptr;
    size_t size = 0;
    std::string found;
    while (found.empty() && getline(&line, &size, stderr_) > 0) {
      if (std::string(line).find(text) != std::string::npos) found = line;
    }
    free(line);
    return found;
  }
  void Signal(int signal) { kill(pid_, signal); }
  int WaitForExit() {
    int result = 0;
    waitpid(pid_, &result, 0);
    pid_ = 0;
    return WIFEXITED(result) ? WEXITSTATUS(result) : 128 + WTERMSIG(result);
  }

 private:
  pid_t pid_ = 0;
  FILE* stderr_ = nullptr;
};

class SecretsFile {
 public:
  SecretsFile() {
    char path[] = "/tmp/guilder-secrets-XXXXXX";
    directory_ = mkdtemp(path);
    REQUIRE(security::Secrets::LoadOrCreate(this->path()).ok());
  }
  ~SecretsFile() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/secrets"; }

 private:
  std::string directory_;
};

const std::vector<std::string> kPrograms{"guilder-partner"};

std::vector<std::string> CommandLine(const std::string& program, const TestDatabase& database,
                                     const SecretsFile& secrets) {
  return {ProgramPath(program), "--dsn",    database.dsn(), "--secrets",
          secrets.path(),       "--listen", "127.0.0.1:0"};
}

TEST_CASE("Service programs: they serve until SIGTERM and then drain", "[system][rpc]") {
  const SecretsFile secrets;
  for (const std::string& program : kPrograms) {
    INFO(program);
    const TestDatabase database;
    database.Query(
        "insert into ledger.programmes (programme_id, slug, display_name, currency, "
        "currency_exponent, time_zone, mode, cycle, started_at_us) values (1, 'test', 'Test', "
        "'EUR', 2, 'UTC', 'DEVELOPMENT', 'DAILY', 0)");
    ChildProcess child(CommandLine(program, database, secrets));
    const std::string line = child.WaitForLine("\"listening\"");
    const std::string before = "\"endpoint\":\"";
    const size_t begin = line.find(before);
    REQUIRE(begin != std::string::npos);
    const std::string endpoint = line.substr(
        begin + before.size(), line.find('"', begin + before.size()) - begin - before.size());

    const clients::Client<grpc::health::v1::Health> health{clients::Channel(endpoint, "")};
    const auto answer = health.Invoke(&grpc::health::v1::Health::Stub::Check,
                                      grpc::health::v1::HealthCheckRequest());
    REQUIRE(answer.ok());
    CHECK(answer->status() == grpc::health::v1::HealthCheckResponse::SERVING);

    child.Signal(SIGTERM);
    CHECK(child.WaitForExit() == 0);
  }
}

// As when an upgrade has brought the schema forward, and programs of before are restarted.
TEST_CASE("Service programs: they serve on a newer schema that says they may, and on no other",
          "[system][rpc]") {
  const SecretsFile secrets;
  const std::string program = "guilder-partner";
  const TestDatabase database;
  database.Query(
      "insert into ledger.programmes (programme_id, slug, display_name, currency, "
      "currency_exponent, time_zone, mode, cycle, started_at_us) values (1, 'test', 'Test', "
      "'EUR', 2, 'UTC', 'DEVELOPMENT', 'DAILY', 0)");
  database.Query(
      "insert into public.schema_migrations (version, slug, checksum, applied_at_us, "
      "oldest_program) values (1001, 'expand', '', 0, 1)");
  {
    ChildProcess child(CommandLine(program, database, secrets));
    CHECK_FALSE(child.WaitForLine("\"listening\"").empty());
    child.Signal(SIGTERM);
    CHECK(child.WaitForExit() == 0);
  }

  database.Query(
      "insert into public.schema_migrations (version, slug, checksum, applied_at_us, "
      "oldest_program) values (1002, 'contract', '', 0, 1001)");
  ChildProcess child(CommandLine(program, database, secrets));
  CHECK_FALSE(child.WaitForLine("run a newer release").empty());
  CHECK(child.WaitForExit() == 2);
}

TEST_CASE("Service programs: a database that is away at the start is waited for", "[system][rpc]") {
  const SecretsFile secrets;
  for (const std::string& program : kPrograms) {
    INFO(program);
    const TestDatabase database;
    std::vector<std::string> arguments = CommandLine(program, database, secrets);
    arguments[2] = "host=/nowhere dbname=guilder";
    ChildProcess patient(arguments);
    CHECK_FALSE(patient.WaitForLine("waiting for the database").empty());
    patient.Signal(SIGTERM);
    CHECK(patient.WaitForExit() == 0);

    arguments.insert(arguments.end(), {"--database-wait-seconds", "0"});
    ChildProcess impatient(arguments);
    CHECK_FALSE(impatient.WaitForLine("/nowhere").empty());
    CHECK(impatient.WaitForExit() == 2);
  }
}

TEST_CASE("Service programs: they say in one sentence why they cannot start", "[system][rpc]") {
  const SecretsFile secrets;
  for (const std::string& program : kPrograms) {
    INFO(program);
    const TestDatabase empty(TestDatabase::Schema::kEmpty);
    ChildProcess unmigrated(CommandLine(program, empty, secrets));
    CHECK_FALSE(unmigrated.WaitForLine("guilder migrate up").empty());
    CHECK(unmigrated.WaitForExit() == 2);

    const TestDatabase no_programme;
    ChildProcess without(CommandLine(program, no_programme, secrets));
    CHECK_FALSE(without.WaitForLine("programme").empty());
    CHECK(without.WaitForExit() == 2);

    ChildProcess unflagged({ProgramPath(program)});
    CHECK_FALSE(unflagged.WaitForLine("--dsn").empty());
    CHECK(unflagged.WaitForExit() == 2);
  }
}

}  // namespace
}  // namespace guilder
