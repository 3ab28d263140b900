#include "service/catalog/streamer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/error.h"
#include "service/catalog/rows.h"
#include "usher/v1/update.pb.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

// A batch is read in one go and given away outside the database, so that a slow
// receiver holds no reader. Both bounds are small beside the process.
constexpr size_t kBatchBytes = size_t{128} * 1024;
constexpr size_t kBatchRows = 256;
// Rows that lie at most this many times as far apart as they are numerous are
// read by one scan.
constexpr int64_t kScanSpread = 4;

constexpr absl::string_view kSelect =
    "SELECT u.id, c.wire, c.payloads, c.localized, u.has_eula, "
    "u.eula_accepted, u.is_hidden, u.is_installed, u.is_present, "
    "u.reboot_required, u.is_bundle, u.service FROM catalog_update u CROSS "
    "JOIN catalog_content c ON c.id = u.id WHERE ";

bool AllCached(absl::string_view digests, const Catalog::IsCached& is_cached) {
  Sha256Digest digest;
  for (size_t i = 0; i + digest.size() <= digests.size(); i += digest.size()) {
    std::memcpy(digest.data(), digests.data() + i, digest.size());
    if (!is_cached(digest)) return false;
  }
  return true;
}

// A bundle's content is its children's.
absl::Status AddBundle(Connection& connection, int64_t row, int64_t service,
                       const Catalog::IsCached& is_cached, v1::Update& state) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection,
            "SELECT c.payloads, c.wire FROM catalog_bundle b CROSS JOIN "
            "catalog_update u ON u.update_id = b.update_id AND u.revision = "
            "b.revision AND u.service = ? AND u.retired = 0 CROSS JOIN "
            "catalog_content c ON c.id = u.id WHERE b.row = ?",
            {service, row}));
  bool downloaded = true;
  int64_t bytes = 0;
  v1::Update child;
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) break;
    downloaded = downloaded && AllCached(select.Blob(0), is_cached);
    USHER_RETURN_IF_ERROR(ParseStored(select.Blob(1), child));
    bytes += child.max_download_size();
  }
  state.set_is_downloaded(downloaded);
  state.set_min_download_size(bytes);
  state.set_max_download_size(bytes);
  return absl::OkStatus();
}

// Puts the best translation over the update that begins at `begin`.
absl::Status Localize(Connection& connection, int64_t row,
                      const std::vector<std::string>& languages, size_t begin,
                      std::string& buffer) {
  for (const std::string& language : languages) {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection,
              "SELECT replaces_lists, overlay FROM catalog_localized WHERE row "
              "= ? AND language = ?",
              {row, language}));
    USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) continue;
    const absl::string_view overlay = select.Blob(1);
    if (select.Int(0) == 0) {
      buffer.append(overlay.data(), overlay.size());
      return absl::OkStatus();
    }
    v1::Update update;
    v1::Update translation;
    USHER_RETURN_IF_ERROR(
        ParseStored(absl::string_view(buffer).substr(begin), update));
    USHER_RETURN_IF_ERROR(ParseStored(overlay, translation));
    if (!translation.more_info_urls().empty()) update.clear_more_info_urls();
    if (!translation.uninstallation_steps().empty()) {
      update.clear_uninstallation_steps();
    }
    update.MergeFrom(translation);
    buffer.resize(begin);
    update.AppendToString(&buffer);
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

