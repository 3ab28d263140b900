#include "service/session/catalog_update.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/missing_file.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"
#include "common/uuid.h"
#include "service/session/catalog_header.h"
#include "spdlog/spdlog.h"

namespace usher::session {
namespace {

using repository::TargetFile;

// One line for each catalog that the last update has dealt with, in order:
// its key, or "!{key}\t{reason}" for what was left out.
constexpr char kRecordFile[] = "loaded";
constexpr uint64_t kMaxRecordBytes = uint64_t{32} * 1024 * 1024;

// With the role: the same file in another publisher's hands has another
// authority. Its file name has no space, and a target's name no tab.
std::string KeyOf(const TargetFile& target) {
  return absl::StrCat(ToHex(target.sha256), " ", tuf::RoleFileName(target.role),
                      " ", target.name);
}

struct Record {
  std::vector<std::string> keys;
  std::set<std::string> loaded;
  std::map<std::string, std::string> left_out;  // with the reason

  static Record Read(const std::filesystem::path& folder) {
    Record record;
    const absl::StatusOr<std::string> text =
        ReadFile(folder / kRecordFile, kMaxRecordBytes);
    if (!text.ok()) return record;
    for (absl::string_view line :
         absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      if (!absl::ConsumePrefix(&line, "!")) {
        record.keys.emplace_back(line);
        record.loaded.emplace(line);
        continue;
      }
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(line, absl::MaxSplits('\t', 1));
      record.keys.push_back(parts.first);
      record.left_out.insert(parts);
    }
    return record;
  }
};

// Whether a publisher is to blame for a catalog that could not be fetched,
// rather than the network or this machine.
bool IsPublishersFault(const absl::Status& status) {
  if (IsMissingFile(status)) return true;
  switch (HResultOf(status)) {
    case hr::kWuEDmIncorrectfilehash:
    case hr::kWuEInvalidUpdate:
      return true;
    default:
      return false;
  }
}

class Updater {
 public:
  Updater(const CatalogUpdateOptions& options,
          const std::vector<TargetFile>& catalogs,
          repository::Repository& repository, catalog::Catalog& catalog,
          const CancellationToken& cancel)
      : options_(options),
        catalogs_(catalogs),
        repository_(repository),
        catalog_(catalog),
        cancel_(cancel),
        record_(Record::Read(options.record_dir)) {
    result_.service_id = options.service_id;
  }
  Updater(const Updater&) = delete;
  Updater& operator=(const Updater&) = delete;
  ~Updater() {
    for (const std::filesystem::path& path : temporary_) {
      static_cast<void>(RemoveTree(path));  // the next start does
    }
  }

  absl::StatusOr<CatalogUpdate> Run() {
    if (IsUpToDate()) return std::move(result_);
    for (const TargetFile& target : catalogs_) {
      if (without_.contains(target.priority)) continue;
      absl::Status status = Obtain(target);
      if (status.ok()) continue;
      if (target.priority == 0 || !IsPublishersFault(status)) return status;
      LeaveOut(target.priority, status);
    }
    std::erase_if(files_, [this](const catalog::CatalogFile& file) {
      return without_.contains(file.publisher);
    });
    if (result_.service_id.empty()) {
      return Error(hr::kWuEInvalidUpdate,
                   "the repository has no catalog, so its service id is "
                   "unknown; give service_id",
                   "service_id");
    }
    USHER_RETURN_IF_ERROR(options_.accept(result_.service_id));
    USHER_RETURN_IF_ERROR(Load());
    return std::move(result_);
  }

 private:
  // What was left out then has not become better.
  bool IsUpToDate() {
    std::vector<std::string> wanted;
    wanted.reserve(catalogs_.size());
    for (const TargetFile& target : catalogs_) wanted.push_back(KeyOf(target));
    if (wanted != record_.keys) return false;
    std::set<std::string> named;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto reason = record_.left_out.find(wanted[i]);
      if (reason != record_.left_out.end() &&
          named.insert(catalogs_[i].role).second) {
        result_.problems.push_back(
            {catalogs_[i].role,
             Error(hr::kWuEInvalidUpdate, reason->second, catalogs_[i].role)});
      }
    }
    return true;
  }

