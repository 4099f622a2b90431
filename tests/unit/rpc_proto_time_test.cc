#include <utility>
#include <vector>

#include "libs/rpc/proto_time.h"
#include "tests/support/catch2.h"

namespace guilder::rpc {
namespace {

TEST_CASE("Timestamp: comes back from its message to the microsecond", "[unit][rpc]") {
  for (const int64_t micros : {0L, 1L, 999'999L, 1'769'860'800'123'456L}) {
    CHECK(FromProto(ToProto(Timestamp(micros))) == Timestamp(micros));
  }
  CHECK(ToProto(Timestamp(-1)).seconds() == -1);
  CHECK(ToProto(Timestamp(-1)).nanos() == 999'999'000);
}

TEST_CASE("Timestamp: an instant that no message may hold is refused", "[unit][rpc]") {
  google::protobuf::Timestamp at;
  for (const auto& [seconds, nanos] : std::vector<std::pair<int64_t, int32_t>>{
           {-1, 0}, {253'402'300'800, 0}, {0, -1}, {0, 1'000'000'000}}) {
    at.set_seconds(seconds);
    at.set_nanos(nanos);
    CHECK_FALSE(FromProto(at));
  }
}

}  // namespace
}  // namespace guilder::rpc
