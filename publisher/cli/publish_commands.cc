#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/cli/timestamp_commands.h"
#include "publisher/human_time.h"
#include "publisher/publication.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string dir, targets, snapshot, timestamp, keep_for;
  bool renew = false;
  bool dry_run = false;
  int keep = 5;
  int64_t min_version = 1;
  PassphraseOptions passphrase;
};

// Null for a document that a vendor's folder does not have.
Json TimeOrNull(int64_t version, absl::Time time) {
  return version == 0 ? Json() : Json(FormatUtc(time));
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
  USHER_ASSIGN_OR_RETURN(
      options.expires.targets,
      TimeOr(arguments.targets, now, options.expires.targets));
  USHER_ASSIGN_OR_RETURN(
      options.expires.snapshot,
      TimeOr(arguments.snapshot, now, options.expires.snapshot));
  USHER_ASSIGN_OR_RETURN(
      options.expires.timestamp,
      TimeOr(arguments.timestamp, now, options.expires.timestamp));
  options.renew = arguments.renew;
  options.keep.versions = arguments.keep;
  USHER_ASSIGN_OR_RETURN(options.keep.age,
                         SpanOr(arguments.keep_for, options.keep.age));
  options.min_version = arguments.min_version;
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
  if (!result.missing_roots.empty()) {
    output.Note(absl::StrCat(
        absl::StrJoin(result.missing_roots, ", "), " are not in ",
        PathToUtf8(workspace.metadata_dir()),
        ", so that clients that were given an older root cannot follow; "
        "restore all *.root.json from a backup or from the web server"));
  }
  static_cast<void>(WarnOfExpiry(result, now, arguments.dir, output));
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

}  // namespace

void AddPublishCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* command = nullptr;
  auto publish = AddCommand(app, output, action, "publish",
                            "Sign what was added and make it public", command,
                            &RunPublish);
  AddDirectory(*command, publish->dir);
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
  AddSpan(*command, "--keep-for", publish->keep_for,
          "And all that were public within this time (default: 1 day); 0: only "
          "--keep counts");
  command
      ->add_option("--min-version", publish->min_version,
                   "Give what is signed (targets, snapshot and timestamp, or a "
                   "vendor's document)\nthis version at least: after a folder "
                   "was restored from an old backup, or a\nvendor's key was "
                   "stolen")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 53));
  publish->passphrase.AddTo(*command, false);
  command->footer(
      "Examples:\n"
      "  usher-publish publish repo\n"
      "  usher-publish publish repo --expires-targets \"in 90 days\" \\\n"
      "      --expires-timestamp \"2 weeks\"\n"
      "Exit codes: 0 done or nothing to do, 1 failed, 2 usage.");

  auto gc = AddCommand(app, output, action, "gc",
                       "Remove payloads that no update names any more", command,
                       &RunGc);
  AddDirectory(*command, gc->dir);
  command->add_flag("-n,--dry-run", gc->dry_run, "Only say what would go");
  command->footer("Example:\n  usher-publish gc repo --dry-run");
}

}  // namespace usher::publisher::cli
