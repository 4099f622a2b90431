// The first operators of a network: somebody must be there before anybody can be created.
#pragma once

#include <map>
#include <string>

namespace guilder::postgres {
class Transaction;
}
namespace guilder::security {
class Secrets;
}

namespace guilder::cli::dev {

// Role → token. Makes an operator of each role's name who has just that role and that token, or
// gives the token to the one that there is. Runs in the caller's transaction.
void PutOperators(postgres::Transaction& transaction, const security::Secrets& secrets,
                  const std::map<std::string, std::string>& tokens);

// A new token for each role: admin, submitter, reviewer, approver, finance, finance_approver,
// support, auditor.
std::map<std::string, std::string> NewTokens();

}  // namespace guilder::cli::dev
