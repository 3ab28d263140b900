#include "service/repository/proxy.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

bool IsLocal(absl::string_view host) {
  const bool name_without_dot =
      host.find_first_of(".:") == absl::string_view::npos;
  return name_without_dot || host == "::1" || absl::StartsWith(host, "127.");
}

// Whether `text` fits `pattern`, in which "*" stands for anything. Linear in
// practice: one star is retried at a time.
bool Fits(absl::string_view text, absl::string_view pattern) {
  size_t t = 0;
  size_t p = 0;
  size_t star = absl::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p),
                     pattern.end(), [](char c) { return c == '*'; });
}

bool Bypasses(const ProxySettings& settings, const UrlParts& url) {
  if (settings.bypass_on_local && IsLocal(url.host)) return true;
  const std::string with_port = absl::StrCat(url.host, ":", url.port);
  return std::any_of(
      settings.bypass_list.begin(), settings.bypass_list.end(),
      [&](const std::string& entry) {
        const std::string pattern =
            absl::AsciiStrToLower(absl::StripAsciiWhitespace(entry));
        if (pattern == "<local>") return IsLocal(url.host);
        return Fits(url.host, pattern) || Fits(with_port, pattern);
      });
}

absl::Status CheckAddress(absl::string_view address) {
  constexpr size_t kMaxBytes = 1024;
  constexpr int kMaxPort = 65535;
  absl::string_view rest = address;
  if (const size_t end = address.find("://"); end != absl::string_view::npos) {
    const std::string scheme = absl::AsciiStrToLower(address.substr(0, end));
    const bool known = scheme == "http" || scheme == "https" ||
                       scheme == "socks4" || scheme == "socks4a" ||
                       scheme == "socks5" || scheme == "socks5h";
    rest = known ? address.substr(end + 3) : "";
  }
  const size_t colon = rest.rfind(':');
  int port = 0;
  if (address.size() <= kMaxBytes && colon != absl::string_view::npos &&
      colon > 0 && rest.find_first_of("@/?# ") == absl::string_view::npos &&
      absl::SimpleAtoi(rest.substr(colon + 1), &port) && port > 0 &&
      port <= kMaxPort) {
    return absl::OkStatus();
  }
  return Error(
      hr::kWuEInvalidProxyServer,
      absl::StrCat("the proxy address must be HOST:PORT or "
                   "SCHEME://HOST:PORT (http, https, socks4, socks4a, "
                   "socks5, socks5h), without credentials: \"",
                   absl::Utf8SafeCEscape(address.substr(0, kMaxBytes)), "\""),
      "address");
}

}  // namespace

absl::StatusOr<ProxyChoice> ChooseProxy(const ProxySettings& settings,
                                        absl::string_view url) {
  USHER_ASSIGN_OR_RETURN(const UrlParts parts, ParseUrl(url));
  if (parts.host.empty()) {
    return Error(hr::kEInvalidarg, "a file: URL needs no proxy");
  }
  ProxyChoice choice;
  if (settings.auto_detect) return choice;
  if (settings.address.empty()) {
    choice.kind = ProxyChoice::Kind::kDirect;
    return choice;
  }
  USHER_RETURN_IF_ERROR(CheckAddress(settings.address));
  if (Bypasses(settings, parts)) {
    choice.kind = ProxyChoice::Kind::kDirect;
    return choice;
  }
  choice.kind = ProxyChoice::Kind::kProxy;
  choice.address = settings.address;
  choice.user_name = settings.user_name;
  choice.password = settings.password;
  return choice;
}

absl::Status ApplyProxy(const ProxyChoice& choice, void* curl) {
  auto* easy = static_cast<CURL*>(curl);
  // Null brings back libcurl's own reading of the environment; an empty proxy
  // switches it off, and so does an empty no-proxy list with that variable.
  const bool environment = choice.kind == ProxyChoice::Kind::kEnvironment;
  const bool proxy = choice.kind == ProxyChoice::Kind::kProxy;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
  };
  const bool set =
      curl_easy_setopt(easy, CURLOPT_PROXY,
                       environment ? nullptr : choice.address.c_str()) ==
          CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_NOPROXY, environment ? nullptr : "") ==
          CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME,
                       proxy ? or_null(choice.user_name) : nullptr) ==
          CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
                       proxy ? or_null(choice.password) : nullptr) == CURLE_OK;
  if (set) return absl::OkStatus();
  return Error(hr::kWuEInvalidProxyServer, "libcurl refused the proxy");
}

}  // namespace usher::repository
