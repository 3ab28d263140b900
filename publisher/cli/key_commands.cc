#include <CLI/CLI.hpp>
#include <filesystem>
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
#include "publisher/key_import.h"
#include "publisher/key_ring.h"
#include "publisher/repository_init.h"

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
  std::string root_draft;
  std::vector<std::string> root_keys;
  int64_t root_threshold = 1;
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
    USHER_ASSIGN_OR_RETURN(options.root_expires,
                           TimeOr(arguments.root_expires, now, now));
  }
  PassphraseSource passphrases = arguments.passphrase.Source();
  for (const std::string& file : arguments.root_keys) {
    USHER_ASSIGN_OR_RETURN(tuf::Key key,
                           LoadPublicKey(PathFromUtf8(file), passphrases));
    options.root_keys.push_back(std::move(key));
  }
  options.root_threshold = arguments.root_threshold;
  options.root_draft = PathFromUtf8(arguments.root_draft);
  std::error_code error;
  if (std::filesystem::exists(options.root_draft, error)) {
    return Error(hr::kWuEDuplicateItem,
                 absl::StrCat(arguments.root_draft, " exists already"),
                 arguments.root_draft);
  }
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
  output.Line(absl::StrCat("  root         ", root,
                           options.root_keys.empty() ? "" : " (a draft)"));
  if (options.root_keys.empty()) {
    output.Line(absl::StrCat("  root SHA-256 ", result.root_sha256));
  }
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
  if (!options.root_keys.empty()) {
    output.Line(absl::StrCat(
        "Have ", options.root_threshold, " of the ", options.root_keys.size(),
        " holders of root keys sign the draft (\"usher-publish root sign\"), "
        "and make it\nthe repository's root:\n  usher-publish root publish ",
        arguments.dir, " ", root));
    return absl::OkStatus();
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
                      "that are there already are used: ROLE.pem, or ROLE.uri "
                      "with the PKCS#11 URI of a key in a token");
  command->add_option("--scheme", arguments->scheme, "Kind of new keys")
      ->check(CLI::IsMember(Schemes()))
      ->capture_default_str();
  AddTime(*command, "--root-expires", arguments->root_expires,
          "When the root expires (default: in 2 years)");
  auto* root_key = command->add_option(
      "--root-key", arguments->root_keys,
      "Public half of a root key that somebody else holds (\"keys export\"); "
      "repeatable.\nThen no root key is made here, and the root is a draft");
  root_key->allow_extra_args(false);
  auto* root_draft =
      command->add_option("--root-draft", arguments->root_draft,
                          "With --root-key: where the draft goes");
  root_key->needs(root_draft);
  root_draft->needs(root_key);
  command
      ->add_option("--root-threshold", arguments->root_threshold,
                   "With --root-key: how many of them must sign")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->needs(root_key);
  arguments->passphrase.AddTo(*command, true);
  AddJson(*command, output);
  command->footer(
      "Examples:\n"
      "  usher-publish init repo --name \"Example updates\"\n"
      "  usher-publish init repo --name Example --keys /media/stick/keys \\\n"
      "      --ask-passphrase\n"
      "With two of three root keys, none of which comes here:\n"
      "  usher-publish init repo --name Example --root-draft first.json \\\n"
      "      --root-key alice.pub.pem --root-key bob.pub.pem \\\n"
      "      --root-key carol.pub.pem --root-threshold 2");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunInit(*arguments, output); };
  });
}

struct KeysArguments {
  std::vector<std::string> files;
  std::string scheme = "ed25519";
  PassphraseOptions passphrase;
};

void PrintKey(const std::filesystem::path& path, const tuf::Key& key,
              const Output& output, Json& list) {
  const std::string name = KeyName(path);
  const std::string id = tuf::KeyId(key);
  list.push_back({{"file", name},
                  {"key_id", id},
                  {"scheme", key.scheme},
                  {"public", key.public_key}});
  output.Line(absl::StrCat(name, "\n  key id ", id, "\n  scheme ", key.scheme,
                           "\n  public ", key.public_key));
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
      PrintKey(path, key.public_key(), output, list);
    } else {
      USHER_ASSIGN_OR_RETURN(const tuf::Key key,
                             LoadPublicKey(path, passphrases));
      PrintKey(path, key, output, list);
    }
  }
  output.Result({{"keys", list}});
  return absl::OkStatus();
}

absl::Status RunExport(const KeysArguments& arguments, const Output& output) {
  PassphraseSource passphrases = arguments.passphrase.Source();
  Json list = Json::array();
  for (const std::string& file : arguments.files) {
    const auto path = PathFromUtf8(file);
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           LoadKey(path, passphrases));
    USHER_ASSIGN_OR_RETURN(const std::string pem, key.PublicPem());
    list.push_back(
        {{"file", KeyName(path)}, {"key_id", key.key_id()}, {"pem", pem}});
    output.Line(absl::StripSuffix(pem, "\n"));
  }
  output.Result({{"keys", list}});
  return absl::OkStatus();
}

