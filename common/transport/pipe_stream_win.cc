#include "common/transport/pipe_stream_win.h"

#include <windows.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/error.h"

namespace usher::transport {
namespace {

// What one call of the system writes at most. Small pieces (a frame's header
// and its payload come apart) are first put together up to this size: a copy
// costs far less than a system call and a wake-up of the reader.
constexpr size_t kMaxWrite = size_t{64} * 1024;

class ThreadpoolPipeStream
    : public PipeStream,
      public std::enable_shared_from_this<ThreadpoolPipeStream> {
 public:
  ThreadpoolPipeStream(win32::Handle pipe, std::shared_ptr<void> lease)
      : lease_(std::move(lease)), pipe_(std::move(pipe)) {}

  ThreadpoolPipeStream(const ThreadpoolPipeStream&) = delete;
  ThreadpoolPipeStream& operator=(const ThreadpoolPipeStream&) = delete;

  // Nothing is under way: each operation holds a reference.
  ~ThreadpoolPipeStream() override {
    pipe_.Close();
    if (io_ != nullptr) CloseThreadpoolIo(io_);
  }

  absl::Status Open() {
    // What is done at once then needs no other thread.
    skips_ = SetFileCompletionNotificationModes(
                 pipe_.get(), FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                  FILE_SKIP_SET_EVENT_ON_HANDLE) != 0;
    io_ = CreateThreadpoolIo(pipe_.get(), OnIo, this, nullptr);
    if (io_ == nullptr) return win32::LastError("wait for", "a named pipe");
    return absl::OkStatus();
  }

  absl::optional<Result> Read(void* buffer, size_t size, Done done) override {
    read_buffer_ = buffer;
    read_size_ = size;
    read_.done = std::move(done);
    absl::optional<Result> result = ContinueRead();
    if (result.has_value()) read_.done = nullptr;
    return result;
  }

  absl::optional<Result> Write(std::vector<Span> spans, Done done) override {
    spans_ = std::move(spans);
    next_span_ = 0;
    next_byte_ = 0;
    written_ = 0;
    write_.done = std::move(done);
    absl::optional<Result> result = ContinueWrite();
    if (result.has_value()) {
      write_.done = nullptr;
      ForgetWrite();
    }
    return result;
  }

  void Shutdown() override {
    absl::MutexLock lock(&mutex_);
    shut_down_ = true;
    // Fails if nothing is under way, which is as good.
    CancelIoEx(pipe_.get(), nullptr);
  }

  void* handle() const override { return pipe_.get(); }

 private:
  struct Operation {
    OVERLAPPED overlapped{};
    Done done;
    // Set while the system works on it.
    std::shared_ptr<ThreadpoolPipeStream> self;
  };

  // Has the system begin an operation: `issue` returns what ReadFile or
  // WriteFile does. Nothing is returned if it goes on.
  template <typename Issue>
  absl::optional<Result> Begin(Operation& operation, Issue issue) {
    // Held over the call, so that Shutdown() sees every operation: either
    // before it, refused here, or under way, and cancelled there.
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return Result{ERROR_OPERATION_ABORTED, 0};
    operation.overlapped = {};
    operation.self = shared_from_this();
    StartThreadpoolIo(io_);
    const bool done = issue(&operation.overlapped) != 0;
    const DWORD error = done ? ERROR_SUCCESS : GetLastError();
    if (done ? !skips_ : error == ERROR_IO_PENDING) return {};
    CancelThreadpoolIo(io_);
    operation.self.reset();
    return Result{error, done ? operation.overlapped.InternalHigh : 0};
  }

  absl::optional<Result> ContinueRead() {
    while (true) {
      const absl::optional<Result> result =
          Begin(read_, [this](OVERLAPPED* overlapped) {
            return ReadFile(pipe_.get(), read_buffer_,
                            static_cast<DWORD>(read_size_), nullptr,
                            overlapped);
          });
      // The other end may write nothing at all, which is not its end.
      if (result.has_value() && result->error == 0 && result->bytes == 0) {
        continue;
      }
      return result;
    }
  }

  absl::optional<Result> ContinueWrite() {
    while (true) {
      if (pending_.empty()) Gather();
      if (pending_.empty()) return Result{0, written_};
      const absl::optional<Result> result =
          Begin(write_, [this](OVERLAPPED* overlapped) {
            return WriteFile(pipe_.get(), pending_.data(),
                             static_cast<DWORD>(pending_.size()), nullptr,
                             overlapped);
          });
      if (!result.has_value() || result->error != 0) return result;
      Advance(result->bytes);
    }
  }

  // Makes the next piece, of at most kMaxWrite bytes.
  void Gather() {
    gathered_.clear();
    while (next_span_ < spans_.size() && gathered_.size() < kMaxWrite) {
      const Span& span = spans_[next_span_];
      const size_t size =
          std::min(span.size - next_byte_, kMaxWrite - gathered_.size());
      const char* data = static_cast<const char*>(span.data) + next_byte_;
      next_byte_ += size;
      if (next_byte_ == span.size) {
        ++next_span_;
        next_byte_ = 0;
      }
      if (gathered_.empty() && size == kMaxWrite) {
        pending_ = absl::string_view(data, size);
        return;
      }
      gathered_.append(data, size);
    }
    pending_ = gathered_;
  }

  void Advance(size_t bytes) {
    pending_.remove_prefix(std::min(bytes, pending_.size()));
    written_ += bytes;
  }

  // An idle connection keeps no memory.
  void ForgetWrite() {
    spans_ = {};
    gathered_ = {};
    pending_ = {};
  }

  static void CALLBACK OnIo(PTP_CALLBACK_INSTANCE /*instance*/, void* context,
                            void* overlapped, ULONG error, ULONG_PTR bytes,
                            PTP_IO /*io*/) {
    auto* const stream = static_cast<ThreadpoolPipeStream*>(context);
    const Result result{error, bytes};
    if (overlapped == &stream->read_.overlapped) {
      stream->OnRead(result);
    } else {
      stream->OnWritten(result);
    }
  }

  void OnRead(const Result& first) {
    // Whoever gave the last reference away meanwhile: this one ends behind
    // `done`.
    const std::shared_ptr<ThreadpoolPipeStream> self = TakeSelf(read_);
    absl::optional<Result> result = first;
    if (first.error == 0 && first.bytes == 0) result = ContinueRead();
    if (result.has_value()) std::exchange(read_.done, nullptr)(*result);
  }

  void OnWritten(const Result& first) {
    const std::shared_ptr<ThreadpoolPipeStream> self = TakeSelf(write_);
    absl::optional<Result> result = first;
    if (first.error == 0) {
      Advance(first.bytes);
      result = ContinueWrite();
    }
    if (!result.has_value()) return;
    ForgetWrite();
    std::exchange(write_.done, nullptr)(*result);
  }

  std::shared_ptr<ThreadpoolPipeStream> TakeSelf(Operation& operation) {
    // The thread that began the operation may not have come back yet.
    absl::MutexLock lock(&mutex_);
    return std::move(operation.self);
  }

  // The last member to go: the place is free when the handle is closed.
  const std::shared_ptr<void> lease_;
  win32::Handle pipe_;
  PTP_IO io_ = nullptr;
  bool skips_ = false;

  absl::Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;

  Operation read_;
  void* read_buffer_ = nullptr;
  size_t read_size_ = 0;

  Operation write_;
  std::vector<Span> spans_;
  size_t next_span_ = 0;
  size_t next_byte_ = 0;
  size_t written_ = 0;
  std::string gathered_;
  // What the system is to write next, in gathered_ or in a span.
  absl::string_view pending_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<PipeStream>> PipeStream::Create(
    win32::Handle pipe, std::shared_ptr<void> lease) {
  auto stream =
      std::make_shared<ThreadpoolPipeStream>(std::move(pipe), std::move(lease));
  USHER_RETURN_IF_ERROR(stream->Open());
  return stream;
}

}  // namespace usher::transport
