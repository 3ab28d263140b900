#include "tests/fault/scenario.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace usher::install::test {
namespace {

using repository::v1::UpdateDescription;

catalog::UpdateKey AddBundle(World& world, int n,
                             const std::vector<catalog::UpdateKey>& children) {
  UpdateDescription bundle = World::NewUpdate(Key(n));
  for (const catalog::UpdateKey& child : children) {
    auto* key = bundle.mutable_update()->add_bundled_updates();
    key->set_update_id(child.update_id);
    key->set_revision_number(child.revision);
  }
  world.catalog().Add(bundle);
  return Key(n);
}

Deb Package(const std::string& version) {
  Deb deb;
  deb.name = "hello";
  deb.version = version;
  deb.files = {{"usr/share/hello", version}};
  return deb;
}

// When it is configured first, it kills the installer, with which dpkg dies,
// and then tells so through the pipe "gone" in the world's folder. A second
// time it ends with `second`.
Deb Deadly(World& world, int second) {
  Deb deb = Package("2.0");
  deb.postinst = absl::StrReplaceAll(
      "test ! -e $DIR/died || exit $SECOND\n"
      ": > $DIR/died\n"
      "dpkg=$PPID\n"
      "kill -9 $(cut -d' ' -f4 /proc/$dpkg/stat)\n"
      // Orphaned, it gets another parent.
      "while test $(cut -d' ' -f4 /proc/$$/stat) = $dpkg; do :; done\n"
      ": > $DIR/gone",
      {{"$DIR", world.product("").parent_path().parent_path().string()},
       {"$SECOND", absl::StrCat(second)}});
  return deb;
}

}  // namespace

Scenario SetUp(World& world, const std::string& name) {
  Scenario scenario;
  scenario.name = name;
  scenario.request = world.Request({});
  scenario.request.job_id = "fault";
  if (absl::StartsWith(name, "archive") || name == "bundle") {
    const auto one = world.AddArchive(1, "app", "1.0", "one");
    const auto two = world.AddArchive(2, "app", "2.0", "two");
    const auto tool = world.AddArchive(3, "tool", "1", "tool");
    if (name == "archive-revision") {
      // Another version of the same update, beside another update's.
      scenario.before = {two, one};
      scenario.request.updates = {world.AddArchive(1, "app", "1.1", "new", 2)};
    }
    if (name == "archive-renamed-remove") {
      scenario.before = {one, world.AddArchive(1, "renamed", "1.1", "new", 2)};
      scenario.request.updates = {scenario.before[1]};
      scenario.request.operation = Operation::kUninstall;
    }
    if (name == "archive-new") scenario.request.updates = {one};
    if (name == "archive-upgrade" || name == "archive-pair") {
      scenario.before = {one};
      scenario.request.updates = {two};
    }
    if (name == "archive-pair") scenario.request.updates.push_back(tool);
    if (name == "archive-again") {
      scenario.before = {one};
      scenario.request.updates = {one};
      scenario.request.is_forced = true;
    }
    if (name == "archive-remove") {
      scenario.before = {one, two};
      scenario.request.updates = {two};
      scenario.request.operation = Operation::kUninstall;
    }
    if (name == "bundle") {
      scenario.request.updates = {AddBundle(world, 4, {one, tool})};
    }
  }
  if (absl::StartsWith(name, "exec")) {
    const std::string done = (world.product("") / "exec-done").string();
    const auto key = world.AddScript(
        5, "echo ran >> $STATE/runs; mkdir -p $STATE/products; : > " + done,
        "rm -f " + done + "; echo removed >> $STATE/runs",
        [&](UpdateDescription& update) {
          if (name != "exec") {
            update.mutable_is_installed()->mutable_file()->set_path(done);
          }
        });
    scenario.request.updates = {key};
    if (name == "exec-remove") {
      scenario.before = {key};
      scenario.request.operation = Operation::kUninstall;
    }
  }
  if (absl::StartsWith(name, "deb")) {
    const auto one = world.AddDeb(6, {Package("1.0")});
    const auto two = world.AddDeb(7, {Package("2.0")});
    if (name == "deb-new") scenario.request.updates = {one};
    if (name == "deb-upgrade") {
      scenario.before = {one};
      scenario.request.updates = {two};
    }
    if (absl::StartsWith(name, "deb-dies")) {
      scenario.before = {one};
      scenario.request.updates = {
          world.AddDeb(8, {Deadly(world, name == "deb-dies" ? 0 : 1)})};
    }
    if (name == "deb-remove") {
      scenario.before = {one};
      scenario.request.updates = {one};
      scenario.request.operation = Operation::kUninstall;
    }
  }
  return scenario;
}

}  // namespace usher::install::test
