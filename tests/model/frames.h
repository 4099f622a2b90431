// Orders and answers as bytes, for a socket between two processes of the test.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

#include "libs/ledger/store/command.h"
#include "tests/model/lane_process.h"

namespace guilder::model {

using Answered = absl::StatusOr<ledger::Answer>;

// With a number by which the answer finds its order.
std::string EncodeOrder(uint64_t number, const Order& order);
std::pair<uint64_t, Order> DecodeOrder(std::string_view bytes);
std::string EncodeAnswer(uint64_t number, const Answered& answer);
std::pair<uint64_t, Answered> DecodeAnswer(std::string_view bytes);

// Frames on a stream socket: four bytes of length, and so many bytes. Closes it at the end. Any
// number of threads may write, one reads.
class FrameSocket {
 public:
  explicit FrameSocket(int descriptor) : descriptor_(descriptor) {}
  ~FrameSocket();
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  // False when the other end is gone.
  bool Write(const std::string& frame);
  // Nothing at the end, also when the other end died in the middle of a frame.
  std::optional<std::string> Read();
  // The other end reads what was written, and then the end.
  void CloseForWriting();

 private:
  bool ReadBytes(char* to, size_t count);

  const int descriptor_;
  std::mutex writing_;
};

}  // namespace guilder::model
