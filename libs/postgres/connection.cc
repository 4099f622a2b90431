#include "libs/postgres/connection.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/postgres/connection_string.h"
#include "libs/postgres/errors.h"

namespace guilder::postgres {
namespace {

// libpqxx 6 reopens a lost session by itself at times, which would run the rest of a transaction
// outside of it. 7 never does.
void ForbidSilentReconnect(pqxx::connection& session) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  session.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#else
  (void)session;
#endif
}

#if PQXX_VERSION_MAJOR < 7

pqxx::result ExecutePrepared(pqxx::transaction_base& transaction, const char* name,
                             const Params& params) {
  const auto execute = [&](const auto& values) {
    return transaction.exec_prepared(name, pqxx::prepare::make_dynamic_params(values));
  };
  if (params.form() == Params::Form::kBinary) {
    std::vector<pqxx::binarystring> values;
    for (int i = 0; i < params.size(); ++i) {
      values.emplace_back(params.value(i).data(), params.value(i).size());
    }
    return execute(values);
  }
  std::vector<const char*> values(static_cast<size_t>(params.size()));
  for (int i = 0; i < params.size(); ++i) values[static_cast<size_t>(i)] = params.value(i).data();
  return execute(values);
}

#else

pqxx::result ExecutePrepared(pqxx::transaction_base& transaction, const char* name,
                             const Params& params) {
  pqxx::params values;
  values.reserve(static_cast<size_t>(params.size()));
  for (int i = 0; i < params.size(); ++i) {
    const std::string_view value = params.value(i);
    if (value.data() == nullptr) {
      values.append();
    } else if (params.form() == Params::Form::kBinary) {
      values.append(pqxx::binary_cast(value));
    } else {
      values.append(pqxx::zview(value.data(), value.size()));
    }
  }
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return transaction.exec(pqxx::prepped{name}, values);
#else
  return transaction.exec_prepared(name, values);
#endif
}

#endif

// The answer beside a flat table of its cells, so that reading one does not go through libpqxx,
// whose fields share ownership of the answer and count references.
struct OwningRowsData : internal::RowsData {
  pqxx::result answer;
};

Rows Wrap(pqxx::result answer) {
  auto data = std::make_shared<OwningRowsData>();
  data->columns = static_cast<int>(answer.columns());
  data->rows = static_cast<int>(answer.size());
  data->affected = static_cast<int64_t>(answer.affected_rows());
  data->cells.reserve(static_cast<size_t>(data->columns) * static_cast<size_t>(data->rows));
  for (auto row = answer.begin(); row != answer.end(); ++row) {
    for (auto field = row.begin(); field != row.end(); ++field) {
      if (field->is_null()) {
        data->cells.emplace_back();
      } else {
        data->cells.push_back({field->c_str(), static_cast<int>(field->size())});
      }
    }
  }
  data->answer = std::move(answer);
  return Rows(std::move(data));
}

// What is fetched from a binary cursor arrives in binary form, whatever libpqxx asks for. All rows
// are one cell: the server sends them at once, where a row at a time would wake this process for
// every few kilobytes, and neither libpq nor libpqxx handles them one by one.
struct OwningPackedData : PackedRows::Data {
  pqxx::result answer;
};

// Of the prepared statement and its cursor.
std::string PackedName(const Statement& statement) {
  return absl::StrCat(statement.name, ".packed");
}

std::string PackedSql(const Statement& statement, const std::string& name) {
  return absl::StrCat("declare \"", name, "\" no scroll binary cursor for ",
                      "select string_agg(record_send(r), ''::bytea) from (", statement.sql,
                      ") as packed (r)");
}

void ApplySettings(pqxx::connection& session, const SessionSettings& settings) {
  internal::Parameters values = {
      {"default_transaction_isolation", "read committed"},
      {"bytea_output", "hex"},
      {"client_min_messages", "warning"},
      {"statement_timeout", absl::StrCat(settings.statement_timeout.count())},
      {"lock_timeout", absl::StrCat(settings.lock_timeout.count())},
      {"idle_in_transaction_session_timeout",
       absl::StrCat(settings.idle_in_transaction_timeout.count())}};
  values.insert(values.end(), settings.parameters.begin(), settings.parameters.end());
  std::string sql;
  for (const auto& [name, value] : values) {
    absl::StrAppend(&sql, sql.empty() ? "select " : ", ", "set_config(", session.quote(name), ", ",
                    session.quote(value), ", false)");
  }
  pqxx::nontransaction(session).exec(sql);
}

// Runs `work` and makes a status of whatever libpqxx throws. The only place that catches its
// exceptions; the order matters, because in libpqxx 6 those of class 40 are no sql_error.
template <typename Work>
absl::Status Guard(const Work& work) {
  try {
    return work();
  } catch (const internal::StatusError& error) {
    return error.status();
  } catch (const pqxx::statement_completion_unknown& error) {
    return internal::OutcomeUnknown(error.what());
  } catch (const pqxx::serialization_failure& error) {
    return internal::StatusOfSqlState("40001", error.what());
  } catch (const pqxx::deadlock_detected& error) {
    return internal::StatusOfSqlState("40P01", error.what());
  } catch (const pqxx::transaction_rollback& error) {
    return internal::StatusOfSqlState("40000", error.what());
  } catch (const pqxx::broken_connection& error) {
    return internal::ConnectionLost(error.what());
  } catch (const pqxx::insufficient_privilege& error) {
    return internal::StatusOfSqlState("42501", error.what());
  } catch (const pqxx::sql_error& error) {
    return internal::StatusOfSqlState(error.sqlstate(), error.what());
  } catch (const std::exception& error) {
    return internal::StatusOfSqlState("", error.what());
  }
}

// A server that closes a session may say so in a result without SQLSTATE, which then looks like a
// mistake of ours.
absl::Status AfterLoss(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInternal || !SqlStateOf(status).empty()) return status;
  return internal::ConnectionLost({status.message().data(), status.message().size()});
}

}  // namespace

