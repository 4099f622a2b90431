// Which folder may include which: read from the #include lines, so that a wrong arrow is found also
// where the linker would not mind.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/source_tree.h"

namespace guilder {
namespace {

using testing::SourceFile;

// A folder of code and the folders that it may include, besides itself. `*` stands for the name of
// a service, the same one throughout a row. A file is in the room with the longest name that fits.
struct Room {
  std::string name;
  std::vector<std::string> may_include;
};

const std::vector<Room>& Rooms() {
  static const auto* const kRooms = new std::vector<Room>{
      {"libs/base", {}},
      {"libs/rules", {"libs/base"}},
      {"libs/netting", {"libs/base"}},
      {"libs/iso20022", {"libs/base"}},
      {"libs/ledger/core", {"libs/base"}},
      {"libs/security", {"libs/base"}},
      {"libs/telemetry", {"libs/base"}},
      {"libs/postgres", {"libs/base"}},
      {"libs/ledger/store", {"libs/base", "libs/ledger/core", "libs/postgres"}},
      {"libs/security/store", {"libs/base", "libs/postgres", "libs/security", "libs/telemetry"}},
      {"libs/rpc", {"libs/base", "libs/ledger/store", "libs/security", "libs/telemetry"}},
      {"libs/clients", {"libs/base", "libs/rpc", "libs/security"}},

      {"services/*/domain",
       {"libs/base", "libs/iso20022", "libs/ledger/core", "libs/netting", "libs/rules",
        "libs/security"}},
      {"services/*/store",
       {"libs/base", "libs/ledger/core", "libs/ledger/store", "libs/postgres", "libs/rules",
        "libs/security", "libs/telemetry", "services/*/domain"}},
      {"services/*/rpc",
       {"libs/base", "libs/ledger/core", "libs/ledger/store", "libs/postgres", "libs/rpc",
        "libs/rules", "libs/security", "libs/telemetry", "services/*/domain", "services/*/store"}},
      {"services/*", {"libs/ledger/store", "services/host", "services/*/rpc"}},
      {"services/host",
       {"libs/base", "libs/postgres", "libs/rpc", "libs/security", "libs/security/store",
        "libs/telemetry"}},
      // The same store as the settlement service's, started by a timer instead of a call.
      {"services/clearing",
       {"libs/base", "libs/ledger/store", "libs/postgres", "libs/telemetry",
        "services/settlement/domain", "services/settlement/store"}},

      {"services/cli/output", {"libs/base"}},
      {"services/cli", {"libs/base", "libs/clients", "libs/rpc", "services/cli/output"}},
      {"services/cli/commands",
       {"libs/base", "libs/rpc", "services/cli", "services/cli/importing", "services/cli/output"}},
      {"services/cli/importing",
       {"libs/base", "libs/clients", "libs/rpc", "services/cli", "services/cli/demo",
        "services/cli/onboarding", "services/cli/output"}},
      {"services/cli/onboarding", {"libs/base", "libs/clients", "libs/rpc", "services/cli"}},
      // The network in one process: only here does the command line see services from within.
      {"services/cli/dev",
       {"libs/base", "libs/clients", "libs/ledger/store", "libs/postgres", "libs/rpc",
        "libs/security", "libs/security/store", "libs/telemetry", "services/accrual/rpc",
        "services/cli", "services/cli/onboarding", "services/member/rpc", "services/operator/rpc",
        "services/partner/rpc", "services/redemption/rpc", "services/settlement/rpc",
        "services/cli/dev/store"}},
      {"services/cli/dev/store",
       {"libs/base", "libs/ledger/store", "libs/postgres", "libs/security"}},
      {"services/cli/demo",
       {"libs/base", "libs/clients", "libs/rpc", "libs/telemetry", "services/cli",
        "services/cli/dev", "services/cli/onboarding", "services/cli/output"}},
      {"services/cli/bench/store",
       {"libs/base", "libs/ledger/core", "libs/ledger/store", "libs/postgres"}},
      {"services/cli/bench",
       {"libs/base", "libs/clients", "libs/ledger/core", "libs/ledger/store", "libs/postgres",
        "libs/rpc", "libs/telemetry", "services/cli", "services/cli/bench/store",
        "services/cli/demo", "services/cli/dev", "services/cli/onboarding", "services/cli/output"}},
      {"services/cli/main.cc",
       {"libs/base", "services/cli", "services/cli/bench", "services/cli/commands",
        "services/cli/demo", "services/cli/dev"}},
  };
  return *kRooms;
}

// Includes that the rooms do not allow, each with its reason.
struct Exception {
  std::string file;
  std::string included_room;
  std::string reason;
};

const std::vector<Exception>& Exceptions() {
  static const auto* const kExceptions = new std::vector<Exception>{
      {"services/accrual/store/rule_codec.cc", "libs/rpc",
       "rules are stored as the message that was approved, with its resource names"},
      {"libs/rpc/points_restriction.h", "libs/ledger/core",
       "what lots say and what the API says, for all services that show lots"},
      {"libs/rpc/audit.cc", "libs/security/store",
       "who calls is known here, and the note stands in the transaction of what it is about"},
      {"libs/rpc/approval.cc", "libs/security/store",
       "what was approved is used in the transaction that does it"},
      {"services/operator/rpc/approval_handlers.cc", "libs/security/store",
       "every service uses approvals, so libs/security keeps them"},
      {"services/operator/rpc/audit_handlers.cc", "libs/security/store",
       "the audit log is appended to by all services, and read by this one"},
      {"services/partner/rpc/exposure_keeper.cc", "libs/security/store",
       "a stage of exposure is noted in the audit log, though nobody called"},
      {"services/cli/commands/ledger_verify.cc", "libs/ledger/store",
       "`ledger verify --dsn` proves a ledger whose services are down"},
      {"services/cli/commands/ledger_verify.cc", "libs/postgres",
       "`ledger verify --dsn` proves a ledger whose services are down"},
      {"services/cli/commands/reconcile.cc", "services/cli/demo",
       "a partner's view of a window is a CSV file, and the demonstration has the reader"},
      {"services/cli/dev/dev_command.cc", "services/cli/demo",
       "the sample partners of `guilder dev` are the demonstration's"},
      {"services/cli/dev/samples.cc", "services/cli/demo",
       "the sample partners of `guilder dev` are the demonstration's"},
  };
  return *kExceptions;
}

const std::vector<SourceFile>& Code() {
  static const auto* const kCode = new std::vector<SourceFile>([] {
    std::vector<SourceFile> code = testing::ReadSources({".h", ".cc"});
    std::erase_if(code, [](const SourceFile& file) {
      return file.path.rfind("libs/", 0) != 0 && file.path.rfind("services/", 0) != 0;
    });
    return code;
  }());
  return *kCode;
}

bool IsHeader(const SourceFile& file) {
  return file.path.size() > 2 && file.path.substr(file.path.size() - 2) == ".h";
}

bool StartsWithOneOf(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.rfind(prefix, 0) == 0; });
}

