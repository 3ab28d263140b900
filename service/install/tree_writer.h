#ifndef USHER_SERVICE_INSTALL_TREE_WRITER_H_
#define USHER_SERVICE_INSTALL_TREE_WRITER_H_

// Makes a tree of files in a new folder and never writes outside of it: each
// parent is opened as a real folder, without following links. Platform twins:
// tree_writer_posix.cc, tree_writer_win.cc.

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::install {

// Paths are those of MemberPath(): relative, "/" between components, without
// "..". Missing parent folders are made. Folders and executable files get the
// mode 0755, other files 0644; owners, set-id bits and times of an archive are
// not taken over. An existing file is an error (WU_E_UH_INVALIDMETADATA),
// never replaced. Not thread-safe.
class TreeWriter {
 public:
  // Makes the folder `root`, which must not exist; its parent must.
  static absl::StatusOr<std::unique_ptr<TreeWriter>> Create(
      const std::filesystem::path& root);
  virtual ~TreeWriter() = default;

  // Makes a folder; an existing one is fine.
  virtual absl::Status MakeFolder(absl::string_view path) = 0;
  // Makes an empty file; Write appends to it until the next call of another
  // function.
  virtual absl::Status OpenFile(absl::string_view path, bool executable) = 0;
  virtual absl::Status Write(absl::string_view bytes) = 0;
  virtual absl::Status MakeSymlink(absl::string_view path,
                                   absl::string_view target) = 0;
  // Makes `path` a second name of the file `existing` of this tree.
  virtual absl::Status MakeHardLink(absl::string_view path,
                                    absl::string_view existing) = 0;
  // Brings everything to disk; call once, at the end.
  virtual absl::Status Sync() = 0;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_TREE_WRITER_H_
