#ifndef USHER_TESTS_UNIT_INSTALL_PACKAGES_H_
#define USHER_TESTS_UNIT_INSTALL_PACKAGES_H_

// Makes real archives and Debian packages for tests.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace usher::install::test {

// One member of an archive.
struct Member {
  enum class Type { kFile, kFolder, kSymlink, kHardLink, kFifo, kDevice };
  std::string name;
  std::string content;  // or the target of a link
  Type type = Type::kFile;
  int mode = 0644;
};

enum class Format { kTar, kTarGz, kTarXz, kTarZst, kZip };

// The bytes of an archive with these members, in this order.
std::string MakeArchive(const std::vector<Member>& members,
                        Format format = Format::kTarGz);

// A Debian package.
struct Deb {
  std::string name;
  std::string version = "1.0";
  std::string depends;
  // Bodies of shell scripts, or "".
  std::string preinst;
  std::string postinst;
  std::string prerm;
  std::string postrm;
  // Relative path and content of its files.
  std::vector<std::pair<std::string, std::string>> files;
  // Relative path and target of symbolic links.
  std::vector<std::pair<std::string, std::string>> links;
};

// The bytes of a .deb, built by dpkg-deb in `scratch`.
std::string MakeDeb(const Deb& deb, const std::filesystem::path& scratch);

// Makes an empty package database below `root` for dpkg --root.
void MakeDpkgRoot(const std::filesystem::path& root);

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_PACKAGES_H_
