#ifndef USHER_SERVICE_REPOSITORY_PROXY_H_
#define USHER_SERVICE_REPOSITORY_PROXY_H_

// Which proxy a request goes through; the same for metadata, catalogs and
// payloads (IWebProxy).

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/repository/repository.h"

namespace usher::repository {

struct ProxyChoice {
  enum class Kind {
    kEnvironment,  // what http_proxy, https_proxy and no_proxy say
    kDirect,
    kProxy,
  };
  Kind kind = Kind::kEnvironment;
  // The rest only for kProxy: "scheme://host:port", without credentials.
  std::string address;
  std::string user_name;
  std::string password;

  bool operator==(const ProxyChoice&) const = default;
};

// Decides for one URL. Pure. AutoDetect makes the rest ineffective (UAMG-240);
// an empty address means direct. A bypass entry is a host ("example.com"),
// a host with port, or a pattern with "*" ("*.example.com", "192.168.*");
// case does not matter. bypass_on_local: names without a dot, and loopback
// addresses. WU_E_INVALID_PROXY_SERVER for an address that is not
// "host:port" or "scheme://host:port" with http, https, socks4, socks4a, socks5
// or socks5h; E_INVALIDARG for a URL without host.
absl::StatusOr<ProxyChoice> ChooseProxy(const ProxySettings& settings,
                                        absl::string_view url);

// Sets the choice on a libcurl easy handle (a CURL*). libcurl copies the
// strings.
absl::Status ApplyProxy(const ProxyChoice& choice, void* curl);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_PROXY_H_
