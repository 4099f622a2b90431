#include "libs/iso20022/xml_document.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::iso20022 {
namespace {

constexpr std::string_view kNamespaces = "urn:iso:std:iso:20022:tech:xsd:";
constexpr int kFractionDigits = 5;

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// Its text, with what comments stand between put together.
std::string OwnText(pugi::xml_node node) {
  std::string text;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
      text += child.value();
  }
  // Lines that a file was broken into are one text.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace

XmlDocument::XmlDocument(std::string_view bytes, std::string_view kind,
                         const std::vector<std::string_view>& versions) {
  status_ = CheckXmlForm(bytes);
  if (!status_.ok()) return;
  const pugi::xml_parse_result parsed =
      document_.load_buffer(bytes.data(), bytes.size(), pugi::parse_default, pugi::encoding_utf8);
  if (parsed) {
    CheckRoot(kind, versions);
  } else {
    Fail(absl::StrCat("the file is not XML: ", parsed.description()));
  }
}

void XmlDocument::CheckRoot(std::string_view kind, const std::vector<std::string_view>& versions) {
  const pugi::xml_node root = document_.document_element();
  int elements = 0;
  for (const pugi::xml_node child : document_.children()) {
    elements += child.type() == pugi::node_element;
  }
  const std::string_view name = root.name();
  const size_t colon = name.find(':');
  prefix_ = colon == std::string_view::npos ? "" : std::string(name.substr(0, colon + 1));
  if (elements != 1 || name.substr(prefix_.size()) != "Document") {
    return Fail("the root is not one <Document>");
  }
  const std::string attribute =
      prefix_.empty() ? "xmlns" : absl::StrCat("xmlns:", prefix_.substr(0, prefix_.size() - 1));
  const std::string_view space = root.attribute(attribute.c_str()).value();
  for (const std::string_view version : versions) {
    if (space == absl::StrCat(ToAbsl(kNamespaces), ToAbsl(kind), ToAbsl(version))) {
      version_ = std::string(version);
      return;
    }
  }
  Fail(absl::StrCat("the namespace is not one of ", ToAbsl(kind), "*"));
}

void XmlDocument::Fail(const std::string& what) {
  if (status_.ok()) status_ = Refuse(Reason::kRequestMalformed, what);
}

pugi::xml_node XmlDocument::Body(std::string_view name) {
  const pugi::xml_node body = At(document_.document_element(), name);
  if (!body) Fail(absl::StrCat("there is no <", ToAbsl(name), ">"));
  return body;
}

pugi::xml_node XmlDocument::At(pugi::xml_node node, std::string_view path) {
  while (node && !path.empty()) {
    const size_t slash = path.find('/');
    const std::string name = absl::StrCat(prefix_, ToAbsl(path.substr(0, slash)));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    node = node.child(name.c_str());
    if (node.next_sibling(name.c_str())) Fail(absl::StrCat("<", name, "> stands twice"));
  }
  return node;
}

std::vector<pugi::xml_node> XmlDocument::All(pugi::xml_node node, std::string_view name) {
  // pugixml's iterators point to the name that they look for.
  const std::string prefixed = absl::StrCat(prefix_, ToAbsl(name));
  const auto children = node.children(prefixed.c_str());
  return {children.begin(), children.end()};
}

std::string XmlDocument::TextOf(pugi::xml_node node, std::string_view path, size_t max_characters) {
  std::string text = OwnText(At(node, path));
  if (Characters(text) > max_characters) {
    Fail(absl::StrCat("<", ToAbsl(path), "> is longer than ", max_characters, " characters"));
  }
  return text;
}

std::string XmlDocument::Text(pugi::xml_node node, std::string_view path, size_t max_characters) {
  return TextOf(node, path, max_characters);
}

std::string XmlDocument::Required(pugi::xml_node node, std::string_view path,
                                  size_t max_characters) {
  std::string text = TextOf(node, path, max_characters);
  if (text.empty()) Fail(absl::StrCat("<", ToAbsl(path), "> is missing"));
  return text;
}

BankAmount XmlDocument::Amount(pugi::xml_node node, std::string_view path) {
  const pugi::xml_node element = At(node, path);
  const std::string text = Required(node, path);
  const std::optional<Currency> currency = ParseCurrency(element.attribute("Ccy").value());
  const std::optional<MinorUnits> amount = ParseAmount(text, kFractionDigits);
  if (!currency || !amount || amount->value() < 0 || text.front() == '-') {
    Fail(absl::StrCat("<", ToAbsl(path), "> is not an amount with its currency"));
    return {};
  }
  return {*currency, amount->value()};
}

absl::CivilDay XmlDocument::Day(pugi::xml_node node, std::string_view path) {
  const pugi::xml_node element = At(node, path);
  if (!element) return {};
  std::string text = Text(element, "Dt");
  if (text.empty()) text = Text(element, "DtTm");
  absl::CivilDay day;
  const std::string date = text.substr(0, 10);
  if (!absl::ParseCivilTime(date, &day) || absl::FormatCivilTime(day) != date) {
    Fail(absl::StrCat("<", ToAbsl(path), "> is not a date"));
  }
  return day;
}

bool XmlDocument::IsCredit(pugi::xml_node node) {
  const std::string text = Required(node, "CdtDbtInd");
  if (text != "CRDT" && text != "DBIT") Fail("<CdtDbtInd> is neither CRDT nor DBIT");
  return text == "CRDT";
}

std::optional<MinorUnits> InMinorUnits(const BankAmount& amount, int exponent) {
  int64_t unit = 1;
  for (int i = exponent; i < kFractionDigits; ++i) unit *= 10;
  if (amount.hundred_thousandths % unit != 0) return std::nullopt;
  return MinorUnits(amount.hundred_thousandths / unit);
}

}  // namespace guilder::iso20022
