// Items over one stream, each answered by itself, with the answers kept.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "libs/base/reason.h"
#include "libs/clients/channel.h"
#include "libs/clients/item_stream.h"
#include "services/cli/importing/answers.h"
#include "services/cli/onboarding/patient.h"

namespace guilder::cli::importing {

// What a final refusal means for an item; nothing when the import cannot go on.
inline std::optional<ItemAnswer> AnswerOf(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  if (!reason || status.code() == absl::StatusCode::kUnauthenticated ||
      status.code() == absl::StatusCode::kPermissionDenied) {
    return std::nullopt;
  }
  ItemAnswer answer;
  answer.outcome = Outcome::kRejected;
  answer.reason = ReasonName(*reason);
  answer.detail = std::string(status.message());
  for (const auto& [name, value] : DetailsOf(status)) {
    if (name != "parked_item") continue;
    answer.outcome = Outcome::kParked;
    answer.detail = value;
  }
  return answer;
}

template <typename Request, typename Response>
struct StreamedItems {
  size_t count = 0;
  // Whether an item is of this stream at all, and how many rows of the file it has.
  std::function<bool(size_t)> is_sent;
  std::function<int64_t(size_t)> rows;
  // No two have the same request id.
  std::function<Request(size_t)> request;
  std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*)> open;
  std::function<const std::string&(const Request&)> id_of_request;
  std::function<const std::string&(const Response&)> id_of_answer;
  // What was answered, or the status of a refusal.
  std::function<absl::StatusOr<ItemAnswer>(const Response&)> answer;
};

// Sends what has no answer in the log yet, and keeps the answers. Repeats what may pass. `on_rows`
// is told how many rows were answered, from any thread. Error: what ended it.
template <typename Request, typename Response>
class AnsweredStream {
 public:
  AnsweredStream(StreamedItems<Request, Response> items, AnswerLog& log,
                 const std::function<void(int64_t)>& on_rows)
      : items_(std::move(items)), log_(log), on_rows_(on_rows) {}

  absl::Status Run(const clients::Channel& channel) {
    const absl::Status streamed = Patiently([&] {
      next_ = 0;
      clients::ItemStreamCalls<Request, Response> calls;
      calls.open = items_.open;
      calls.next = [this] { return Next(); };
      calls.id_of_item = items_.id_of_request;
      calls.id_of_answer = items_.id_of_answer;
      calls.on_answer = [this](const Request& item, const Response& answer) {
        return Take(items_.id_of_request(item), answer);
      };
      return clients::StreamItems<Request, Response>(
          channel, std::move(calls), {.max_in_flight = 512, .policy = PatientPolicy()});
    });
    return streamed.ok() ? ended_by_ : streamed;
  }

 private:
  std::optional<Request> Next() {
    for (; next_ < items_.count; ++next_) {
      if (!items_.is_sent(next_) || log_.of(next_).outcome != Outcome::kNone) continue;
      const std::lock_guard lock(mutex_);
      if (!ended_by_.ok()) return std::nullopt;
      Request request = items_.request(next_);
      item_of_id_[items_.id_of_request(request)] = next_;
      ++next_;
      return request;
    }
    return std::nullopt;
  }

  clients::Verdict Take(const std::string& id, const Response& response) {
    absl::StatusOr<ItemAnswer> answer = items_.answer(response);
    if (!answer.ok()) {
      if (MayPass(answer.status())) return clients::Verdict::kRepeat;
      const auto refused = AnswerOf(answer.status());
      if (!refused) {
        const std::lock_guard lock(mutex_);
        ended_by_ = answer.status();
        return clients::Verdict::kDone;
      }
      answer = *refused;
    }
    size_t place = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = item_of_id_.find(id);
      place = found->second;
      item_of_id_.erase(found);
    }
    log_.AddAnswer(place, *std::move(answer));
    on_rows_(items_.rows(place));
    return clients::Verdict::kDone;
  }

  const StreamedItems<Request, Response> items_;
  AnswerLog& log_;
  const std::function<void(int64_t)>& on_rows_;
  size_t next_ = 0;  // the sender's

  std::mutex mutex_;  // guards what follows
  absl::flat_hash_map<std::string, size_t> item_of_id_;
  absl::Status ended_by_;
};

}  // namespace guilder::cli::importing
