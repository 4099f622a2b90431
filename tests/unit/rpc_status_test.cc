#include <google/protobuf/descriptor.h>

#include "google/rpc/error_details.pb.h"
#include "guilder/type/v1/error_reason.pb.h"

#include "libs/base/text.h"
#include "libs/rpc/status.h"
#include "libs/telemetry/log.h"
#include "tests/support/catch2.h"

namespace guilder::rpc {
namespace {

TEST_CASE("Status: a refusal comes back from the wire as it was", "[unit][rpc]") {
  const absl::Status refusal =
      Refuse(Reason::kInsufficientPoints, "card 1", {{"available_points", "40"}});

  for (const absl::Status& back :
       {FromGrpcStatus(ToGrpcStatus(refusal)), FromRpcStatus(ToRpcStatus(refusal))}) {
    CHECK(back.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(back.message() == refusal.message());
    CHECK(ReasonOf(back) == Reason::kInsufficientPoints);
    CHECK(DetailsOf(back) == ReasonDetails{{"available_points", "40"}});
    CHECK_FALSE(RetryDelayOf(back));
  }
}

TEST_CASE("Status: carries one ErrorInfo with our domain", "[unit][rpc]") {
  const google::rpc::Status wire = ToRpcStatus(Refuse(Reason::kCardBlocked));

  REQUIRE(wire.details_size() == 1);
  google::rpc::ErrorInfo info;
  REQUIRE(wire.details(0).UnpackTo(&info));
  CHECK(info.reason() == "CARD_BLOCKED");
  CHECK(info.domain() == "guilder");
  CHECK(wire.code() == 9);
}

TEST_CASE("Status: says when to repeat, where repeating helps", "[unit][rpc]") {
  for (const Reason reason : {Reason::kQueueFull, Reason::kDraining, Reason::kStoreUnavailable}) {
    const absl::Status back = FromGrpcStatus(ToGrpcStatus(Refuse(reason)));
    CHECK(ReasonOf(back) == reason);
    CHECK(RetryDelayOf(back).value_or(absl::ZeroDuration()) > absl::ZeroDuration());
  }
}

TEST_CASE("Status: a mistake of ours hides its text behind an incident id", "[unit][rpc]") {
  telemetry::SetLogThreshold(static_cast<telemetry::Severity>(4));
  for (const absl::Status& mistake :
       {absl::InternalError("secret SQL"), absl::UnknownError("secret SQL"),
        Refuse(Reason::kInternal, "secret SQL"), absl::NotFoundError("secret SQL")}) {
    const absl::Status back = FromGrpcStatus(ToGrpcStatus(mistake));
    CHECK(back.code() == absl::StatusCode::kInternal);
    CHECK(back.message().find("secret") == std::string::npos);
    CHECK(ReasonOf(back) == Reason::kInternal);
    CHECK(DetailsOf(back).at("incident").size() == 16);
  }
  telemetry::SetLogThreshold(telemetry::Severity::kInfo);
}

TEST_CASE("Status: failures that gRPC makes have a reason where one says the same", "[unit][rpc]") {
  const grpc::Status late(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
  const grpc::Status large(grpc::StatusCode::RESOURCE_EXHAUSTED,
                           "Received message larger than max (5 vs. 4)");
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "failed to connect");

  CHECK(ReasonOf(FromGrpcStatus(late)) == Reason::kDeadlineExceeded);
  CHECK(ReasonOf(FromGrpcStatus(large)) == Reason::kRequestTooLarge);
  CHECK_FALSE(RetryDelayOf(FromGrpcStatus(large)));
  CHECK(FromGrpcStatus(gone).code() == absl::StatusCode::kUnavailable);
  CHECK(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST_CASE("Reasons: the enumeration on the wire has each of ours, and no other", "[unit][rpc]") {
  const google::protobuf::EnumDescriptor* const wire = type::v1::ErrorReason_descriptor();
  int ours = 0;
#define GUILDER_CHECK_REASON_(enumerator, name, code, advice)     \
  CHECK(wire->FindValueByName("ERROR_REASON_" #name) != nullptr); \
  ++ours;
  GUILDER_REASONS(GUILDER_CHECK_REASON_)
#undef GUILDER_CHECK_REASON_
  CHECK(wire->value_count() == ours + 1);
}

}  // namespace
}  // namespace guilder::rpc
