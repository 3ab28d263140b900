# shellcheck shell=bash
# What Usher needs from Debian 12, and how it gets there.

readonly PACKAGES=(
  # Building
  g++ cmake ninja-build ccache pkg-config git ca-certificates
  dpkg-dev file
  protobuf-compiler protobuf-compiler-grpc
  libgrpc++-dev libprotobuf-dev libabsl-dev libspdlog-dev libsqlite3-dev
  libcurl4-openssl-dev libssl-dev libzstd-dev libarchive-dev
  nlohmann-json3-dev libtomlplusplus-dev libcli11-dev
  # Tests, demo and bench
  libgtest-dev libgmock-dev libbenchmark-dev nginx-light tinyproxy curl openssl
  python3 python3-grpcio python3-protobuf python3-pytest
  python3-securesystemslib python3-cryptography faketime procps
  softhsm2 opensc libengine-pkcs11-openssl openssh-client
  systemd nodejs npm
  # Style
  clang-format clang-tidy
)

# What only the Windows build and its tests need (dev.d/windows.sh).
readonly WINDOWS_PACKAGES=(
  g++-mingw-w64-x86-64-posix wine wine64
  # Their versions say which sources are built for Windows.
  zlib1g-dev libbz2-dev liblzma-dev libc-ares-dev libfmt-dev
  # Joins SQLite's sources.
  tcl
  # The Windows Installer package.
  wixl msitools
)

# Daemons that some of these packages would start; the tests run their own
# copies on ports of their own.
readonly UNWANTED_SERVICES=(nginx tinyproxy)

# Another place for it is for tests.
readonly POLICY=${USHER_DEPS_POLICY:-/usr/sbin/policy-rc.d}
readonly POLICY_SAVED=$POLICY.before-usher-dev
readonly POLICY_NEW=$POLICY.usher-dev
# Tells ours from the machine's own.
readonly POLICY_MARK='# Of ./dev deps of Usher, while it installs packages.'

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo -- "$@"
  fi
}

is_installed() {
  # Whoever has Node.js from elsewhere keeps it.
  case $1 in nodejs | npm) command -v "${1%js}" >/dev/null && return ;; esac
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# A policy-rc.d that says "start nothing" while we install. One that was there
# is put aside and comes back afterwards, also after an interrupted run.
forbid_services() {
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" |
    as_root tee "$POLICY_NEW" >/dev/null
  as_root chmod 755 "$POLICY_NEW"
  if [[ -e $POLICY ]]; then
    as_root mv "$POLICY" "$POLICY_SAVED"
  fi
  as_root mv "$POLICY_NEW" "$POLICY"
}

policy_is_ours() {
  [[ -e $POLICY_SAVED || -e $POLICY_NEW ]] || grep -qsF "$POLICY_MARK" "$POLICY"
}

# Takes ours away, wherever a run was interrupted, and nothing else.
allow_services() {
  if [[ -e $POLICY_SAVED ]]; then
    as_root mv -f "$POLICY_SAVED" "$POLICY"
  elif grep -qsF "$POLICY_MARK" "$POLICY"; then
    as_root rm -f "$POLICY"
  fi
  if [[ -e $POLICY_NEW ]]; then
    as_root rm -f "$POLICY_NEW"
  fi
}

command_deps() { install_packages "${PACKAGES[@]}"; }

windows_deps() { install_packages "${PACKAGES[@]}" "${WINDOWS_PACKAGES[@]}"; }

# install_packages PACKAGE…: those that are missing.
install_packages() {
  local package missing=() lock
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)) && ! policy_is_ours; then return 0; fi

  # One at a time on a machine, from whatever checkout: a policy that is ours
  # belongs to whoever has the lock.
  exec {lock}<"$(dirname "$POLICY")"
  if ! flock --nonblock "$lock"; then
    echo "Waiting for another ./dev that installs packages."
    flock "$lock"
  fi
  # A run that was killed, or a power cut, may have left the policy in force.
  allow_services
  if ((${#missing[@]})); then install_missing "${missing[@]}"; fi
  exec {lock}<&-
}

# install_missing PACKAGE…, which are not there; needs the lock.
install_missing() {
  local missing=("$@") fresh_services=()

  [[ -x /usr/bin/apt-get ]] ||
    die "this needs Debian 12's apt-get; install by hand: ${missing[*]}"
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    die "not root and no sudo; as root, run: apt-get install ${missing[*]}"
  fi
  say "Installing ${#missing[@]} packages from Debian: ${missing[*]}"
  local service
  for service in "${UNWANTED_SERVICES[@]}"; do
    [[ -e /etc/init.d/$service ]] || fresh_services+=("$service")
  done

  trap allow_services EXIT
  forbid_services
  local log
  log=$(mktemp)
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >"$log" 2>&1 ||
    { cat "$log"; die "apt-get could not install the packages"; }
  rm -f "$log"
  allow_services
  trap - EXIT

  # Their packages also enable them for the next boot. Those that were on this
  # machine before us stay as they were.
  for service in "${fresh_services[@]}"; do
    [[ -e /etc/init.d/$service ]] || continue
    # Covers both init scripts and systemd units.
    as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
    echo "Installed $service without starting or enabling its service."
  done
}
