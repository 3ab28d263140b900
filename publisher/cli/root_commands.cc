#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/cli/timestamp_commands.h"
#include "publisher/human_time.h"
#include "publisher/key_ring.h"
#include "publisher/publication.h"
#include "publisher/root_ceremony.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kRootLifetime = absl::Hours(24 * 730);

struct Arguments {
  std::string dir, file, role, expires, previous, key_id;
  std::vector<std::string> files;  // keys, or copies of the draft
  int64_t threshold = 0;
  PassphraseOptions passphrase;
};

Json ToJson(const RootDraft::Progress& progress) {
  return {{"threshold", progress.threshold},
          {"signed_by", progress.signed_by},
          {"missing", progress.missing}};
}

void PrintProgress(const RootDraft::Progress& progress,
                   const std::string& whose, const Output& output) {
  output.Line(absl::StrCat("  signed by ", progress.signed_by.size(),
                           " of the ", progress.threshold, " keys that ", whose,
                           " asks for"));
  for (const std::string& id : progress.signed_by) {
    output.Line(absl::StrCat("    signed   ", id));
  }
  for (const std::string& id : progress.missing) {
    output.Line(absl::StrCat("    missing  ", id));
  }
}

// What a draft says and how far it is signed; by the old root's keys, too, if
// that one is at hand.
absl::Status Describe(const std::string& file, const RootDraft& draft,
                      const absl::optional<tuf::Root>& previous,
                      const Output& output) {
  const tuf::Root& body = draft.metadata().body;
  USHER_ASSIGN_OR_RETURN(const RootDraft::Progress own, draft.ProgressBy(body));
  Json roles = Json::object();
  output.Line(absl::StrCat(file, ": root version ", body.version,
                           ", expires on ", FormatUtc(body.expires)));
  for (const auto& [name, role] : body.roles) {
    roles[name] = {{"threshold", role.threshold}, {"key_ids", role.key_ids}};
    output.Line(absl::StrCat("  ", name, ": ", role.threshold, " of"));
    for (const std::string& id : role.key_ids) {
      const auto key = body.keys.find(id);
      output.Line(absl::StrCat(
          "    ", id, " ",
          key == body.keys.end() ? "(unknown)" : key->second.scheme));
    }
  }
  Json result = {{"file", file},
                 {"version", body.version},
                 {"expires", FormatUtc(body.expires)},
                 {"roles", std::move(roles)},
                 {"signatures", {{"new", ToJson(own)}}}};
  PrintProgress(own, "this root", output);
  if (previous.has_value()) {
    USHER_ASSIGN_OR_RETURN(const RootDraft::Progress old,
                           draft.ProgressBy(*previous));
    PrintProgress(old,
                  absl::StrCat("the root before it (", previous->version, ")"),
                  output);
    result["signatures"]["previous"] = ToJson(old);
  }
  output.Result(result);
  return absl::OkStatus();
}

absl::Status RunDraft(const Arguments& arguments, const Output& output) {
  const absl::Time now = PublicationTime();
  USHER_ASSIGN_OR_RETURN(
      const Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kRead));
  const auto path = PathFromUtf8(arguments.file);
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return Error(hr::kWuEDuplicateItem,
                 absl::StrCat(arguments.file,
                              " exists; a draft that others may be signing is "
                              "not overwritten"),
                 arguments.file);
  }
  USHER_ASSIGN_OR_RETURN(const absl::Time expires,
                         TimeOr(arguments.expires, now, now + kRootLifetime));
  USHER_ASSIGN_OR_RETURN(const RootDraft draft,
                         RootDraft::Next(workspace, expires));
  USHER_RETURN_IF_ERROR(draft.Write(path));
  return Describe(arguments.file, draft, absl::nullopt, output);
}

absl::Status RunShow(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(const RootDraft draft,
                         RootDraft::Read(PathFromUtf8(arguments.file)));
  absl::optional<tuf::Root> previous;
  if (!arguments.previous.empty()) {
    USHER_ASSIGN_OR_RETURN(const RootDraft old,
                           RootDraft::Read(PathFromUtf8(arguments.previous)));
    previous = old.metadata().body;
  }
  return Describe(arguments.file, draft, previous, output);
}

