// XML from outside, read so that nothing in it can hurt: for the readers of this folder only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <pugixml.hpp>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"
#include "libs/iso20022/bank_amount.h"

namespace guilder::iso20022 {

// Checks the form of a file before it is parsed, in one pass without memory of its own: at most
// kMaxFileBytes; UTF-8, and declared as nothing else; no document type, so no entities but those
// that XML itself has; elements nested at most 32 deep and at most a million of them.
//
// Errors: `REQUEST_TOO_LARGE`; `REQUEST_MALFORMED`, with the line and what is wrong there.
absl::Status CheckXmlForm(std::string_view bytes);

// A message whose root is <Document> in one of the namespaces of its kind. Reads elements of that
// namespace by their local names, under whatever prefix the file uses.
//
// What is wrong is remembered, first finding first; a reader reads straight on and asks `status()`
// once, at the end. Not thread safe.
class XmlDocument {
 public:
  // `kind` as in "camt.053.001."; `versions` as in {"02", "08"}.
  XmlDocument(std::string_view bytes, std::string_view kind,
              const std::vector<std::string_view>& versions);

  const absl::Status& status() const { return status_; }
  // The version of its namespace, as in "08".
  const std::string& version() const { return version_; }

  // The only element below the root, which must have that name.
  pugi::xml_node Body(std::string_view name);

  // The child at a path as in "Acct/Id/IBAN"; null when it is absent. One that stands twice is
  // wrong.
  pugi::xml_node At(pugi::xml_node node, std::string_view path);
  // All children of that name.
  std::vector<pugi::xml_node> All(pugi::xml_node node, std::string_view name);

  // The text at a path without the white space around it, empty when absent. Longer than
  // `max_characters` is wrong.
  std::string Text(pugi::xml_node node, std::string_view path, size_t max_characters = 35);
  // The same where it must be there.
  std::string Required(pugi::xml_node node, std::string_view path, size_t max_characters = 35);
  // The amount at a path, with its currency. Must be there; never negative.
  BankAmount Amount(pugi::xml_node node, std::string_view path);
  // The day of the <Dt> or <DtTm> at a path; the first of 1970 when absent.
  absl::CivilDay Day(pugi::xml_node node, std::string_view path);
  // Whether the <CdtDbtInd> below `node` says CRDT. Must be there.
  bool IsCredit(pugi::xml_node node);

  // Remembers what is wrong, unless something was before.
  void Fail(const std::string& what);

 private:
  void CheckRoot(std::string_view kind, const std::vector<std::string_view>& versions);
  std::string TextOf(pugi::xml_node node, std::string_view path, size_t max_characters);

  pugi::xml_document document_;
  std::string prefix_;
  std::string version_;
  absl::Status status_;
};

}  // namespace guilder::iso20022
