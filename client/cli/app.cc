#include "client/cli/app.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/failure.h"
#include "client/cli/interrupts.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/transport/transport.h"

namespace usher::cli {
namespace {

absl::StatusOr<std::string> AddressOf(const GlobalOptions& globals) {
  if (globals.state_dir.empty()) return globals.address;
  std::error_code error;
  const std::filesystem::path folder =
      std::filesystem::absolute(PathFromUtf8(globals.state_dir), error);
  if (error) {
    return Error(hr::kEInvalidarg, "--state-dir is no usable path",
                 globals.state_dir);
  }
  return transport::PrivateAddress(folder.lexically_normal());
}

}  // namespace

App::App(GlobalOptions globals)
    : globals_(std::move(globals)),
      console_(
          DetectConsole(globals_.json, globals_.quiet, globals_.no_color)) {}

// What handles an interrupt uses this object.
App::~App() { EndInterrupts(); }

void App::Warn(const UpdateException& warning) {
  {
    absl::MutexLock lock(&mutex_);
    for (const UpdateException& other : warnings_) {
      if (other.message == warning.message &&
          other.hresult == warning.hresult) {
        return;
      }
    }
    warnings_.push_back(warning);
  }
  console_.Note(absl::StrCat("warning: ", warning.message, " (",
                             HResultText(warning.hresult), ")"),
                Style::kWarning);
}

std::vector<UpdateException> App::Warnings() const {
  absl::MutexLock lock(&mutex_);
  return warnings_;
}

void App::LeaveWhenInterrupted() {
  OnInterrupt([this](int) {
    LeaveInterrupted(Error(hr::kWuECallCancelled, "interrupted"));
  });
}

void App::LeaveInterrupted(const absl::Status& why) {
  LeaveSoon(kExitInterrupted);
  if (globals_.json) {
    console_.EndJson(ErrorMembers(why, Warnings(), kExitInterrupted));
  }
  LeaveNow(kExitInterrupted);
}

absl::StatusOr<UpdateSession*> App::Session() {
  if (!session_.has_value()) {
    SessionOptions options;
    options.client_application_id = globals_.client_id;
    USHER_ASSIGN_OR_RETURN(options.address, AddressOf(globals_));
    options.reconnect_timeout = absl::Seconds(globals_.timeout);
    USHER_ASSIGN_OR_RETURN(session_, UpdateSession::Open(options));
  }
  return &*session_;
}

}  // namespace usher::cli
