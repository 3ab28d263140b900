#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/publication.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

const std::vector<std::string>& Schemes() {
  static const auto* const kSchemes = new std::vector<std::string>{
      "ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"};
  return *kSchemes;
}

std::string CheckUuid(const std::string& text) {
  return CanonicalUuid(text).ok() ? "" : "must be a UUID";
}

struct InitArguments {
  std::string dir, name, service_id, keys, scheme = "ed25519", root_expires;
  PassphraseOptions passphrase;
};

absl::Status RunInit(const InitArguments& arguments, const Output& output) {
  const absl::Time now = PublicationTime();
  InitOptions options;
  options.service_name = arguments.name;
  if (!arguments.service_id.empty()) {
    USHER_ASSIGN_OR_RETURN(options.service_id,
                           CanonicalUuid(arguments.service_id));
  }
  options.keys = PathFromUtf8(arguments.keys);
  options.scheme = arguments.scheme;
  if (!arguments.root_expires.empty()) {
    options.root_expires = TimeOr(arguments.root_expires, now, now);
  }
  PassphraseSource passphrases = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(
      const InitResult result,
      InitRepository(PathFromUtf8(arguments.dir), options, passphrases, now));
  const std::string root = PathToUtf8(result.root);
  output.Result({{"service_id", result.service_id},
                 {"root", root},
                 {"root_sha256", result.root_sha256},
                 {"created_keys", result.created_keys},
                 {"encrypted", result.encrypted}});
  output.Line(absl::StrCat("Made the repository \"", arguments.name, "\" in ",
                           arguments.dir));
  output.Line(absl::StrCat("  service id   ", result.service_id));
  output.Line(absl::StrCat("  root         ", root));
  output.Line(absl::StrCat("  root SHA-256 ", result.root_sha256));
  if (!result.created_keys.empty()) {
    output.Line(absl::StrCat("  new keys     ",
                             absl::StrJoin(result.created_keys, ", "),
                             result.encrypted ? " (encrypted)" : ""));
    if (!result.encrypted) {
      output.Note(
          "the keys are not encrypted; keep their folder private, or make "
          "them with --ask-passphrase or --passphrase-file");
    }
  }
  output.Line(absl::StrCat(
      "Serve ", PathToUtf8(PathFromUtf8(arguments.dir) / "public"),
      " and register it on a machine with:\n  sudo usher services add URL "
      "--root ",
      root, " --id ", result.service_id));
  return absl::OkStatus();
}

void AddInit(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<InitArguments>();
  CLI::App* command =
      app.add_subcommand("init", "Make a repository: keys and root.json");
  AddDirectory(*command, arguments->dir);
  command->add_option("--name", arguments->name, "Shown name of the service")
      ->required();
  command
      ->add_option("--service-id", arguments->service_id,
                   "UUID of the service (default: a new one)")
      ->check(CheckUuid);
  command->add_option("--keys", arguments->keys,
                      "Folder of the private keys (default: DIR/keys); keys "
                      "that are there already are used");
  command->add_option("--scheme", arguments->scheme, "Kind of new keys")
      ->check(CLI::IsMember(Schemes()))
      ->capture_default_str();
  AddTime(*command, "--root-expires", arguments->root_expires,
          "When the root expires (default: in 2 years)");
  arguments->passphrase.AddTo(*command, true);
  AddJson(*command, output);
  command->footer(
      "Examples:\n"
      "  usher-publish init repo --name \"Example updates\"\n"
      "  usher-publish init repo --name Example --keys /media/stick/keys \\\n"
      "      --ask-passphrase");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunInit(*arguments, output); };
  });
}

struct KeysArguments {
  std::vector<std::string> files;
  std::string scheme = "ed25519";
  PassphraseOptions passphrase;
};

void PrintKey(const std::string& file, const tuf::PrivateKey& key,
              const Output& output, Json& list) {
  list.push_back({{"file", file},
                  {"key_id", key.key_id()},
                  {"scheme", key.public_key().scheme},
                  {"public", key.public_key().public_key}});
  output.Line(absl::StrCat(file, "\n  key id ", key.key_id(), "\n  scheme ",
                           key.public_key().scheme, "\n  public ",
                           key.public_key().public_key));
}

absl::Status RunKeys(const KeysArguments& arguments, bool create,
                     const Output& output) {
  PassphraseSource passphrases = arguments.passphrase.Source();
  Json list = Json::array();
  for (const std::string& file : arguments.files) {
    const auto path = PathFromUtf8(file);
    if (create) {
      USHER_ASSIGN_OR_RETURN(const std::string passphrase,
                             passphrases.ForNewKey());
      USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                             CreateKey(path, arguments.scheme, passphrase));
      PrintKey(file, key, output, list);
    } else {
      USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                             LoadKey(path, passphrases));
      PrintKey(file, key, output, list);
    }
  }
  output.Result({{"keys", list}});
  return absl::OkStatus();
}

