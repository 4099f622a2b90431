// Encryption with real certificates: who is let in, and what a renewed certificate changes.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/security/certificate.h"
#include "tests/support/catch2.h"
#include "tests/support/rpc_fixture.h"

namespace guilder::rpc {
namespace {

using testing::kOnce;
using testing::kPartnerKey;

// A folder of keys and certificates, made by openssl.
class Authority {
 public:
  Authority() {
    directory_ = std::filesystem::temp_directory_path() /
                 absl::StrCat("guilder-tls-", absl::ToUnixNanos(absl::Now()));
    std::filesystem::create_directory(directory_);
  }
  ~Authority() { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

  // NAME.key and NAME.pem, which signs itself and others.
  void MakeRoot(const std::string& name) const {
    Run(absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ",
        "-subj /CN=", name, " -keyout ", Path(name), ".key -out ", Path(name), ".pem"));
  }
  // NAME.key and NAME.pem for 127.0.0.1, signed by a root.
  void MakeLeaf(const std::string& name, const std::string& root) const {
    std::ofstream(Path("leaf.cnf")) << "subjectAltName=IP:127.0.0.1\n";
    Run(absl::StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=",
                     name, " -keyout ", Path(name), ".key -out ", Path(name), ".csr"));
    Run(absl::StrCat("openssl x509 -req -days 2 -CAcreateserial -in ", Path(name), ".csr -CA ",
                     Path(root), ".pem -CAkey ", Path(root), ".key -extfile ", Path("leaf.cnf"),
                     " -out ", Path(name), ".pem"));
  }
  // Puts NAME in the place of the server's certificate, as who renews it does.
  void Install(const std::string& name) const {
    for (const char* const end : {".key", ".pem"}) {
      std::filesystem::copy_file(Path(name + end), Path(absl::StrCat("next", end)),
                                 std::filesystem::copy_options::overwrite_existing);
      std::filesystem::rename(Path(absl::StrCat("next", end)), Path(absl::StrCat("server", end)));
    }
  }

 private:
  static void Run(const std::string& command) {
    INFO(command);
    REQUIRE(std::system((command + " 2>/dev/null").c_str()) == 0);
  }
  std::filesystem::path directory_;
};

struct Secured : testing::Fixture {
  explicit Secured(bool mutual) {
    authority.MakeRoot("old-root");
    authority.MakeRoot("new-root");
    authority.MakeLeaf("old", "old-root");
    authority.MakeLeaf("new", "new-root");
    authority.MakeLeaf("client", "old-root");
    authority.MakeLeaf("stranger", "new-root");
    authority.Install("old");
    ServerOptions options;
    options.tls_certificate = authority.Path("server.pem");
    options.tls_key = authority.Path("server.key");
    if (mutual) options.tls_client_ca = authority.Path("old-root.pem");
    options.certificate_refresh = absl::Seconds(1);
    secured = std::make_unique<Server>(runtime, options);
    secured->AddService(accruals, accrual::v1::AccrualService::service_full_name());
    const absl::Status started = secured->Start();
    INFO(started.ToString());
    REQUIRE(started.ok());
  }

  // A purchase, asked for over a new connection.
  absl::Status Get(const std::string& root, const std::string& client = "",
                   const std::string& key = kPartnerKey) {
    clients::ChannelOptions options;
    options.tls_ca = authority.Path(root + ".pem");
    if (!client.empty()) {
      options.tls_certificate = authority.Path(client + ".pem");
      options.tls_key = authority.Path(client + ".key");
    }
    const auto channel = clients::Channel::Make(secured->endpoint(), key, options);
    if (!channel.ok()) return channel.status();
    accrual::v1::GetPurchaseRequest request;
    request.set_name("purchases/1");
    return clients::Client<accrual::v1::AccrualService>(*channel)
        .Invoke(&accrual::v1::AccrualService::Stub::GetPurchase, request, kOnce)
        .status();
  }

  Authority authority;
  std::unique_ptr<Server> secured;
};

TEST_CASE("Server: with mutual TLS only certificates of its authority are let in",
          "[service][rpc][tls]") {
  Secured server(/*mutual=*/true);

  CHECK(server.Get("old-root", "client").ok());
  CHECK_FALSE(server.Get("old-root").ok());
  CHECK_FALSE(server.Get("old-root", "stranger").ok());
  // And a client that does not trust the server's authority does not speak to it.
  CHECK_FALSE(server.Get("new-root", "client").ok());
  // Nor does plaintext.
  clients::Client<accrual::v1::AccrualService> plain(
      clients::Channel(server.secured->endpoint(), kPartnerKey));
  CHECK_FALSE(plain
                  .Invoke(&accrual::v1::AccrualService::Stub::GetPurchase,
                          accrual::v1::GetPurchaseRequest(), kOnce)
                  .ok());
}

TEST_CASE(
    "Server: a client certificate says who calls, where it is a credential and no key is sent",
    "[service][rpc][tls]") {
  Secured server(/*mutual=*/true);
  server.authority.MakeLeaf("other", "old-root");
  std::ifstream file(server.authority.Path("client.pem"));
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  const auto certificate = security::ReadCertificate(pem);
  REQUIRE(certificate);
  CHECK(absl::ToUnixMicros(absl::Now()) < certificate->not_after.value());
  server.authenticator.certificate = certificate->fingerprint;
  PartnerId caller;
  server.accruals.get = [&](const Call& call, const accrual::v1::GetPurchaseRequest&) {
    caller = call.principal().partner;
    return accrual::v1::GetPurchaseResponse();
  };

  CHECK(server.Get("old-root", "client", "").ok());
  CHECK(caller == PartnerId(9));
  CHECK(server.Get("old-root", "client").ok());
  CHECK(caller == PartnerId(7));
  // One that is nobody's credential lets in and says nothing.
  CHECK(ReasonOf(server.Get("old-root", "other", "")) == Reason::kCredentialsMissing);
  CHECK(server.Get("old-root", "other").ok());
  CHECK_FALSE(server.Get("old-root", "stranger", "").ok());
}

TEST_CASE("Certificates: what is none, or has more in it, is not read", "[service][rpc][tls]") {
  Secured server(/*mutual=*/true);
  std::ifstream file(server.authority.Path("client.pem"));
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(security::ReadCertificate(pem));
  CHECK_FALSE(security::ReadCertificate(""));
  CHECK_FALSE(security::ReadCertificate(pem.substr(0, pem.size() / 2)));
  CHECK_FALSE(
      security::ReadCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  CHECK_FALSE(security::ReadCertificate(pem + std::string(security::kMaxCertificateBytes, ' ')));
}

TEST_CASE("Server: a renewed certificate is used without a restart", "[service][rpc][tls]") {
  Secured server(/*mutual=*/false);
  REQUIRE(server.Get("old-root").ok());
  REQUIRE_FALSE(server.Get("new-root").ok());

  server.authority.Install("new");

  const absl::Time give_up_at = absl::Now() + absl::Seconds(30);
  while (!server.Get("new-root").ok() && absl::Now() < give_up_at) {
  }
  CHECK(server.Get("new-root").ok());
  CHECK_FALSE(server.Get("old-root").ok());
}

}  // namespace
}  // namespace guilder::rpc
