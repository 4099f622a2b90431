#include "absl/strings/str_cat.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

// Puts the content of the file that an option named where its name is.
absl::Status ReadCertificateFile(google::protobuf::Message& request) {
  const std::string path = TextAt(request, "client_certificate_pem");
  if (path.empty()) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path));
  if (pem.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  return Assign(request, "client_certificate_pem", pem);
}

}  // namespace

void AddCredentialCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "credential", "API keys and client certificates of partners");
  AddVerb<v1::IssueCredentialRequest, v1::IssueCredentialResponse>(
      noun, context, "issue",
      "Issues an API key, which is shown once and stored nowhere, or lets a client certificate be "
      "one")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Option("--display-name", "display_name", "What it is for")
      .Option("--expires", "expire_time", "When it ceases to work, as in 2027-01-31")
      .Option("--scope", "scopes",
              "POST, REDEEM, READ, REPORT or ADMIN; again for more; all but ADMIN if absent")
      .NameOption("--store", "stores", "Only for this store: PARTNER/stores/STORE; again for more",
                  "partners/")
      .Option("--calls-per-second", "calls_per_second", "The most that it may make to each server")
      .Option("--client-certificate", "client_certificate_pem",
              "A PEM file: the client certificate that is to be the credential, instead of a key")
      .Prepare(ReadCertificateFile)
      .As("admin")
      .ShowRecord("", {{"Name", "credential.name"},
                       {"For", "credential.display_name"},
                       {"Expires", "credential.expire_time", Show::kTime},
                       {"Certificate, SHA-256", "credential.certificate_sha256"},
                       {"API key", "api_key"}});
  AddVerb<v1::ListCredentialsRequest, v1::ListCredentialsResponse>(
      noun, context, "list", "Lists a partner's credentials, without keys")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .As("auditor")
      .ShowList("credentials",
                {{"NAME", "name"},
                 {"FOR", "display_name"},
                 {"ISSUED", "create_time", Show::kTime},
                 {"SCOPES", "scopes"},
                 {"CERTIFICATE", "certificate_sha256"},
                 {"LAST USED", "last_use_time", Show::kTime},
                 {"EXPIRES", "expire_time", Show::kTime},
                 {"REVOKED", "revoke_time", Show::kTime}},
                "no credentials");
  AddVerb<v1::RotateCredentialRequest, v1::RotateCredentialResponse>(
      noun, context, "rotate",
      "Issues a key that may do the same; the old one works on for a while")
      .Argument("CREDENTIAL", "name", "The credential: PARTNER/credentials/ID", "partners/")
      .Option("--overlap-seconds", "overlap_seconds", "How long the old one works; a day if absent")
      .Option("--client-certificate", "client_certificate_pem",
              "A PEM file: the certificate that follows a certificate")
      .Prepare(ReadCertificateFile)
      .As("admin")
      .ShowRecord("", {{"Name", "credential.name"},
                       {"For", "credential.display_name"},
                       {"Expires", "credential.expire_time", Show::kTime},
                       {"API key", "api_key"},
                       {"Replaced", "replaced.name"},
                       {"Which works until", "replaced.expire_time", Show::kTime}});
  AddVerb<v1::RevokeCredentialRequest, v1::RevokeCredentialResponse>(
      noun, context, "revoke", "Revokes a credential everywhere within a second")
      .Argument("CREDENTIAL", "name", "The credential: PARTNER/credentials/ID", "partners/")
      .As("admin")
      .ShowRecord("credential", {{"Name", "name"}, {"Revoked", "revoke_time", Show::kTime}});
}

}  // namespace guilder::cli