struct Connection::Impl {
  std::string dsn;
  SessionSettings settings;
  std::unique_ptr<pqxx::connection> session;
  // The SQL of the statements that this session knows, by name: as they are, and as packed cursors.
  std::unordered_map<std::string_view, const char*> prepared;
  std::unordered_map<std::string_view, const char*> packed;

  bool is_open() const { return session != nullptr && session->is_open(); }

  absl::Status Reopen() {
    session.reset();
    prepared.clear();
    packed.clear();
    const absl::Status opened = Guard([&] {
      session = std::make_unique<pqxx::connection>(internal::ConnectionString(dsn, settings));
      ApplySettings(*session, settings);
      ForbidSilentReconnect(*session);
      return absl::OkStatus();
    });
    if (opened.ok()) return opened;
    const bool lost = !is_open();
    // It has not its settings, and must not be used.
    session.reset();
    return lost ? AfterLoss(opened) : opened;
  }

  // Makes the statement known to the session, at once.
  void Prepare(const Statement& statement) {
    Prepare(statement, prepared, statement.name, statement.sql);
  }
  void PreparePacked(const Statement& statement, const std::string& name) {
    Prepare(statement, packed, name.c_str(), PackedSql(statement, name).c_str());
  }

 private:
  using Known = std::unordered_map<std::string_view, const char*>;

  void Prepare(const Statement& statement, Known& names, const char* name, const char* sql) {
    const auto [known, is_new] = names.try_emplace(statement.name, statement.sql);
    if (!is_new) {
      // Equal constants of two translation units may lie at two addresses.
      if (known->second == statement.sql || std::string_view(known->second) == statement.sql) {
        return;
      }
      throw std::logic_error(absl::StrCat("two statements are called ", statement.name));
    }
    try {
      session->prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
      session->prepare_now(name);
#endif
    } catch (...) {
      names.erase(known);
      throw;
    }
  }
};

