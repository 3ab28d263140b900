#ifndef USHER_TESTS_UNIT_REPOSITORY_TEST_SERVER_H_
#define USHER_TESTS_UNIT_REPOSITORY_TEST_SERVER_H_

#include <filesystem>
#include <string>

#include "tests/unit/common/temp_folder.h"

namespace usher::repository {

// nginx on a free loopback port, serving a folder for as long as it lives.
// Beside the folder at /:
//   /moved/PATH       redirects to /PATH
//   /loop             redirects to itself
//   /to-file          redirects to file:///etc/passwd
//   /forbidden, /gone, /broken   answer 403, 410, 500
//   /slow/PATH        the file at /PATH, 900 bytes a second
class TestServer {
 public:
  explicit TestServer(const std::filesystem::path& root);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // "http://127.0.0.1:PORT"
  const std::string& url() const { return url_; }
  // Requests logged so far, one a line: "GET /a 200".
  std::string Log() const;

 private:
  TempFolder folder_;
  std::string url_;
  int pid_ = -1;
};

}  // namespace usher::repository

#endif  // USHER_TESTS_UNIT_REPOSITORY_TEST_SERVER_H_
