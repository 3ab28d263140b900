#!/bin/bash
# The main job, end to end: real Debian packages published in a signed
# repository, served by nginx, found, downloaded, installed, run, upgraded and
# uninstalled. Run by `./dev demo`, which puts the programs in PATH.
#
# As root the packages are installed by dpkg, as anybody else they are unpacked
# into the service's own folder. Either way nothing is left behind.

set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/lib.sh"

# show COMMAND…: prints a command as a user would type it, and runs it.
show() {
  local shown=${*@Q}
  # Quotes only where a shell needs them, and the folder by its variable.
  shown=$(sed -E "s/'([A-Za-z0-9_.,:\/=@%+~^-]+)'/\1/g" <<<"$shown")
  printf '\n$ %s\n' "${shown//"$WORK"/\$DEMO}"
  "$@"
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi
}

# --- What to publish: small packages that this machine does not have ---

readonly CANDIDATES=(hello tree dos2unix pv pigz lzop jdupes)
declare -A RUN=(
  [hello]="hello" [tree]="tree repository/public/metadata"
  [dos2unix]="dos2unix --version" [pv]="pv --version" [pigz]="pigz --version"
  [lzop]="lzop --version" [jdupes]="jdupes -v"
)

# A package that apt would install alone: not here yet, nothing missing below.
installs_alone() {
  dpkg-query -W "$1" >/dev/null 2>&1 && return 1
  local plan
  plan=$(apt-get --simulate install "$1" 2>/dev/null) || return 1
  [[ $(grep -c '^Inst ' <<<"$plan") == 1 ]]
}

