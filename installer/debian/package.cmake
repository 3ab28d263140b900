# Debian packages: usher (service and command line), usher-publish, and
# libusher-dev (SDK). `./dev package` makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME usher)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_VENDOR "The Usher authors")
set(CPACK_PACKAGE_CONTACT "The Usher authors <usher@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_STRIP_FILES ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL service cli publisher sdk)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENT_SERVICE_GROUP usher)
set(CPACK_COMPONENT_CLI_GROUP usher)
set(CPACK_COMPONENT_PUBLISHER_GROUP publisher)
set(CPACK_COMPONENT_SDK_GROUP sdk)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# The versions that the libraries on this machine ask for.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_USHER_PACKAGE_NAME usher)
set(CPACK_DEBIAN_USHER_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_USHER_DESCRIPTION
"The service, which gives every program on the machine the Windows Update Agent's
session API over gRPC on a local socket, and its command line.")
# deb-systemd-helper and deb-systemd-invoke.
set(CPACK_DEBIAN_USHER_PACKAGE_DEPENDS "init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_USHER_PACKAGE_RECOMMENDS "systemd")
set(CPACK_DEBIAN_USHER_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_USHER_PACKAGE_CONTROL_EXTRA
  "${CMAKE_CURRENT_LIST_DIR}/postinst;${CMAKE_CURRENT_LIST_DIR}/prerm;${CMAKE_CURRENT_LIST_DIR}/postrm")

set(CPACK_DEBIAN_PUBLISHER_PACKAGE_NAME usher-publish)
set(CPACK_DEBIAN_PUBLISHER_PACKAGE_SECTION devel)
# For keys in a token.
set(CPACK_DEBIAN_PUBLISHER_PACKAGE_SUGGESTS "libengine-pkcs11-openssl")
set(CPACK_DEBIAN_PUBLISHER_DESCRIPTION
"The publisher, which adds Debian packages, archives and programs to a repository
of static files that any web server can serve, and signs it with keys of The
Update Framework.")

set(CPACK_DEBIAN_SDK_PACKAGE_NAME libusher-dev)
set(CPACK_DEBIAN_SDK_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_SDK_PACKAGE_DEPENDS "libabsl-dev")
set(CPACK_DEBIAN_SDK_DESCRIPTION
"The C++ client library: sessions, searchers, downloaders and installers under the
names of the Windows Update Agent, with headers and a CMake package.")

include(CPack)
cpack_add_component_group(usher)
cpack_add_component_group(publisher)
cpack_add_component_group(sdk)