void AddExport(CLI::App& group, Output& output, Action& action) {
  auto arguments = std::make_shared<KeysArguments>();
  CLI::App* command = group.add_subcommand(
      "export", "Print the public half of keys, for handing to others");
  command->add_option("FILE", arguments->files, "PEM files, or PKCS#11 URIs")
      ->required();
  arguments->passphrase.AddTo(*command, false);
  AddJson(*command, output);
  command->footer(
      "Example:\n  usher-publish keys export bob.pem > bob.pub.pem");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunExport(*arguments, output); };
  });
}

struct ImportArguments {
  std::string file, out, from_passphrase_file;
  bool unencrypted = false;
  PassphraseOptions passphrase;
};

absl::StatusOr<std::string> PassphraseOfImport(
    const ImportArguments& arguments) {
  if (arguments.unencrypted) return "";
  // There is no key without a passphrase by mere omission.
  PassphraseSource source(PathFromUtf8(arguments.passphrase.file), true);
  absl::StatusOr<std::string> passphrase = source.ForNewKey();
  if (HResultOf(passphrase.status()) == hr::kWuENoInteractiveUser) {
    return Error(hr::kWuENoInteractiveUser,
                 absl::StrCat(arguments.out,
                              ": there is no terminal to ask for the new "
                              "key file's passphrase; give --passphrase-file, "
                              "set USHER_PASSPHRASE, or say --unencrypted"),
                 arguments.out);
  }
  return passphrase;
}

absl::Status RunImport(const ImportArguments& arguments, const Output& output) {
  const auto out = PathFromUtf8(arguments.out);
  // Before anybody types a passphrase.
  USHER_RETURN_IF_ERROR(CheckNewKeyPath(out));
  PassphraseSource old_passphrases(PathFromUtf8(arguments.from_passphrase_file),
                                   false, "USHER_FROM_PASSPHRASE");
  USHER_ASSIGN_OR_RETURN(
      const tuf::PrivateKey key,
      ReadForeignKey(PathFromUtf8(arguments.file), old_passphrases));
  USHER_ASSIGN_OR_RETURN(const std::string passphrase,
                         PassphraseOfImport(arguments));
  USHER_RETURN_IF_ERROR(WriteNewKey(out, key, passphrase));
  Json list = Json::array();
  PrintKey(out, key.public_key(), output, list);
  list[0]["encrypted"] = !passphrase.empty();
  output.Result({{"keys", list}});
  output.Note(absl::StrCat(arguments.file,
                           " still holds the same private key; remove it when "
                           "nothing else needs it"));
  return absl::OkStatus();
}

void AddImport(CLI::App& group, Output& output, Action& action) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = group.add_subcommand(
      "import", "Take over a private key that was made with another tool");
  command
      ->add_option("FILE", arguments->file,
                   "Private key in PEM or DER: PKCS#8, PKCS#1 or SEC1")
      ->required();
  command->add_option("--out", arguments->out, "The new key file")->required();
  command->add_option("--from-passphrase-file", arguments->from_passphrase_file,
                      "File with the passphrase of FILE; "
                      "without it USHER_FROM_PASSPHRASE, then the terminal");
  CLI::Option* encrypted = command->add_option(
      "--passphrase-file", arguments->passphrase.file,
      "File whose first line is the passphrase of the new file; without it "
      "USHER_PASSPHRASE, then the terminal");
  command
      ->add_flag("--unencrypted", arguments->unencrypted,
                 "Write the new file without a passphrase")
      ->excludes(encrypted);
  AddJson(*command, output);
  command->footer(
      "ed25519, ECDSA P-256 and RSA keys of 2048 to 8192 bits. The new file is "
      "encrypted\nPKCS#8, readable by its owner only; nothing is "
      "overwritten.\n"
      "Examples:\n"
      "  usher-publish keys import old/signing.pem --out keys/targets.pem\n"
      "  usher-publish keys import key.der --out root.pem \\\n"
      "      --passphrase-file new.txt --from-passphrase-file old.txt");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunImport(*arguments, output); };
  });
}

void AddKeys(CLI::App& app, Output& output, Action& action) {
  CLI::App* group =
      app.add_subcommand("keys", "Make, take over and show private keys");
  group->require_subcommand(1);
  group->footer(
      "Examples:\n"
      "  usher-publish keys create keys/root.pem --ask-passphrase\n"
      "  usher-publish keys show repo/keys/*.pem\n"
      "A key in a token is named by its PKCS#11 URI in place of a file, or by "
      "a\n"
      "file ROLE.uri that holds the URI:\n"
      "  usher-publish keys show \"pkcs11:token=Signing;object=root\"");
  AddExport(*group, output, action);
  AddImport(*group, output, action);
  for (const bool create : {true, false}) {
    auto arguments = std::make_shared<KeysArguments>();
    CLI::App* command =
        create ? group->add_subcommand("create", "Make private keys")
               : group->add_subcommand("show", "Show the public half of keys");
    command
        ->add_option("FILE", arguments->files,
                     create ? "PEM files, named ROLE.pem"
                            : "PEM files of private or public keys, or PKCS#11 "
                              "URIs")
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
