#include "tests/unit/install/packages.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "service/platform/process.h"
#include "service/platform/utf8_locale.h"

namespace usher::install::test {
namespace {

la_ssize_t Append(archive* /*handle*/, void* data, const void* bytes,
                  size_t size) {
  static_cast<std::string*>(data)->append(static_cast<const char*>(bytes),
                                          size);
  return static_cast<la_ssize_t>(size);
}

mode_t TypeOf(Member::Type type) {
  switch (type) {
    case Member::Type::kFolder:
      return AE_IFDIR;
    case Member::Type::kSymlink:
      return AE_IFLNK;
    case Member::Type::kFifo:
      return AE_IFIFO;
    case Member::Type::kDevice:
      return AE_IFCHR;
    default:
      return AE_IFREG;
  }
}

void Write(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

std::string MakeArchive(const std::vector<Member>& members, Format format) {
  const platform::Utf8Locale utf8;
  std::string bytes;
  archive* out = archive_write_new();
  if (format == Format::kZip) {
    archive_write_set_format_zip(out);
    archive_write_set_options(out, "zip:hdrcharset=UTF-8");
  } else {
    archive_write_set_format_pax_restricted(out);
  }
  if (format == Format::kTarGz) archive_write_add_filter_gzip(out);
  // The same bytes each time, whichever process makes them.
  archive_write_set_options(out, "gzip:!timestamp");
  if (format == Format::kTarXz) archive_write_add_filter_xz(out);
  if (format == Format::kTarZst) archive_write_add_filter_zstd(out);
  archive_write_set_bytes_in_last_block(out, 1);
  archive_write_open(out, &bytes, nullptr, &Append, nullptr);
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, member.name.c_str());
    archive_entry_set_mtime(entry, 1'000'000'000, 0);
    archive_entry_set_filetype(entry, TypeOf(member.type));
    archive_entry_set_perm(entry, static_cast<mode_t>(member.mode));
    const bool file = member.type == Member::Type::kFile;
    if (member.type == Member::Type::kSymlink) {
      archive_entry_set_symlink(entry, member.content.c_str());
    }
    if (member.type == Member::Type::kHardLink) {
      archive_entry_set_hardlink(entry, member.content.c_str());
    }
    archive_entry_set_size(
        entry, file ? static_cast<int64_t>(member.content.size()) : 0);
    EXPECT_EQ(archive_write_header(out, entry), ARCHIVE_OK)
        << archive_error_string(out);
    if (file) {
      archive_write_data(out, member.content.data(), member.content.size());
    }
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
  return bytes;
}

std::string MakeDeb(const Deb& deb, const std::filesystem::path& scratch) {
  const std::filesystem::path tree = scratch / ("deb-" + RandomResourceId());
  Write(tree / "DEBIAN/control",
        absl::StrCat("Package: ", deb.name, "\nVersion: ", deb.version,
                     "\nArchitecture: all\nMaintainer: Test <t@example.org>\n",
                     deb.depends.empty()
                         ? ""
                         : absl::StrCat("Depends: ", deb.depends, "\n"),
                     "Description: made by a test\n"));
  const std::pair<const char*, const std::string*> scripts[] = {
      {"preinst", &deb.preinst},
      {"postinst", &deb.postinst},
      {"prerm", &deb.prerm},
      {"postrm", &deb.postrm}};
  for (const auto& [name, body] : scripts) {
    if (body->empty()) continue;
    Write(tree / "DEBIAN" / name,
          absl::StrCat("#!/bin/sh\nset -e\n", *body, "\n"));
    std::filesystem::permissions(tree / "DEBIAN" / name,
                                 std::filesystem::perms(0755));
  }
  for (const auto& [path, content] : deb.files) Write(tree / path, content);
  for (const auto& [path, target] : deb.links) {
    std::filesystem::create_directories((tree / path).parent_path());
    std::filesystem::create_symlink(target, tree / path);
  }
  const std::filesystem::path file = tree.string() + ".deb";
  // dpkg-deb insists on permissions that a private umask does not give.
  std::filesystem::permissions(tree, std::filesystem::perms(0755));
  std::filesystem::permissions(tree / "DEBIAN", std::filesystem::perms(0755));
  platform::ProcessOptions options;
  options.argv = {"/usr/bin/dpkg-deb", "--build",    "-Zgzip", "-z1",
                  tree.string(),       file.string()};
  options.working_directory = scratch;
  options.environment = {{"SOURCE_DATE_EPOCH", "1000000000"}};
  const auto built = platform::RunProcess(options, CancellationToken());
  EXPECT_TRUE(built.ok() && built->exit_code == 0)
      << (built.ok() ? built->error_output : built.status().ToString());
  const auto bytes = ReadFile(file, uint64_t{64} * 1024 * 1024);
  std::filesystem::remove_all(tree);
  std::filesystem::remove(file);
  return bytes.ok() ? *bytes : "";
}

void MakeDpkgRoot(const std::filesystem::path& root) {
  const std::filesystem::path admin = root / "var/lib/dpkg";
  std::filesystem::create_directories(admin / "info");
  std::filesystem::create_directories(admin / "updates");
  std::filesystem::create_directories(admin / "triggers");
  Write(admin / "status", "");
  Write(admin / "available", "");
}

}  // namespace usher::install::test
