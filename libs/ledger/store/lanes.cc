#include "libs/ledger/store/lanes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/account_memory.h"
#include "libs/ledger/store/allocator.h"
#include "libs/ledger/store/batch.h"
#include "libs/ledger/store/batch_sql.h"
#include "libs/ledger/store/forwards.h"
#include "libs/ledger/store/lane_queue.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/status.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Statement;

constexpr Statement kListBooks{"ledger.list_books", R"sql(
  select book from ledger.books where programme_id = $1 order by book
)sql"};

constexpr Statement kConfigurationVersion{"ledger.configuration_version", R"sql(
  select version from ledger.configuration where programme_id = $1
)sql"};

// How often an idle lane looks whether the configuration changed.
constexpr absl::Duration kConfigurationPatience = absl::Milliseconds(500);
// A batch may always have as many commands, however slow they were.
constexpr int kLeastBatch = 64;
// How often a batch is run again because of a claim, a deadlock or a serialization failure.
constexpr int kMaxRuns = 5;
// How often a command asks for an allowance that others then take before it does.
constexpr int kMaxWaits = 64;
// Commands on several accounts that share a batch: each locks books of other lanes.
constexpr int kMostWide = 32;
// Repeats come together, as when a caller sends again what an outage left unanswered.
constexpr int kBatchesToLookFirst = 64;

