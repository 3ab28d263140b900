#ifndef USHER_COMMON_PROGRAM_ARGUMENTS_H_
#define USHER_COMMON_PROGRAM_ARGUMENTS_H_

// The arguments of main() as UTF-8. Platform twins: program_arguments_posix.cc
// (as they are), program_arguments_win.cc (what main() gets there has lost
// every character that the system's code page lacks).

#include <string>
#include <vector>

namespace usher {

// Lives as long as argv() is in use. Not thread-safe.
class ProgramArguments {
 public:
  ProgramArguments(int argc, char** argv);
  ProgramArguments(const ProgramArguments&) = delete;
  ProgramArguments& operator=(const ProgramArguments&) = delete;

  int argc() const { return static_cast<int>(texts_.size()); }
  // With a null pointer behind the last one.
  char** argv() { return pointers_.data(); }

 private:
  // Points pointers_ to texts_.
  void Point() {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }

  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

}  // namespace usher

#endif  // USHER_COMMON_PROGRAM_ARGUMENTS_H_