// Appends the update of the present row of `select`.
absl::Status Append(Connection& connection, const Statement& select,
                    const std::vector<std::string>& languages,
                    const Catalog::IsCached& is_cached, UpdateBatch& batch) {
  std::string& buffer = batch.buffer();
  const size_t begin = buffer.size();
  const absl::string_view wire = select.Blob(1);
  buffer.append(wire.data(), wire.size());
  if (select.Int(3) != 0 && !languages.empty()) {
    USHER_RETURN_IF_ERROR(
        Localize(connection, select.Int(0), languages, begin, buffer));
  }
  v1::Update state;
  state.set_eula_accepted(select.Int(4) == 0 || select.Int(5) != 0);
  state.set_is_hidden(select.Int(6) != 0);
  state.set_is_installed(select.Int(7) != 0);
  state.set_is_present(select.Int(8) != 0);
  state.set_reboot_required(select.Int(9) != 0);
  if (select.Int(10) != 0) {
    USHER_RETURN_IF_ERROR(
        AddBundle(connection, select.Int(0), select.Int(11), is_cached, state));
  } else {
    state.set_is_downloaded(AllCached(select.Blob(2), is_cached));
  }
  state.AppendToString(&buffer);
  batch.End();
  return absl::OkStatus();
}

bool BatchFull(const UpdateBatch& batch) {
  return batch.bytes() >= kBatchBytes;
}

// `rows` ascend and lie close together.
absl::StatusOr<size_t> Scan(Connection& connection,
                            absl::Span<const int64_t> rows,
                            const std::vector<std::string>& languages,
                            const Catalog::IsCached& is_cached,
                            UpdateBatch& batch) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection,
            absl::StrCat(kSelect, "u.id BETWEEN ? AND ? ORDER BY u.id"),
            {rows.front(), rows.back()}));
  size_t used = 0;
  while (!BatchFull(batch)) {
    USHER_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return rows.size();
    const int64_t row = select.Int(0);
    while (used < rows.size() && rows[used] < row) ++used;
    if (used == rows.size()) return used;
    if (rows[used] != row) continue;
    USHER_RETURN_IF_ERROR(
        Append(connection, select, languages, is_cached, batch));
    ++used;
  }
  return used;
}

absl::StatusOr<size_t> LookUp(Connection& connection,
                              absl::Span<const int64_t> rows,
                              const std::vector<std::string>& languages,
                              const Catalog::IsCached& is_cached,
                              UpdateBatch& batch) {
  USHER_ASSIGN_OR_RETURN(Statement select,
                         connection.Prepare(absl::StrCat(kSelect, "u.id = ?")));
  size_t used = 0;
  for (const int64_t row : rows) {
    if (BatchFull(batch)) break;
    select.Bind(1, row);
    USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (found) {
      USHER_RETURN_IF_ERROR(
          Append(connection, select, languages, is_cached, batch));
    }
    select.Reset();
    ++used;
  }
  return used;
}

}  // namespace

void UpdateBatch::Clear() {
  buffer_.clear();
  ends_.clear();
}

absl::string_view UpdateBatch::operator[](size_t index) const {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return absl::string_view(buffer_).substr(begin, ends_[index] - begin);
}

std::vector<std::string> LanguageChain(absl::string_view locale) {
  // "de_AT.UTF-8" is how POSIX writes it.
  std::string tag = absl::AsciiStrToLower(absl::StrReplaceAll(
      locale.substr(0, locale.find_first_of(".@")), {{"_", "-"}}));
  std::vector<std::string> chain;
  while (!tag.empty()) {
    chain.push_back(tag);
    const size_t dash = tag.rfind('-');
    tag.resize(dash == std::string::npos ? 0 : dash);
  }
  return chain;
}

absl::StatusOr<size_t> ReadBatch(Connection& connection,
                                 absl::Span<const int64_t> rows,
                                 const std::vector<std::string>& languages,
                                 const Catalog::IsCached& is_cached,
                                 UpdateBatch& batch) {
  batch.Clear();
  rows = rows.subspan(0, std::min(rows.size(), kBatchRows));
  if (rows.empty()) return 0;
  const auto count = static_cast<int64_t>(rows.size());
  const bool close =
      count > 1 && std::is_sorted(rows.begin(), rows.end()) &&
      std::adjacent_find(rows.begin(), rows.end()) == rows.end() &&
      rows.back() - rows.front() <= kScanSpread * count;
  return close ? Scan(connection, rows, languages, is_cached, batch)
               : LookUp(connection, rows, languages, is_cached, batch);
}

}  // namespace usher::catalog
