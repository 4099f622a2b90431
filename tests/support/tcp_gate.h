// A proxy that misbehaves when it is told to: between a client and a service, or a service and its
// database.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace guilder::testing {

// Passes bytes between connections to a port of its own and connections to its target, unchanged
// and at once, until a fault is asked for. Thread safe. Failures to set it up throw.
//
// The target may be down, stopped or start again: a connection that cannot be passed on is reset.
class TcpGate {
 public:
  // `target` is "127.0.0.1:7402", or the path of a unix socket.
  explicit TcpGate(std::string target);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  // On the loopback address.
  int port() const { return port_; }

  // Resets every connection.
  void Cut();
  // From now on every byte is held back for so long, each way.
  void Delay(std::chrono::milliseconds by);
  // From now on nothing gets through, and nobody is told: connections stay, and new ones are taken.
  void BlackHole();
  // From now on what clients send does not arrive, as if a cable were pulled: not even the system
  // acknowledges it, where a black hole is a proxy that hangs.
  void LosePackets();
  // Some systems let nobody but root attach the filter that it takes.
  static bool CanLosePackets();
  // Ends all of these. Connections that were in a black hole or lost packets are reset.
  void Restore();
  // The next request whose bytes hold `marker` is passed on; when its answer comes, the connection
  // is reset in the place of the answer. An empty marker is in every request.
  void LoseAnswer(const std::string& marker);
  // Of the requests from now on, over all connections, the nth is not passed on, or it is and its
  // answer is lost; the connection is reset. A request is what a client sends at once.
  enum class Failure { kBeforeRequest, kBeforeAnswer };
  void FailRequest(int nth, Failure failure);
  // Whether that has come.
  bool failed_request() const;
  // How many answers were lost so.
  int64_t answers_lost() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Chunk {
    Clock::time_point due;
    std::string bytes;
    size_t sent = 0;
  };
  // One way of a connection.
  struct Way {
    int from = -1;
    int to = -1;
    std::deque<Chunk> chunks;
    bool ended = false;   // nothing more comes
    bool passed = false;  // and the other side was told
  };
  struct Connection {
    Way up;
    Way down;
    bool loses_answer = false;
    bool broken = false;
  };

  void Work();
  void Accept();
  // Reads what is there; false when the connection is to be reset.
  bool Read(Connection& connection, Way& way);
  static bool Write(Way& way);
  void Serve(Connection& connection, short from_up, short from_down);
  void Wake() const;

  const std::string target_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  int port_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Connection>> connections_;
  std::chrono::milliseconds delay_{0};
  bool black_hole_ = false;
  bool loses_packets_ = false;
  bool armed_ = false;
  std::string marker_;
  int requests_until_failure_ = 0;  // 0 for none
  Failure failure_{};
  bool failed_request_ = false;
  int64_t answers_lost_ = 0;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace guilder::testing
