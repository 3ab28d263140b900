#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/vendor_intake.h"
#include "publisher/vendor_publication.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string dir, name, service_id, service_name, key_dir, from, key;
  std::string scheme = "ed25519";
  std::vector<std::string> keys;
  int64_t threshold = 1;
  PassphraseOptions passphrase;
};

using Run = absl::Status (*)(const Arguments&, const Output&);

std::string CheckUuid(const std::string& text) {
  return CanonicalUuid(text).ok() ? "" : "must be a UUID";
}

std::string CheckName(const std::string& text) {
  return CheckVendorName(text).ok()
             ? ""
             : std::string(CheckVendorName(text).message());
}

absl::StatusOr<std::vector<tuf::Key>> PublicKeys(const Arguments& arguments) {
  PassphraseSource passphrases = arguments.passphrase.Source();
  std::vector<tuf::Key> keys;
  keys.reserve(arguments.keys.size());
  for (const std::string& file : arguments.keys) {
    USHER_ASSIGN_OR_RETURN(tuf::Key key,
                           LoadPublicKey(PathFromUtf8(file), passphrases));
    keys.push_back(std::move(key));
  }
  return keys;
}

absl::StatusOr<Workspace> OpenToWrite(const Arguments& arguments) {
  return Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite);
}

absl::Status RunInit(const Arguments& arguments, const Output& output) {
  VendorInitOptions options;
  options.vendor = arguments.name;
  options.service_id = arguments.service_id;
  options.service_name = arguments.service_name;
  options.keys = PathFromUtf8(arguments.key_dir);
  options.scheme = arguments.scheme;
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(
      const VendorInitResult result,
      InitVendor(PathFromUtf8(arguments.dir), options, passphrases));
  const std::string key = PathToUtf8(result.key);
  output.Result({{"vendor", arguments.name},
                 {"key", key},
                 {"key_id", result.key_id},
                 {"created", result.created},
                 {"encrypted", result.encrypted}});
  output.Line(absl::StrCat("Made the folder of vendor ", arguments.name, " in ",
                           arguments.dir));
  output.Line(absl::StrCat("  key    ", key,
                           result.created ? "" : " (was there)",
                           result.encrypted ? " (encrypted)" : ""));
  output.Line(absl::StrCat("  key id ", result.key_id));
  if (result.created && !result.encrypted) {
    output.Note(
        "the key is not encrypted; keep its folder private, or make it with "
        "--ask-passphrase or --passphrase-file");
  }
  output.Line(
      absl::StrCat("Hand its public half to the repository:\n"
                   "  usher-publish keys export ",
                   key, " > ", arguments.name, ".pub.pem"));
  return absl::OkStatus();
}

absl::Status RunAdd(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(std::vector<tuf::Key> keys, PublicKeys(arguments));
  USHER_ASSIGN_OR_RETURN(Workspace workspace, OpenToWrite(arguments));
  USHER_RETURN_IF_ERROR(AddVendor(workspace, arguments.name, std::move(keys),
                                  arguments.threshold));
  output.Result({{"vendor", arguments.name},
                 {"folder", VendorFolder(arguments.name)},
                 {"service_id", workspace.settings().service_id}});
  output.Line(absl::StrCat("Added vendor ", arguments.name, ", who speaks for ",
                           VendorFolder(arguments.name), "*."));
  output.Line(absl::StrCat(
      "When it has published, take its folder in:\n  usher-publish vendor "
      "take ",
      arguments.dir, " ", arguments.name, " FOLDER"));
  return absl::OkStatus();
}

absl::Status RunSetKeys(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(std::vector<tuf::Key> keys, PublicKeys(arguments));
  USHER_ASSIGN_OR_RETURN(Workspace workspace, OpenToWrite(arguments));
  USHER_RETURN_IF_ERROR(SetVendorKeys(workspace, arguments.name,
                                      std::move(keys), arguments.threshold));
  output.Result({{"vendor", arguments.name},
                 {"keys", arguments.keys.size()},
                 {"threshold", arguments.threshold}});
  output.Line(absl::StrCat("Vendor ", arguments.name, " has ",
                           arguments.keys.size(), " keys now, ",
                           arguments.threshold,
                           " of which must sign. Take what it has signed with "
                           "them, and publish."));
  return absl::OkStatus();
}

