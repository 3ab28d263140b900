#include "service/catalog/system_probe.h"

namespace usher::catalog {
namespace {

class NoProbe : public SystemProbe {
 public:
  std::string FileVersion(
      const std::filesystem::path& /*path*/) const override {
    return "";
  }
  absl::optional<std::string> RegistryData(
      absl::string_view /*key*/, absl::string_view /*value*/) const override {
    return absl::nullopt;
  }
  absl::optional<std::string> MsiVersion(
      absl::string_view /*product_code*/) const override {
    return absl::nullopt;
  }
  std::vector<std::string> MsiVersionsByUpgradeCode(
      absl::string_view /*upgrade_code*/) const override {
    return {};
  }
};

}  // namespace

std::shared_ptr<const SystemProbe> NewSystemProbe() {
  return std::make_shared<NoProbe>();
}

}  // namespace usher::catalog
