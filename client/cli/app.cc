#include "client/cli/app.h"

#include <utility>

#include "absl/time/time.h"
#include "common/error.h"

namespace usher::cli {

App::App(GlobalOptions globals)
    : globals_(std::move(globals)),
      console_(
          DetectConsole(globals_.json, globals_.quiet, globals_.no_color)) {}

absl::StatusOr<UpdateSession*> App::Session() {
  if (!session_.has_value()) {
    SessionOptions options;
    options.client_application_id = globals_.client_id;
    options.address = globals_.address;
    options.reconnect_timeout = absl::Seconds(globals_.timeout);
    USHER_ASSIGN_OR_RETURN(session_, UpdateSession::Open(options));
  }
  return &*session_;
}

}  // namespace usher::cli
