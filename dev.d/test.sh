# shellcheck shell=bash
# Tests: builds, runs every suite, and counts single test cases.

# run_suites PRESET QUICK WINDOWS: all suites on one build, and if WINDOWS is a
# build folder, the integration tests of that one, too; the reports go to
# build/PRESET/reports. A failing suite does not stop the next one: the tally
# at the end decides.
run_suites() {
  local preset=$1 quick=$2 windows=$3
  local reports=$PWD/build/$preset/reports started
  rm -rf "$reports"
  mkdir -p "$reports/gtest" "$reports/single"

  say "Formatting"
  if command_fmt --check >"$reports/single/format.log" 2>&1; then
    touch "$reports/single/format.ok"
  else
    cat "$reports/single/format.log"
  fi

  say "Documentation of the protos"
  if check_api_docs >"$reports/single/api-docs.log" 2>&1; then
    touch "$reports/single/api-docs.ok"
  else
    cat "$reports/single/api-docs.log"
  fi

  say "C++ tests"
  started=$(now)
  GTEST_OUTPUT="xml:$reports/gtest/" GTEST_BRIEF=1 \
    ctest --test-dir "build/$preset" -j "$(jobs_wanted)" --timeout 600 \
    --output-on-failure --no-tests=error \
    --output-junit "$reports/ctest.xml" </dev/null || true
  echo "C++ tests took $(($(now) - started)) s."

  if ! $quick; then
    say "Integration tests"
    started=$(now)
    if [[ -n $windows ]]; then
      run_pytest "$preset" linux --platform linux || true
      run_pytest "$preset" wine --platform wine --windows-build "$windows" || true
    else
      run_pytest "$preset" linux --windows-build '' || true
    fi
    echo "Integration tests took $(($(now) - started)) s."
  fi
}

# run_pytest PRESET NAME [OPTION…]: the integration tests; the report goes to
# pytest-NAME.xml.
run_pytest() {
  "$PYTHON" -m pytest tests/integration --build "build/$1" -q \
    -p no:cacheprovider --junitxml "build/$1/reports/pytest-$2.xml" \
    "${@:3}" </dev/null
}

# Suppressions stand beside the tests, each with its reason.
sanitizer_environment() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$PWD/tests/sanitizers/lsan.supp:print_suppressions=0
  export TSAN_OPTIONS=suppressions=$PWD/tests/sanitizers/tsan.supp:halt_on_error=1:second_deadlock_stack=1
}

# test_on PRESET QUICK [fuzz] [windows]: with "fuzz" also the fuzz targets, with
# "windows" also the Windows build.
test_on() {
  local preset=$1 quick=$2 suites=(format api-docs ctest "${@:3}") windows=
  command_deps
  build "$preset"
  $quick || suites+=(pytest)
  if [[ " ${suites[*]} " == *" windows "* ]]; then
    build_windows windows
    windows=build/windows
    run_windows_unit_tests
  fi
  run_suites "$preset" "$quick" "$windows"
  if [[ " ${suites[*]} " == *" fuzz "* ]]; then
    build_fuzzers
    run_fuzz_suite "$PWD/build/$preset/reports"
  fi
  "$PYTHON" tests/tally.py "build/$preset" "${suites[@]}"
}

command_test() {
  case ${1:-} in
    '') test_on debug false fuzz windows ;;
    --linux) test_on debug false fuzz ;;
    --quick) test_on debug true ;;
    *) die "test: no option '$1'" ;;
  esac
}

command_asan() { sanitizer_environment; test_on asan false; }
command_tsan() {
  command_deps
  JOBS=$(jobs_wanted) tests/sanitizers/build-libraries
  sanitizer_environment
  test_on tsan false
}