absl::Status RunRemove(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(Workspace workspace, OpenToWrite(arguments));
  USHER_RETURN_IF_ERROR(RemoveVendor(workspace, arguments.name));
  output.Result({{"vendor", arguments.name}, {"removed", true}});
  output.Line(absl::StrCat("Removed vendor ", arguments.name,
                           ". Make it public with: usher-publish publish ",
                           arguments.dir));
  return absl::OkStatus();
}

absl::Status RunList(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      const Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kRead));
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  Json list = Json::array();
  for (const Vendor& vendor : workspace.settings().vendors) {
    if (vendor.removed) continue;
    Json ids = Json::array();
    for (const tuf::Key& key : vendor.keys) ids.push_back(tuf::KeyId(key));
    output.Line(
        absl::StrFormat("%-24s version %-6d %d of %d keys%s", vendor.name,
                        vendor.version, vendor.threshold, vendor.keys.size(),
                        vendor.version == 0 ? ", nothing taken yet" : ""));
    list.push_back({{"name", vendor.name},
                    {"folder", VendorFolder(vendor.name)},
                    {"version", vendor.version},
                    {"threshold", vendor.threshold},
                    {"key_ids", std::move(ids)}});
  }
  if (list.empty()) output.Line("The repository has no vendors.");
  output.Result({{"vendors", std::move(list)}});
  return absl::OkStatus();
}

absl::Status RunTake(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(Workspace workspace, OpenToWrite(arguments));
  USHER_ASSIGN_OR_RETURN(
      const VendorIntake intake,
      TakeVendor(workspace, arguments.name, PathFromUtf8(arguments.from),
                 PublicationTime()));
  output.Result({{"changed", intake.changed},
                 {"version", intake.version},
                 {"expires", FormatUtc(intake.expires)},
                 {"catalogs", intake.catalogs},
                 {"catalogs_new", intake.catalogs_new},
                 {"updates_checked", intake.updates},
                 {"payloads_new", intake.payloads_new},
                 {"bytes", intake.bytes}});
  if (!intake.changed) {
    output.Line(absl::StrCat("Nothing new: version ", intake.version,
                             " was taken already."));
    return absl::OkStatus();
  }
  output.Line(absl::StrCat(
      "Took version ", intake.version, " of vendor ", arguments.name, ": ",
      Counted(intake.catalogs_new, "new catalog"), " of ", intake.catalogs,
      ", ", Counted(intake.payloads_new, "new payload"), ", ",
      Counted(intake.bytes, "byte"), ", valid until ",
      FormatUtc(intake.expires)));
  output.Line(absl::StrCat("Make it public with: usher-publish publish ",
                           arguments.dir));
  return absl::OkStatus();
}

absl::Status RunSign(const Arguments& arguments, const Output& output) {
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                         LoadKey(PathFromUtf8(arguments.key), passphrases));
  USHER_ASSIGN_OR_RETURN(const Workspace workspace, OpenToWrite(arguments));
  USHER_RETURN_IF_ERROR(AddVendorSignature(workspace, key));
  output.Result(
      {{"vendor", workspace.settings().vendor}, {"signed_by", key.key_id()}});
  output.Line(absl::StrCat("Signed with key ", key.key_id()));
  return absl::OkStatus();
}

// A subcommand with DIR and --json.
std::pair<CLI::App*, std::shared_ptr<Arguments>> Add(
    CLI::App& group, Output& output, Action& action, const std::string& name,
    const std::string& help, Run run) {
  CLI::App* command = nullptr;
  auto arguments = AddCommand(group, output, action, name, help, command, run);
  AddDirectory(*command, arguments->dir);
  return {command, std::move(arguments)};
}

void AddName(CLI::App& command, std::string& name) {
  command.add_option("NAME", name, "The vendor's name")
      ->required()
      ->check(CheckName);
}

void AddKeys(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--key", arguments.keys,
                  "PEM file of a key that may sign, of which the public half "
                  "(\"keys export\")\nis enough; repeatable")
      ->required()
      ->allow_extra_args(false);
  arguments.passphrase.AddTo(command, false);
  command
      .add_option("--threshold", arguments.threshold,
                  "How many of them must sign")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

