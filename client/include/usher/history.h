#ifndef USHER_HISTORY_H_
#define USHER_HISTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/hresult.h"
#include "usher/collection.h"
#include "usher/types.h"

namespace usher {

// One attempt to install or uninstall one update (IUpdateHistoryEntry2).
struct UpdateHistoryEntry {
  // Name and type of a category the update was in.
  struct CategoryName {
    std::string category_id;
    std::string name;
    std::string type;
  };
  UpdateOperation operation = UpdateOperation::kUnspecified;
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  HResult hresult = 0;
  absl::Time date;
  UpdateIdentity update_identity;
  std::string title;
  std::string description;
  // The installer's own code when it was not an HRESULT, else 0 (UAMG-212).
  int32_t unmapped_result_code = 0;
  std::string client_application_id;
  ServerSelection server_selection = ServerSelection::kDefault;
  std::string service_id;
  std::vector<std::string> uninstallation_steps;
  std::string uninstallation_notes;
  std::string support_url;
  std::vector<CategoryName> categories;
  std::string message;  // why it failed; an Usher extension
  std::string version;  // an Usher extension
};

// IUpdateHistoryEntryCollection; read-only, newest first (UAMG-202).
using UpdateHistoryEntryCollection = Collection<UpdateHistoryEntry>;

}  // namespace usher

#endif  // USHER_HISTORY_H_
