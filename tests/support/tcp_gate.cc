#include "tests/support/tcp_gate.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace guilder::testing {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
// What may wait in one way of a connection before its sender has to wait.
constexpr size_t kMostChunks = 256;

[[noreturn]] void Fail(const char* what) {
  throw std::runtime_error(std::string("tcp gate: ") + what + ": " + std::strerror(errno));
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SendAtOnce(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A connection to "host:port" or to a unix socket; -1 when nobody takes it.
int Connect(const std::string& target) {
  const bool is_unix = target.front() == '/';
  // A target that is stopped has a full queue in the end, and would block.
  const int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  int connected = -1;
  if (is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    target.copy(address.sun_path, sizeof address.sun_path - 1);
    connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    const sockaddr_in address = Loopback(std::stoi(target.substr(target.rfind(':') + 1)));
    SendAtOnce(fd);
    connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (connected == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

// Closes so that the other end gets a reset rather than an orderly end.
void Reset(int fd) {
  if (fd < 0) return;
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

// The system drops every packet that comes for the socket, before it looks at it.
bool TryToLosePacketsOf(int fd) {
  sock_filter drop{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &drop};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}
void LosePacketsOf(int fd) {
  if (!TryToLosePacketsOf(fd)) Fail("lose packets");
}

bool MayComeLater() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

TcpGate::TcpGate(std::string target) : target_(std::move(target)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Fail("listen");
  }
  port_ = ntohs(address.sin_port);
  if (pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) Fail("pipe");
  thread_ = std::thread([this] { Work(); });
}

TcpGate::~TcpGate() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
  Cut();
  for (const int fd : {listener_, wake_[0], wake_[1]}) close(fd);
}

void TcpGate::Wake() const {
  [[maybe_unused]] const ssize_t written = write(wake_[1], "w", 1);
}

void TcpGate::Cut() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : connections_) {
      Reset(connection->up.from);
      Reset(connection->up.to);
    }
    connections_.clear();
  }
  Wake();
}

void TcpGate::Delay(std::chrono::milliseconds by) {
  const std::lock_guard lock(mutex_);
  delay_ = by;
}

void TcpGate::BlackHole() {
  const std::lock_guard lock(mutex_);
  black_hole_ = true;
}

void TcpGate::LosePackets() {
  const std::lock_guard lock(mutex_);
  loses_packets_ = true;
  LosePacketsOf(listener_);
  for (const auto& connection : connections_) LosePacketsOf(connection->up.from);
}

bool TcpGate::CanLosePackets() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool can = TryToLosePacketsOf(fd);
  close(fd);
  return can;
}

void TcpGate::Restore() {
  bool swallowed = false;
  {
    const std::lock_guard lock(mutex_);
    swallowed = std::exchange(black_hole_, false);
    if (std::exchange(loses_packets_, false)) {
      swallowed = true;
      const int none = 0;
      setsockopt(listener_, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
    }
    armed_ = false;
    requests_until_failure_ = 0;
    for (const auto& connection : connections_) connection->loses_answer = false;
    delay_ = std::chrono::milliseconds(0);
  }
  if (swallowed) Cut();
  Wake();
}

void TcpGate::LoseAnswer(const std::string& marker) {
  const std::lock_guard lock(mutex_);
  armed_ = true;
  marker_ = marker;
}

void TcpGate::FailRequest(int nth, Failure failure) {
  const std::lock_guard lock(mutex_);
  requests_until_failure_ = nth;
  failure_ = failure;
  failed_request_ = false;
}

bool TcpGate::failed_request() const {
  const std::lock_guard lock(mutex_);
  return failed_request_;
}

int64_t TcpGate::answers_lost() const {
  const std::lock_guard lock(mutex_);
  return answers_lost_;
}

void TcpGate::Accept() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    SendAtOnce(client);
    const int server = Connect(target_);
    if (server < 0) {
      Reset(client);
      continue;
    }
    auto connection = std::make_unique<Connection>();
    connection->up.from = connection->down.to = client;
    connection->up.to = connection->down.from = server;
    connections_.push_back(std::move(connection));
  }
}

