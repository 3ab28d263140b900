// Update description files, written by hand.

#include <string>

#include "publisher/category_set.h"
#include "publisher/description_file.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  publisher::CategorySet categories;
  // A folder without files: what is named is missing.
  const auto source = publisher::ReadDescription(
      fuzz::Text(data, size), "update.toml", "/nonexistent",
      "11111111-1111-4111-8111-111111111111", categories);
  if (source.ok()) return 0;
  fuzz::Require(!source.status().message().empty());
  return 0;
}
