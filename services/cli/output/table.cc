#include "services/cli/output/table.h"

#include <algorithm>

#include "services/cli/output/format.h"
#include "services/cli/output/printable.h"

namespace guilder::cli {
namespace {

constexpr size_t kLeastWidth = 4;  // A cut column keeps at least this.

struct Strokes {
  const char* across;
  const char* down;
  const char* top[3];  // Left, between and right.
  const char* middle[3];
  const char* bottom[3];
};

constexpr Strokes kBox{"─", "│", {"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}};
constexpr Strokes kAscii{"-", "|", {"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}};

std::string Padded(const std::string& text, size_t width, Align align) {
  const std::string padding(width - std::min(width, DisplayWidth(text)), ' ');
  return align == Align::kLeft ? text + padding : padding + text;
}

std::string Rule(const Strokes& strokes, const char* const (&corners)[3],
                 const std::vector<size_t>& widths) {
  std::string line = corners[0];
  for (size_t i = 0; i < widths.size(); ++i) {
    for (size_t dash = 0; dash < widths[i] + 2; ++dash) line += strokes.across;
    line += corners[i + 1 < widths.size() ? 1 : 2];
  }
  return line + "\n";
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) {
    cell = Printable(cell);
    std::replace(cell.begin(), cell.end(), '\n', ' ');
  }
  rows_.push_back({std::move(cells), rule_pending_});
  rule_pending_ = false;
}

void Table::AddRule() {
  rule_pending_ = true;
}

std::vector<size_t> Table::Widths(const Terminal& terminal) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].heading);
    for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[i]));
    widths.push_back(width);
  }
  if (!terminal.interactive || terminal.width == 0) return widths;
  size_t total = 1;
  for (const size_t width : widths) total += width + 3;
  for (; total > static_cast<size_t>(terminal.width); --total) {
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].align != Align::kLeft || widths[i] <= kLeastWidth) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }
  return widths;
}

std::string Table::Render(const Terminal& terminal) const {
  const std::vector<size_t> widths = Widths(terminal);
  const Strokes& strokes = terminal.utf8 ? kBox : kAscii;
  std::vector<std::string> headings;
  for (const Column& column : columns_) headings.push_back(column.heading);

  const auto line = [&](const std::vector<std::string>& cells, bool bold) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cut =
          terminal.interactive ? Ellipsize(cells[i], widths[i], terminal.utf8) : cells[i];
      const std::string cell = Padded(cut, widths[i], columns_[i].align);
      if (!terminal.interactive) {
        text += (i == 0 ? "" : "  ") + cell;
        continue;
      }
      text += i == 0 ? std::string(strokes.down) + " " : std::string(" ") + strokes.down + " ";
      text += bold && terminal.colour ? "\x1b[1m" + cell + "\x1b[0m" : cell;
    }
    if (terminal.interactive) return text + " " + strokes.down + "\n";
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };

  if (!terminal.interactive) {
    std::string text = line(headings, false);
    for (const Row& row : rows_) text += line(row.cells, false);
    return text;
  }
  std::string text = Rule(strokes, strokes.top, widths) + line(headings, true) +
                     Rule(strokes, strokes.middle, widths);
  for (const Row& row : rows_) {
    if (row.rule_above) text += Rule(strokes, strokes.middle, widths);
    text += line(row.cells, false);
  }
  return text + Rule(strokes, strokes.bottom, widths);
}

}  // namespace guilder::cli
