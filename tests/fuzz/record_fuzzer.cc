// Records of a catalog: headers, categories, update descriptions with their
// rules and handlers. What has passed the checks once passes them again.

#include "common/catalog/check_record.h"
#include "common/catalog/check_rule.h"
#include "common/error.h"
#include "publisher/update_checks.h"
#include "tests/fuzz/require.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::fuzz {
namespace {

void CheckRules(repository::v1::UpdateDescription& update) {
  for (auto* const rule :
       {update.mutable_is_installed(), update.mutable_is_installable()}) {
    if (!catalog::CheckRule(*rule).ok()) continue;
    Require(catalog::CheckRule(*rule).ok());
  }
}

}  // namespace
}  // namespace usher::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  repository::v1::CatalogRecord record;
  if (!record.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (record.has_header()) {
    catalog::CheckHeader(record.header(), record.header().service_id())
        .IgnoreError();
  }
  if (record.has_category() &&
      catalog::CheckCategory(*record.mutable_category()).ok()) {
    fuzz::Require(catalog::CheckCategory(*record.mutable_category()).ok());
  }
  if (!record.has_update()) return 0;
  // The publisher's own checks come first and on the text as it is.
  const bool published = publisher::CheckUpdate(record.update()).ok() &&
                         publisher::CheckAsClients(record.update()).ok();
  const bool taken = catalog::CheckUpdate(*record.mutable_update()).ok();
  // What is published, clients take.
  fuzz::Require(taken || !published);
  if (taken) {
    fuzz::Require(catalog::CheckUpdate(*record.mutable_update()).ok());
  }
  fuzz::CheckRules(*record.mutable_update());
  return 0;
}
