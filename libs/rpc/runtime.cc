#include "libs/rpc/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

#include "libs/base/text.h"
#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"

namespace guilder::rpc {
namespace {

// What a method without a row allows: nothing.
constexpr Permission kNobody{
    .method = "", .anonymous = false, .partner = std::nullopt, .roles = {}};

[[noreturn]] void Die(const std::string& why) {
  telemetry::Log(telemetry::Severity::kError, why);
  std::abort();
}

}  // namespace

Runtime::Runtime(security::Authenticator& authenticator, RuntimeOptions options)
    : authenticator_(authenticator),
      options_(options),
      workers_(options.worker_threads, options.worker_queue_limit),
      streams_(options.stream_threads, options.stream_queue_limit) {}

Runtime::~Runtime() = default;

bool Runtime::EnterCall() {
  if (calls_in_progress_.fetch_add(1) < options_.max_calls_in_progress) return true;
  LeaveCall();
  return false;
}

void Runtime::LeaveCall() {
  if (calls_in_progress_.fetch_sub(1) == 1 && draining()) {
    const std::lock_guard lock(mutex_);
    idle_.notify_all();
  }
}

void Runtime::WaitUntilIdle(absl::Time deadline) {
  std::unique_lock lock(mutex_);
  idle_.wait_until(lock, absl::ToChronoTime(deadline), [this] { return calls_in_progress_ == 0; });
}

void Runtime::BeginDrain() {
  std::vector<std::weak_ptr<Drainable>> drainables;
  {
    const std::lock_guard lock(mutex_);
    draining_.store(true);
    drainables.swap(drainables_);
  }
  for (const auto& weak : drainables) {
    if (const auto drainable = weak.lock()) drainable->Drain();
  }
}

void Runtime::AddDrainable(std::weak_ptr<Drainable> drainable) {
  {
    const std::lock_guard lock(mutex_);
    if (!draining()) {
      // Full means that it is worth a look for those that have gone, before it grows.
      if (drainables_.size() == drainables_.capacity()) {
        std::erase_if(drainables_, [](const auto& weak) { return weak.expired(); });
        drainables_.reserve(std::max<size_t>(64, 2 * drainables_.size()));
      }
      drainables_.push_back(std::move(drainable));
      return;
    }
  }
  if (const auto late = drainable.lock()) late->Drain();
}

Methods::Methods(Runtime& runtime, std::string_view service) : runtime_(runtime) {
  const std::string service_name(service);
  const auto* const descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service_name);
  if (descriptor == nullptr) Die(absl::StrCat("no service ", service_name));
  for (int i = 0; i < descriptor->method_count(); ++i) {
    const std::string& name = descriptor->method(i)->name();
    auto method = std::make_unique<Method>();
    method->full_name = absl::StrCat(service_name, "/", name);
    const Permission* const permission = FindPermission(method->full_name);
    method->permission = permission != nullptr ? permission : &kNobody;
    method->succeeded =
        &telemetry::GetCounter("guilder_rpc_calls_total", "Calls that ended, by how",
                               {{"method", method->full_name}, {"code", "OK"}, {"reason", ""}});
    method->seconds = &telemetry::GetHistogram("guilder_rpc_seconds", "How long calls took",
                                               {{"method", method->full_name}});
    methods_.emplace(name, std::move(method));
  }
}

const Method& Methods::operator[](std::string_view name) const {
  const auto found = methods_.find(ToAbsl(name));
  if (found == methods_.end()) Die(absl::StrCat("no method ", ToAbsl(name)));
  return *found->second;
}

}  // namespace guilder::rpc