absl::Status RunExport(const KeysArguments& arguments, const Output& output) {
  PassphraseSource passphrases = arguments.passphrase.Source();
  Json list = Json::array();
  for (const std::string& file : arguments.files) {
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           LoadKey(PathFromUtf8(file), passphrases));
    USHER_ASSIGN_OR_RETURN(const std::string pem, key.PublicPem());
    list.push_back({{"file", file}, {"key_id", key.key_id()}, {"pem", pem}});
    output.Line(absl::StripSuffix(pem, "\n"));
  }
  output.Result({{"keys", list}});
  return absl::OkStatus();
}

struct ImportArguments {
  std::string from, to, old_passphrase_file;
  PassphraseOptions passphrase;
};

absl::Status RunImport(const ImportArguments& arguments, const Output& output) {
  PassphraseSource old(PathFromUtf8(arguments.old_passphrase_file), false);
  PassphraseSource fresh = arguments.passphrase.Source();
  USHER_ASSIGN_OR_RETURN(const std::string passphrase, fresh.ForNewKey());
  USHER_ASSIGN_OR_RETURN(
      const tuf::PrivateKey key,
      ImportKey(PathFromUtf8(arguments.from), PathFromUtf8(arguments.to), old,
                passphrase));
  Json list = Json::array();
  PrintKey(arguments.to, key, output, list);
  output.Result({{"keys", list}});
  return absl::OkStatus();
}

void AddImport(CLI::App& group, Output& output, Action& action) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = group.add_subcommand(
      "import", "Take over a private key that another tool made");
  command
      ->add_option("FILE", arguments->from,
                   "PEM: PKCS#8, PKCS#1 or SEC1; ed25519, ECDSA P-256 or RSA")
      ->required();
  command->add_option("--out", arguments->to, "The new file, named ROLE.pem")
      ->required();
  command->add_option("--old-passphrase-file", arguments->old_passphrase_file,
                      "File whose first line opens FILE; without it "
                      "USHER_PASSPHRASE, then the terminal");
  arguments->passphrase.AddTo(*command, true);
  AddJson(*command, output);
  command->footer(
      "FILE stays as it is.\n"
      "Example:\n"
      "  usher-publish keys import old.pem --out keys/targets.pem "
      "--ask-passphrase");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunImport(*arguments, output); };
  });
}

void AddExport(CLI::App& group, Output& output, Action& action) {
  auto arguments = std::make_shared<KeysArguments>();
  CLI::App* command = group.add_subcommand(
      "export", "Print the public half of keys, for handing to others");
  command->add_option("FILE", arguments->files, "PEM files")->required();
  arguments->passphrase.AddTo(*command, false);
  AddJson(*command, output);
  command->footer(
      "Example:\n  usher-publish keys export bob.pem > bob.pub.pem");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunExport(*arguments, output); };
  });
}

void AddKeys(CLI::App& app, Output& output, Action& action) {
  CLI::App* group = app.add_subcommand("keys", "Make and show private keys");
  group->require_subcommand(1);
  group->footer(
      "Examples:\n"
      "  usher-publish keys create keys/root.pem --ask-passphrase\n"
      "  usher-publish keys show repo/keys/*.pem");
  AddExport(*group, output, action);
  AddImport(*group, output, action);
  for (const bool create : {true, false}) {
    auto arguments = std::make_shared<KeysArguments>();
    CLI::App* command =
        create ? group->add_subcommand("create", "Make private keys")
               : group->add_subcommand("show", "Show the public half of keys");
    command->add_option("FILE", arguments->files, "PEM files, named ROLE.pem")
        ->required();
    if (create) {
      command->add_option("--scheme", arguments->scheme, "Kind of new keys")
          ->check(CLI::IsMember(Schemes()))
          ->capture_default_str();
    }
    arguments->passphrase.AddTo(*command, create);
    AddJson(*command, output);
    command->footer(create ? "Example:\n  usher-publish keys create "
                             "keys/timestamp.pem --scheme ecdsa-sha2-nistp256"
                           : "Example:\n  usher-publish keys show "
                             "repo/keys/root.pem");
    command->callback([arguments, create, &output, &action] {
      action = [arguments, create, &output] {
        return RunKeys(*arguments, create, output);
      };
    });
  }
}

}  // namespace

void AddKeyCommands(CLI::App& app, Output& output, Action& action) {
  AddInit(app, output, action);
  AddKeys(app, output, action);
}

}  // namespace usher::publisher::cli
