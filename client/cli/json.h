#ifndef USHER_CLIENT_CLI_JSON_H_
#define USHER_CLIENT_CLI_JSON_H_

// Shapes of --json; docs/cli.md documents them. Text is written as it is
// (JSON escapes control characters); bytes that are not UTF-8 become U+FFFD.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "client/cli/app.h"
#include "usher/update_session.h"

namespace usher::cli {

// The text of a value; never throws.
std::string Dump(const nlohmann::json& value);

// A report with `members` (an object) as its answer.
Report MakeReport(ExitCode exit_code, const nlohmann::json& members);

nlohmann::json IdentityJson(const UpdateIdentity& identity);
// What a list shows of an update.
nlohmann::json UpdateJson(const Update& update);
// Everything.
nlohmann::json FullUpdateJson(const Update& update);
nlohmann::json JobJson(const JobInfo& job);
nlohmann::json HistoryJson(const UpdateHistoryEntry& entry);
nlohmann::json ServiceJson(const UpdateService& service);
nlohmann::json SessionJson(const SessionInfo& session);
// Outcome of one update of an operation.
nlohmann::json ResultJson(const UpdateResult& result);
nlohmann::json WarningsJson(const std::vector<UpdateException>& warnings);

// The text of a value as the text of a member of another object.
std::string Indented(const std::string& text);
// What every answer ends with: "warnings" and "exit_code", as text.
std::string ClosingMembers(const std::vector<UpdateException>& warnings,
                           ExitCode exit_code);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_JSON_H_
