#include "services/cli/network.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace guilder::cli {
namespace {

constexpr char kPartnerPrefix[] = "partners/";

std::string WithoutPrefix(const std::string& name) {
  return absl::StartsWith(name, kPartnerPrefix) ? name.substr(sizeof kPartnerPrefix - 1) : name;
}

NetworkPartner PartnerFrom(const nlohmann::json& json) {
  return {WithoutPrefix(json.at("name").get<std::string>()),
          json.value("display_name", ""),
          json.at("api_key").get<std::string>(),
          json.value("store", ""),
          json.value("terminal", ""),
          json.value("card", "")};
}

nlohmann::ordered_json JsonOf(const Network& network) {
  nlohmann::ordered_json json = {{"endpoints", network.endpoints},
                                 {"operators", network.operators},
                                 {"dsn", network.dsn},
                                 {"programme", network.programme},
                                 {"partners", nlohmann::ordered_json::array()}};
  for (const NetworkPartner& partner : network.partners) {
    json["partners"].push_back({{"name", kPartnerPrefix + partner.name},
                                {"display_name", partner.display_name},
                                {"api_key", partner.api_key},
                                {"store", partner.store},
                                {"terminal", partner.terminal},
                                {"card", partner.card}});
  }
  return json;
}

bool WriteAll(int descriptor, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(descriptor, text.data() + written, text.size() - written);
    if (count < 0) return false;
    written += static_cast<size_t>(count);
  }
  return fsync(descriptor) == 0;
}

}  // namespace

absl::StatusOr<std::string> Network::Endpoint(const std::string& service) const {
  const auto found = endpoints.find(service);
  if (found != endpoints.end()) return found->second;
  return absl::FailedPreconditionError(
      absl::StrCat("the network's file has no endpoint for the service '", service, "'"));
}

absl::StatusOr<std::string> Network::Token(const std::string& who) const {
  const auto found = operators.find(who);
  if (found != operators.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [role, token] : operators) names.push_back(role);
  for (const NetworkPartner& partner : partners) {
    if (partner.name == WithoutPrefix(who)) return partner.api_key;
    names.push_back(partner.name);
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no token for '", who, "' in the network's file, which has ",
                   names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

absl::StatusOr<Network> ReadNetwork(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no network's file at ", path,
                     "; start a network with 'guilder dev', or name its file with --network"));
  }
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    Network network;
    json.at("endpoints").get_to(network.endpoints);
    if (json.contains("operators")) json["operators"].get_to(network.operators);
    network.dsn = json.value("dsn", "");
    network.programme = json.value("programme", "");
    if (json.contains("partners")) {
      for (const auto& partner : json["partners"]) network.partners.push_back(PartnerFrom(partner));
    }
    return network;
  } catch (const nlohmann::json::exception& error) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not a network's file: ", error.what()));
  }
}

absl::Status WriteNetwork(const std::string& path, const Network& network) {
  const std::string unfinished = path + ".new";
  unlink(unfinished.c_str());
  const int descriptor = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool written = descriptor >= 0;
  if (written) {
    written = WriteAll(descriptor, JsonOf(network).dump(2) + "\n");
    close(descriptor);
  }
  if (written && rename(unfinished.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

std::string NetworkPath(const std::string& flag) {
  if (!flag.empty()) return flag;
  const char* variable = std::getenv("GUILDER_NETWORK");
  return variable != nullptr && *variable != '\0' ? variable : "guilder-data/network.json";
}

}  // namespace guilder::cli
