#include <cstdlib>

#include "common/file_io.h"
#include "common/transport/transport.h"

namespace usher::transport {

std::string MachineAddress() { return "/run/usher/usher.sock"; }

std::string DefaultAddress() {
  const char* address = std::getenv("USHER_ADDRESS");
  return address != nullptr && *address != '\0' ? address : MachineAddress();
}

std::string PrivateAddress(const std::filesystem::path& state_dir) {
  return PathToUtf8(state_dir / "usher.sock");
}

std::string ResolveAddress(const std::string& text,
                           const std::filesystem::path& folder) {
  return PathToUtf8((folder / PathFromUtf8(text)).lexically_normal());
}

}  // namespace usher::transport