choose_packages() {
  local package
  PACKAGES=()
  for package in "${CANDIDATES[@]}"; do
    ((${#PACKAGES[@]} < 3)) || return 0
    if installs_alone "$package"; then
      PACKAGES+=("$package")
    fi
  done
  ((${#PACKAGES[@]} == 3)) || {
    echo "demo: needs three of these packages not to be installed: ${CANDIDATES[*]}" >&2
    return 1
  }
}

# older_revision PACKAGE.deb OUTPUT.deb: the same package, one revision before.
older_revision() {
  local tree
  tree=$(mktemp -d -p "$WORK")
  chmod 755 "$tree"
  dpkg-deb --raw-extract "$1" "$tree"
  sed -i 's/^Version: .*/&~usher1/' "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip --build "$tree" "$2" >/dev/null
  rm -rf "$tree"
}

if ((EUID == 0)); then HANDLER=deb; else HANDLER=archive; fi

say "1. Three real packages from Debian, one of them in two revisions"
apt-cache show hello >/dev/null 2>&1 || as_root apt-get update -qq
choose_packages
MAIN=${PACKAGES[0]}
mkdir debs
if ((EUID == 0)); then
  chown _apt debs  # apt downloads as this user
  # Whatever happens, this machine ends as it began.
  at_exit "dpkg --purge ${PACKAGES[*]} >/dev/null 2>&1"
fi
cd debs
show apt-get -qq download "${PACKAGES[@]}"
cd ..
NEWER=$(echo debs/"$MAIN"_*.deb)
mkdir older
echo
echo "# An older revision of $MAIN, made of the same package:"
older_revision "$NEWER" "older/$(basename "$NEWER" | sed 's/_\([^_]*\)\.deb$/.older_\1.deb/')"
show ls debs older

say "2. A signed repository"
mkdir tools
cat >tools/greeter.sh <<SCRIPT
#!/bin/sh
# A vendor's own installer: leaves a note, or takes it away again.
case \$1 in
  install) echo "configured by a vendor's installer" >"\$2" ;;
  remove) rm -f "\$2" ;;
esac
SCRIPT
cat >tools/greeter.toml <<TOML
name = "greeter"
version = "1.0"
title = "Greeter, by its vendor's installer"
is_uninstallable = true

[[payload]]
file = "greeter.sh"

[handler.exec]
arguments = ["install", "$WORK/greeting"]
uninstall_program = "greeter.sh"
uninstall_arguments = ["remove", "$WORK/greeting"]
TOML
show usher-publish init repository --name "Demo packages"
show usher-publish add-deb repository --handler $HANDLER older/*.deb
for package in "${PACKAGES[@]:1}"; do
  show usher-publish add-deb repository --handler $HANDLER debs/"$package"_*.deb
done
show usher-publish add repository tools/greeter.toml
show usher-publish publish repository
show usher-publish verify repository

say "3. Any web server serves it; the service trusts it by its root.json"
start_nginx "$WORK/repository/public"
printf '\n$ nginx -c nginx.conf   # %s serves repository/public\n' "$URL"
printf '\n$ usherd --state-dir $DEMO/state &\n'
start_service usherd.log usherd --state-dir "$WORK/state"
export USHER_ADDRESS=$WORK/state/usher.sock
show usher services add "$URL" --root repository/root.json
show usher services

say "4. Search, download, install"
show usher search
show usher show "$MAIN"
show usher download "${PACKAGES[@]}" greeter
show usher install --yes "${PACKAGES[@]}" greeter

say "5. What was installed runs"
declare -A PROGRAM=([greeter]="$WORK/greeting")  # what each installation left
run_installed() {
  local package=$1 words
  read -ra words <<<"${RUN[$package]}"
  if [[ $HANDLER == deb ]]; then
    PROGRAM[$package]=$(type -P "${words[0]}")
    show "${words[@]}"
  else
    PROGRAM[$package]=$(find "$WORK/state/products/$package/current/" \
      -path '*bin/*' -name "${words[0]}" | head -1)
    show "${PROGRAM[$package]}" "${words[@]:1}"
  fi
}
for package in "${PACKAGES[@]}"; do run_installed "$package"; done
show cat "$WORK/greeting"

say "6. The publisher brings out a newer revision of $MAIN"
show usher-publish add-deb repository --handler $HANDLER "$NEWER"
show usher-publish publish repository
show usher services refresh
show usher search "$MAIN"

say "7. What is not exactly what was signed is refused"
payload=$(find repository/public/targets/payloads -name "$(basename "$NEWER")")
cp "$payload" intact.deb
echo
echo "# Somebody changes one byte on the web server:"
show dd if=/dev/zero of="$payload" bs=1 count=1 seek=8 conv=notrunc status=none
code=0
show usher install --yes "$MAIN" || code=$?
echo "# refused, exit code $code"
((code == 1))

echo
echo "# The publisher puts it right:"
show cp intact.deb "$payload"
show usher install --yes "$MAIN"
run_installed "$MAIN"
if [[ $HANDLER == deb ]]; then show dpkg-query -W "$MAIN"; fi

say "8. Uninstall, and what was done"
show usher uninstall --yes "${PACKAGES[@]}" greeter
if [[ $HANDLER == archive ]]; then
  echo
  echo "# An archive's older revision is kept, and is back once the newer is gone:"
  run_installed "$MAIN"
  show usher uninstall --yes "$MAIN"
fi
echo
echo "# Nothing of it is there any more:"
code=0
show usher search --installed || code=$?
((code == 6))
for package in "${PACKAGES[@]}" greeter; do
  if show ls "${PROGRAM[$package]}"; then
    echo "demo: $package is still there after it was uninstalled" >&2
    exit 1
  fi
done
show usher history

say "9. A machine without a network gets it all in one file"
show usher-publish pack repository updates.usp --root repository/root.json
printf '\n$ usherd --state-dir $DEMO/offline &\n'
start_service offline.log usherd --state-dir "$WORK/offline"
export USHER_ADDRESS=$WORK/offline/usher.sock
show usher services add-scan-package updates.usp --root repository/root.json
show usher install --yes greeter
show usher uninstall --yes greeter

say "Done. Nothing is left of this on the machine."
