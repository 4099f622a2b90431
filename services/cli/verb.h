// One command, declared: which fields its options set, who calls, and what it shows.
//
//   AddVerb<v1::GetPartnerRequest, v1::GetPartnerResponse>(noun, context, "show", "Shows a
//   partner")
//       .Argument("PARTNER", "name", "The partner", "partners/")
//       .As("auditor")
//       .ShowRecord("partner", kPartnerFields);
//
// A path that the request or the answer does not have ends the program at start: the unit test that
// builds all commands finds it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "services/cli/messages.h"
#include "services/cli/output/output.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace guilder::cli {

class Context;

// Options that are not fields of a request, for commands that need more than a call.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}

  // `flags` is as CLI11 has it: "NAME" for a positional, "-f,--file" for an option.
  const std::string& Text(const std::string& flags, const std::string& help, bool required = false);
  const std::vector<std::string>& Texts(const std::string& flags, const std::string& help,
                                        bool required = false);
  const bool& Flag(const std::string& flags, const std::string& help);

 private:
  CLI::App& app_;
  // Stay where they are while they grow.
  std::deque<std::string> texts_;
  std::deque<std::vector<std::string>> lists_;
  std::deque<bool> flags_;
};

class Verb {
 public:
  using Finisher = std::function<absl::Status(const google::protobuf::Message& response)>;
  using Preparer = std::function<absl::Status(google::protobuf::Message& request)>;

  // `app` is the command itself.
  Verb(CLI::App& app, Context& context, const google::protobuf::Message& request,
       const google::protobuf::Message& response);

  // A positional argument that must be there. `prefix` is put in front unless it stands there
  // already, so that "freshmart" names "partners/freshmart".
  Verb& Argument(const std::string& label, const std::string& path, const std::string& help,
                 const std::string& prefix = "");
  // An option that may be absent; given more than once for a repeated field.
  Verb& Option(const std::string& flag, const std::string& path, const std::string& help,
               Kind kind = Kind::kPlain);
  Verb& NameOption(const std::string& flag, const std::string& path, const std::string& help,
                   const std::string& prefix);
  // A flag that sets a bool.
  Verb& Switch(const std::string& flag, const std::string& path, const std::string& help);
  // Sets a bool where the option before it is given, whatever is given.
  Verb& Sets(const std::string& path);
  // Makes the last argument or option required, or optional.
  Verb& Required(bool required = true);
  // Sets `update_mask` to the fields under `resource` that options have set. Bad usage where
  // neither they nor others beside `resource` are given.
  Verb& Masked(const std::string& resource);

  // Who calls, unless --as says otherwise: a role, or the partner that a name in the request begins
  // with.
  Verb& As(const std::string& role);
  Verb& AsPartnerIn(const std::string& path);
  Verb& AsWhom(std::function<absl::StatusOr<std::string>(const google::protobuf::Message&)> whom);

  // Runs before the call, after the options have been set.
  Verb& Prepare(Preparer prepare);

  // What is shown: the object or the list at `path` of the answer ("" for the whole answer). A
  // list's pages are all read, up to --limit.
  Verb& ShowRecord(const std::string& path, std::vector<Field> fields);
  Verb& ShowList(const std::string& path, std::vector<Field> fields, const std::string& none);
  // Shows the answer instead of the above.
  Verb& Show(Finisher finish);

 private:
  struct Binding {
    CLI::Option* option = nullptr;
    std::string flag;
    std::string path;
    std::string prefix;
    Kind kind = Kind::kPlain;
    std::string sets;
    std::vector<std::string> texts;
  };

  Binding& Bind(const std::string& flag, const std::string& path, const std::string& help);
  absl::Status Fill(google::protobuf::Message& request) const;
  absl::StatusOr<std::string> Whom(const google::protobuf::Message& request) const;
  absl::Status Run() const;
  absl::Status RunList(google::protobuf::Message& request, const std::string& as) const;

  CLI::App& app_;
  Context& context_;
  const google::protobuf::Message& request_;
  const google::protobuf::Message& response_;
  std::deque<Binding> bindings_;
  std::string masked_;
  std::function<absl::StatusOr<std::string>(const google::protobuf::Message&)> whom_;
  Preparer prepare_;
  Finisher finish_;
  std::string shown_path_;
  std::vector<Field> fields_;
  bool list_ = false;
  std::string none_;
  int64_t limit_ = 1'000;
};

// A noun: `guilder NAME ...`.
CLI::App& AddNoun(CLI::App& app, const std::string& name, const std::string& help);

// A command that does more than one call: `build` declares its arguments and returns what it does.
void AddAction(CLI::App& noun, Context& context, const std::string& name, const std::string& help,
               const std::function<std::function<absl::Status()>(Arguments&)>& build);

Verb& AddVerb(CLI::App& noun, Context& context, const std::string& name, const std::string& help,
              const google::protobuf::Message& request, const google::protobuf::Message& response);

template <typename Request, typename Response>
Verb& AddVerb(CLI::App& noun, Context& context, const std::string& name, const std::string& help) {
  return AddVerb(noun, context, name, help, Request::default_instance(),
                 Response::default_instance());
}

// "partners/freshmart/stores/s1" → "freshmart"; "" for a name of another kind.
std::string PartnerIn(const std::string& name);
// The text with the prefix, once.
std::string WithPrefix(const std::string& prefix, const std::string& text);

}  // namespace guilder::cli
