#ifndef USHER_CLIENT_CLI_UPDATE_VIEW_H_
#define USHER_CLIENT_CLI_UPDATE_VIEW_H_

#include <string>
#include <vector>

#include "client/cli/console.h"
#include "usher/update.h"

namespace usher::cli {

// Columns of a list of updates; with UpdateIDs when `long_rows`.
std::vector<std::string> UpdateHeader(bool long_rows);
std::vector<Span> UpdateRow(const Update& update, bool long_rows);

// "hello 2.10", or the title when there is no name.
std::string Label(const Update& update);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_UPDATE_VIEW_H_
