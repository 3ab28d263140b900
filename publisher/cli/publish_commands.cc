#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/publication.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string dir, expires, targets, snapshot, timestamp;
  bool renew = false;
  bool dry_run = false;
  int keep = 5;
  int64_t targets_version = 1;
  PassphraseOptions passphrase;
};

// Null for a document that a vendor's folder does not have.
Json TimeOrNull(int64_t version, absl::Time time) {
  return version == 0 ? Json() : Json(FormatUtc(time));
}

void WarnOfExpiry(const PublishResult& result, absl::Time now,
                  const std::string& dir, const Output& output) {
  const absl::Duration soon = absl::Hours(24 * 30);
  if (result.root_version > 0 && result.root_expires < now + soon) {
    output.Note(absl::StrCat("the root expires on ",
                             FormatUtc(result.root_expires),
                             "; run \"usher-publish renew-root ", dir, "\""));
  }
  if (result.targets_version > 0 &&
      result.targets_expires < now + absl::Hours(24 * 14)) {
    output.Note(absl::StrCat("the targets or the snapshot expire on ",
                             FormatUtc(result.targets_expires),
                             "; run \"usher-publish publish ", dir, "\""));
  }
  if (result.vendors_expire < now + absl::Hours(24 * 14)) {
    output.Note(absl::StrCat("a vendor's document expires on ",
                             FormatUtc(result.vendors_expire),
                             "; have it publish again, and take its folder"));
  }
}

Json ToJson(const PublishResult& result) {
  return {
      {"changed", result.changed},
      {"updates", result.updates},
      {"payloads_published", result.payloads_moved},
      {"payloads_absent", result.payloads_absent},
      {"catalog_files", result.catalog_files},
      {"catalog_bytes", result.catalog_bytes},
      {"bytes_written", result.bytes_written},
      {"catalog_sha256", result.catalog_sha256},
      {"root_version", result.root_version},
      {"targets_version", result.targets_version},
      {"snapshot_version", result.snapshot_version},
      {"timestamp_version", result.timestamp_version},
      {"root_expires", TimeOrNull(result.root_version, result.root_expires)},
      {"targets_expires", FormatUtc(result.targets_expires)},
      {"timestamp_expires",
       TimeOrNull(result.timestamp_version, result.timestamp_expires)}};
}

// What a publication says of itself.
std::string Summary(const PublishResult& result, bool vendor) {
  const std::string versions =
      vendor ? absl::StrCat("version ", result.targets_version, " until ",
                            FormatUtc(result.targets_expires))
             : absl::StrCat("targets ", result.targets_version, ", snapshot ",
                            result.snapshot_version, ", timestamp ",
                            result.timestamp_version, " until ",
                            FormatUtc(result.timestamp_expires));
  if (!result.changed) {
    return absl::StrCat(
        "Nothing has changed: ", Counted(result.updates, "update"),
        result.updates == 1 ? " is" : " are", " public (", versions, ")");
  }
  return absl::StrCat("Published ", Counted(result.updates, "update"), " (",
                      Counted(result.catalog_files, "catalog"), ", ",
                      Counted(result.catalog_bytes, "byte"), ", ",
                      Counted(result.payloads_moved, "new payload"),
                      "): ", versions);
}

absl::Status RunPublish(const Arguments& arguments, const Output& output) {
  const absl::Time now = PublicationTime();
  PublishOptions options;
  options.expires = Expiries::Default(now);
  options.expires.targets =
      TimeOr(arguments.targets, now, options.expires.targets);
  options.expires.snapshot =
      TimeOr(arguments.snapshot, now, options.expires.snapshot);
  options.expires.timestamp =
      TimeOr(arguments.timestamp, now, options.expires.timestamp);
  options.renew = arguments.renew;
  options.keep = arguments.keep;
  options.min_targets_version = arguments.targets_version;
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(const PublishResult result,
                         Publish(workspace, options, passphrases, now));
  output.Result(ToJson(result));
  output.Line(Summary(result, !workspace.settings().vendor.empty()));
  if (result.payloads_absent > 0) {
    output.Note(absl::StrCat(result.payloads_absent,
                             " payloads were left out on purpose; downloading "
                             "them fails with 404"));
  }
  WarnOfExpiry(result, now, arguments.dir, output);
  return absl::OkStatus();
}

