#include "services/operator/rpc/operator_handlers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/verify.h"
#include "libs/rpc/approval.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/verify_answer.h"
#include "libs/security/principal.h"
#include "libs/security/secrets.h"
#include "services/operator/domain/operator.h"
#include "services/operator/store/explain.h"
#include "services/operator/store/operators.h"
#include "services/operator/store/partition_keeper.h"
#include "services/operator/store/programme.h"
#include "services/operator/store/trial_balance.h"

namespace guilder::operator_ {
namespace {

using postgres::Transaction;

constexpr char kOperatorList[] = "operators";

// The roles of the wire stand in the same order, after the unspecified one.
absl::StatusOr<std::vector<std::string>> FromProto(
    const google::protobuf::RepeatedField<int>& roles) {
  std::vector<bool> has(security::kRoleCount);
  for (const int role : roles) {
    if (role < v1::ROLE_ADMIN || role > v1::ROLE_AUDITOR) {
      return Refuse(Reason::kRequestMalformed, "roles holds an unknown role");
    }
    has[static_cast<size_t>(role - v1::ROLE_ADMIN)] = true;
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < has.size(); ++i) {
    if (has[i]) names.emplace_back(security::RoleName(static_cast<security::Role>(i)));
  }
  return names;
}

v1::Operator ToProto(const Operator& from) {
  v1::Operator out;
  out.set_name(OperatorName(from.id));
  out.set_display_name(from.display_name);
  for (const std::string& name : from.roles) {
    const std::optional<security::Role> role = security::RoleFromName(name);
    if (role) out.add_roles(static_cast<v1::Role>(v1::ROLE_ADMIN + static_cast<int>(*role)));
  }
  if (from.disabled_at) *out.mutable_disable_time() = rpc::ToProto(*from.disabled_at);
  return out;
}

v1::Programme ToProto(const Programme& from) {
  v1::Programme out;
  out.set_name(ProgrammeName(from.slug));
  out.set_display_name(from.display_name);
  out.set_currency_code(from.currency);
  out.set_time_zone(from.time_zone);
  out.set_mode(from.mode);
  out.set_cycle(from.cycle);
  *out.mutable_clock() = rpc::ToProto(from.clock);
  return out;
}

// How far, or to when: exactly one is set.
struct Advance {
  std::optional<Timestamp> by;
  std::optional<Timestamp> until;

