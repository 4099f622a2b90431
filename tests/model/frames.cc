#include "tests/model/frames.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/cord.h"

#include "libs/base/codec.h"

namespace guilder::model {
namespace {

template <typename Bytes>
std::string_view AsView(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename Bytes>
Bytes ReadFixed(Decoder& in) {
  Bytes bytes{};
  const std::string_view read = in.Bytes();
  std::copy_n(read.begin(), std::min(read.size(), bytes.size()), bytes.begin());
  return bytes;
}

Request ReadRequest(Decoder& in) {
  Request request;
  request.verb = static_cast<Verb>(in.Unsigned());
  request.partner = in.ReadId<PartnerId>();
  request.contract = in.ReadId<ContractId>();
  request.account = in.ReadId<AccountId>();
  request.other = in.ReadId<AccountId>();
  request.points = in.ReadQuantity<Points>();
  request.activates_after = in.ReadQuantity<Timestamp>();
  request.expires_after = in.ReadQuantity<Timestamp>();
  request.cancel_on_due = in.Unsigned() != 0;
  request.funder = in.ReadId<PartnerId>();
  request.funder_contract = in.ReadId<ContractId>();
  request.funder_points = in.ReadQuantity<Points>();
  request.final = in.Unsigned() != 0;
  request.restricted_to = in.ReadId<PartnerId>();
  request.gift = in.Unsigned() != 0;
  request.first_in = in.Unsigned() != 0;
  request.at_once = in.Unsigned() != 0;
  request.reviewed = in.Unsigned() != 0;
  request.grace = in.ReadQuantity<Timestamp>();
  request.target = in.ReadId<RecordNumber>();
  request.receipt = in.Signed();
  request.card = in.ReadId<CardNumber>();
  request.transferred_at = in.ReadQuantity<Timestamp>();
  request.received_by = in.ReadId<RecordNumber>();
  return request;
}

}  // namespace

std::string EncodeOrder(uint64_t number, const Order& order) {
  const bool waits = order.patience == absl::InfiniteDuration();
  return Encoder()
      .Unsigned(number)
      .Raw(order.request.Encode())
      .Bytes(AsView(order.request_id))
      .Signed(order.history)
      .Id(order.book)
      .Signed(waits ? -1 : absl::ToInt64Microseconds(order.patience))
      .Take();
}

std::pair<uint64_t, Order> DecodeOrder(std::string_view bytes) {
  Decoder in(bytes);
  const uint64_t number = in.Unsigned();
  Order order;
  order.request = ReadRequest(in);
  order.request_id = ReadFixed<Uuid>(in);
  order.history = in.Signed();
  order.book = in.ReadId<BookId>();
  const int64_t patience_us = in.Signed();
  if (patience_us >= 0) order.patience = absl::Microseconds(patience_us);
  return {number, order};
}

std::string EncodeAnswer(uint64_t number, const Answered& answer) {
  Encoder out;
  out.Unsigned(number).Unsigned(static_cast<uint64_t>(answer.status().code()));
  if (answer.ok()) {
    out.Bytes(answer->response)
        .Id(answer->place.book)
        .Id(answer->place.number)
        .Quantity(answer->place.posted_at)
        .Bytes(AsView(answer->place.leaf))
        .Unsigned(static_cast<uint64_t>(answer->kind))
        .Unsigned(answer->replayed);
  } else {
    const absl::string_view message = answer.status().message();
    out.Bytes({message.data(), message.size()});
    answer.status().ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
      out.Bytes({url.data(), url.size()}).Bytes(std::string(payload));
    });
  }
  return out.Take();
}

std::pair<uint64_t, Answered> DecodeAnswer(std::string_view bytes) {
  Decoder in(bytes);
  const uint64_t number = in.Unsigned();
  const auto code = static_cast<absl::StatusCode>(in.Unsigned());
  if (code == absl::StatusCode::kOk) {
    ledger::Answer answer;
    answer.response = in.Bytes();
    answer.place.book = in.ReadId<BookId>();
    answer.place.number = in.ReadId<RecordNumber>();
    answer.place.posted_at = in.ReadQuantity<Timestamp>();
    answer.place.leaf = ReadFixed<Digest>(in);
    answer.kind = static_cast<ledger::RecordKind>(in.Unsigned());
    answer.replayed = in.Unsigned() != 0;
    return {number, answer};
  }
  absl::Status status(code, std::string(in.Bytes()));
  while (in.ok() && !in.AtEnd()) {
    const std::string url(in.Bytes());
    status.SetPayload(url, absl::Cord(std::string(in.Bytes())));
  }
  return {number, status};
}

FrameSocket::~FrameSocket() {
  close(descriptor_);
}

bool FrameSocket::Write(const std::string& frame) {
  const auto size = static_cast<uint32_t>(frame.size());
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  bytes += frame;
  const std::lock_guard lock(writing_);
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

bool FrameSocket::ReadBytes(char* to, size_t count) {
  while (count > 0) {
    const ssize_t n = recv(descriptor_, to, count, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

std::optional<std::string> FrameSocket::Read() {
  uint32_t size = 0;
  if (!ReadBytes(reinterpret_cast<char*>(&size), sizeof(size))) return std::nullopt;
  std::string frame(size, '\0');
  if (!ReadBytes(frame.data(), size)) return std::nullopt;
  return frame;
}

void FrameSocket::CloseForWriting() {
  shutdown(descriptor_, SHUT_WR);
}

}  // namespace guilder::model
