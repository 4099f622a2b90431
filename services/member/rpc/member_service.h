// The member service, ready to be added to a server.
#pragma once

#include <memory>

namespace grpc {
class Service;
}
namespace guilder::ledger {
class Lanes;
}
namespace guilder::postgres {
class Pool;
}
namespace guilder::rpc {
class Runtime;
}
namespace guilder::security {
class Secrets;
}

namespace guilder::member {

inline constexpr char kMemberServiceName[] = "guilder.member.v1.MemberService";
inline constexpr char kPersonServiceName[] = "guilder.member.v1.PersonService";
inline constexpr char kImportServiceName[] = "guilder.member.v1.ImportService";
inline constexpr char kDocumentServiceName[] = "guilder.member.v1.MemberDocumentService";
inline constexpr char kCardServiceName[] = "guilder.member.v1.CardService";
inline constexpr char kBonusServiceName[] = "guilder.member.v1.BonusService";
inline constexpr char kNoticeServiceName[] = "guilder.member.v1.NoticeService";

struct MemberServiceDependencies {
  rpc::Runtime& runtime;
  postgres::Pool& pool;
  ledger::Lanes& lanes;
  const security::Secrets& secrets;
};

// Serves guilder.member.v1.MemberService. The secrets may go; everything else outlives it.
std::shared_ptr<grpc::Service> MakeMemberService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.PersonService, likewise.
std::shared_ptr<grpc::Service> MakePersonService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.ImportService, likewise.
std::shared_ptr<grpc::Service> MakeImportService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.MemberDocumentService, likewise.
std::shared_ptr<grpc::Service> MakeDocumentService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.CardService, likewise.
std::shared_ptr<grpc::Service> MakeCardService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.BonusService, likewise.
std::shared_ptr<grpc::Service> MakeBonusService(const MemberServiceDependencies& dependencies);
// Serves guilder.member.v1.NoticeService, likewise.
std::shared_ptr<grpc::Service> MakeNoticeService(const MemberServiceDependencies& dependencies);

}  // namespace guilder::member
