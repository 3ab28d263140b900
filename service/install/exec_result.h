#ifndef USHER_SERVICE_INSTALL_EXEC_RESULT_H_
#define USHER_SERVICE_INSTALL_EXEC_RESULT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "service/install/handler.h"
#include "service/platform/process.h"

namespace usher::repository::v1 {
class ExecHandler;
}  // namespace usher::repository::v1

namespace usher::install {

// What the end of a vendor's installer means: its exit code what the publisher
// says, else
//
//   0       done
//   3010    done, a restart is needed
//   1641    the same, and it has begun (also where the publisher says the same)
//   others  WU_E_UH_INSTALLERFAILURE
//
// A failure keeps the code (128 and its number for a signal), and its message
// has the end of what the installer said. `subject` names the update.
ApplyResult ExecResult(Operation operation,
                       const repository::v1::ExecHandler& exec,
                       const platform::ProcessResult& result,
                       absl::string_view subject);

// "; it said: …", or "" if it said nothing.
std::string QuoteInstaller(const platform::ProcessResult& result);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_EXEC_RESULT_H_
