#include "publisher/cli/timestamp_commands.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/human_time.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kDay = absl::Hours(24);
// When a cron job's mail must not be overlooked any more.
constexpr absl::Duration kUrgent = absl::Hours(24 * 7);

struct Arguments {
  std::string dir, expires;
  PassphraseOptions passphrase;
};

// Notes that `what` expires, if it does within `soon`. Whether it is urgent.
bool Warn(const std::string& what, absl::Time expires, absl::Duration soon,
          absl::Time now, const std::string& remedy, const Output& output) {
  if (expires >= now + soon) return false;
  output.Note(
      absl::StrCat(what, expires <= now ? " has expired, on " : " expires on ",
                   FormatUtc(expires), "; ", remedy));
  return expires < now + kUrgent;
}

// When the first of the vendors' documents expires; null without any.
Json VendorsExpire(const PublishResult& result) {
  return result.first_vendor.empty() ? Json()
                                     : Json(FormatUtc(result.vendors_expire));
}

absl::Status RunRefresh(const Arguments& arguments, Output& output) {
  const absl::Time now = PublicationTime();
  USHER_ASSIGN_OR_RETURN(
      const absl::Time expires,
      TimeOr(arguments.expires, now, Expiries::Default(now).timestamp));
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(const PublishResult result,
                         RefreshTimestamp(workspace, expires, passphrases));
  output.Result({{"timestamp_version", result.timestamp_version},
                 {"timestamp_expires", FormatUtc(result.timestamp_expires)},
                 {"root_expires", FormatUtc(result.root_expires)},
                 {"targets_expires", FormatUtc(result.targets_expires)},
                 {"vendors_expire", VendorsExpire(result)},
                 {"damaged_vendors", result.damaged_vendors}});
  output.Line(absl::StrCat("Signed timestamp ", result.timestamp_version,
                           ", valid until ",
                           FormatUtc(result.timestamp_expires)));
  if (WarnOfExpiry(result, now, arguments.dir, output)) {
    output.exit_code = kRemarksExitCode;
  }
  return absl::OkStatus();
}

absl::Status RunRenewRoot(const Arguments& arguments, Output& output) {
  const absl::Time now = PublicationTime();
  USHER_ASSIGN_OR_RETURN(const absl::Time expires,
                         TimeOr(arguments.expires, now, now + 730 * kDay));
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(const PublishResult result,
                         RenewRoot(workspace, expires, passphrases));
  const int64_t timestamp = Announce(workspace, passphrases, now, output);
  Json json = {{"root_version", result.root_version},
               {"root_expires", FormatUtc(result.root_expires)}};
  if (timestamp > 0) json["timestamp_version"] = timestamp;
  output.Result(json);
  output.Line(absl::StrCat("Signed root ", result.root_version,
                           ", valid until ", FormatUtc(result.root_expires)));
  return absl::OkStatus();
}

}  // namespace

bool WarnOfExpiry(const PublishResult& result, absl::Time now,
                  const std::string& dir, const Output& output) {
  bool urgent = false;
  if (result.root_version > 0) {
    urgent |= Warn("the root", result.root_expires, 30 * kDay, now,
                   absl::StrCat("run \"usher-publish renew-root ", dir, "\""),
                   output);
  }
  if (result.targets_version > 0) {
    urgent |=
        Warn("the first of the targets and the snapshot",
             result.targets_expires, 14 * kDay, now,
             absl::StrCat("run \"usher-publish publish ", dir, "\""), output);
  }
  if (!result.first_vendor.empty()) {
    urgent |= Warn(
        absl::StrCat("the document of vendor ", result.first_vendor),
        result.vendors_expire, 14 * kDay, now,
        "have the vendor publish again, take its folder, and publish", output);
  }
  for (const std::string& vendor : result.damaged_vendors) {
    output.Note(absl::StrCat("the document of vendor ", vendor,
                             " is missing or is not what was signed; take its "
                             "folder again, and publish"));
    urgent = true;
  }
  return urgent;
}

int64_t Announce(Workspace& workspace, PassphraseSource& passphrases,
                 absl::Time now, const Output& output) {
  passphrases.AskNoMore();
  const auto announced = AnnounceRoot(workspace, passphrases, now);
  if (announced.ok()) {
    return announced->has_value() ? (*announced)->timestamp_version : 0;
  }
  output.Note(absl::StrCat(
      "the timestamp is the old one, so that clients find the root within an "
      "hour or so; \"usher-publish refresh-timestamp ",
      PathToUtf8(workspace.dir()), "\" tells them at once (",
      announced.status().message(), ")"));
  return 0;
}

void AddTimestampCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* command = nullptr;
  auto refresh =
      AddCommand(app, output, action, "refresh-timestamp",
                 "Sign a new timestamp for what is public (for cron)", command,
                 &RunRefresh);
  AddDirectory(*command, refresh->dir);
  AddTime(*command, "--expires", refresh->expires,
          "When it expires (default: in 14 days)");
  refresh->passphrase.AddTo(*command, false);
  command->footer(
      "Example, daily; only remarks and errors are mailed:\n"
      "  17 4 * * * usher-publish refresh-timestamp /srv/repo >/dev/null\n"
      "Exit codes: 0 done; 4 done, but another document expires within 7 days, "
      "or has\nexpired (standard error says which); 1 failed, 2 usage.");

  auto renew = AddCommand(app, output, action, "renew-root",
                          "Sign the next root.json with a new expiry", command,
                          &RunRenewRoot);
  AddDirectory(*command, renew->dir);
  AddTime(*command, "--expires", renew->expires,
          "When it expires (default: in 2 years)");
  renew->passphrase.AddTo(*command, false);
  command->footer(
      "Clients follow to the new root by themselves. The timestamp is signed "
      "anew\nwith it, if its key can be used without asking for another "
      "passphrase.\n"
      "Example:\n  usher-publish renew-root repo --expires \"in 2 years\"");
}

}  // namespace usher::publisher::cli
