#include "services/cli/demo/ground.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/rpc/server.h"
#include "services/cli/demo/plan.h"
#include "services/cli/dev/network.h"

namespace guilder::cli::demo {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kDrain = absl::Seconds(5);

absl::StatusOr<std::string> MakeFreshDirectory() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string path = (error ? fs::path("/tmp") : parent) / "guilder-demo-XXXXXX";
  // PostgreSQL's user must be able to enter; what is secret in it has modes of its own.
  if (mkdtemp(path.data()) == nullptr || chmod(path.c_str(), 0755) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot create ", path, ": ", std::strerror(errno)));
  }
  return path;
}

// Ctrl-C leaves nothing behind. PostgreSQL ends with this process. Before any thread starts.
void RemoveWhenStopped(const std::string& directory) {
  rpc::BlockStopSignals();
  std::thread([directory] {
    const int signal = rpc::WaitForStopSignal();
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    _exit(128 + signal);
  }).detach();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Ground>> Ground::Prepare(const DemoOptions& options,
                                                        Timestamp clock) {
  std::unique_ptr<Ground> ground(new Ground());
  if (options.network_file.empty()) {
    GUILDER_RETURN_IF_ERROR(ground->StartOwn(options, clock));
  } else {
    GUILDER_ASSIGN_OR_RETURN(ground->network_, ReadNetwork(options.network_file));
    ground->network_file_ = options.network_file;
  }
  return ground;
}

absl::Status Ground::StartOwn(const DemoOptions& options, Timestamp clock) {
  dev::NetworkOptions network;
  network.data_directory = options.data_directory;
  if (network.data_directory.empty()) {
    GUILDER_ASSIGN_OR_RETURN(network.data_directory, MakeFreshDirectory());
    if (!options.keep) {
      to_remove_ = network.data_directory;
      RemoveWhenStopped(to_remove_);
    }
  }
  if (to_remove_.empty()) {
    network_file_ = fs::absolute(network.data_directory + "/network.json");
    restart_ = absl::StrCat("guilder dev --data-dir ", network.data_directory);
  }
  network.usual_ports = false;
  network.programme.welcome_points = Points(kWelcomePoints);
  network.programme.time_zone = kTimeZone;
  network.programme.clock = clock;
  network.on_event = [](std::string_view what) { std::cerr << what << std::endl; };
  GUILDER_ASSIGN_OR_RETURN(own_, dev::Network::Start(std::move(network)));
  GUILDER_RETURN_IF_ERROR(own_->Save());
  network_ = own_->facts();
  return absl::OkStatus();
}

absl::Status Ground::RememberPartners(std::vector<NetworkPartner> partners) {
  if (own_ == nullptr) return absl::OkStatus();
  own_->SetPartners(std::move(partners));
  return own_->Save();
}

Ground::~Ground() {
  if (own_ != nullptr) own_->Stop(kDrain);
  own_.reset();
  std::error_code ignored;
  if (!to_remove_.empty()) fs::remove_all(to_remove_, ignored);
}

}  // namespace guilder::cli::demo