postgres::SessionSettings LaneSession() {
  postgres::SessionSettings settings;
  settings.application_name = "guilder lane";
  settings.statement_timeout = std::chrono::milliseconds(2'000);
  settings.idle_in_transaction_timeout = std::chrono::milliseconds(2'000);
  // A lane's statements find few rows by key in tables of any size; a plan that suits today's size
  // must not be kept when the tables have grown.
  settings.parameters = {{"enable_hashjoin", "off"},
                         {"enable_mergejoin", "off"},
                         {"enable_seqscan", "off"},
                         {"jit", "off"},
                         {"plan_cache_mode", "force_generic_plan"}};
  return settings;
}

// The configuration that was read last, shared by all lanes and readers.
class SharedConfiguration {
 public:
  std::shared_ptr<const Configuration> Get() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }
  void Offer(const std::shared_ptr<const Configuration>& read) {
    const std::lock_guard lock(mutex_);
    if (!latest_ || latest_->version() < read->version()) latest_ = read;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Configuration> latest_;
};

// Takes commands whose account was merged.
using HandOver = std::function<void(PendingCommand)>;

// A thread, its connection and its queue.
class Lane {
 public:
  Lane(const LanesOptions& options, postgres::Connection connection, SharedConfiguration& shared,
       Allocator& allocator, HandOver hand_over)
      : options_(options),
        connection_(std::move(connection)),
        shared_(shared),
        allocator_(allocator),
        hand_over_(std::move(hand_over)),
        state_{shared.Get(), &memory_},
        queue_(options.max_queued_per_lane, options.max_queued_per_partner),
        batch_size_(options.max_batch) {
    thread_ = std::thread([this] { Work(); });
  }

  ~Lane() {
    queue_.Close();
    if (thread_.joinable()) thread_.join();
  }

  void Submit(PendingCommand pending) {
    const absl::Status queued = queue_.Push(pending);
    if (!queued.ok()) pending.done(queued);
  }

  void Close() { queue_.Close(); }

 private:
  using Batch = std::vector<PendingCommand>;

  void Work() {
    while (!queue_.ClosedAndEmpty()) {
      Batch batch = queue_.PopBatch(batch_size_, kConfigurationPatience);
      DropLate(batch);
      if (batch.empty()) {
        RefreshConfiguration();
        continue;
      }
      worked_ = absl::ZeroDuration();
      const size_t size = batch.size();
      Process(std::move(batch));
      SendAway();
      AdaptBatchSize(size);
    }
  }

  // Nobody waits for these any more, and nothing of them is written.
  void DropLate(Batch& batch) {
    const absl::Time now = absl::Now();
    std::erase_if(batch, [&](PendingCommand& pending) {
      if (now < pending.command->deadline) return false;
      pending.done(Refuse(Reason::kDeadlineExceeded));
      return true;
    });
  }

  // Runs the batch in one transaction and answers its commands after the commit; those that stay
  // undecided become waiting_ and behind_. When a value breaks the transaction, halves it until the
  // poisonous command stands alone.
  void Process(Batch batch) {
    // A half may hold what comes after a command that left the half before.
    std::erase_if(batch, [&](PendingCommand& pending) {
      if (!ComesAfterWaiting(*pending.command)) return false;
      behind_.push_back(std::move(pending));
      return true;
    });
    if (batch.empty()) return;
    std::vector<Command*> commands;
    for (const PendingCommand& pending : batch) commands.push_back(pending.command.get());
    absl::StatusOr<Outcomes> outcomes = Redirect(commands);
    if (outcomes.ok()) outcomes = Run(commands);
    if (outcomes.ok()) {
      shared_.Offer(state_.configuration);
      for (size_t i = 0; i < batch.size(); ++i) Settle(batch[i], std::move((*outcomes)[i]));
      return;
    }
    if (IsPoison(outcomes.status()) && batch.size() > 1) {
      const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
      Batch later(std::make_move_iterator(middle), std::make_move_iterator(batch.end()));
      batch.erase(middle, batch.end());
      Process(std::move(batch));
      Process(std::move(later));
      return;
    }
    const absl::Status status = ToldToCaller(outcomes.status());
    for (PendingCommand& pending : batch) pending.done(status);
  }

  void Settle(PendingCommand& pending, absl::StatusOr<Answer> outcome) {
    if (pending.command->account_merged) {
      hand_over_(std::move(pending));
    } else if (pending.command->needed_allowance) {
      waiting_.push_back(std::move(pending));
    } else if (pending.command->comes_after_waiting) {
      behind_.push_back(std::move(pending));
    } else {
      pending.done(std::move(outcome));
    }
  }

  bool ComesAfterWaiting(const Command& command) const {
    return command.account &&
           std::any_of(waiting_.begin(), waiting_.end(), [&](const PendingCommand& waiting) {
             return waiting.command->account == command.account;
           });
  }

  // A sum that would leave int64 is refused by PostgreSQL, and said as what it is.
  static absl::Status ToldToCaller(const absl::Status& status) {
    if (postgres::SqlStateOf(status) != "22003") return status;
    return Refuse(Reason::kAmountOutOfRange, "the sum of an account of the book");
  }

  // Sends what lacks an allowance to the allocator, and puts what comes after it back into the
  // queue, where it stays behind. Not before all of the batch was run: what comes back from the
  // allocator goes to the front.
  void SendAway() {
    for (const PendingCommand& pending : waiting_) queue_.SetAside(*pending.command);
    queue_.Unpop(std::exchange(behind_, {}));
    for (PendingCommand& pending : std::exchange(waiting_, {})) AskAllocator(std::move(pending));
  }

  void AskAllocator(PendingCommand pending) {
    // Others took what was moved for it, again and again.
    if (++pending.waits > kMaxWaits) {
      queue_.Forget(*pending.command);
      return pending.done(Refuse(Reason::kQueueFull));
    }
    const NeededAllowance needed = *pending.command->needed_allowance;
    auto shared = std::make_shared<PendingCommand>(std::move(pending));
    allocator_.Ask(needed.limit, {needed.book, needed.points},
                   [this, shared](const absl::Status& status) {
                     if (status.ok()) return queue_.PutBack(std::move(*shared));
                     const auto done = std::move(shared->done);
                     queue_.Forget(*shared->command);
                     done(status);
                   });
  }

  // Sends commands of merged accounts to the account that goes on; what acts on an earlier record
  // is decided over both. Gives nothing but the status.
  absl::StatusOr<Outcomes> Redirect(const std::vector<Command*>& commands) {
    const bool any = std::any_of(commands.begin(), commands.end(),
                                 [](const Command* c) { return c->account_merged; });
    if (!any) return Outcomes();
    return postgres::RunInTransaction(connection_, [&](postgres::Transaction& tx) {
      for (Command* const command : commands) {
        if (!command->account_merged) continue;
        const AccountId survivor = SurvivorOf(tx, command->account);
        if (command->refers_to || command->hold) {
          command->survivor = survivor;
          command->others = {survivor};
        } else {
          command->account = survivor;
          command->book = BookOf(survivor);
        }
      }
      return absl::StatusOr<Outcomes>(Outcomes());
    });
  }

  absl::StatusOr<Outcomes> Run(const std::vector<Command*>& commands) {
    for (int run = 1;; ++run) {
      const Claims claims = look_first_ > 0 ? Claims::kLookedUp : Claims::kFoundByInsert;
      const auto locked = Allowances::KeysOf(commands, *state_.configuration);
      BatchState left;
      const absl::Time began = absl::Now();
      absl::StatusOr<Outcomes> outcomes = postgres::RunInTransaction(
          connection_, LockAndLoad(options_.programme, commands, locked),
          [&](postgres::Transaction& tx, const postgres::Rows& loaded) {
            auto decided = RunBatch(tx, loaded, commands, locked, claims, state_, left);
            worked_ += absl::Now() - began;
            return decided;
          });
      if (outcomes.ok()) memory_.Keep(left);
      const bool claim_taken = IsClaimTaken(outcomes.status());
      if (claim_taken) look_first_ = kBatchesToLookFirst;
      if (outcomes.ok() && look_first_ > 0) --look_first_;
      const bool again = claim_taken || DetailsOf(outcomes.status()).contains("retryable");
      if (outcomes.ok() || !again) return outcomes;
      if (run == kMaxRuns) {
        return Refuse(Reason::kStoreUnavailable, std::string(outcomes.status().message()));
      }
    }
  }

  // Data exceptions (22) and integrity violations (23) come from what a command holds. Anything
  // else, such as a full disk, concerns the whole batch.
  static bool IsPoison(const absl::Status& status) {
    const std::string state = postgres::SqlStateOf(status);
    return state.rfind("22", 0) == 0 || state.rfind("23", 0) == 0;
  }

  // By the time that grows with the batch. A commit waits for the disk as long for one command as
  // for many: were it counted, a slow disk would make batches small and be waited for more often.
  void AdaptBatchSize(size_t size) {
    const auto commands = static_cast<int>(size);
    if (worked_ > options_.batch_time_limit) {
      const double share = absl::FDivDuration(options_.batch_time_limit, worked_);
      batch_size_ =
          std::max(std::min(kLeastBatch, options_.max_batch), static_cast<int>(commands * share));
    } else if (commands == batch_size_) {
      batch_size_ = std::min(options_.max_batch, batch_size_ + batch_size_ / 4 + 1);
    }
  }

  void RefreshConfiguration() {
    const auto read = postgres::RunInTransaction(
        connection_,
        [&](postgres::Transaction& tx) -> absl::StatusOr<std::shared_ptr<const Configuration>> {
          const auto rows = tx.Execute(kConfigurationVersion, Params().Int(options_.programme));
          if (!rows.empty() && rows[0].Int(0) == state_.configuration->version()) {
            return state_.configuration;
          }
          return LoadConfiguration(tx, options_.programme);
        });
    if (!read.ok()) return;  // The next batch meets the same trouble and answers it.
    state_.configuration = *read;
    shared_.Offer(*read);
  }

  const LanesOptions& options_;
  postgres::Connection connection_;
  SharedConfiguration& shared_;
  Allocator& allocator_;
  const HandOver hand_over_;
  AccountMemory memory_;
  LaneState state_;
  LaneQueue queue_;
  int batch_size_;
  // What the batch took so far, its commit left out.
  absl::Duration worked_;
  // Of the batch: what lacks an allowance, and what comes after it.
  Batch waiting_;
  Batch behind_;
  // How many batches still look their claims up before they decide.
  int look_first_ = 0;
  std::thread thread_;
};

}  // namespace

class Lanes::Impl {
 public:
  Impl(LanesOptions options, std::vector<BookId> books)
      : options_(std::move(options)),
        books_(std::move(books)),
        allocator_(options_.dsn, options_.programme) {}

  ~Impl() { Drain(); }

  absl::Status Open(postgres::Connection first,
                    std::shared_ptr<const Configuration> configuration) {
    shared_.Offer(configuration);
    const int lanes = std::min<int>(options_.lanes, static_cast<int>(books_.size()));
    lanes_.push_back(MakeLane(options_, std::move(first)));
    for (int i = 1; i < lanes; ++i) {
      GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection,
                               postgres::Connection::Open(options_.dsn, LaneSession()));
      lanes_.push_back(MakeLane(options_, std::move(connection)));
    }
    return absl::OkStatus();
  }

  void Submit(std::unique_ptr<Command> command, Done done) {
    if (!command->others.empty()) return SubmitWide({std::move(command), std::move(done)});
    Lane& lane = *lanes_[static_cast<size_t>(command->book.value()) % lanes_.size()];
    lane.Submit({std::move(command), std::move(done)});
  }

  BookId BookForNewAccount(const Uuid& request_id) const {
    uint64_t hash = 0;
    for (size_t i = 8; i < 16; ++i) hash = hash << 8 | request_id[i];
    // The last bytes of a UUID are random in every version; its low bits choose the refusal's slot
    // too, which does no harm.
    return books_[hash % books_.size()];
  }

  std::shared_ptr<const Configuration> configuration() const { return shared_.Get(); }

  void Drain() {
    for (const auto& lane : lanes_) lane->Close();
    const std::lock_guard lock(wide_mutex_);
    draining_ = true;
    if (wide_) wide_->Close();
  }

 private:
  std::unique_ptr<Lane> MakeLane(const LanesOptions& options, postgres::Connection connection) {
    return std::make_unique<Lane>(
        options, std::move(connection), shared_, allocator_,
        [this](PendingCommand pending) { SubmitWide(std::move(pending)); });
  }

  // The lane for commands that name several accounts: its batches lock whatever books they name. It
  // is rare, so its connection is opened by the first one.
  void SubmitWide(PendingCommand pending) {
    const absl::StatusOr<Lane*> wide = WideLane();
    if (!wide.ok()) return pending.done(wide.status());
    (*wide)->Submit(std::move(pending));
  }

  absl::StatusOr<Lane*> WideLane() {
    const std::lock_guard lock(wide_mutex_);
    if (draining_) return Refuse(Reason::kDraining);
    if (!wide_) {
      GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection,
                               postgres::Connection::Open(options_.dsn, LaneSession()));
      wide_ = MakeLane(wide_options_, std::move(connection));
    }
    return wide_.get();
  }

  static LanesOptions WithSmallBatches(LanesOptions options) {
    options.max_batch = std::min(options.max_batch, kMostWide);
    return options;
  }

  const LanesOptions options_;
  const LanesOptions wide_options_ = WithSmallBatches(options_);
  const std::vector<BookId> books_;
  SharedConfiguration shared_;
  // Outlives the lanes, which wait for what it was asked.
  Allocator allocator_;
  std::mutex wide_mutex_;
  bool draining_ = false;       // guarded by wide_mutex_
  std::unique_ptr<Lane> wide_;  // guarded by wide_mutex_; outlives the lanes that hand over to it
  std::vector<std::unique_ptr<Lane>> lanes_;
};

