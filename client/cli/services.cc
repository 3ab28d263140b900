// usher services list | add | add-scan-package | remove | refresh

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/failure.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::cli {
namespace {

// Bits of AddServiceRequest::flags.
constexpr int32_t kAllowPending = 1;
constexpr int32_t kAllowOnline = 2;
constexpr uint64_t kMaxRootBytes = uint64_t{512} * 1024;

struct AddFlags {
  std::string url;
  std::string root;
  std::string name;
  std::string id;
  bool later = false;
};

struct ScanPackageFlags {
  std::string file;
  std::string root;
  std::string name;
  bool is_volatile = false;
};

absl::StatusOr<Report> List(App& app) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const Collection<UpdateService> services,
                         session->CreateUpdateServiceManager().Services());
  nlohmann::json list = nlohmann::json::array();
  std::vector<std::vector<Span>> rows;
  for (const UpdateService& service : services) {
    list.push_back(ServiceJson(service));
    rows.push_back(
        {{service.name, Style::kBold},
         {service.service_id, Style::kDim},
         {absl::StrCat(service.update_count)},
         {service.last_refresh_time.has_value()
              ? FormatLocalTime(*service.last_refresh_time)
              : "never"},
         {service.last_refresh_error.empty() ? "ok"
                                             : service.last_refresh_error,
          service.last_refresh_error.empty() ? Style::kGood : Style::kBad},
         {service.service_url}});
  }
  if (rows.empty()) {
    app.console().Note("No update service is registered.");
  } else {
    app.console().Table({"NAME", "ID", "UPDATES", "REFRESHED", "STATE", "URL"},
                        rows);
  }
  return MakeReport(
      kExitOk, {{"command", "services list"}, {"services", std::move(list)}});
}

absl::StatusOr<Report> Add(App& app, const AddFlags& flags) {
  AddServiceRequest request;
  USHER_ASSIGN_OR_RETURN(request.root_metadata,
                         ReadFile(PathFromUtf8(flags.root), kMaxRootBytes));
  request.flags = flags.later ? kAllowPending : kAllowOnline;
  request.service_url = flags.url;
  // A folder on this machine may be given as a path.
  if (flags.url.find("://") == std::string::npos) {
    std::error_code error;
    const std::filesystem::path path =
        std::filesystem::absolute(PathFromUtf8(flags.url), error);
    if (error) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("not a URL and not a folder: ", flags.url),
                   "URL");
    }
    request.service_url =
        absl::StrCat("file://", PathToUtf8(path.lexically_normal()));
  }
  request.name = flags.name;
  request.service_id = flags.id;
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(
      const UpdateService service,
      session->CreateUpdateServiceManager().AddService(request));
  app.console().Line({{"Registered "},
                      {service.name, Style::kBold},
                      {absl::StrCat(" (", service.service_id, ") with ",
                                    Counted(service.update_count, "update"))}});
  return MakeReport(kExitOk, {{"command", "services add"},
                              {"service", ServiceJson(service)}});
}

absl::StatusOr<Report> AddScanPackage(App& app, const ScanPackageFlags& flags) {
  USHER_ASSIGN_OR_RETURN(const std::string root,
                         ReadFile(PathFromUtf8(flags.root), kMaxRootBytes));
  // The service has another working folder.
  std::error_code error;
  const std::filesystem::path path =
      std::filesystem::absolute(PathFromUtf8(flags.file), error);
  if (error) {
    return Error(hr::kEInvalidarg, absl::StrCat("not a file: ", flags.file),
                 "FILE");
  }
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(
      const UpdateService service,
      session->CreateUpdateServiceManager().AddScanPackageService(
          flags.name, PathToUtf8(path.lexically_normal()), root,
          flags.is_volatile ? 0 : kNonVolatileService));
  app.console().Line(
      {{"Registered "},
       {service.name, Style::kBold},
       {absl::StrCat(" (", service.service_id, ") with ",
                     Counted(service.update_count, "update"))},
       {service.is_volatile ? ", until this client's session ends" : ""}});
  return MakeReport(kExitOk, {{"command", "services add-scan-package"},
                              {"service", ServiceJson(service)}});
}

absl::StatusOr<Report> Remove(App& app, const std::vector<std::string>& names) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& name : names) {
    USHER_ASSIGN_OR_RETURN(const std::string id,
                           ResolveService(*session, name));
    USHER_RETURN_IF_ERROR(
        session->CreateUpdateServiceManager().RemoveService(id));
    app.console().Line(absl::StrCat("Removed ", name));
    list.push_back(id);
  }
  return MakeReport(kExitOk, {{"command", "services remove"},
                              {"service_ids", std::move(list)}});
}