absl::Status RunRefresh(const Arguments& arguments, const Output& output) {
  const absl::Time now = PublicationTime();
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(
      const PublishResult result,
      RefreshTimestamp(
          workspace,
          TimeOr(arguments.expires, now, Expiries::Default(now).timestamp),
          passphrases));
  output.Result({{"timestamp_version", result.timestamp_version},
                 {"timestamp_expires", FormatUtc(result.timestamp_expires)}});
  output.Line(absl::StrCat("Signed timestamp ", result.timestamp_version,
                           ", valid until ",
                           FormatUtc(result.timestamp_expires)));
  WarnOfExpiry(result, now, arguments.dir, output);
  return absl::OkStatus();
}

absl::Status RunRenewRoot(const Arguments& arguments, const Output& output) {
  const absl::Time now = PublicationTime();
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(
      const PublishResult result,
      RenewRoot(workspace,
                TimeOr(arguments.expires, now, now + absl::Hours(24 * 730)),
                passphrases));
  output.Result({{"root_version", result.root_version},
                 {"root_expires", FormatUtc(result.root_expires)}});
  output.Line(absl::StrCat("Signed root ", result.root_version,
                           ", valid until ", FormatUtc(result.root_expires)));
  return absl::OkStatus();
}

absl::Status RunGc(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(const PayloadStore::Garbage garbage,
                         CollectGarbage(workspace, arguments.dry_run));
  output.Result({{"files", garbage.files},
                 {"bytes", garbage.bytes},
                 {"locations", garbage.locations},
                 {"removed", !arguments.dry_run}});
  for (const std::string& location : garbage.locations) output.Line(location);
  output.Line(absl::StrCat(arguments.dry_run ? "Would remove " : "Removed ",
                           garbage.files, " files, ", garbage.bytes, " bytes"));
  return absl::OkStatus();
}

std::shared_ptr<Arguments> Add(CLI::App& app, Output& output, Action& action,
                               const std::string& name, const std::string& help,
                               CLI::App*& command,
                               absl::Status (*run)(const Arguments&,
                                                   const Output&)) {
  auto arguments = std::make_shared<Arguments>();
  command = app.add_subcommand(name, help);
  AddDirectory(*command, arguments->dir);
  AddJson(*command, output);
  command->callback([arguments, run, &output, &action] {
    action = [arguments, run, &output] { return run(*arguments, output); };
  });
  return arguments;
}

}  // namespace

void AddPublishCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* command = nullptr;
  auto publish =
      Add(app, output, action, "publish",
          "Sign what was added and make it public", command, &RunPublish);
  AddTime(*command, "--expires-targets", publish->targets,
          "When the targets expire (default: in 90 days)");
  AddTime(*command, "--expires-snapshot", publish->snapshot,
          "When the snapshot expires (default: in 90 days)");
  AddTime(*command, "--expires-timestamp", publish->timestamp,
          "When the timestamp expires (default: in 14 days)");
  command->add_flag("--renew", publish->renew,
                    "Sign everything afresh, changed or not");
  command
      ->add_option("--keep", publish->keep,
                   "Old versions of the metadata to keep for readers")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--targets-version", publish->targets_version,
                   "Give the targets this version at least: after a folder was "
                   "restored from\nan old backup, or a vendor's key was stolen")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 53));
  publish->passphrase.AddTo(*command, false);
  command->footer(
      "Examples:\n"
      "  usher-publish publish repo\n"
      "  usher-publish publish repo --expires-targets \"in 90 days\" \\\n"
      "      --expires-timestamp \"2 weeks\"\n"
      "Exit codes: 0 done or nothing to do, 1 failed, 2 usage.");

  auto refresh = Add(app, output, action, "refresh-timestamp",
                     "Sign a new timestamp for what is public (for cron)",
                     command, &RunRefresh);
  AddTime(*command, "--expires", refresh->expires,
          "When it expires (default: in 14 days)");
  refresh->passphrase.AddTo(*command, false);
  command->footer(
      "Example, daily:\n"
      "  17 4 * * * usher-publish refresh-timestamp /srv/repo");

  auto renew =
      Add(app, output, action, "renew-root",
          "Sign the next root.json with a new expiry", command, &RunRenewRoot);
  AddTime(*command, "--expires", renew->expires,
          "When it expires (default: in 2 years)");
  renew->passphrase.AddTo(*command, false);
  command->footer(
      "Clients follow to the new root by themselves.\n"
      "Example:\n  usher-publish renew-root repo --expires \"in 2 years\"");

  auto gc =
      Add(app, output, action, "gc",
          "Remove payloads that no update names any more", command, &RunGc);
  command->add_flag("-n,--dry-run", gc->dry_run, "Only say what would go");
  command->footer("Example:\n  usher-publish gc repo --dry-run");
}

}  // namespace usher::publisher::cli
