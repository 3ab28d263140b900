#include "publisher/apt_import.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "publisher/catalog_file.h"
#include "publisher/package_file.h"
#include "publisher/payload_store.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFamily = "Debian packages";

bool IsSecurityIndex(const fs::path& index) {
  return absl::StrContains(PathToUtf8(index.filename()), "security");
}

// "%5f" and the like, as apt escapes what its '_' would make ambiguous.
std::string Unescape(absl::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::SimpleHexAtoi(text.substr(i + 1, 2), &code)) {
      result.push_back(static_cast<char>(code));
      i += 2;
    } else {
      result.push_back(text[i] == '_' ? '/' : text[i]);
    }
  }
  return result;
}

// Percent-encodes what cannot stand in a URL path.
std::string EscapePath(absl::string_view path) {
  std::string result;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("/._+~-:", c)) {
      result.push_back(c);
    } else {
      absl::StrAppend(&result, "%", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return result;
}

class Importer {
 public:
  Importer(const AptImportOptions& options, absl::string_view service_id,
           Draft& draft)
      : options_(options), service_id_(service_id), draft_(draft) {}

  absl::Status ReadIndex(const fs::path& index) {
    archive_root_ = options_.payload_base;
    if (options_.payload_base == "auto") {
      archive_root_ = ArchiveRootOf(index);
      if (archive_root_.empty()) {
        return Error(hr::kEInvalidarg,
                     absl::StrCat("the name of ", PathToUtf8(index),
                                  " does not say where it comes from; give "
                                  "--payload-base URL"),
                     PathToUtf8(index));
      }
    }
    if (!archive_root_.empty() && archive_root_.back() != '/') {
      archive_root_.push_back('/');
    }
    classification_ = options_.classification_id;
    if (classification_.empty()) {
      USHER_ASSIGN_OR_RETURN(
          classification_, draft_.categories().Resolve(IsSecurityIndex(index)
                                                           ? "Security Updates"
                                                           : "Updates"));
    }
    int64_t number = 0;
    ParagraphSplitter splitter([this, &number](absl::string_view text) {
      ++number;
      return Annotate(ReadPackage(text), absl::StrCat("package ", number));
    });
    absl::Status status = ReadDecompressed(
        index,
        [&splitter](absl::string_view bytes) { return splitter.Feed(bytes); });
    if (status.ok()) status = splitter.Finish();
    ++summary_.files;
    return Annotate(status, PathToUtf8(index));
  }

  absl::StatusOr<AptImportSummary> Finish(absl::Time now) {
    if (options_.prune) USHER_RETURN_IF_ERROR(Prune());
    seen_.clear();
    USHER_ASSIGN_OR_RETURN(
        summary_.debs, PutDebs(std::move(items_), service_id_, now, draft_));
    return summary_;
  }

 private:
  absl::Status ReadPackage(absl::string_view text) {
    USHER_ASSIGN_OR_RETURN(const ControlParagraph control,
                           ControlParagraph::Parse(text));
    const absl::string_view architecture = control.Get("Architecture");
    if (!options_.architecture.empty() && architecture != "all" &&
        architecture != options_.architecture) {
      ++summary_.skipped;
      return absl::OkStatus();
    }
    const auto sha256 = ParseSha256Hex(control.Get("SHA256"));
    int64_t size = 0;
    if (!sha256.ok() || !absl::SimpleAtoi(control.Get("Size"), &size)) {
      ++summary_.skipped;
      return absl::OkStatus();
    }
    USHER_ASSIGN_OR_RETURN(DebIdentity deb, IdentityOf(control));
    std::string id = DebUpdateId(service_id_, deb);
    if (!seen_.insert(id).second) return absl::OkStatus();
    DebOptions described;
    USHER_ASSIGN_OR_RETURN(const std::string section,
                           SectionCategory(control.Get("Section")));
    described.category_ids = {section, classification_};
    USHER_ASSIGN_OR_RETURN(const std::string location,
                           Location(control, deb, *sha256));
    auto description =
        DescribeDeb(service_id_, control, described, size, *sha256, location);
    if (!description.ok()) return description.status();
    items_.push_back({std::move(deb), std::move(id),
                      DeterministicWire(*description),
                      /*supersede_older=*/true});
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Location(const ControlParagraph& control,
                                       const DebIdentity& deb,
                                       const Sha256Digest& sha256) const {
    if (archive_root_.empty()) {
      return absl::StrCat(kAbsentPrefix, ToHex(sha256), "/", DebFileName(deb));
    }
    const absl::string_view name = control.Get("Filename");
    if (name.empty() || absl::StartsWith(name, "/") ||
        absl::StrContains(name, "..")) {
      return Error(
          hr::kWuEInvalidFile,
          absl::StrCat(deb.name, ": the field Filename is \"", name, "\""),
          deb.name);
    }
    return absl::StrCat(archive_root_, EscapePath(name));
  }

  // The Product of a section, made with its family when new.
  absl::StatusOr<std::string> SectionCategory(absl::string_view section) {
    const std::string name(section.empty() ? "unknown" : section);
    const std::string id = CategoryId(service_id_, "Product", name);
    if (!sections_.insert(name).second) return id;
    usher::v1::Category family;
    family.set_category_id(CategoryId(service_id_, "ProductFamily", kFamily));
    family.set_name(std::string(kFamily));
    family.set_type("ProductFamily");
    USHER_RETURN_IF_ERROR(draft_.categories().Add(family));
    usher::v1::Category product;
    product.set_category_id(id);
    product.set_name(name);
    product.set_type("Product");
    product.set_parent_category_id(family.category_id());
    USHER_RETURN_IF_ERROR(draft_.categories().Add(product));
    return id;
  }

  absl::Status Prune() {
    std::vector<std::string> gone;
    for (const DraftEntry* entry : draft_.Sorted()) {
      if (seen_.count(entry->update_id) != 0) continue;
      const auto description = entry->Parse();
      if (description.payloads_size() == 1 && description.handler().has_deb() &&
          !IsOwnPayload(description.payloads(0).location())) {
        gone.push_back(entry->update_id);
      }
    }
    for (const std::string& id : gone) {
      USHER_RETURN_IF_ERROR(draft_.Remove(id, 0));
    }
    summary_.removed = static_cast<int64_t>(gone.size());
    return absl::OkStatus();
  }

  const AptImportOptions& options_;
  const std::string service_id_;
  Draft& draft_;
  std::string archive_root_;
  std::string classification_;
  std::set<std::string> sections_;
  std::set<std::string> seen_;
  std::vector<DebItem> items_;
  AptImportSummary summary_;
};

}  // namespace

absl::StatusOr<std::vector<fs::path>> FindPackagesIndexes(
    const fs::path& lists) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(lists, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path stem = it->path().filename();
    const std::string name = PathToUtf8(stem);
    if (it->is_regular_file(error) &&
        (absl::EndsWith(name, "_Packages") ||
         absl::EndsWith(PathToUtf8(stem.stem()), "_Packages"))) {
      files.push_back(it->path());
    }
  }
  if (files.empty()) {
    return Error(
        hr::kErrorFileNotFound,
        absl::StrCat("there is no Packages index in ", PathToUtf8(lists),
                     "; run \"apt-get update\", or name index files"),
        PathToUtf8(lists));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ArchiveRootOf(const fs::path& index) {
  const std::string name = PathToUtf8(index.filename());
  const size_t dists = name.find("_dists_");
  if (dists == std::string::npos || dists == 0) return "";
  return absl::StrCat("http://", Unescape(name.substr(0, dists)), "/");
}

absl::StatusOr<AptImportSummary> ImportApt(const AptImportOptions& options,
                                           absl::string_view service_id,
                                           absl::Time now, Draft& draft) {
  if (!options.payload_base.empty() && options.payload_base != "auto" &&
      !IsHttpUrl(options.payload_base)) {
    return Error(hr::kEInvalidarg,
                 "--payload-base must be \"auto\" or an http:// or https:// "
                 "URL",
                 options.payload_base);
  }
  // A package that stands in several indexes counts as a security update if
  // it is one.
  std::vector<fs::path> files = options.files;
  std::stable_partition(files.begin(), files.end(), IsSecurityIndex);
  Importer importer(options, service_id, draft);
  for (const fs::path& file : files) {
    USHER_RETURN_IF_ERROR(importer.ReadIndex(file));
  }
  return importer.Finish(now);
}

}  // namespace usher::publisher
