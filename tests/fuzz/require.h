#ifndef USHER_TESTS_FUZZ_REQUIRE_H_
#define USHER_TESTS_FUZZ_REQUIRE_H_

#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace usher::fuzz {

// A property that must hold whatever the input is; libFuzzer keeps the input
// of a program that aborts.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

inline absl::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace usher::fuzz

#endif  // USHER_TESTS_FUZZ_REQUIRE_H_