void AddInitCommand(CLI::App& group, Output& output, Action& action) {
  auto [command, arguments] =
      Add(group, output, action, "init",
          "Make a vendor's own folder, with a key of its own", &RunInit);
  command->add_option("--vendor", arguments->name, "The vendor's name")
      ->required()
      ->check(CheckName);
  command
      ->add_option("--service-id", arguments->service_id,
                   "Service id of the repository")
      ->required()
      ->check(CheckUuid);
  command
      ->add_option("--name", arguments->service_name,
                   "Shown name of the repository")
      ->required();
  command->add_option("--keys", arguments->key_dir,
                      "Folder of the private key (default: DIR/keys); a key "
                      "NAME.pem that is there already is used");
  command->add_option("--scheme", arguments->scheme, "Kind of a new key")
      ->check(CLI::IsMember(
          {"ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"}))
      ->capture_default_str();
  arguments->passphrase.AddTo(*command, true);
  command->footer(
      "add, add-deb, remove, list, show and publish work in it as in a "
      "repository.\n"
      "Example:\n"
      "  usher-publish vendor init acme --vendor acme \\\n"
      "      --service-id 11111111-2222-4333-8444-555555555555 \\\n"
      "      --name \"Example updates\"");
}

}  // namespace

void AddVendorCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* group = app.add_subcommand(
      "vendor", "Let others publish catalogs with keys of their own");
  group->require_subcommand(1);
  group->footer(
      "At the vendor's:\n"
      "  usher-publish vendor init acme --vendor acme --service-id ID --name "
      "N\n"
      "  usher-publish keys export acme/keys/acme.pem > acme.pub.pem\n"
      "  usher-publish add acme tool.toml && usher-publish publish acme\n"
      "At the repository:\n"
      "  usher-publish vendor add repo acme --key acme.pub.pem\n"
      "  usher-publish vendor take repo acme /incoming/acme\n"
      "  usher-publish publish repo");
  AddInitCommand(*group, output, action);
  {
    auto [command, arguments] = Add(*group, output, action, "add",
                                    "Delegate a folder to a vendor", &RunAdd);
    AddName(*command, arguments->name);
    AddKeys(*command, *arguments);
    command->footer(
        "Example:\n"
        "  usher-publish vendor add repo acme --key a.pub.pem --key b.pub.pem "
        "\\\n      --threshold 2");
  }
  {
    auto [command, arguments] =
        Add(*group, output, action, "set-keys",
            "Replace the keys that sign for a vendor", &RunSetKeys);
    AddName(*command, arguments->name);
    AddKeys(*command, *arguments);
    command->footer(
        "Example:\n"
        "  usher-publish vendor set-keys repo acme --key new.pub.pem");
  }
  {
    auto [command, arguments] =
        Add(*group, output, action, "remove",
            "Take a vendor's delegation and its updates away", &RunRemove);
    AddName(*command, arguments->name);
    command->footer("Example:\n  usher-publish vendor remove repo acme");
  }
  Add(*group, output, action, "list", "The vendors, by priority", &RunList)
      .first->footer("Example:\n  usher-publish vendor list repo --json");
  {
    auto [command, arguments] =
        Add(*group, output, action, "take",
            "Check and take in what a vendor has published", &RunTake);
    AddName(*command, arguments->name);
    command
        ->add_option("FROM", arguments->from,
                     "The vendor's folder, or its public/ folder")
        ->required();
    command->footer(
        "Needs no key. Clients see it after the next \"publish\", which needs "
        "those of\nsnapshot and timestamp, and of targets for a vendor's "
        "first version.\n"
        "Example:\n  usher-publish vendor take repo acme /incoming/acme");
  }
  {
    auto [command, arguments] =
        Add(*group, output, action, "sign",
            "Add another signature to a vendor's last document", &RunSign);
    command->add_option("--key", arguments->key, "PEM file of the private key")
        ->required();
    arguments->passphrase.AddTo(*command, false);
    command->footer(
        "For vendors with a threshold above one; run it in the vendor's "
        "folder.\n"
        "Example:\n  usher-publish vendor sign acme --key bob.pem");
  }
}

}  // namespace usher::publisher::cli
