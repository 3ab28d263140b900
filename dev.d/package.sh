# shellcheck shell=bash
# Packages for those who only want to install Usher.

command_package() {
  case ${1:-debian} in
    debian) package_debian ;;
    windows) package_windows ;;
    *) die "package: for debian (default) or windows, not '$1'" ;;
  esac
}

package_windows() {
  local version
  build_windows windows-release usherd usher usher-publish usher_sdk
  version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' \
    build/windows-release/CMakeCache.txt)
  say "Packaging for Windows"
  mkdir -p build/windows-release/packages
  installer/windows/make-msi build/windows-release "$version" \
    "build/windows-release/packages/usher-$version.msi"
  echo "build/windows-release/packages/usher-$version.msi"
}

package_debian() {
  command_deps
  build release usherd usher usher-publish usher_sdk
  say "Packaging"
  # cpack appends to what it finds.
  rm -rf build/release/packages
  (cd build/release && cpack --config CPackConfig.cmake) |
    sed -n "s|^CPack: - package: $PWD/\(.*\) generated.$|\1|p"
}
