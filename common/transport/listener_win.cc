#include <grpcpp/server.h>
#include <windows.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/transport/connection_count.h"
#include "common/transport/peer_win.h"
#include "common/transport/pipe_channel_win.h"
#include "common/transport/pipe_stream_win.h"
#include "common/transport/transport.h"
#include "common/win32.h"

namespace usher::transport {
namespace {

// Ends of the pipe that wait for a client: so many may connect at the same
// moment; one more waits in WaitNamedPipe, where each end that comes free wakes
// somebody who may find it taken again. With 4, 200 clients on a busy machine
// made 10 connections a second in Wine; with 16, a hundred.
constexpr size_t kOffered = 16;
// Clients that are not known yet because they have not spoken (PeerReader).
// One more pushes out the one that has been silent for longest, so that
// nobody can keep others out by connecting and saying nothing.
constexpr size_t kMaxUnknown = 64;
// What is read to get to know a client: the beginning of HTTP/2, normally.
constexpr size_t kFirstRead = 1024;
// What the system keeps of each direction.
constexpr DWORD kPipeBuffer = 64 * 1024;
constexpr absl::Duration kRetry = absl::Seconds(1);
// How long clients of a service that has ended may take to let its pipe go, and
// how often that is looked at: the system has no event for it.
constexpr absl::Duration kHangingOn = absl::Seconds(2);
constexpr absl::Duration kLookAgain = absl::Milliseconds(50);
// So many streams that have ended are remembered at most beside as many that
// have not.
constexpr size_t kKeptStreams = 64;

// Why no end could be offered. WU_E_OPERATIONINPROGRESS: the name is taken, by
// another Usher or by an impostor, who can have limited the number of ends.
absl::Status OfferError(DWORD error, const std::string& address) {
  if (error == ERROR_ACCESS_DENIED || error == ERROR_PIPE_BUSY) {
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat("another program serves ", address, " already"),
                 address);
  }
  return win32::SystemError(error, "offer", address);
}

// An end of the pipe that waits for a client.
class OfferedPipe {
 public:
  static absl::StatusOr<std::unique_ptr<OfferedPipe>> Make(
      const std::wstring& name, bool first, void* security) {
    SECURITY_ATTRIBUTES attributes{sizeof(attributes), security, FALSE};
    win32::Handle pipe(CreateNamedPipeW(
        name.c_str(),
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED |
            (first ? DWORD{FILE_FLAG_FIRST_PIPE_INSTANCE} : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT |
            PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, kPipeBuffer, kPipeBuffer, 0, &attributes));
    if (!pipe.open()) return OfferError(GetLastError(), win32::ToUtf8(name));
    std::unique_ptr<OfferedPipe> offered(new OfferedPipe(std::move(pipe)));
    USHER_RETURN_IF_ERROR(offered->Begin(name));
    return offered;
  }

  OfferedPipe(const OfferedPipe&) = delete;
  OfferedPipe& operator=(const OfferedPipe&) = delete;

  ~OfferedPipe() {
    if (!pipe_.open()) return;
    // The system writes to overlapped_ until it is done.
    if (under_way_ && CancelIoEx(pipe_.get(), &overlapped_) != 0) {
      DWORD bytes = 0;
      GetOverlappedResult(pipe_.get(), &overlapped_, &bytes, TRUE);
    } else if (under_way_) {
      WaitForSingleObject(event_.get(), INFINITE);
    }
  }

  // Set when a client has come.
  HANDLE event() const { return event_.get(); }
  HANDLE handle() const { return pipe_.get(); }

  // The connected pipe; none if its client has gone again. To be called once,
  // when event() is set.
  win32::Handle Take() {
    DWORD bytes = 0;
    if (under_way_) {
      under_way_ = false;
      if (GetOverlappedResult(pipe_.get(), &overlapped_, &bytes, TRUE) == 0) {
        pipe_.Close();
      }
    }
    return std::move(pipe_);
  }

 private:
  explicit OfferedPipe(win32::Handle pipe)
      : pipe_(std::move(pipe)),
        event_(CreateEventW(nullptr, /*bManualReset=*/TRUE, FALSE, nullptr)) {}

  absl::Status Begin(const std::wstring& name) {
    if (!event_.open()) {
      return win32::LastError("wait for", win32::ToUtf8(name));
    }
    overlapped_.hEvent = event_.get();
    const BOOL connected = ConnectNamedPipe(pipe_.get(), &overlapped_);
    const DWORD error = connected != 0 ? ERROR_PIPE_CONNECTED : GetLastError();
    switch (error) {
      case ERROR_IO_PENDING:
        under_way_ = true;
        return absl::OkStatus();
      case ERROR_NO_DATA:         // a client came and went already
      case ERROR_PIPE_CONNECTED:  // one came before the call
        SetEvent(event_.get());
        return absl::OkStatus();
      default:
        return win32::SystemError(error, "wait for clients of",
                                  win32::ToUtf8(name));
    }
  }

  win32::Handle pipe_;
  const win32::Handle event_;
  OVERLAPPED overlapped_{};
  bool under_way_ = false;
};

// The first end that this process offers. WU_E_OPERATIONINPROGRESS if the name
// is somebody else's.
absl::StatusOr<std::unique_ptr<OfferedPipe>> OfferFirst(
    const std::wstring& name, void* security) {
  const std::string address = win32::ToUtf8(name);
  const absl::Time latest = absl::Now() + kHangingOn;
  while (true) {
    // Wine 8 does not honour FILE_FLAG_FIRST_PIPE_INSTANCE; an end that waits
    // for clients is seen there, too. (Only such an end counts: the last client
    // of a service that was killed may still have the other one.)
    if (WaitNamedPipeW(name.c_str(), 1) != 0) {
      return OfferError(ERROR_ACCESS_DENIED, address);
    }
    absl::StatusOr<std::unique_ptr<OfferedPipe>> first =
        OfferedPipe::Make(name, /*first=*/true, security);
    if (HResultOf(first.status()) != hr::kWuEOperationinprogress) return first;
    if (absl::Now() >= latest) break;
    absl::SleepFor(kLookAgain);
  }
  // Windows keeps a name as long as anybody has an end, and a client that hangs
  // must not keep the service from starting again. But the pipe has to be one
  // that a service has left: nobody offers an end of it, nor could anybody.
  USHER_ASSIGN_OR_RETURN(std::unique_ptr<OfferedPipe> next,
                         OfferedPipe::Make(name, /*first=*/false, security));
  if (!CheckSecurity(next->handle(), address).ok()) {
    return OfferError(ERROR_ACCESS_DENIED, address);
  }
  return next;
}

class PipeConnection : public Connection {
 public:
  PipeConnection(std::shared_ptr<PipeStream> stream, std::string received,
                 PeerIdentity peer, absl::Duration handshake_timeout)
      : stream_(std::move(stream)),
        received_(std::move(received)),
        peer_(std::move(peer)),
        handshake_timeout_(handshake_timeout) {}

