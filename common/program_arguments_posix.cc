#include "common/program_arguments.h"

namespace usher {

ProgramArguments::ProgramArguments(int argc, char** argv)
    : texts_(argv, argv + argc) {
  Point();
}

}  // namespace usher