// Reads the draft, changes it, writes it again.
absl::Status Change(const Arguments& arguments, const Output& output,
                    const std::function<absl::Status(RootDraft&)>& change) {
  const auto path = PathFromUtf8(arguments.file);
  USHER_ASSIGN_OR_RETURN(RootDraft draft, RootDraft::Read(path));
  const size_t signatures = draft.metadata().signatures.size();
  USHER_RETURN_IF_ERROR(change(draft));
  if (draft.metadata().signatures.size() < signatures) {
    output.Note(absl::StrCat("the ", signatures,
                             " signatures that were there covered the old "
                             "text and are gone"));
  }
  USHER_RETURN_IF_ERROR(draft.Write(path));
  return Describe(arguments.file, draft, absl::nullopt, output);
}

absl::Status RunAddKey(const Arguments& arguments, const Output& output) {
  return Change(arguments, output, [&](RootDraft& draft) -> absl::Status {
    PassphraseSource passphrases = arguments.passphrase.Source();
    for (const std::string& file : arguments.files) {
      const auto path = PathFromUtf8(file);
      USHER_ASSIGN_OR_RETURN(const tuf::Key key,
                             LoadPublicKey(path, passphrases));
      if (absl::Status status = draft.AddKey(arguments.role, key);
          !status.ok()) {
        return Annotate(status, KeyName(path));
      }
    }
    return absl::OkStatus();
  });
}

absl::Status RunRemoveKey(const Arguments& arguments, const Output& output) {
  return Change(arguments, output, [&](RootDraft& draft) {
    return draft.RemoveKey(arguments.role, arguments.key_id);
  });
}

absl::Status RunSet(const Arguments& arguments, const Output& output) {
  if (arguments.threshold == 0 && arguments.expires.empty()) {
    return Error(hr::kEInvalidarg, "give --threshold or --expires");
  }
  return Change(arguments, output, [&](RootDraft& draft) -> absl::Status {
    if (arguments.threshold != 0) {
      USHER_RETURN_IF_ERROR(
          draft.SetThreshold(arguments.role, arguments.threshold));
    }
    if (arguments.expires.empty()) return absl::OkStatus();
    const absl::Time now = PublicationTime();
    USHER_ASSIGN_OR_RETURN(const absl::Time expires,
                           TimeOr(arguments.expires, now, now));
    return draft.SetExpires(expires, now);
  });
}

absl::Status RunSign(const Arguments& arguments, const Output& output) {
  return Change(arguments, output, [&](RootDraft& draft) -> absl::Status {
    PassphraseSource passphrases = arguments.passphrase.Source();
    const tuf::Role& role = draft.metadata().body.roles.at("root");
    for (const std::string& file : arguments.files) {
      const auto path = PathFromUtf8(file);
      USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                             LoadKey(path, passphrases));
      if (std::find(role.key_ids.begin(), role.key_ids.end(), key.key_id()) ==
          role.key_ids.end()) {
        output.Note(absl::StrCat(KeyName(path),
                                 " is not one of this root's keys; its "
                                 "signature counts only if it is one of the "
                                 "public root's"));
      }
      USHER_RETURN_IF_ERROR(draft.Sign(key));
    }
    return absl::OkStatus();
  });
}

absl::Status RunCombine(const Arguments& arguments, const Output& output) {
  return Change(arguments, output, [&](RootDraft& draft) -> absl::Status {
    for (const std::string& file : arguments.files) {
      USHER_ASSIGN_OR_RETURN(const RootDraft other,
                             RootDraft::Read(PathFromUtf8(file)));
      if (absl::Status status = draft.Combine(other); !status.ok()) {
        return Annotate(status, file);
      }
    }
    return absl::OkStatus();
  });
}

absl::Status RunPublish(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(const RootDraft draft,
                         RootDraft::Read(PathFromUtf8(arguments.file)));
  const absl::Time now = PublicationTime();
  USHER_RETURN_IF_ERROR(PublishRoot(workspace, draft, now));
  const tuf::Root& body = draft.metadata().body;
  PassphraseSource passphrases = arguments.passphrase.Source();
  const int64_t timestamp = Announce(workspace, passphrases, now, output);
  Json result = {{"root_version", body.version},
                 {"root_expires", FormatUtc(body.expires)}};
  if (timestamp > 0) result["timestamp_version"] = timestamp;
  output.Result(result);
  output.Line(absl::StrCat("Root ", body.version, " is public, valid until ",
                           FormatUtc(body.expires),
                           "; clients follow by themselves"));
  return absl::OkStatus();
}