  // Refuses: kRequestMalformed, kClockNotMovable.
  absl::StatusOr<Timestamp> From(Timestamp clock) const {
    const Timestamp distance = by ? *by : *until - clock;
    if (distance > kMostClockAdvance) {
      return Refuse(Reason::kRequestMalformed, "a clock is moved by ten years at most");
    }
    if (distance < Timestamp(0)) return Refuse(Reason::kClockNotMovable);
    return distance;
  }
};

absl::StatusOr<Advance> FromProto(const v1::AdvanceClockRequest& request) {
  Advance advance;
  if (request.has_until()) {
    advance.until = rpc::FromProto(request.until());
    if (!advance.until) return Refuse(Reason::kRequestMalformed, "until");
    return advance;
  }
  constexpr int64_t kMostSeconds = kMostClockAdvance.value() / kMicrosPerSecond;
  const google::protobuf::Duration& duration = request.duration();
  if (!request.has_duration() || duration.seconds() < 0 || duration.seconds() > kMostSeconds ||
      duration.nanos() < 0 || duration.nanos() > 999'999'999) {
    return Refuse(Reason::kRequestMalformed, "duration must be positive, ten years at most");
  }
  advance.by = Timestamp(duration.seconds() * kMicrosPerSecond + duration.nanos() / 1'000);
  if (*advance.by <= Timestamp(0)) {
    return Refuse(Reason::kRequestMalformed, "duration must be positive");
  }
  return advance;
}

void AddLines(const std::vector<BalanceLine>& lines,
              google::protobuf::RepeatedPtrField<v1::TrialBalanceLine>& out) {
  for (const BalanceLine& line : lines) {
    v1::TrialBalanceLine& added = *out.Add();
    added.set_account(line.account);
    added.set_debit(line.debit);
    added.set_credit(line.credit);
  }
}

}  // namespace

OperatorHandlers::OperatorHandlers(postgres::Pool& pool, const security::Secrets& secrets)
    : pool_(pool),
      key_hasher_(secrets.KeyPepper()),
      page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::CreateOperatorResponse> OperatorHandlers::CreateOperator(
    const rpc::Call& call, const v1::CreateOperatorRequest& request) {
  Operator created{request.operator_id(), request.display_name(), {}};
  GUILDER_ASSIGN_OR_RETURN(created.roles, FromProto(request.roles()));
  GUILDER_RETURN_IF_ERROR(CheckOperator(created));
  const std::string token = security::GenerateKey(security::KeyKind::kOperator, created.id);
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        LockAdministrators(transaction);
        if (!InsertOperator(transaction, created, key_hasher_.Hash(token))) {
          return Refuse(Reason::kAlreadyExists, OperatorName(created.id));
        }
        // Who could make the second person up would need none; nor would one who disables the
        // others first.
        if (HadSeveralAdministrators(transaction)) {
          GUILDER_RETURN_IF_ERROR(rpc::UseApproval(transaction, call, request));
        }
        const v1::Operator after = ToProto(created);
        rpc::Audit(transaction, call, "OperatorService/CreateOperator", after.name(), nullptr,
                   &after);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::CreateOperatorResponse response;
  *response.mutable_operator_() = ToProto(created);
  response.set_token(token);
  return response;
}

absl::StatusOr<v1::DisableOperatorResponse> OperatorHandlers::DisableOperator(
    const rpc::Call& call, const v1::DisableOperatorRequest& request) {
  const auto name = rpc::ParseName("operators/{}", request.name());
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::DisableOperatorResponse> {
        const int64_t administrators = LockAdministrators(transaction);
        std::optional<Operator> found;
        if (name) found = LockOperator(transaction, name->front());
        if (!found) return Refuse(Reason::kNameNotFound);
        v1::DisableOperatorResponse response;
        if (!found->disabled_at) {
          if (found->IsAdministrator() && administrators == 1) {
            return Refuse(Reason::kWrongState, "it is the last administrator");
          }
          const v1::Operator before = ToProto(*found);
          found->disabled_at = operator_::DisableOperator(transaction, found->id);
          const v1::Operator after = ToProto(*found);
          rpc::Audit(transaction, call, "OperatorService/DisableOperator", after.name(), &before,
                     &after);
        }
        *response.mutable_operator_() = ToProto(*found);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListOperatorsResponse> OperatorHandlers::ListOperators(
    const rpc::Call& call, const v1::ListOperatorsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(kOperatorList, request.page_token()));
  v1::ListOperatorsResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) {
        // One more than the page, to know whether there is a next one.
        std::vector<Operator> operators =
            operator_::ListOperators(transaction, after, page_size + 1);
        if (operators.size() > static_cast<size_t>(page_size)) {
          operators.pop_back();
          response.set_next_page_token(page_tokens_.Make(kOperatorList, operators.back().id));
        }
        for (const Operator& one : operators) *response.add_operators() = ToProto(one);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::GetProgrammeResponse> OperatorHandlers::GetProgramme(
    const rpc::Call& call, const v1::GetProgrammeRequest&) {
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, pool_.Read(ReadProgramme, call.deadline()));
  v1::GetProgrammeResponse response;
  *response.mutable_programme() = ToProto(programme);
  return response;
}

absl::StatusOr<v1::AdvanceClockResponse> OperatorHandlers::AdvanceClock(
    const rpc::Call& call, const v1::AdvanceClockRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Advance advance, FromProto(request));
  GUILDER_ASSIGN_OR_RETURN(const Programme before, pool_.Read(ReadProgramme, call.deadline()));
  GUILDER_ASSIGN_OR_RETURN(const Timestamp distance, advance.From(before.clock));
  if (before.mode == "LIVE") return Refuse(Reason::kClockNotMovable);

  // First the partitions, so that no record of the new time goes to the default ones.
  GUILDER_RETURN_IF_ERROR(EnsurePartitionsAhead(pool_, before.clock, before.clock + distance));
  GUILDER_ASSIGN_OR_RETURN(
      const Programme after,
      pool_.Run(
          [&](Transaction& transaction) -> absl::StatusOr<Programme> {
            LockBooks(transaction, before.id);
            GUILDER_ASSIGN_OR_RETURN(const Programme now, ReadProgramme(transaction));
            GUILDER_ASSIGN_OR_RETURN(const Timestamp by, advance.From(now.clock));
            MoveClock(transaction, now.id, by);
            GUILDER_ASSIGN_OR_RETURN(const Programme moved, ReadProgramme(transaction));
            const v1::Programme was = ToProto(now);
            const v1::Programme is = ToProto(moved);
            rpc::Audit(transaction, call, "OperatorService/AdvanceClock", is.name(), &was, &is);
            return moved;
          },
          call.deadline()));
  v1::AdvanceClockResponse response;
  *response.mutable_programme() = ToProto(after);
  return response;
}

absl::StatusOr<v1::ExplainResponse> OperatorHandlers::Explain(const rpc::Call& call,
                                                              const v1::ExplainRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<Step> steps,
      pool_.Read(
          [&](Transaction& transaction) { return operator_::Explain(transaction, request.name()); },
          call.deadline()));
  v1::ExplainResponse response;
  for (const Step& step : steps) {
    v1::ExplanationStep& added = *response.add_steps();
    added.set_depth(step.depth);
    added.set_name(step.name);
    added.set_kind(step.kind);
    added.set_text(step.text);
  }
  return response;
}

absl::StatusOr<v1::GetTrialBalanceResponse> OperatorHandlers::GetTrialBalance(
    const rpc::Call& call, const v1::GetTrialBalanceRequest&) {
  v1::GetTrialBalanceResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) {
        AddLines(ReadPointsBalance(transaction), *response.mutable_points());
        AddLines(ReadMoneyBalance(transaction), *response.mutable_money());
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::Status OperatorHandlers::VerifyLedger(const rpc::Call&,
                                            const v1::VerifyLedgerRequest& request,
                                            rpc::StreamWriter<v1::VerifyLedgerResponse>& writer) {
  // One job: the network that is verified needs the processors, too.
  ledger::VerifyOptions options;
  options.since = request.since_state();
  GUILDER_ASSIGN_OR_RETURN(
      const ledger::VerifyReport report,
      ledger::Verify(pool_, options, [&](const ledger::VerifyProgress& progress) {
        v1::VerifyLedgerResponse message;
        message.set_records_done(progress.records_done);
        message.set_records_total(progress.records_total);
        return writer.Write(std::move(message));
      }));
  v1::VerifyLedgerResponse last = rpc::ToProto(report);
  last.set_done(true);
  writer.Write(last);
  return absl::OkStatus();
}

}  // namespace guilder::operator_
