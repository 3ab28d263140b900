# shellcheck shell=bash
# Fetches source packages of Debian's. Whoever sources this file defines
# PREFIX, WORK and LOGS, folders that are there, and say and fail.

# A private apt configuration: this machine's own Debian sources, asked for
# source packages. apt checks each file against the signed list of the archive.
prepare_apt() {
  local apt=$PREFIX/apt file
  mkdir -p "$apt/lists/partial" "$apt/sources.d" "$apt/cache/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -e $file ]] && grep -q debian-archive-keyring "$file" &&
      sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/sources.d/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -e $file ]] &&
      sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$file" \
        >"$apt/sources.d/$(basename "$file" .list).list"
  done
  apt_options=(-qq
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/sources.d"
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
    -o "APT::Sandbox::User=root" -o "Acquire::Languages=none")
  apt-get "${apt_options[@]}" update 9>&- ||
    fail "apt-get cannot read the lists of source packages"
}

# The versions of a source package that apt knows, newest first.
known_versions() {
  apt-cache "${apt_options[@]}" showsrc --only-source "$1" 2>/dev/null |
    sed -n 's/^Version: //p' | sort -rVu
}

# fetch SOURCE VERSION [OPTION…]: the upstream tree with Debian's patches in
# $WORK; OPTION is one of dpkg-source's, --skip-patches for instance. Archives
# drop the sources of a security update early; then another version has to do,
# and a warning and the file "built.SOURCE.version" say so.
fetch() {
  local source=$1 wanted=$2 version options=("${@:3}")
  : >"$LOGS/$source.fetch"
  for version in "$wanted" $(known_versions "$source"); do
    rm -rf "${WORK:?}/$source" "${WORK:?}/$source"_*
    (cd "$WORK" &&
      apt-get "${apt_options[@]}" --download-only source "$source=$version" &&
      dpkg-source "${options[@]}" -x "$source"_*.dsc "$WORK/$source") \
      >>"$LOGS/$source.fetch" 2>&1 9>&- || continue
    [[ $version == "$wanted" ]] ||
      say "warning: the archive has no source of $source $wanted; taking $version"
    echo "$version" >"$PREFIX/built.$source.version"
    return 0
  done
  fail "cannot fetch $source $wanted; $LOGS/$source.fetch says why"
}
