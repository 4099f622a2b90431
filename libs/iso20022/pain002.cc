#include "libs/iso20022/pain002.h"

#include "libs/base/status_macros.h"
#include "libs/iso20022/xml_document.h"

namespace guilder::iso20022 {
namespace {

constexpr size_t kMaxText = 500;

// Its code and the first reason for it.
PaymentStatus ReadStatus(XmlDocument& document, pugi::xml_node node, std::string_view code) {
  PaymentStatus status;
  status.code = document.Text(node, code, 4);
  for (const pugi::xml_node reason : document.All(node, "StsRsnInf")) {
    status.reason = document.Text(reason, "Rsn/Cd", 4);
    if (status.reason.empty()) status.reason = document.Text(reason, "Rsn/Prtry");
    for (const pugi::xml_node text : document.All(reason, "AddtlInf")) {
      if (status.text.size() < kMaxText) status.text += document.Text(text, "", kMaxText);
    }
    break;
  }
  return status;
}

const PaymentStatus& Inherited(const PaymentStatus& own, const PaymentStatus& above) {
  return own.code.empty() ? above : own;
}

}  // namespace

bool IsRejected(const PaymentStatus& status) {
  return status.code == "RJCT" || status.code == "CANC";
}

bool IsSettled(const PaymentStatus& status) {
  return status.code == "ACSC" || status.code == "ACCC";
}

absl::StatusOr<StatusReport> ReadPain002(std::string_view bytes) {
  XmlDocument document(bytes, "pain.002.001.", {"03", "10", "11"});
  GUILDER_RETURN_IF_ERROR(document.status());
  const pugi::xml_node body = document.Body("CstmrPmtStsRpt");
  StatusReport report;
  report.message_id = document.Required(body, "GrpHdr/MsgId");
  const pugi::xml_node group = document.At(body, "OrgnlGrpInfAndSts");
  report.original_message_id = document.Required(body, "OrgnlGrpInfAndSts/OrgnlMsgId");
  report.original_kind = document.Required(body, "OrgnlGrpInfAndSts/OrgnlMsgNmId");
  report.group = ReadStatus(document, group, "GrpSts");
  for (const pugi::xml_node batch : document.All(body, "OrgnlPmtInfAndSts")) {
    const PaymentStatus of_batch =
        Inherited(ReadStatus(document, batch, "PmtInfSts"), report.group);
    const std::vector<pugi::xml_node> transfers = document.All(batch, "TxInfAndSts");
    // Batches are what one file is written as here, so what is said of one is said of the file.
    if (transfers.empty() && report.group.code.empty()) report.group = of_batch;
    for (const pugi::xml_node transfer : transfers) {
      report.transfers.push_back({document.Text(transfer, "OrgnlEndToEndId"),
                                  Inherited(ReadStatus(document, transfer, "TxSts"), of_batch)});
    }
  }
  GUILDER_RETURN_IF_ERROR(document.status());
  return report;
}

}  // namespace guilder::iso20022