  const PeerIdentity& peer() const override { return peer_; }

  absl::Status Serve(grpc::Server& server) override {
    if (stream_ == nullptr) {
      return Error(hr::kWuEInvalidOperation, "connection is served already");
    }
    return ServePipe(server, std::exchange(stream_, nullptr), received_,
                     handshake_timeout_);
  }

 private:
  std::shared_ptr<PipeStream> stream_;
  const std::string received_;
  const PeerIdentity peer_;
  const absl::Duration handshake_timeout_;
};

// Clients that are connected and not known yet. Each is asked for its first
// bytes; the listener learns of them by an event.
class UnknownClients : public std::enable_shared_from_this<UnknownClients> {
 public:
  struct Client {
    std::shared_ptr<PipeStream> stream;
    std::shared_ptr<ConnectionCount::Place> place;
    absl::Time deadline;
    std::string received;
    absl::optional<PipeStream::Result> result;
  };

  UnknownClients()
      : event_(CreateEventW(nullptr, /*bManualReset=*/FALSE, FALSE, nullptr)) {}

  bool open() const { return event_.open(); }
  // Set when a client has spoken or gone.
  HANDLE event() const { return event_.get(); }

  // Returns the client that had to go for the new one, if any.
  std::shared_ptr<Client> Add(std::shared_ptr<Client> client) {
    std::shared_ptr<Client> out;
    client->received.resize(kFirstRead);
    {
      absl::MutexLock lock(&mutex_);
      if (clients_.size() >= kMaxUnknown) {
        out = std::move(clients_.front());
        clients_.pop_front();
      }
      clients_.push_back(client);
    }
    const auto result = client->stream->Read(
        client->received.data(), client->received.size(),
        // Both live until the read is done, even if the listener has gone or
        // the client has been pushed out.
        [self = shared_from_this(), client](const PipeStream::Result& later) {
          self->Finish(*client, later);
        });
    if (result.has_value()) Finish(*client, *result);
    return out;
  }

  // Those that have spoken or gone, in the order in which they came.
  std::vector<std::shared_ptr<Client>> TakeFinished() {
    absl::MutexLock lock(&mutex_);
    return TakeIf(
        [](const Client& client) { return client.result.has_value(); });
  }

  // Those that have been silent for too long.
  std::vector<std::shared_ptr<Client>> TakeExpired(absl::Time now) {
    absl::MutexLock lock(&mutex_);
    return TakeIf([now](const Client& client) {
      return !client.result.has_value() && client.deadline <= now;
    });
  }

  std::vector<std::shared_ptr<Client>> TakeAll() {
    absl::MutexLock lock(&mutex_);
    return TakeIf([](const Client&) { return true; });
  }

