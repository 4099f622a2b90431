#include "services/cli/verb.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <google/protobuf/field_mask.pb.h>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/status_macros.h"
#include "services/cli/call.h"
#include "services/cli/context.h"

namespace guilder::cli {
namespace {

using google::protobuf::Message;
using Value = nlohmann::ordered_json;

constexpr int kPageSize = 500;

[[noreturn]] void NoSuchField(const Message& message, const std::string& path) {
  std::fprintf(stderr, "%s has no field %s\n", message.GetDescriptor()->full_name().c_str(),
               path.c_str());
  std::abort();
}

const Value* At(const Value& value, const std::string& path) {
  if (path.empty()) return &value;
  const Value* at = &value;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (const std::string& name : names) {
    if (!at->contains(name)) return nullptr;
    at = &(*at)[name];
  }
  return at;
}

// An option's value as one string, even where it looks like a list or is given again.
CLI::Option* AddText(CLI::App& app, const std::string& flags, std::vector<std::string>& into,
                     const std::string& help) {
  return app.add_option(flags, into, help)->allow_extra_args(false);
}

}  // namespace

const std::string& Arguments::Text(const std::string& flags, const std::string& help,
                                   bool required) {
  app_.add_option(flags, texts_.emplace_back(), help)->required(required);
  return texts_.back();
}

const std::vector<std::string>& Arguments::Texts(const std::string& flags, const std::string& help,
                                                 bool required) {
  CLI::Option* option = app_.add_option(flags, lists_.emplace_back(), help)->required(required);
  if (absl::StartsWith(flags, "-")) option->allow_extra_args(false);
  return lists_.back();
}

const bool& Arguments::Flag(const std::string& flags, const std::string& help) {
  app_.add_flag(flags, flags_.emplace_back(false), help);
  return flags_.back();
}

Verb::Verb(CLI::App& app, Context& context, const Message& request, const Message& response)
    : app_(app), context_(context), request_(request), response_(response) {
  // It stands in the file of its service.
  if (FindMethod(request_.GetDescriptor()) == nullptr) NoSuchField(request_, "(an RPC)");
  app_.callback([this] { context_.Choose([this] { return context_.Report(Run()); }); });
}

Verb::Binding& Verb::Bind(const std::string& flag, const std::string& path,
                          const std::string& help) {
  const auto* field = FindField(request_.GetDescriptor(), path);
  if (field == nullptr) NoSuchField(request_, path);
  Binding& binding = bindings_.emplace_back();
  binding.flag = flag;
  binding.path = path;
  const std::string values = ValuesOf(field);
  const std::string full_help = values.empty() ? help : absl::StrCat(help, ": ", values);
  binding.option = AddText(app_, flag, binding.texts, full_help);
  if (!field->is_repeated()) {
    binding.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    binding.option->expected(1);
  }
  return binding;
}

Verb& Verb::Argument(const std::string& label, const std::string& path, const std::string& help,
                     const std::string& prefix) {
  Binding& binding = Bind(label, path, help);
  binding.prefix = prefix;
  binding.option->required();
  return *this;
}

Verb& Verb::Option(const std::string& flag, const std::string& path, const std::string& help,
                   Kind kind) {
  Bind(flag, path, help).kind = kind;
  return *this;
}

Verb& Verb::NameOption(const std::string& flag, const std::string& path, const std::string& help,
                       const std::string& prefix) {
  Bind(flag, path, help).prefix = prefix;
  return *this;
}

Verb& Verb::Switch(const std::string& flag, const std::string& path, const std::string& help) {
  if (FindField(request_.GetDescriptor(), path) == nullptr) NoSuchField(request_, path);
  Binding& binding = bindings_.emplace_back();
  binding.flag = flag;
  binding.path = path;
  binding.option = app_.add_flag_callback(
      flag, [&binding] { binding.texts = {"yes"}; }, help);
  return *this;
}

Verb& Verb::Sets(const std::string& path) {
  if (FindField(request_.GetDescriptor(), path) == nullptr) NoSuchField(request_, path);
  bindings_.back().sets = path;
  return *this;
}

Verb& Verb::Required(bool required) {
  bindings_.back().option->required(required);
  return *this;
}

Verb& Verb::Masked(const std::string& resource) {
  if (FindField(request_.GetDescriptor(), "update_mask") == nullptr) {
    NoSuchField(request_, "update_mask");
  }
  masked_ = resource + ".";
  return *this;
}

Verb& Verb::As(const std::string& role) {
  whom_ = [role](const Message&) { return role; };
  return *this;
}

Verb& Verb::AsPartnerIn(const std::string& path) {
  if (FindField(request_.GetDescriptor(), path) == nullptr) NoSuchField(request_, path);
  whom_ = [path](const Message& request) { return PartnerIn(TextAt(request, path)); };
  return *this;
}

Verb& Verb::AsWhom(std::function<absl::StatusOr<std::string>(const Message&)> whom) {
  whom_ = std::move(whom);
  return *this;
}

Verb& Verb::Prepare(Preparer prepare) {
  prepare_ = std::move(prepare);
  return *this;
}

Verb& Verb::ShowRecord(const std::string& path, std::vector<Field> fields) {
  const auto* field = FindField(response_.GetDescriptor(), path);
  if (!path.empty() && field == nullptr) NoSuchField(response_, path);
  const auto* shown = path.empty() ? response_.GetDescriptor() : field->message_type();
  for (const Field& one : fields) {
    if (FindField(shown, one.path) == nullptr) NoSuchField(response_, one.path);
  }
  shown_path_ = path;
  fields_ = std::move(fields);
  return *this;
}

Verb& Verb::ShowList(const std::string& path, std::vector<Field> fields, const std::string& none) {
  ShowRecord(path, std::move(fields));
  list_ = true;
  none_ = none;
  if (FindField(request_.GetDescriptor(), "page_token") != nullptr) {
    app_.add_option("--limit", limit_, "How many at most")->check(CLI::PositiveNumber);
  }
  return *this;
}

Verb& Verb::Show(Finisher finish) {
  finish_ = std::move(finish);
  return *this;
}

absl::Status Verb::Fill(Message& request) const {
  std::vector<std::string> changed;
  bool more = false;
  for (const Binding& binding : bindings_) {
    for (const std::string& text : binding.texts) {
      const absl::Status status =
          Assign(request, binding.path, WithPrefix(binding.prefix, text), binding.kind);
      if (!status.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(binding.flag, ": ", std::string(status.message())));
      }
    }
    if (binding.texts.empty()) continue;
    if (!binding.sets.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, binding.sets, "yes"));
    if (masked_.empty()) continue;
    if (absl::StartsWith(binding.path, masked_)) {
      changed.push_back(binding.path.substr(masked_.size()));
    } else {
      more = true;
    }
  }
  if (masked_.empty()) return absl::OkStatus();
  const auto* mask = request.GetDescriptor()->FindFieldByName("update_mask");
  auto& paths = static_cast<google::protobuf::FieldMask&>(
      *request.GetReflection()->MutableMessage(&request, mask));
  for (const std::string& path : changed) {
    if (path != "name" && path != "etag") paths.add_paths(path);
  }
  if (paths.paths_size() == 0 && !more) {
    return absl::InvalidArgumentError("nothing to change was given");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Verb::Whom(const Message& request) const {
  return whom_ ? whom_(request) : absl::StatusOr<std::string>("auditor");
}

absl::Status Verb::Run() const {
  const std::unique_ptr<Message> request(request_.New());
  const std::unique_ptr<Message> response(response_.New());
  GUILDER_RETURN_IF_ERROR(Fill(*request));
  if (prepare_) GUILDER_RETURN_IF_ERROR(prepare_(*request));
  GUILDER_ASSIGN_OR_RETURN(const std::string as, Whom(*request));
  if (list_) return RunList(*request, as);
  GUILDER_RETURN_IF_ERROR(context_.Call(*request, *response, as));
  if (finish_) return finish_(*response);
  const Value answer = ToJson(*response);
  const Value* shown = At(answer, shown_path_);
  context_.output().Record(shown == nullptr ? answer : *shown, fields_);
  return absl::OkStatus();
}

absl::Status Verb::RunList(Message& request, const std::string& as) const {
  Value rows = Value::array();
  const auto* size = request.GetDescriptor()->FindFieldByName("page_size");
  const auto* token = request.GetDescriptor()->FindFieldByName("page_token");
  std::string next;
  do {
    if (size != nullptr) {
      const int64_t left = limit_ - static_cast<int64_t>(rows.size());
      request.GetReflection()->SetInt32(&request, size,
                                        static_cast<int32_t>(std::min<int64_t>(left, kPageSize)));
    }
    if (token != nullptr) request.GetReflection()->SetString(&request, token, next);
    const std::unique_ptr<Message> response(response_.New());
    GUILDER_RETURN_IF_ERROR(context_.Call(request, *response, as));
    const Value answer = ToJson(*response);
    if (const Value* page = At(answer, shown_path_)) {
      for (const auto& row : *page) rows.push_back(row);
    }
    next = answer.value("next_page_token", std::string());
  } while (!next.empty() && static_cast<int64_t>(rows.size()) < limit_);
  context_.output().List(rows, fields_, none_);
  if (!next.empty()) context_.output().Text("There are more; raise --limit to see them.");
  return absl::OkStatus();
}

CLI::App& AddNoun(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App* noun = app.add_subcommand(name, help);
  noun->require_subcommand(1);
  return *noun;
}

void AddAction(CLI::App& noun, Context& context, const std::string& name, const std::string& help,
               const std::function<std::function<absl::Status()>(Arguments&)>& build) {
  CLI::App* app = noun.add_subcommand(name, help);
  auto arguments = std::make_shared<Arguments>(*app);
  const auto action = build(*arguments);
  app->callback([&context, arguments, action] {
    context.Choose([&context, arguments, action] { return context.Report(action()); });
  });
}

Verb& AddVerb(CLI::App& noun, Context& context, const std::string& name, const std::string& help,
              const Message& request, const Message& response) {
  CLI::App* app = noun.add_subcommand(name, help);
  return context.Keep(std::make_unique<Verb>(*app, context, request, response));
}

std::string PartnerIn(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  return parts.size() >= 2 && parts[0] == "partners" ? parts[1] : "";
}

std::string WithPrefix(const std::string& prefix, const std::string& text) {
  return absl::StartsWith(text, prefix) ? text : absl::StrCat(prefix, text);
}

}  // namespace guilder::cli
