// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <msi.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/win32.h"
#include "service/catalog/system_probe.h"

namespace usher::catalog {
namespace {

constexpr DWORD kMaxData = 64 * 1024;
constexpr DWORD kMaxVersionResource = 1024 * 1024;
// "{…}" and the NUL.
constexpr size_t kCodeSize = 39;
// INSTALLPROPERTY_VERSIONSTRING, which is wide only in some builds.
constexpr wchar_t kVersionProperty[] = L"VersionString";
constexpr DWORD kMaxRelatedProducts = 1000;
// "HKLM" or "HKCU" and the backslash.
constexpr size_t kHiveSize = 5;

std::string TextOf(const std::vector<char>& data) {
  std::wstring text(data.size() / sizeof(wchar_t), L'\0');
  std::memcpy(text.data(), data.data(), text.size() * sizeof(wchar_t));
  // Texts end with a NUL, or not, or with several; a list has one behind each.
  while (!text.empty() && text.back() == L'\0') text.pop_back();
  std::replace(text.begin(), text.end(), L'\0', L'\n');
  return win32::ToUtf8(text);
}

std::string DataOf(DWORD type, const std::vector<char>& data) {
  uint64_t number = 0;
  switch (type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_MULTI_SZ:
      return TextOf(data);
    case REG_DWORD:
    case REG_QWORD:
      std::memcpy(&number, data.data(), std::min(data.size(), sizeof number));
      return absl::StrCat(number);
    default:
      return absl::BytesToHexString(
          absl::string_view(data.data(), data.size()));
  }
}

class WindowsProbe : public SystemProbe {
 public:
  std::string FileVersion(const std::filesystem::path& path) const override {
    const std::wstring name = win32::ApiPath(path);
    // As data only: no code of the file runs, and no other file is read.
    const DWORD size =
        GetFileVersionInfoSizeExW(FILE_VER_GET_NEUTRAL, name.c_str(), nullptr);
    if (size == 0 || size > kMaxVersionResource) return "";
    std::vector<char> data(size);
    VS_FIXEDFILEINFO* info = nullptr;
    UINT length = 0;
    if (GetFileVersionInfoExW(FILE_VER_GET_NEUTRAL, name.c_str(), 0, size,
                              data.data()) == 0 ||
        VerQueryValueW(data.data(), L"\\", reinterpret_cast<void**>(&info),
                       &length) == 0 ||
        length < sizeof *info) {
      return "";
    }
    return absl::StrCat(
        HIWORD(info->dwFileVersionMS), ".", LOWORD(info->dwFileVersionMS), ".",
        HIWORD(info->dwFileVersionLS), ".", LOWORD(info->dwFileVersionLS));
  }

  absl::optional<std::string> RegistryData(
      absl::string_view key, absl::string_view value) const override {
    if (key.size() <= kHiveSize) return absl::nullopt;
    HKEY hive =
        absl::StartsWith(key, "HKLM") ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
    HKEY opened = nullptr;
    if (RegOpenKeyExW(hive, win32::ToWide(key.substr(kHiveSize)).c_str(), 0,
                      KEY_QUERY_VALUE | KEY_WOW64_64KEY,
                      &opened) != ERROR_SUCCESS) {
      return absl::nullopt;
    }
    absl::optional<std::string> found;
    if (value.empty()) {
      found = "";
    } else {
      std::vector<char> data(kMaxData);
      DWORD size = kMaxData;
      DWORD type = REG_NONE;
      if (RegQueryValueExW(opened, win32::ToWide(value).c_str(), nullptr, &type,
                           reinterpret_cast<BYTE*>(data.data()),
                           &size) == ERROR_SUCCESS) {
        data.resize(size);
        found = DataOf(type, data);
      }
    }
    RegCloseKey(opened);
    return found;
  }

  absl::optional<std::string> MsiVersion(
      absl::string_view product_code) const override {
    return VersionOf(win32::ToWide(product_code).c_str());
  }

  std::vector<std::string> MsiVersionsByUpgradeCode(
      absl::string_view upgrade_code) const override {
    const std::wstring code = win32::ToWide(upgrade_code);
    std::vector<std::string> versions;
    std::array<wchar_t, kCodeSize> product;
    for (DWORD i = 0; i < kMaxRelatedProducts &&
                      MsiEnumRelatedProductsW(code.c_str(), 0, i,
                                              product.data()) == ERROR_SUCCESS;
         ++i) {
      absl::optional<std::string> version = VersionOf(product.data());
      if (version.has_value()) versions.push_back(*std::move(version));
    }
    std::sort(versions.begin(), versions.end());
    return versions;
  }

 private:
  static absl::optional<std::string> VersionOf(const wchar_t* product) {
    // An advertised product is offered, not installed.
    if (MsiQueryProductStateW(product) != INSTALLSTATE_DEFAULT) {
      return absl::nullopt;
    }
    std::array<wchar_t, 256> version;
    DWORD size = version.size();
    if (MsiGetProductInfoW(product, kVersionProperty, version.data(), &size) !=
        ERROR_SUCCESS) {
      return absl::nullopt;
    }
    return win32::ToUtf8(std::wstring_view(version.data(), size));
  }
};

}  // namespace

std::shared_ptr<const SystemProbe> NewSystemProbe() {
  return std::make_shared<WindowsProbe>();
}

}  // namespace usher::catalog
