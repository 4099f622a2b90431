// A request of a history as a command for lanes.
#pragma once

#include <memory>

#include "libs/ledger/store/command.h"
#include "tests/model/request.h"

namespace guilder::model {

// `book` is where an account is opened; others are in the book of their account. `history` keeps
// receipts of histories apart.
std::unique_ptr<ledger::Command> MakeLaneCommand(const Request& request, const Uuid& request_id,
                                                 int64_t history, BookId book);

}  // namespace guilder::model