bool TcpGate::Read(Connection& connection, Way& way) {
  std::string bytes(kReadBytes, '\0');
  const ssize_t got = recv(way.from, bytes.data(), bytes.size(), 0);
  if (got < 0) return MayComeLater();
  if (got == 0) {
    way.ended = true;
    return true;
  }
  bytes.resize(static_cast<size_t>(got));
  const bool up = &way == &connection.up;
  if (up && armed_ && bytes.find(marker_) != std::string::npos) {
    armed_ = false;
    connection.loses_answer = true;
  }
  if (up && requests_until_failure_ > 0 && --requests_until_failure_ == 0) {
    failed_request_ = true;
    if (failure_ == Failure::kBeforeRequest) return false;
    connection.loses_answer = true;
  }
  if (!up && connection.loses_answer) {
    ++answers_lost_;
    return false;
  }
  way.chunks.push_back({Clock::now() + delay_, std::move(bytes)});
  return true;
}

bool TcpGate::Write(Way& way) {
  while (!way.chunks.empty() && way.chunks.front().due <= Clock::now()) {
    Chunk& chunk = way.chunks.front();
    const ssize_t sent = send(way.to, chunk.bytes.data() + chunk.sent,
                              chunk.bytes.size() - chunk.sent, MSG_NOSIGNAL);
    if (sent < 0) return MayComeLater();
    chunk.sent += static_cast<size_t>(sent);
    if (chunk.sent == chunk.bytes.size()) way.chunks.pop_front();
  }
  if (way.ended && !way.passed && way.chunks.empty()) {
    shutdown(way.to, SHUT_WR);
    way.passed = true;
  }
  return true;
}

void TcpGate::Serve(Connection& connection, short from_up, short from_down) {
  const auto readable = [](short events, const Way& way) {
    return (events & (POLLIN | POLLHUP | POLLERR)) != 0 && !way.ended &&
           way.chunks.size() < kMostChunks;
  };
  bool whole = true;
  if (readable(from_up, connection.up)) whole = Read(connection, connection.up);
  if (whole && readable(from_down, connection.down)) whole = Read(connection, connection.down);
  whole = whole && Write(connection.up) && Write(connection.down);
  if (whole && !(connection.up.passed && connection.down.passed)) return;
  connection.broken = true;
  Reset(connection.up.from);
  Reset(connection.up.to);
}

void TcpGate::Work() {
  std::vector<pollfd> polled;
  for (;;) {
    polled = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    std::vector<Connection*> served;
    int timeout_ms = -1;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      for (const auto& connection : connections_) {
        if (black_hole_) break;
        for (const Way* way : {&connection->up, &connection->down}) {
          const Way& back = way == &connection->up ? connection->down : connection->up;
          short events = way->ended || way->chunks.size() >= kMostChunks ? 0 : POLLIN;
          if (!back.chunks.empty()) {
            const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
                back.chunks.front().due - Clock::now());
            if (wait.count() <= 0) {
              events |= POLLOUT;
            } else {
              const int wait_ms = static_cast<int>(wait.count()) + 1;
              timeout_ms = timeout_ms < 0 ? wait_ms : std::min(timeout_ms, wait_ms);
            }
          }
          // A side that has ended and has nothing to take would be reported for ever.
          polled.push_back({events == 0 ? -1 : way->from, events, 0});
        }
        served.push_back(connection.get());
      }
    }
    poll(polled.data(), polled.size(), timeout_ms);

    const std::lock_guard lock(mutex_);
    char drained[64];
    while (read(wake_[0], drained, sizeof drained) > 0) {
    }
    // What was cut meanwhile is gone.
    for (size_t i = 0; i < served.size() && !black_hole_; ++i) {
      const auto found =
          std::find_if(connections_.begin(), connections_.end(),
                       [&](const auto& connection) { return connection.get() == served[i]; });
      if (found == connections_.end()) continue;
      Serve(**found, polled[2 + 2 * i].revents, polled[3 + 2 * i].revents);
    }
    std::erase_if(connections_, [](const auto& connection) { return connection->broken; });
    Accept();
  }
}

}  // namespace guilder::testing
