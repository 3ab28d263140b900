# shellcheck shell=bash
# The Windows build: cross-compiled by MinGW-w64, run under Wine.

# build_windows PRESET [TARGET…]: the libraries if they are missing, then
# build/PRESET.
build_windows() {
  local preset=$1 prefix
  windows_deps
  JOBS=$(jobs_wanted) installer/windows/build-libraries
  prefix=$(installer/windows/build-libraries --prefix)
  # CMake remembers the folder of the libraries; a new one means a new build.
  if [[ -f build/$preset/CMakeCache.txt ]] &&
     ! grep -qxF "USHER_WINDOWS_PREFIX:PATH=$prefix" "build/$preset/CMakeCache.txt"
  then
    rm -rf "build/$preset"
  fi
  build "$@"
}

command_windows() { build_windows windows "$@"; }

# A Wine of its own for one run: nothing of the user's, nothing of the last run.
# Sets the variables that Wine reads.
start_wine() {
  local started
  started=$(now)
  export WINEPREFIX=$PWD/build/windows/wine WINEDEBUG=-all
  # No search for .NET and a browser, no entries in the user's menus.
  export WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='
  unset DISPLAY WAYLAND_DISPLAY
  if [[ -d $WINEPREFIX ]]; then
    stop_wine
    rm -rf "$WINEPREFIX"
  fi
  mkdir -p "$WINEPREFIX"
  trap stop_wine EXIT
  # Persistent, and away from our output: what Wine leaves running in the
  # background must not hold a pipe that somebody reads to its end.
  wineserver -p </dev/null >"$WINEPREFIX/start.log" 2>&1
  { wine wineboot --init && wine winecfg -v win10; } \
    </dev/null >>"$WINEPREFIX/start.log" 2>&1 ||
    { cat "$WINEPREFIX/start.log"; die "Wine does not start"; }
  # The first start of a prefix may leave two service managers behind, which
  # know nothing of each other.
  stop_wine
  wineserver -p </dev/null >>"$WINEPREFIX/start.log" 2>&1
  # What runs as long as the prefix does is started by the first program, and
  # holds that one's output.
  wine cmd /c 'exit 0' </dev/null >>"$WINEPREFIX/start.log" 2>&1
  echo "Wine is ready after $(($(now) - started)) s."
}

stop_wine() {
  wineserver -k || true
  wineserver -w || true
}

# The unit tests of build/windows; the reports go to build/windows/reports.
run_windows_unit_tests() {
  local reports=$PWD/build/windows/reports started
  rm -rf "$reports"
  mkdir -p "$reports/gtest"
  say "C++ tests under Wine"
  start_wine
  started=$(now)
  # Z: is this machine's root.
  GTEST_OUTPUT="xml:Z:$reports/gtest/" GTEST_BRIEF=1 \
    ctest --test-dir build/windows -j "$(jobs_wanted)" --timeout 600 \
    --output-on-failure --no-tests=error \
    --output-junit "$reports/ctest.xml" </dev/null || true
  echo "C++ tests under Wine took $(($(now) - started)) s."
  stop_wine
  trap - EXIT
}