// "services/partner/rpc/x.h" → "partner"; "" outside of services.
std::string ServiceOf(const std::string& path) {
  constexpr char kServices[] = "services/";
  if (path.rfind(kServices, 0) != 0) return "";
  const size_t begin = sizeof(kServices) - 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

std::string WithService(std::string name, const std::string& service) {
  const size_t star = name.find('*');
  if (star != std::string::npos) name.replace(star, 1, service);
  return name;
}

bool IsInFolder(const std::string& path, const std::string& folder) {
  return path == folder || path.rfind(folder + "/", 0) == 0;
}

// The room of a file; its name has the service's in place of `*`. Without a name when none fits.
Room RoomOf(const std::string& path) {
  const std::string service = ServiceOf(path);
  Room best;
  for (const Room& room : Rooms()) {
    const std::string name = WithService(room.name, service);
    if (!IsInFolder(path, name) || name.size() < best.name.size()) continue;
    // Of two rows for one folder, the one that names it.
    if (name.size() == best.name.size() && room.name != name) continue;
    best = {name, {}};
    for (const std::string& other : room.may_include) {
      best.may_include.push_back(WithService(other, service));
    }
  }
  return best;
}

// The file that an include of ours names, "" for any other include.
std::string OwnInclude(const std::string& include) {
  const std::string path = include.substr(1, include.size() - 2);
  return StartsWithOneOf(path, {"libs/", "services/", "tests/"}) ? path : "";
}

bool IsException(const std::string& file, const std::string& room) {
  return std::any_of(Exceptions().begin(), Exceptions().end(), [&](const Exception& exception) {
    return exception.file == file && exception.included_room == room;
  });
}

// Every "file: include" of the files chosen whose include is one of those libraries'.
std::vector<std::string> Includers(const std::function<bool(const SourceFile&)>& chosen,
                                   const std::vector<std::string>& libraries) {
  std::vector<std::string> found;
  for (const SourceFile& file : Code()) {
    if (!chosen(file)) continue;
    for (const std::string& include : file.Includes()) {
      if (StartsWithOneOf(include.substr(1), libraries))
        found.push_back(file.path + ": " + include);
    }
  }
  return found;
}

const std::vector<std::string> kNothing;

TEST_CASE("Layers: a room includes only what the table of rooms allows", "[unit][layers]") {
  REQUIRE(Code().size() > 100);
  std::vector<std::string> wrong;
  for (const SourceFile& file : Code()) {
    const Room room = RoomOf(file.path);
    if (room.name.empty()) wrong.push_back(file.path + ": no row in the table of rooms");
    for (const std::string& include : file.Includes()) {
      const std::string included = OwnInclude(include);
      if (included.empty()) continue;
      const std::string other = RoomOf(included).name;
      const bool allowed = other == room.name || IsException(file.path, other) ||
                           std::find(room.may_include.begin(), room.may_include.end(), other) !=
                               room.may_include.end();
      if (!allowed) wrong.push_back(file.path + ": " + include);
    }
  }
  CHECK(wrong == kNothing);
}

TEST_CASE("Layers: every exception is still needed", "[unit][layers]") {
  std::vector<std::string> unneeded;
  for (const Exception& exception : Exceptions()) {
    const bool needed = std::any_of(Code().begin(), Code().end(), [&](const SourceFile& file) {
      const std::vector<std::string> includes = file.Includes();
      return file.path == exception.file &&
             std::any_of(includes.begin(), includes.end(), [&](const std::string& include) {
               return RoomOf(OwnInclude(include)).name == exception.included_room;
             });
    });
    if (!needed) unneeded.push_back(exception.file + " → " + exception.included_room);
  }
  CHECK(unneeded == kNothing);
}

TEST_CASE("Layers: the table of rooms goes one way", "[unit][layers]") {
  std::map<std::string, std::vector<std::string>> left;
  for (const Room& room : Rooms()) {
    REQUIRE(left.emplace(room.name, room.may_include).second);
  }
  // Takes away rooms that include only what is gone, until none is left or all that are left wait
  // for each other.
  std::set<std::string> gone;
  for (size_t before = 0; before != left.size();) {
    before = left.size();
    std::erase_if(left, [&](const auto& row) {
      const bool free =
          std::all_of(row.second.begin(), row.second.end(), [&](const std::string& other) {
            const std::string service = ServiceOf(other);
            std::string pattern = other;
            for (const std::string folder : {"/rpc", "/store", "/domain"}) {
              if (other == "services/" + service + folder) pattern = "services/*" + folder;
            }
            return gone.contains(pattern) || pattern == row.first;
          });
      if (free) gone.insert(row.first);
      return free;
    });
  }
  for (const auto& [room, includes] : left) CHECK("is in a circle: " + room == "");
}

TEST_CASE("Layers: a service includes no other service", "[unit][layers]") {
  std::vector<std::string> wrong;
  for (const SourceFile& file : Code()) {
    const std::string service = ServiceOf(file.path);
    if (file.path.rfind("services/cli/dev/", 0) == 0) continue;
    // The settlement service's own work, started by a timer.
    if (file.path.rfind("services/clearing/", 0) == 0 && service == "clearing") continue;
    for (const std::string& include : file.Includes()) {
      const std::string other = ServiceOf(OwnInclude(include));
      if (!other.empty() && other != service && other != "host") {
        wrong.push_back(file.path + ": " + include);
      }
    }
  }
  CHECK(wrong == kNothing);
}

TEST_CASE("Layers: pure rooms know no wire, no database and no command line", "[unit][layers]") {
  const auto is_pure = [](const SourceFile& file) {
    return StartsWithOneOf(file.path, {"libs/base/", "libs/rules/", "libs/netting/",
                                       "libs/iso20022/", "libs/ledger/core/"}) ||
           file.path.find("/domain/") != std::string::npos;
  };
  CHECK(Includers(is_pure, {"grpc/", "grpcpp/", "google/", "guilder/", "pqxx/", "libpq-fe.h",
                            "libs/postgres/", "libs/rpc/", "CLI/"}) == kNothing);
}

TEST_CASE("Layers: only libs/postgres includes libpqxx, and no header does", "[unit][layers]") {
  const auto is_elsewhere = [](const SourceFile& file) {
    return IsHeader(file) || file.path.rfind("libs/postgres/", 0) != 0;
  };
  CHECK(Includers(is_elsewhere, {"pqxx/"}) == kNothing);
  const auto is_not_the_yardstick = [](const SourceFile& file) {
    return file.path.rfind("libs/postgres/", 0) != 0 &&
           file.path != "services/cli/bench/store/raw_sql.cc";
  };
  CHECK(Includers(is_not_the_yardstick, {"libpq-fe.h"}) == kNothing);
}

TEST_CASE("Layers: stores know neither gRPC nor, but for stored rules, messages",
          "[unit][layers]") {
  const auto is_store = [](const SourceFile& file) {
    return file.path.find("/store/") != std::string::npos &&
           file.path.rfind("services/accrual/store/rule_", 0) != 0;
  };
  CHECK(Includers(is_store, {"grpc/", "grpcpp/", "google/", "guilder/"}) == kNothing);
}

TEST_CASE("Layers: headers show what is slow to compile in few places", "[unit][layers]") {
  CHECK(Includers(IsHeader, {"CLI/", "httplib.h"}) == kNothing);
  const auto is_other_header = [](const SourceFile& file) {
    return IsHeader(file) &&
           !StartsWithOneOf(file.path, {"libs/rpc/", "libs/clients/", "services/cli/bench/"});
  };
  CHECK(Includers(is_other_header, {"grpcpp/"}) == kNothing);
}

TEST_CASE("Layers: code includes no tests", "[unit][layers]") {
  CHECK(Includers([](const SourceFile&) { return true; }, {"tests/"}) == kNothing);
}

TEST_CASE("RoomOf: the longest name that fits, with the service's name", "[unit][layers]") {
  CHECK(RoomOf("libs/security/keys.h").name == "libs/security");
  CHECK(RoomOf("libs/security/store/credentials.h").name == "libs/security/store");
  CHECK(RoomOf("services/partner/main.cc").name == "services/partner");
  CHECK(RoomOf("services/partner/rpc/partner_service.h").name == "services/partner/rpc");
  CHECK(RoomOf("services/host/program.h").may_include.size() == 6);
  CHECK(RoomOf("elsewhere/x.h").name.empty());
}

}  // namespace
}  // namespace guilder
