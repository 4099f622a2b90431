#include <grpcpp/grpcpp.h>

#include "guilder/operator/v1/operator_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/rpc/status.h"
#include "services/cli/call.h"
#include "tests/support/catch2.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;
using google::protobuf::Message;

// Answers as the tests need it, and is unavailable as often as they say.
class FakeOperator final : public v1::OperatorService::Service {
 public:
  int unavailable_times = 0;
  int calls = 0;

  grpc::Status GetProgramme(grpc::ServerContext* context, const v1::GetProgrammeRequest*,
                            v1::GetProgrammeResponse* response) override {
    ++calls;
    if (unavailable_times-- > 0) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "not yet");
    const auto bearer = context->client_metadata().find("authorization");
    if (bearer == context->client_metadata().end() || bearer->second != "Bearer token") {
      return rpc::ToGrpcStatus(Refuse(Reason::kCredentialsMissing));
    }
    response->mutable_programme()->set_name("programmes/1");
    return grpc::Status::OK;
  }

  grpc::Status VerifyLedger(grpc::ServerContext*, const v1::VerifyLedgerRequest*,
                            grpc::ServerWriter<v1::VerifyLedgerResponse>* writer) override {
    v1::VerifyLedgerResponse response;
    for (int i = 1; i <= 3; ++i) {
      response.set_records_done(i);
      writer->Write(response);
    }
    return rpc::ToGrpcStatus(Refuse(Reason::kQueueFull));
  }
};

struct Fixture {
  Fixture() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    server = builder.BuildAndStart();
  }
  ~Fixture() { server->Shutdown(); }

  clients::Channel Channel(const std::string& token) const {
    return clients::Channel("127.0.0.1:" + std::to_string(port), token);
  }

  FakeOperator service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

TEST_CASE("Call: a unary call is answered, and repeated while the server is unavailable",
          "[service][cli]") {
  Fixture fixture;
  fixture.service.unavailable_times = 2;
  const v1::GetProgrammeRequest request;
  v1::GetProgrammeResponse response;

  const absl::Status status =
      Invoke(fixture.Channel("token"), *FindMethod(request.descriptor()), request, response, {});

  CHECK(status.ok());
  CHECK(response.programme().name() == "programmes/1");
  CHECK(fixture.service.calls == 3);
}

TEST_CASE("Call: one attempt is one attempt", "[service][cli]") {
  Fixture fixture;
  fixture.service.unavailable_times = 1;
  const v1::GetProgrammeRequest request;
  v1::GetProgrammeResponse response;
  clients::RetryPolicy once;
  once.max_attempts = 1;

  CHECK(absl::IsUnavailable(Invoke(fixture.Channel("token"), *FindMethod(request.descriptor()),
                                   request, response, once)));
}

TEST_CASE("Call: a refusal comes with its reason", "[service][cli]") {
  Fixture fixture;
  const v1::GetProgrammeRequest request;
  v1::GetProgrammeResponse response;

  const absl::Status status =
      Invoke(fixture.Channel(""), *FindMethod(request.descriptor()), request, response, {});

  CHECK(ReasonOf(status) == Reason::kCredentialsMissing);
}

TEST_CASE("Call: a stream's answers come one by one, then its end", "[service][cli]") {
  Fixture fixture;
  std::vector<std::unique_ptr<Message>> requests;
  requests.push_back(std::make_unique<v1::VerifyLedgerRequest>());
  v1::VerifyLedgerResponse response;
  std::vector<int64_t> done;

  const absl::Status status = InvokeStream(
      fixture.Channel("token"), *FindMethod(v1::VerifyLedgerRequest::descriptor()), requests,
      response, absl::Now() + absl::Seconds(10), [&] { done.push_back(response.records_done()); });

  CHECK(done == std::vector<int64_t>{1, 2, 3});
  CHECK(ReasonOf(status) == Reason::kQueueFull);
}

}  // namespace
}  // namespace guilder::cli
