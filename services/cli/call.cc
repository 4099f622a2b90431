#include "services/cli/call.h"

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/clients/client.h"
#include "libs/rpc/status.h"

namespace guilder::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

grpc::ByteBuffer Serialize(const Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(const grpc::ByteBuffer& buffer, Message& message) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() &&
         message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

// One call, driven by the thread that makes it: each step waits for its event.
class BlockingCall {
 public:
  BlockingCall(const clients::Channel& channel, const MethodDescriptor& method, absl::Time deadline)
      : stub_(channel.grpc()) {
    channel.Prepare(context_, deadline);
    call_ = stub_.PrepareCall(&context_, PathOf(method), &queue_);
    call_->StartCall(this);
    ok_ = Wait();
  }
  ~BlockingCall() {
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) continue;
  }

  void Write(const Message& request) {
    if (!ok_) return;
    call_->Write(Serialize(request), this);
    ok_ = Wait();
  }
  void WritesDone() {
    if (!ok_) return;
    call_->WritesDone(this);
    ok_ = Wait();
  }
  // False at the end of the answers.
  bool Read(Message& response) {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    if (!Wait()) return false;
    parsed_ = parsed_ && Parse(buffer, response);
    return parsed_;
  }
  absl::Status Finish() {
    grpc::Status status;
    if (!parsed_) {
      context_.TryCancel();
      call_->Finish(&status, this);
      Wait();
      return absl::InternalError("the answer cannot be read");
    }
    call_->Finish(&status, this);
    Wait();
    return status.ok() ? absl::OkStatus() : rpc::FromGrpcStatus(status);
  }
  const grpc::ClientContext& context() const { return context_; }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool ok_ = false;
  bool parsed_ = true;
};

}  // namespace

const MethodDescriptor* FindMethod(const google::protobuf::Descriptor* request) {
  const google::protobuf::FileDescriptor* file = request->file();
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      const MethodDescriptor* method = file->service(i)->method(j);
      if (method->input_type() == request) return method;
    }
  }
  return nullptr;
}

std::string ServiceOf(const MethodDescriptor& method) {
  const std::vector<std::string> parts = absl::StrSplit(method.full_name(), '.');
  return parts.size() > 1 ? parts[1] : "";
}

absl::Status Invoke(const clients::Channel& channel, const MethodDescriptor& method,
                    const Message& request, Message& response, const clients::RetryPolicy& policy,
                    bool* replayed) {
  clients::Retrier retrier(policy);
  for (;;) {
    BlockingCall call(channel, method, retrier.AttemptDeadline());
    call.Write(request);
    call.WritesDone();
    const bool answered = call.Read(response);
    const absl::Status status = call.Finish();
    if (replayed != nullptr) *replayed = clients::IsReplayed(call.context());
    if (status.ok()) {
      return answered ? status : absl::InternalError("the server ended without an answer");
    }
    if (!retrier.WaitBeforeRepeat(status, channel)) return status;
  }
}

absl::Status InvokeStream(const clients::Channel& channel, const MethodDescriptor& method,
                          const std::vector<std::unique_ptr<Message>>& requests, Message& response,
                          absl::Time deadline, const std::function<void()>& on_response) {
  BlockingCall call(channel, method, deadline);
  // A client that only reads sends its one request and its end together; the items here are few
  // enough to fit the windows of the connection, so writing all before reading cannot block for
  // ever.
  for (const auto& request : requests) call.Write(*request);
  call.WritesDone();
  while (call.Read(response)) on_response();
  return call.Finish();
}

}  // namespace guilder::cli
