#include "libs/postgres/process.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace guilder::postgres::internal {
namespace {

constexpr int kCannotStart = 127;

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What comes between fork and exec. Calls only what is safe in the child of a program with threads:
// no allocation, and plain system calls for the user's change, because glibc's wrappers involve
// threads.
[[noreturn]] void BecomeCommand(const Command& command, pid_t parent, char* const* argv,
                                char* const* environment) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2}) {
    signal(number, SIG_DFL);
  }
  // Not the terminal's: Ctrl-C is for the parent, which stops this child when it is done with it.
  setsid();
  const int null_fd = open("/dev/null", O_RDWR);
  if (null_fd >= 0) dup2(null_fd, STDIN_FILENO);
  const int output_fd = command.output_fd >= 0 ? command.output_fd : null_fd;
  dup2(output_fd, STDOUT_FILENO);
  dup2(output_fd, STDERR_FILENO);
  // The parent's sockets would stay open in a child that outlives it.
  syscall(SYS_close_range, 3U, ~0U, 0U);
  if (chdir("/") != 0) _exit(kCannotStart);
  if (command.user.is_other) {
    const gid_t gid = command.user.gid;
    const uid_t uid = command.user.uid;
    if (syscall(SYS_setgroups, 1, &gid) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0 ||
        syscall(SYS_setresuid, uid, uid, uid) != 0) {
      _exit(kCannotStart);
    }
  }
  if (command.signal_when_parent_dies != 0) {
    // After the change of user, which clears it.
    prctl(PR_SET_PDEATHSIG, command.signal_when_parent_dies);
    if (getppid() != parent) _exit(kCannotStart);
  }
  execve(argv[0], argv, environment);
  constexpr char kMessage[] = "the program cannot be executed\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  _exit(kCannotStart);
}

}  // namespace

absl::StatusOr<ServerUser> FindServerUser() {
  if (geteuid() != 0) {
    const passwd* const self = getpwuid(geteuid());
    return ServerUser{geteuid(), getegid(), self ? self->pw_name : absl::StrCat(geteuid()), false};
  }
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* const user = getpwnam(name); user != nullptr && user->pw_uid != 0) {
      return ServerUser{user->pw_uid, user->pw_gid, name, true};
    }
  }
  return absl::FailedPreconditionError(
      "PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

absl::StatusOr<pid_t> Start(const Command& command) {
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"};
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> environment = Pointers(variables);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) BecomeCommand(command, parent, argv.data(), environment.data());
  if (child < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(errno)));
  return child;
}

absl::StatusOr<std::string> RunToEnd(const ServerUser& user, std::vector<std::string> argv) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return absl::InternalError(absl::StrCat("pipe: ", strerror(errno)));
  const absl::StatusOr<pid_t> child = Start({.argv = argv, .user = user, .output_fd = ends[1]});
  close(ends[1]);
  std::string output;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(ends[0], buffer, sizeof(buffer))) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) output.append(buffer, static_cast<size_t>(count));
  }
  close(ends[0]);
  if (!child.ok()) return child.status();
  int result = 0;
  while (waitpid(*child, &result, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
    return absl::InternalError(
        absl::StrCat(argv[0], " failed: ", absl::StripAsciiWhitespace(output)));
  }
  return output;
}

}  // namespace guilder::postgres::internal
