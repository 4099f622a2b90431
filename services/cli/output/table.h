// Tables for people, and aligned lines for pipes.
#pragma once

#include <string>
#include <vector>

#include "services/cli/output/terminal.h"

namespace guilder::cli {

enum class Align { kLeft, kRight };

// Rows of text under named columns.
//
// On a terminal it is boxed and fits the width: the widest left-aligned columns are cut first,
// numbers never. Elsewhere it is plain lines, padded by spaces and never cut, so that `grep` and
// `awk` work.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty, surplus ones are dropped. Line ends inside a cell become spaces.
  void AddRow(std::vector<std::string> cells);
  // A line between what stands above and below, as before a row of totals. Nothing in a pipe.
  void AddRule();

  bool empty() const { return rows_.empty(); }

  // Ends in a newline.
  std::string Render(const Terminal& terminal) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool rule_above = false;
  };

  std::vector<size_t> Widths(const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
  bool rule_pending_ = false;
};

}  // namespace guilder::cli
