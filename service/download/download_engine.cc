#include "service/download/download_engine.h"

#include <curl/curl.h>

#include <memory>

#include "absl/base/call_once.h"
#include "common/error.h"
#include "service/download/engine.h"

namespace usher::download {

absl::StatusOr<std::unique_ptr<DownloadEngine>> DownloadEngine::Start(
    ContentCache& cache, const Options& options) {
  if (options.max_transfers < 1 || options.max_connections_per_host < 1 ||
      options.max_attempts < 1) {
    return Error(hr::kEInvalidarg,
                 "the numbers of transfers, connections and attempts must be "
                 "at least 1");
  }
  static absl::once_flag once;
  absl::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) {
    return Error(hr::kEOutofmemory, "cannot start the download engine");
  }
  // The engine counts on its own; this also holds redirects to the limit.
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(  // NOLINT(google-runtime-int)
                        options.max_connections_per_host));
  auto engine = std::make_unique<Engine>(cache, options, multi);
  engine->Start();
  return engine;
}

}  // namespace usher::download
