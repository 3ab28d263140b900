// Search criteria, which anybody may send.

#include "service/catalog/criteria.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  const auto criteria = catalog::ParseCriteria(fuzz::Text(data, size));
  if (!criteria.ok()) return 0;
  fuzz::Require(!criteria->empty());
  size_t count = 0;
  for (const catalog::AndGroup& group : *criteria) {
    fuzz::Require(!group.empty());
    count += group.size();
  }
  fuzz::Require(count <= catalog::kMaxCriteria);
  return 0;
}