namespace {

void CheckForNul(const Statement& statement, const Params& params) {
  if (const auto index = params.first_with_nul()) {
    throw internal::StatusError(internal::StatusOfSqlState(
        "22021", absl::StrCat("parameter $", *index + 1, " of ", statement.name,
                              " holds the character NUL, which PostgreSQL's text cannot hold")));
  }
}

bool IsText(const Call& call) {
  return call.params.form() == Params::Form::kText;
}

// `execute "name"('…', '…')`, which a script can hold.
std::string ExecuteSql(pqxx::connection& session, const Call& call) {
  if (!IsText(call)) {
    throw std::logic_error(absl::StrCat(call.statement->name, " travels in a script, as text"));
  }
  std::string sql = absl::StrCat("execute ", session.quote_name(call.statement->name));
  for (int i = 0; i < call.params.size(); ++i) {
    const std::string_view value = call.params.value(i);
    absl::StrAppend(&sql, i == 0 ? "(" : ", ",
                    value.data() == nullptr ? "null" : session.quote(std::string(value)));
  }
  if (call.params.size() > 0) sql.push_back(')');
  return sql;
}

}  // namespace

struct Transaction::Impl {
  Connection::Impl& connection;
  pqxx::transaction_base& transaction;
  // What is to run before anything else does.
  std::vector<Call> later{};
  // The statements whose cursors are open.
  std::unordered_set<std::string_view> cursors{};
};

void Transaction::ExecuteLater(const Statement& statement, Params params) {
  impl_.later.push_back({&statement, std::move(params)});
}

void Transaction::RunLater() {
  for (const Call& call : std::exchange(impl_.later, {})) Execute(*call.statement, call.params);
}

Rows Transaction::Execute(const Statement& statement, const Params& params) {
  RunLater();
  CheckForNul(statement, params);
  impl_.connection.Prepare(statement);
  return Wrap(ExecutePrepared(impl_.transaction, statement.name, params));
}

PackedRows Transaction::ExecutePacked(const Statement& statement, const Params& params) {
  RunLater();
  CheckForNul(statement, params);
  const std::string name = PackedName(statement);
  const std::string cursor = absl::StrCat("\"", name, "\"");
  if (!impl_.cursors.insert(statement.name).second) impl_.transaction.exec("close " + cursor);
  impl_.connection.PreparePacked(statement, name);
  ExecutePrepared(impl_.transaction, name.c_str(), params);
  auto data = std::make_shared<OwningPackedData>();
  data->answer = impl_.transaction.exec("fetch " + cursor);
  const pqxx::row row = data->answer.at(0);
  const pqxx::field field = row.at(0);
  if (!field.is_null()) {
    data->composites =
        internal::SplitComposites({field.c_str(), static_cast<size_t>(field.size())});
  }
  return PackedRows(std::move(data));
}