void AddDraftFile(CLI::App& command, Arguments& arguments) {
  command.add_option("FILE", arguments.file, "The draft")->required();
}

void AddRole(CLI::App& command, Arguments& arguments) {
  arguments.role = "root";
  command
      .add_option("--role", arguments.role,
                  "root, targets, snapshot or timestamp")
      ->capture_default_str();
}

}  // namespace

void AddRootCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* group = app.add_subcommand(
      "root", "Change the root's keys: draft, sign in turn, publish");
  group->require_subcommand(1);
  group->footer(
      "From one root key to two of three:\n"
      "  usher-publish root draft repo next.json\n"
      "  usher-publish root add-key next.json bob.pub.pem carol.pub.pem\n"
      "  usher-publish root set next.json --threshold 2\n"
      "  usher-publish root sign next.json --key repo/keys/root.pem\n"
      "Bob signs a copy on his own machine, without a network:\n"
      "  usher-publish root sign next.json --key bob.pem\n"
      "and back at the repository:\n"
      "  usher-publish root combine next.json from-bob/next.json\n"
      "  usher-publish root publish repo next.json\n"
      "A root counts when enough keys of the public root and enough of its "
      "own\nhave signed it. docs/publishing.md.");

  CLI::App* command = nullptr;
  auto draft = AddCommand(*group, output, action, "draft",
                          "Begin the next root: same keys, next version",
                          command, &RunDraft);
  AddDirectory(*command, draft->dir);
  command->add_option("FILE", draft->file, "Where the draft goes")->required();
  AddTime(*command, "--expires", draft->expires,
          "When it expires (default: in 2 years)");

  auto show =
      AddCommand(*group, output, action, "show",
                 "What a root says, and who has signed it", command, &RunShow);
  command->add_option("FILE", show->file, "A root.json or a draft")->required();
  command->add_option("--previous", show->previous,
                      "The root before it, whose keys must sign, too");

  auto add = AddCommand(*group, output, action, "add-key",
                        "Let keys sign for a role", command, &RunAddKey);
  AddDraftFile(*command, *add);
  command
      ->add_option("KEY", add->files,
                   "PEM files with a public key (\"keys export\"), or PKCS#11 "
                   "URIs")
      ->required();
  AddRole(*command, *add);
  add->passphrase.AddTo(*command, false);

  auto remove = AddCommand(*group, output, action, "remove-key",
                           "Take a key's right to sign for a role", command,
                           &RunRemoveKey);
  AddDraftFile(*command, *remove);
  command
      ->add_option("KEYID", remove->key_id,
                   "The key's id, or at least 6 digits of its beginning")
      ->required();
  AddRole(*command, *remove);

  auto set = AddCommand(*group, output, action, "set",
                        "Set how many keys must sign, or the expiry", command,
                        &RunSet);
  AddDraftFile(*command, *set);
  command
      ->add_option("--threshold", set->threshold,
                   "How many of the role's keys must sign")
      ->check(CLI::Range(1, 1000));
  AddTime(*command, "--expires", set->expires, "When the root expires");
  AddRole(*command, *set);

  auto sign = AddCommand(*group, output, action, "sign",
                         "Sign a draft; needs no repository and no network",
                         command, &RunSign);
  AddDraftFile(*command, *sign);
  command
      ->add_option("--key", sign->files,
                   "Private keys: PEM files, or PKCS#11 URIs")
      ->required();
  sign->passphrase.AddTo(*command, false);

  auto combine = AddCommand(*group, output, action, "combine",
                            "Add the signatures of copies of a draft", command,
                            &RunCombine);
  AddDraftFile(*command, *combine);
  command->add_option("COPY", combine->files, "Signed copies")->required();

  auto publish = AddCommand(*group, output, action, "publish",
                            "Make a signed draft the repository's root",
                            command, &RunPublish);
  AddDirectory(*command, publish->dir);
  AddDraftFile(*command, *publish);
  publish->passphrase.AddTo(*command, false);
  command->footer(
      "The timestamp is signed anew with it, so that clients look for the root "
      "at\nonce, if its key can be used without asking for a passphrase.");
}

}  // namespace usher::publisher::cli