  // When TakeExpired() has something to do. All wait for equally long.
  absl::Time NextDeadline() {
    absl::MutexLock lock(&mutex_);
    return clients_.empty() ? absl::InfiniteFuture()
                            : clients_.front()->deadline;
  }

 private:
  void Finish(Client& client, const PipeStream::Result& result) {
    absl::MutexLock lock(&mutex_);
    client.result = result;
    SetEvent(event_.get());
  }

  template <typename Condition>
  std::vector<std::shared_ptr<Client>> TakeIf(Condition condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::shared_ptr<Client>> taken;
    for (auto it = clients_.begin(); it != clients_.end();) {
      if (condition(**it)) {
        taken.push_back(std::move(*it));
        it = clients_.erase(it);
      } else {
        ++it;
      }
    }
    return taken;
  }

  const win32::Handle event_;
  absl::Mutex mutex_;
  std::deque<std::shared_ptr<Client>> clients_ ABSL_GUARDED_BY(mutex_);
};

class PipeListener : public Listener {
 public:
  PipeListener(ListenOptions options, std::wstring name, PipeSecurity security,
               std::unique_ptr<PeerReader> peers,
               std::unique_ptr<OfferedPipe> first)
      : options_(std::move(options)),
        name_(std::move(name)),
        security_(std::move(security)),
        peers_(std::move(peers)),
        stop_(CreateEventW(nullptr, /*bManualReset=*/TRUE, FALSE, nullptr)),
        count_(std::make_shared<ConnectionCount>(options_)),
        unknown_(std::make_shared<UnknownClients>()) {
    offered_.push_back(std::move(first));
  }

  ~PipeListener() override { PipeListener::Stop(); }

  absl::Status Start(AcceptCallback callback) override {
    if (thread_.joinable() || stopped_) {
      return Error(hr::kWuEInvalidOperation, "listener was started already");
    }
    if (!stop_.open() || !unknown_->open()) {
      return win32::LastError("wait for clients of", options_.address);
    }
    callback_ = std::move(callback);
    thread_ = std::thread([this] { Loop(); });
    return absl::OkStatus();
  }

  void Stop() override {
    if (stopped_) return;
    stopped_ = true;
    if (thread_.joinable()) {
      SetEvent(stop_.get());
      thread_.join();
    }
    // The name goes with its last end, so until the connections handed over
    // have ended, nobody else can take it.
    offered_.clear();
    for (const auto& client : unknown_->TakeAll()) client->stream->Shutdown();
  }

  void CutOff() override {
    for (const std::weak_ptr<PipeStream>& served : served_) {
      if (const auto stream = served.lock()) stream->Shutdown();
    }
  }

  int OpenConnections(const std::string& credentials) const override {
    return count_->With(credentials);
  }

 private:
  void Loop() {
    while (true) {
      const bool complete = Offer(/*others=*/false);
      std::vector<HANDLE> events = {stop_.get(), unknown_->event()};
      for (const auto& offered : offered_) events.push_back(offered->event());
      const DWORD woken =
          WaitForMultipleObjects(static_cast<DWORD>(events.size()),
                                 events.data(), FALSE, Timeout(complete));
      if (woken == WAIT_OBJECT_0) return;
      if (woken == WAIT_FAILED) {
        if (options_.on_failed) {
          options_.on_failed(
              win32::LastError("wait for clients of", options_.address));
        }
        return;
      }
      for (const auto& client : unknown_->TakeFinished()) Meet(*client);
      for (const auto& client : unknown_->TakeExpired(absl::Now())) {
        client->stream->Shutdown();
        Refuse("", "a client said nothing in time");
      }
      // All that have come, so that no end is favoured. The next ends are
      // offered before any of them is handed over.
      std::vector<std::unique_ptr<OfferedPipe>> come;
      for (auto& offered : offered_) {
        if (WaitForSingleObject(offered->event(), 0) == WAIT_OBJECT_0) {
          come.push_back(std::move(offered));
        }
      }
      offered_.erase(std::remove(offered_.begin(), offered_.end(), nullptr),
                     offered_.end());
      Offer(/*others=*/!come.empty());
      for (const auto& offered : come) Accept(offered->Take());
    }
  }

  // Offers as many ends as there should be; false if that is not possible now.
  // `others`: there are ends besides those offered and those counted.
  bool Offer(bool others) {
    while (offered_.size() < kOffered) {
      // Without any other end of ours the name may be somebody else's by now.
      const bool first = !others && offered_.empty() && count_->Total() == 0;
      absl::StatusOr<std::unique_ptr<OfferedPipe>> next =
          OfferedPipe::Make(name_, first, security_.get());
      if (!next.ok()) {
        // Said once, not every second.
        if (!std::exchange(short_of_ends_, true)) {
          Refuse("", std::string(next.status().message()));
        }
        return false;
      }
      offered_.push_back(*std::move(next));
    }
    short_of_ends_ = false;
    return true;
  }