absl::StatusOr<std::unique_ptr<Lanes>> Lanes::Start(LanesOptions options) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection,
                           postgres::Connection::Open(options.dsn, LaneSession()));
  std::vector<BookId> books;
  GUILDER_ASSIGN_OR_RETURN(
      std::shared_ptr<const Configuration> configuration,
      postgres::RunInTransaction(
          connection,
          [&](postgres::Transaction& tx) -> absl::StatusOr<std::shared_ptr<const Configuration>> {
            books.clear();
            for (const auto& row : tx.Execute(kListBooks, Params().Int(options.programme))) {
              books.push_back(row.Id<BookId>(0));
            }
            return LoadConfiguration(tx, options.programme);
          }));
  if (books.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("programme ", options.programme.value(), " has no books"));
  }
  auto impl = std::make_unique<Impl>(std::move(options), std::move(books));
  GUILDER_RETURN_IF_ERROR(impl->Open(std::move(connection), std::move(configuration)));
  return std::unique_ptr<Lanes>(new Lanes(std::move(impl)));
}

Lanes::Lanes(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lanes::~Lanes() = default;

void Lanes::Submit(std::unique_ptr<Command> command, Done done) {
  impl_->Submit(std::move(command), std::move(done));
}

BookId Lanes::BookForNewAccount(const Uuid& request_id) const {
  return impl_->BookForNewAccount(request_id);
}

std::shared_ptr<const Configuration> Lanes::configuration() const {
  return impl_->configuration();
}

void Lanes::Drain() {
  impl_->Drain();
}

}  // namespace guilder::ledger