Rows Transaction::Script(const std::string& sql) {
  RunLater();
  return Wrap(impl_.transaction.exec(sql));
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

absl::StatusOr<Connection> Connection::Open(const std::string& dsn,
                                            const SessionSettings& settings) {
  auto impl = std::make_unique<Impl>();
  impl->dsn = dsn;
  impl->settings = settings;
  if (absl::Status status = impl->Reopen(); !status.ok()) return status;
  return Connection(std::move(impl));
}

bool Connection::is_open() const {
  return impl_ != nullptr && impl_->is_open();
}

namespace {

// A transaction that is rolled back unless it is committed. libpqxx's own spend a round trip on
// each `begin`; this one begins with statements that are known in advance.
class OpenTransaction {
 public:
  explicit OpenTransaction(pqxx::connection& session) : session_(session), executor_(session) {}
  ~OpenTransaction() {
    if (!begun_ || !session_.is_open()) return;
    try {
      executor_.exec("rollback");
    } catch (const std::exception&) {
      // Only a dead session refuses to roll back, and the next transaction opens a new one.
    }
  }

  // Begins, and runs what comes with it. Gives the answer of the last statement.
  pqxx::result Begin(internal::Access access, const std::vector<std::string>& opening) {
    std::string sql = access == internal::Access::kReadWrite ? "begin" : "begin read only";
    for (const std::string& statement : opening) absl::StrAppend(&sql, "; ", statement);
    begun_ = true;
    return executor_.exec(sql);
  }

  // Commits after `last`, statements that end in semicolons. When that fails, nothing is committed.
  void Commit(const std::string& last) {
    try {
      executor_.exec(absl::StrCat(last, "commit"));
      begun_ = false;
    } catch (const std::exception& error) {
      if (session_.is_open()) throw;
      throw internal::StatusError(internal::OutcomeUnknown(error.what()));
    }
  }

  pqxx::transaction_base& executor() { return executor_; }

 private:
  pqxx::connection& session_;
  pqxx::nontransaction executor_;
  bool begun_ = false;
};

}  // namespace

class TransactionRunner {
 public:
  explicit TransactionRunner(Connection& connection) : connection_(*connection.impl_) {}

  absl::Status Run(internal::Access access, const std::vector<Call>& opening, internal::Body body) {
    return OnLiveSession([&] {
      OpenTransaction transaction(*connection_.session);
      std::vector<std::string> statements;
      for (const Call& call : opening) statements.push_back(Prepare(call));
      const Rows opened = Wrap(transaction.Begin(access, statements));
      begun_ = true;
      Transaction::Impl impl{connection_, transaction.executor()};
      Transaction view(impl);
      if (absl::Status status = body(view, opened); !status.ok()) return status;
      std::string last;
      if (std::all_of(impl.later.begin(), impl.later.end(), IsText)) {
        for (const Call& call : impl.later) absl::StrAppend(&last, Prepare(call), "; ");
      } else {
        view.RunLater();
      }
      transaction.Commit(last);
      return absl::OkStatus();
    });
  }

  // One statement that changes nothing, so that it may run twice.
  absl::StatusOr<Rows> ReadAlone(const Statement& statement, const Params& params) {
    Rows rows;
    const absl::Status status = OnLiveSession([&] {
      pqxx::nontransaction executor(*connection_.session);
      Transaction::Impl impl{connection_, executor};
      rows = Transaction(impl).Execute(statement, params);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return rows;
  }

  absl::Status RunAlone(const std::string& sql) {
    if (!connection_.is_open()) {
      if (absl::Status status = connection_.Reopen(); !status.ok()) return status;
    }
    return Guard([&] {
      pqxx::nontransaction(*connection_.session).exec(sql);
      return absl::OkStatus();
    });
  }

 private:
  // Runs `work`, and once more when the session turns out to be dead before the work has begun.
  template <typename Work>
  absl::Status OnLiveSession(const Work& work) {
    for (int attempt = 1;; ++attempt) {
      if (!connection_.is_open()) {
        if (absl::Status status = connection_.Reopen(); !status.ok()) return status;
      }
      begun_ = false;
      const absl::Status status = Guard(work);
      if (status.ok() || connection_.is_open()) return status;
      // A session that died while it was idle is found out by `begin`, before the body ran.
      if (begun_ || attempt == 2) return AfterLoss(status);
    }
  }

  // The call as a script can hold it.
  std::string Prepare(const Call& call) {
    CheckForNul(*call.statement, call.params);
    connection_.Prepare(*call.statement);
    return ExecuteSql(*connection_.session, call);
  }

  Connection::Impl& connection_;
  bool begun_ = false;
};

absl::Status internal::Run(Connection& connection, Access access, const std::vector<Call>& opening,
                           Body body) {
  return TransactionRunner(connection).Run(access, opening, body);
}

absl::StatusOr<Rows> ReadAlone(Connection& connection, const Statement& statement,
                               const Params& params) {
  return TransactionRunner(connection).ReadAlone(statement, params);
}

absl::Status ExecuteAlone(Connection& connection, const std::string& sql) {
  return TransactionRunner(connection).RunAlone(sql);
}

}  // namespace guilder::postgres
