// usher-tuf-client: the service's TUF client behind the command protocol of the
// public conformance suite. Not installed.

#include "service/repository/tuf_client.h"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/hresult.h"
#include "common/sha256.h"
#include "common/tuf/trusted_metadata_set.h"
#include "service/repository/fetcher.h"
#include "service/repository/metadata_store.h"
#include "service/repository/repository.h"
#include "service/repository/target_download.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

struct Arguments {
  std::string metadata_dir;
  std::string metadata_url;
  std::string target_dir;
  std::string target_base_url;
  std::vector<std::string> target_names;
  int stall_seconds = 30;
  std::string root_file;
};

RepositoryOptions OptionsFor(const Arguments& arguments) {
  RepositoryOptions options;
  options.metadata_dir = PathFromUtf8(arguments.metadata_dir);
  return options;
}

Fetcher::Options FetcherOptions(const Arguments& arguments) {
  Fetcher::Options options;
  options.stall_time = absl::Seconds(arguments.stall_seconds);
  return options;
}

absl::Status Init(const Arguments& arguments) {
  const RepositoryOptions options = OptionsFor(arguments);
  USHER_ASSIGN_OR_RETURN(
      const std::string root,
      ReadFile(PathFromUtf8(arguments.root_file),
               static_cast<uint64_t>(options.max_root_bytes)));
  absl::Status status = Repository::Initialize(options, root);
  // The suite may give the root again: then what is trusted stays.
  if (HResultOf(status) == hr::kWuEDsRowexists) {
    return Repository::Confirm(options, root);
  }
  return status;
}

// One flat file name for each target name; names of files end at 255 bytes.
std::string FileNameFor(const std::string& target) {
  constexpr size_t kMaxEncoded = 200;
  std::string name;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '_' || c == '-' ||
        (c == '.' && !name.empty())) {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "%%%02X", byte);
    }
  }
  // No encoded name begins like this.
  return name.size() <= kMaxEncoded
             ? name
             : absl::StrCat("%~", ToHex(Sha256Of(target)));
}

bool IsThereAlready(const std::filesystem::path& path,
                    const tuf::TargetInfo& info) {
  const absl::StatusOr<std::string> bytes =
      ReadFile(path, static_cast<uint64_t>(info.length));
  return bytes.ok() &&
         tuf::CheckContent(*bytes, info.length, info.hashes, true).ok();
}

class Client {
 public:
  explicit Client(const Arguments& arguments)
      : arguments_(arguments),
        options_(OptionsFor(arguments)),
        store_(options_.metadata_dir),
        fetcher_(Fetcher::Create(FetcherOptions(arguments))),
        tuf_(options_, arguments.metadata_url, store_, *fetcher_, cancel_) {}

  absl::Status Refresh() { return tuf_.Refresh(); }

  absl::Status Download() {
    USHER_RETURN_IF_ERROR(tuf_.Refresh());
    for (const std::string& name : arguments_.target_names) {
      USHER_RETURN_IF_ERROR(DownloadOne(name));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status DownloadOne(const std::string& name) {
    USHER_ASSIGN_OR_RETURN(const std::optional<tuf::TargetInfo> info,
                           tuf_.FindTarget(name));
    if (!info.has_value()) {
      return Error(hr::kWuEDsDatanotavailable,
                   absl::StrCat("the repository has no target ", name), name);
    }
    const std::filesystem::path path =
        PathFromUtf8(arguments_.target_dir) / PathFromUtf8(FileNameFor(name));
    if (IsThereAlready(path, *info)) return absl::OkStatus();
    USHER_ASSIGN_OR_RETURN(const TargetFile target, TargetOf(name, *info));
    const std::string url = JoinUrl(
        arguments_.target_base_url,
        TargetPath(target,
                   tuf_.trusted().root().consistent_snapshot.value_or(false)));
    return DownloadTarget(*fetcher_, url, target, path, cancel_);
  }

  const Arguments& arguments_;
  const RepositoryOptions options_;
  const MetadataStore store_;
  const CancellationToken cancel_;
  const std::unique_ptr<Fetcher> fetcher_;
  TufClient tuf_;
};

int Main(int argc, char** argv) {
  CLI::App app("The service's TUF client, for the conformance suite.");
  Arguments arguments;
  app.add_option("--metadata-dir", arguments.metadata_dir,
                 "where trusted metadata lies")
      ->required();
  app.add_option("--metadata-url", arguments.metadata_url,
                 "base URL of the metadata");
  app.add_option("--target-name", arguments.target_names,
                 "a target to download; may repeat");
  app.add_option("--target-dir", arguments.target_dir,
                 "where downloaded targets go");
  app.add_option("--target-base-url", arguments.target_base_url,
                 "base URL of the targets");
  app.add_option("--stall-time", arguments.stall_seconds,
                 "seconds after which a server that sends nothing is given up")
      ->check(CLI::Range(1, 3600));
  CLI::App* const init = app.add_subcommand("init", "trust a first root");
  init->add_option("root", arguments.root_file, "the root.json to trust")
      ->required();
  CLI::App* const refresh =
      app.add_subcommand("refresh", "update the top-level metadata");
  CLI::App* const download =
      app.add_subcommand("download", "refresh, then download targets");
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // The protocol knows 0 and 1.
    return app.exit(error) == 0 ? 0 : 1;
  }

  absl::Status status;
  if (*init) {
    status = Init(arguments);
  } else if (arguments.metadata_url.empty()) {
    status = Error(hr::kEInvalidarg, "--metadata-url is missing");
  } else if (*refresh) {
    status = Client(arguments).Refresh();
  } else if (*download &&
             (arguments.target_names.empty() || arguments.target_dir.empty() ||
              arguments.target_base_url.empty())) {
    status = Error(hr::kEInvalidarg,
                   "download needs --target-name, --target-dir and "
                   "--target-base-url");
  } else {
    status = Client(arguments).Download();
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "usher-tuf-client: %s\n",
               std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace usher::repository

int main(int argc, char** argv) {
  try {
    return usher::repository::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usher-tuf-client: %s\n", error.what());
    return 1;
  }
}