  DWORD Timeout(bool complete) {
    absl::Duration wait = unknown_->NextDeadline() - absl::Now();
    if (!complete) wait = std::min(wait, kRetry);
    if (wait == absl::InfiniteDuration()) return INFINITE;
    return static_cast<DWORD>(
        std::clamp<int64_t>(absl::ToInt64Milliseconds(wait) + 1, 0, 60'000));
  }

  void Accept(win32::Handle pipe) {
    if (!pipe.open()) return;
    // Those that are not known are few: kMaxUnknown.
    std::shared_ptr<ConnectionCount::Place> place = count_->Take();
    absl::StatusOr<std::shared_ptr<PipeStream>> stream =
        PipeStream::Create(std::move(pipe), place);
    if (!stream.ok()) return Refuse("", std::string(stream.status().message()));
    auto client = std::make_shared<UnknownClients::Client>();
    client->stream = *std::move(stream);
    client->place = std::move(place);
    client->deadline = absl::Now() + options_.handshake_timeout;
    if (Identify(*client)) return;
    const auto out = unknown_->Add(std::move(client));
    if (out == nullptr) return;
    out->stream->Shutdown();
    Refuse("", "too many clients that say nothing");
  }

  // A client that has spoken or gone.
  void Meet(UnknownClients::Client& client) {
    if (client.result->error != 0) return;
    client.received.resize(client.result->bytes);
    if (!Identify(client)) Refuse("", "a client cannot be identified");
  }

  // Hands a client over or refuses it. False if it is not known yet.
  bool Identify(UnknownClients::Client& client) {
    absl::StatusOr<absl::optional<PeerIdentity>> peer =
        peers_->Read(client.stream->handle());
    std::string reason;
    if (!peer.ok()) {
      reason = std::string(peer.status().message());
    } else if (!peer->has_value()) {
      return false;
    } else if (!options_.world_accessible && !(*peer)->is_administrator) {
      reason = absl::StrCat((*peer)->user, " may not use this private service");
    } else if (count_->Identify(*client.place, **peer, reason)) {
      client.place.reset();  // the stream has it
      Remember(client.stream);
      callback_(std::make_unique<PipeConnection>(
          std::move(client.stream), std::move(client.received),
          **std::move(peer), options_.handshake_timeout));
      return true;
    }
    Refuse(peer.ok() ? (*peer)->user : "", reason);
    return true;
  }

  void Remember(const std::shared_ptr<PipeStream>& stream) {
    if (served_.size() >= forget_at_) {
      std::erase_if(served_, [](const std::weak_ptr<PipeStream>& served) {
        return served.expired();
      });
      forget_at_ = std::max(kKeptStreams, 2 * served_.size());
    }
    served_.push_back(stream);
  }

  void Refuse(const std::string& user, const std::string& reason) const {
    if (options_.on_refused) options_.on_refused(user, reason);
  }

  const ListenOptions options_;
  const std::wstring name_;
  const PipeSecurity security_;
  const std::unique_ptr<PeerReader> peers_;
  const win32::Handle stop_;
  const std::shared_ptr<ConnectionCount> count_;
  const std::shared_ptr<UnknownClients> unknown_;
  std::vector<std::unique_ptr<OfferedPipe>> offered_;
  bool short_of_ends_ = false;
  // What was handed over, and how many there are before those that have ended
  // are taken out. The thread's, and after its end CutOff()'s.
  std::vector<std::weak_ptr<PipeStream>> served_;
  size_t forget_at_ = kKeptStreams;
  AcceptCallback callback_;
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(
    const ListenOptions& options) {
  USHER_ASSIGN_OR_RETURN(std::wstring name, PipeAddress(options.address));
  USHER_ASSIGN_OR_RETURN(std::unique_ptr<PeerReader> peers,
                         PeerReader::Make(options.administrators_group));
  USHER_ASSIGN_OR_RETURN(PipeSecurity security,
                         MakePipeSecurity(options.world_accessible));
  absl::StatusOr<std::unique_ptr<OfferedPipe>> first =
      OfferFirst(name, security.get());
  if (HResultOf(first.status()) == hr::kWuEOperationinprogress) {
    // Clients would refuse an impostor. Who it is cannot be asked when all of
    // its ends are busy.
    const std::string who = DescribeServer(name);
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat(who.empty() ? "another program" : who, " serves ",
                              options.address,
                              " already; stop it before Usher is started"),
                 options.address);
  }
  if (!first.ok()) return first.status();
  return std::make_unique<PipeListener>(options, std::move(name),
                                        std::move(security), std::move(peers),
                                        *std::move(first));
}

}  // namespace usher::transport
