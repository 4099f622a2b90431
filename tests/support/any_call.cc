#include "tests/support/any_call.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

#include "libs/rpc/status.h"

namespace guilder::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

AnyAnswer CallAny(const clients::Channel& channel, const google::protobuf::MethodDescriptor& method,
                  const google::protobuf::Message& request) {
  grpc::ClientContext context;
  channel.Prepare(context, absl::Now() + kPatience);
  grpc::CompletionQueue queue;
  // Waits for the one operation that is under way: whether it succeeded.
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  grpc::GenericStub stub(channel.grpc());
  const auto call = stub.PrepareCall(
      &context, absl::StrCat("/", method.service()->full_name(), "/", method.name()), &queue);
  call->StartCall(nullptr);
  if (done()) {
    const grpc::Slice slice(request.SerializeAsString());
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    done();
  }
  AnyAnswer answer;
  for (;;) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!done()) break;
    answer.bytes += BytesOf(message);
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  answer.status = rpc::FromGrpcStatus(status);
  queue.Shutdown();
  return answer;
}

std::unique_ptr<google::protobuf::Message> RequestOf(
    const google::protobuf::MethodDescriptor& method, const std::string& text) {
  std::unique_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(method.input_type())
          ->New());
  if (!google::protobuf::TextFormat::ParseFromString(text, request.get())) {
    throw std::runtime_error(absl::StrCat(method.full_name(), ": ", text));
  }
  return request;
}

}  // namespace guilder::testing
