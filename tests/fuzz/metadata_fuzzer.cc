// The four kinds of TUF metadata: what is read is written again as the same.

#include <string>

#include "common/tuf/metadata_codec.h"
#include "tests/fuzz/require.h"

namespace usher::fuzz {
namespace {

template <typename Body>
void ReadAndWrite(absl::string_view text) {
  const auto first = tuf::Parse<Body>(text);
  if (!first.ok()) return;
  const auto written = tuf::Serialize(*first);
  Require(written.ok());
  const auto second = tuf::Parse<Body>(*written);
  Require(second.ok());
  Require(second->signed_bytes == first->signed_bytes);
  Require(second->signatures.size() == first->signatures.size());
}

}  // namespace
}  // namespace usher::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  const absl::string_view text = fuzz::Text(data, size);
  fuzz::ReadAndWrite<tuf::Root>(text);
  fuzz::ReadAndWrite<tuf::Timestamp>(text);
  fuzz::ReadAndWrite<tuf::Snapshot>(text);
  fuzz::ReadAndWrite<tuf::Targets>(text);
  return 0;
}