  absl::Status Obtain(const TargetFile& target) {
    const std::filesystem::path path =
        options_.catalog_dir /
        PathFromUtf8(absl::StrCat(RandomResourceId(), "-", ToHex(target.sha256),
                                  ".usc"));
    files_.push_back({target.name, path, target.sha256, target.priority,
                      target.priority == 0 ? "" : target.role});
    // What is loaded is not read again, so it need not be fetched either.
    if (record_.loaded.contains(KeyOf(target))) return absl::OkStatus();
    temporary_.push_back(path);
    USHER_RETURN_IF_ERROR(repository_.FetchTarget(target, path, cancel_));
    absl::StatusOr<CatalogHeader> header = ReadCatalogHeader(path);
    if (!header.ok()) {
      return Annotate(header.status(),
                      absl::StrCat("catalog file ", target.name));
    }
    if (result_.service_id.empty()) {
      result_.service_id = header->service_id;
    } else if (result_.service_id != header->service_id) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("catalog ", target.name, " belongs to update service ",
                       header->service_id, ", not to ", result_.service_id),
          target.name);
    }
    if (result_.service_name.empty()) {
      result_.service_name = header->service_name;
    }
    return absl::OkStatus();
  }

  void LeaveOut(int priority, const absl::Status& status) {
    const auto role = std::find_if(catalogs_.begin(), catalogs_.end(),
                                   [priority](const TargetFile& target) {
                                     return target.priority == priority;
                                   });
    result_.problems.push_back(
        {role->role,
         Annotate(status, absl::StrCat(role->role, "'s catalogs"))});
    without_.insert(priority);
  }

  absl::Status Load() {
    // What is loaded is not known again before it is written down: a record of
    // the state before would keep the next update from loading that state.
    USHER_RETURN_IF_ERROR(RemoveTree(options_.record_dir / kRecordFile));
    USHER_FAULT_POINT("catalog.record_forgotten");
    USHER_ASSIGN_OR_RETURN(
        const catalog::LoadSummary summary,
        catalog_.Load(result_.service_id, options_.url, files_, cancel_));
    spdlog::info(
        "service {} loaded: {} added, {} changed, {} removed, {} unchanged",
        result_.service_id, summary.added, summary.changed, summary.removed,
        summary.unchanged);
    if (!summary.service_name.empty()) {
      result_.service_name = summary.service_name;
    }
    result_.changed = true;
    std::map<int, std::string> reasons;
    for (const catalog::LeftOutPublisher& left : summary.left_out) {
      LeaveOut(left.publisher, left.status);
      reasons[left.publisher] = absl::StrReplaceAll(
          result_.problems.back().status.message(), {{"\n", " "}});
    }
    USHER_FAULT_POINT("catalog.loaded");
    std::string lines;
    for (const TargetFile& target : catalogs_) {
      const auto reason = reasons.find(target.priority);
      if (reason != reasons.end()) {
        absl::StrAppend(&lines, "!", KeyOf(target), "\t", reason->second, "\n");
      } else if (!without_.contains(target.priority)) {
        absl::StrAppend(&lines, KeyOf(target), "\n");
      }
      // What could not be fetched is tried again the next time.
    }
    return WriteFileAtomically(options_.record_dir / kRecordFile, lines);
  }

  const CatalogUpdateOptions& options_;
  const std::vector<TargetFile>& catalogs_;
  repository::Repository& repository_;
  catalog::Catalog& catalog_;
  const CancellationToken& cancel_;
  const Record record_;
  std::vector<catalog::CatalogFile> files_;
  std::vector<std::filesystem::path> temporary_;
  std::set<int> without_;  // priorities of those left out
  CatalogUpdate result_;
};

}  // namespace

absl::StatusOr<CatalogUpdate> UpdateCatalog(
    const CatalogUpdateOptions& options,
    const std::vector<TargetFile>& catalogs, repository::Repository& repository,
    catalog::Catalog& catalog, const CancellationToken& cancel) {
  return Updater(options, catalogs, repository, catalog, cancel).Run();
}

bool HasCatalogRecord(const std::filesystem::path& record_dir) {
  std::error_code error;
  return std::filesystem::exists(record_dir / kRecordFile, error);
}

void ForgetCatalogRecord(const std::filesystem::path& record_dir) {
  // One that stays is replaced by the next update.
  static_cast<void>(RemoveTree(record_dir / kRecordFile));
}

}  // namespace usher::session