absl::StatusOr<Report> Refresh(App& app,
                               const std::vector<std::string>& names) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  const UpdateServiceManager manager = session->CreateUpdateServiceManager();
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    USHER_ASSIGN_OR_RETURN(std::string id, ResolveService(*session, name));
    ids.push_back(std::move(id));
  }
  if (names.empty()) {
    USHER_ASSIGN_OR_RETURN(const Collection<UpdateService> services,
                           manager.Services());
    for (const UpdateService& service : services) {
      ids.push_back(service.service_id);
    }
  }
  nlohmann::json list = nlohmann::json::array();
  ExitCode last_failure = kExitOk;
  size_t failures = 0;
  for (const std::string& id : ids) {
    const absl::StatusOr<RefreshResult> result = manager.Refresh(id);
    if (!result.ok()) {
      // One broken repository must not keep the others from being refreshed.
      if (ids.size() == 1) return result.status();
      ++failures;
      last_failure = ExitCodeOf(result.status());
      if (!app.globals().json) PrintError(app.console(), result.status());
      list.push_back(
          {{"service_id", id},
           {"error", nlohmann::json::parse(ErrorJson(result.status()), nullptr,
                                           /*allow_exceptions=*/false)}});
      continue;
    }
    app.console().Line(
        {{result->service.name, Style::kBold},
         {absl::StrCat(result->changed ? ": new content, " : ": unchanged, ",
                       Counted(result->service.update_count, "update"))}});
    list.push_back({{"service_id", id},
                    {"changed", result->changed},
                    {"service", ServiceJson(result->service)}});
  }
  const ExitCode code = failures == 0            ? kExitOk
                        : failures == ids.size() ? last_failure
                                                 : kExitPartlyFailed;
  return MakeReport(
      code, {{"command", "services refresh"}, {"services", std::move(list)}});
}

}  // namespace

void AddServicesVerb(CLI::App& parser, const Choose& choose) {
  CLI::App* verb =
      parser.add_subcommand("services", "Repositories that updates come from");
  verb->require_subcommand(0, 1);
  CLI::App* list = verb->add_subcommand("list", "List them (the default)");
  list->callback([choose] { choose(List); });

  auto flags = std::make_shared<AddFlags>();
  CLI::App* add = verb->add_subcommand("add", "Register a repository");
  add->add_option("URL", flags->url,
                  "http:, https: or file: URL, or a folder, that holds "
                  "metadata/ and targets/")
      ->required();
  add->add_option("--root", flags->root, "The trusted root.json")
      ->required()
      ->check(CLI::ExistingFile);
  add->add_option("--name", flags->name, "Shown name");
  add->add_option("--id", flags->id, "UUID that the repository must have");
  add->add_flag("--later", flags->later, "Register without contacting it now");
  add->footer(
      "Example:\n"
      "  sudo usher services add https://updates.example.com/repo "
      "--root root.json");
  add->callback([flags, choose] {
    choose([flags](App& app) { return Add(app, *flags); });
  });

  auto package = std::make_shared<ScanPackageFlags>();
  CLI::App* scan =
      verb->add_subcommand("add-scan-package",
                           "Register a repository that is one file, on a "
                           "machine without a network");
  scan->add_option("FILE", package->file,
                   "The scan package (.usp) that usher-publish pack made")
      ->required()
      ->check(CLI::ExistingFile);
  scan->add_option("--root", package->root, "The trusted root.json")
      ->required()
      ->check(CLI::ExistingFile);
  scan->add_option("--name", package->name, "Shown name");
  scan->add_flag("--volatile", package->is_volatile,
                 "Forget it when the session of this --client-id ends: some "
                 "minutes after its last use");
  scan->footer(
      "A newer package of the same repository replaces the one before.\n\n"
      "Examples:\n"
      "  sudo usher services add-scan-package updates.usp --root root.json "
      "--name shop\n"
      "  usher search --service shop");
  scan->callback([package, choose] {
    choose([package](App& app) { return AddScanPackage(app, *package); });
  });

  auto gone = std::make_shared<std::vector<std::string>>();
  CLI::App* remove = verb->add_subcommand("remove", "Forget a repository");
  remove->add_option("SERVICE", *gone, "Ids or names")->required();
  remove->footer("Example:\n  sudo usher services remove shop");
  remove->callback([gone, choose] {
    choose([gone](App& app) { return Remove(app, *gone); });
  });

  auto fresh = std::make_shared<std::vector<std::string>>();
  CLI::App* refresh = verb->add_subcommand(
      "refresh", "Fetch and verify repositories now; all without names");
  refresh->add_option("SERVICE", *fresh, "Ids or names");
  refresh->footer("Example:\n  usher services refresh");
  refresh->callback([fresh, choose] {
    choose([fresh](App& app) { return Refresh(app, *fresh); });
  });

  verb->footer(
      "Examples:\n"
      "  usher services\n"
      "  sudo usher services add https://updates.example.com/repo "
      "--root root.json\n"
      "  usher services refresh shop");
  verb->callback([verb, choose] {
    if (verb->get_subcommands().empty()) choose(List);
  });
}

}  // namespace usher::cli
