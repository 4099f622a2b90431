// Rows of another programme's file as members with their cards and points. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/member/v1/import_service.pb.h"

#include "services/cli/importing/member_mapping.h"
#include "services/cli/importing/rejects.h"

namespace guilder::cli::importing {

// A member: the rows of one reference.
struct MemberItem {
  // Of the file's records after the header, from 0.
  std::vector<int64_t> rows;
  // The line of the file on which the first one begins.
  int64_t line = 0;
  // With its request id, which follows from what is asked: a second sending of the same rows, from
  // this file or another, is a repeat.
  member::v1::ImportMembersRequest request;
  int64_t points = 0;
  // What no request can be made of is not sent.
  Refusal refusal;
};

struct MemberWork {
  std::vector<MemberItem> items;
  int64_t rows = 0;
  int64_t lots = 0;
  int64_t points = 0;  // of all rows that have a number
};

// Reads the file's text, which is UTF-8. Rows of one reference need not follow each other, and must
// say the same of the person; each is a lot, unless it has no points. One malformed row refuses the
// member as a whole.
//
// Error: INVALID_ARGUMENT, a column that the mapping names is missing.
absl::StatusOr<MemberWork> ReadMemberWork(std::string text, const MemberMapping& mapping);

// OK when the file comes to the control total; otherwise INVALID_ARGUMENT, which says what differs.
absl::Status CheckControl(const MemberWork& work, const ControlTotal& control);

}  // namespace guilder::cli::importing
