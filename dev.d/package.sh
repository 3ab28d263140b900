# shellcheck shell=bash
# Packages for those who only want to install Usher.

command_package() {
  command_deps
  build release usherd usher usher-publish usher_sdk
  say "Packaging"
  # cpack appends to what it finds.
  rm -rf build/release/packages
  (cd build/release && cpack --config CPackConfig.cmake) |
    sed -n "s|^CPack: - package: $PWD/\(.*\) generated.$|\1|p"
}
