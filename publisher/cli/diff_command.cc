#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/diff.h"
#include "publisher/human_time.h"
#include "publisher/published_metadata.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxRoot = uint64_t{512} * 1024;
constexpr int kDifferent = 3;

struct Arguments {
  std::string before, after, root, root_before, root_after;
};

absl::StatusOr<RepositoryState> StateAt(const std::string& location,
                                        const std::string& root,
                                        absl::Time now) {
  std::filesystem::path path = PathFromUtf8(root);
  if (path.empty()) {
    path = PathFromUtf8(location) / "root.json";
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("give the trusted root of ", location,
                                " with --root root.json"),
                   "--root");
    }
  }
  USHER_ASSIGN_OR_RETURN(const std::string trusted, ReadFile(path, kMaxRoot));
  const auto source = OpenRepositorySource(location);
  auto state = PublicState(*source, trusted, now);
  if (!state.ok()) return Annotate(state.status(), location);
  return state;
}

// What the next "publish" of a folder changes.
absl::StatusOr<Difference> DraftDifference(const std::string& dir,
                                           absl::Time now) {
  USHER_ASSIGN_OR_RETURN(
      const Workspace workspace,
      Workspace::Open(PathFromUtf8(dir), Workspace::Mode::kRead));
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  RepositoryState before;
  std::error_code error;
  if (std::filesystem::exists(workspace.metadata_dir() / "timestamp.json",
                              error)) {
    USHER_ASSIGN_OR_RETURN(before, StateAt(dir, "", now));
    // Vendors' updates are no part of the draft.
    std::erase_if(before.updates, [](const auto& update) {
      return update.second.role != "targets";
    });
  }
  USHER_ASSIGN_OR_RETURN(RepositoryState after, DraftState(workspace));
  // Vendors may use further categories.
  std::erase_if(before.categories, [&after](const auto& category) {
    return !after.categories.contains(category.first);
  });
  return Compare(before, after, /*with_trust=*/false);
}

Json ToJson(const UpdateState& update) {
  return {{"update_id", update.update_id}, {"revision", update.revision},
          {"name", update.name},           {"version", update.version},
          {"title", update.title},         {"role", update.role},
          {"yanked", update.yanked}};
}

Json ToJson(const std::vector<UpdateState>& updates) {
  Json list = Json::array();
  for (const UpdateState& update : updates) list.push_back(ToJson(update));
  return list;
}

void Print(const Difference& difference, const Output& output) {
  const auto line = [&output](char sign, const UpdateState& update,
                              const std::string& more) {
    output.Line(absl::StrFormat("%c %s  %s %s%s", sign, update.update_id,
                                update.name, update.version, more));
  };
  for (const UpdateState& update : difference.added) line('+', update, "");
  for (const UpdateState& update : difference.removed) line('-', update, "");
  for (const Difference::Change& change : difference.changed) {
    std::string more;
    if (change.before.revision != change.after.revision) {
      more = absl::StrCat("  revision ", change.before.revision, " -> ",
                          change.after.revision);
    }
    if (change.before.role != change.after.role) {
      absl::StrAppend(&more, "  of ", change.before.role, " -> ",
                      change.after.role);
    }
    if (change.before.yanked != change.after.yanked) {
      absl::StrAppend(&more,
                      change.after.yanked ? "  yanked" : "  offered again");
    }
    line('~', change.after, more);
  }
  for (const std::string& name : difference.categories_added) {
    output.Line(absl::StrCat("+ category ", name));
  }
  for (const std::string& name : difference.categories_removed) {
    output.Line(absl::StrCat("- category ", name));
  }
  for (const std::string& name : difference.categories_changed) {
    output.Line(absl::StrCat("~ category ", name));
  }
  for (const Difference::TrustChange& change : difference.trust) {
    output.Line(absl::StrCat(
        change.before.empty()  ? "+ "
        : change.after.empty() ? "- "
                               : "~ ",
        change.what, ": ", change.before,
        change.before.empty() || change.after.empty() ? "" : " -> ",
        change.after));
  }
  if (difference.empty()) output.Line("No difference.");
}

absl::Status RunDiff(const Arguments& arguments, Output& output) {
  const absl::Time now = PublicationTime();
  Difference difference;
  if (arguments.after.empty()) {
    USHER_ASSIGN_OR_RETURN(difference, DraftDifference(arguments.before, now));
  } else {
    USHER_ASSIGN_OR_RETURN(
        const RepositoryState before,
        StateAt(arguments.before,
                arguments.root_before.empty() ? arguments.root
                                              : arguments.root_before,
                now));
    USHER_ASSIGN_OR_RETURN(
        const RepositoryState after,
        StateAt(arguments.after,
                arguments.root_after.empty() ? arguments.root
                                             : arguments.root_after,
                now));
    difference = Compare(before, after, /*with_trust=*/true);
  }
  Json changed = Json::array();
  for (const Difference::Change& change : difference.changed) {
    changed.push_back(
        {{"before", ToJson(change.before)}, {"after", ToJson(change.after)}});
  }
  Json trust = Json::array();
  for (const Difference::TrustChange& change : difference.trust) {
    trust.push_back({{"what", change.what},
                     {"before", change.before},
                     {"after", change.after}});
  }
  output.Result({{"different", !difference.empty()},
                 {"added", ToJson(difference.added)},
                 {"removed", ToJson(difference.removed)},
                 {"changed", std::move(changed)},
                 {"categories_added", difference.categories_added},
                 {"categories_removed", difference.categories_removed},
                 {"categories_changed", difference.categories_changed},
                 {"trust", std::move(trust)}});
  Print(difference, output);
  output.exit_code = difference.empty() ? 0 : kDifferent;
  return absl::OkStatus();
}

}  // namespace

void AddDiffCommand(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "diff", "What two states of a repository have different");
  command
      ->add_option("OLD", arguments->before,
                   "A repository's folder, its public/ folder or its URL; "
                   "alone, a folder whose draft is compared with what is "
                   "public")
      ->required();
  command->add_option("NEW", arguments->after, "The same for the other state");
  command->add_option("--root", arguments->root,
                      "The trusted root.json of both (default: root.json in "
                      "each folder)");
  command->add_option("--root-old", arguments->root_before,
                      "The trusted root.json of OLD");
  command->add_option("--root-new", arguments->root_after,
                      "The trusted root.json of NEW");
  AddJson(*command, output);
  command->footer(
      "Exit codes: 0 no difference, 3 differences, 1 failed, 2 usage.\n"
      "Examples:\n"
      "  usher-publish diff repo\n"
      "  usher-publish diff https://updates.example.com repo --root "
      "root.json");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunDiff(*arguments, output); };
  });
}

}  // namespace usher::publisher::cli
