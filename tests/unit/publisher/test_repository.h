#ifndef USHER_TESTS_UNIT_PUBLISHER_TEST_REPOSITORY_H_
#define USHER_TESTS_UNIT_PUBLISHER_TEST_REPOSITORY_H_

// A repository in a temporary folder, and real Debian packages to put in it.

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "publisher/publication.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// Removed with the object.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes a file below the folder and returns its path.
  std::filesystem::path Write(const std::string& name,
                              const std::string& content) const;
  // Makes a tiny package with dpkg-deb.
  std::filesystem::path MakeDeb(const std::string& name,
                                const std::string& version,
                                const std::string& architecture = "all") const;
  // Makes a repository in "repo", its keys encrypted if a passphrase is given.
  std::filesystem::path MakeRepository(
      const std::string& passphrase = "") const;

 private:
  std::filesystem::path path_;
};

// The time of these tests' publications: now, so that nothing is expired.
absl::Time TestTime();

// Reads a whole file; fails the test when it cannot.
std::string Slurp(const std::filesystem::path& path);

// Publishes with defaults.
absl::StatusOr<PublishResult> PublishNow(const std::filesystem::path& dir);

// Opens for writing; fails the test when it cannot.
Workspace OpenForTest(const std::filesystem::path& dir);

}  // namespace usher::publisher

#endif  // USHER_TESTS_UNIT_PUBLISHER_TEST_REPOSITORY_H_
