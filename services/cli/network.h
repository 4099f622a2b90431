// Where the network's services are, and who may speak to them: the file that `guilder dev` writes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace guilder::cli {

struct NetworkPartner {
  std::string name;  // The partner_id, without "partners/".
  std::string display_name;
  std::string api_key;
  std::string store;  // "partners/…/stores/…"
  std::string terminal;
  std::string card;
};

struct Network {
  std::map<std::string, std::string> endpoints;  // "accrual" → "127.0.0.1:7002"
  std::map<std::string, std::string> operators;  // "approver" → token
  std::vector<NetworkPartner> partners;
  std::string dsn;
  std::string programme;

  // The address of a service. Error: FAILED_PRECONDITION.
  absl::StatusOr<std::string> Endpoint(const std::string& service) const;
  // The token of an operator's role, or the API key of a partner, with or without "partners/".
  // Error: FAILED_PRECONDITION, with the names that there are.
  absl::StatusOr<std::string> Token(const std::string& who) const;
};

// Errors: FAILED_PRECONDITION, in one sentence, when the file is absent or not of that form.
absl::StatusOr<Network> ReadNetwork(const std::string& path);

// Writes the file, whole or not at all, so that only its owner can read it: it holds keys.
absl::Status WriteNetwork(const std::string& path, const Network& network);

// --network, else GUILDER_NETWORK, else ./guilder-data/network.json.
std::string NetworkPath(const std::string& flag);

}  // namespace guilder::cli
