# shellcheck shell=bash
# Fuzzing: libFuzzer on every parser of what comes from outside.

# What only fuzzing needs.
readonly FUZZ_PACKAGES=(clang libclang-rt-14-dev)

# Inputs that reached new code, kept from run to run.
fuzz_corpus() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/usher/fuzz"; }

build_fuzzers() {
  install_packages "${FUZZ_PACKAGES[@]}"
  build fuzz usher_fuzzers
}

fuzzers() {
  local program
  for program in build/fuzz/fuzz/usher_fuzz_*; do
    echo "${program##*/usher_fuzz_}"
  done
}

# run_fuzzer NAME SECONDS CORPUS [OPTION…]: fuzzes, beginning with the seeds and
# the inputs in the folder CORPUS, to which new ones are added. An input that
# breaks something stays in build/fuzz/found.
run_fuzzer() {
  local name=$1 seconds=$2 corpus=$3
  mkdir -p "$corpus" build/fuzz/found
  # No input takes a second; 20 are for a machine that does something else.
  "build/fuzz/fuzz/usher_fuzz_$name" -max_total_time="$seconds" \
    -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$name-" "${@:4}" \
    "$corpus" "tests/fuzz/seeds/$name" </dev/null
}

command_fuzz() {
  local seconds=600 name names=()
  while (($#)); do
    case $1 in
      --seconds) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "fuzz: --seconds N"
                 seconds=$2; shift ;;
      -*) die "fuzz: no option '$1'" ;;
      *) names+=("$1") ;;
    esac
    shift
  done
  command_deps
  build_fuzzers
  ((${#names[@]})) || mapfile -t names < <(fuzzers)
  local failed=()
  for name in "${names[@]}"; do
    [[ -x build/fuzz/fuzz/usher_fuzz_$name ]] ||
      die "fuzz: no target '$name'; there are $(fuzzers | tr '\n' ' ')"
    say "Fuzzing $name for $seconds s"
    run_fuzzer "$name" "$seconds" "$(fuzz_corpus)/$name" 2>&1 | tail -n 25 || failed+=("$name")
  done
  ((${#failed[@]} == 0)) || die "fuzz: findings in ${failed[*]}; the inputs are in build/fuzz/found"
  echo "No findings in ${#names[@]} targets."
}

# Each target for some thousand inputs, the same in every run: a test that finds
# something new at random says nothing of the change that it is run for. Its
# outcome goes to build/PRESET/reports.
run_fuzz_suite() {
  local reports=$1 name started
  say "Fuzz targets"
  started=$(now)
  mkdir -p "$reports/fuzz"
  while read -r name; do
    rm -rf "$reports/fuzz/$name"
    if run_fuzzer "$name" 30 "$reports/fuzz/$name" -seed=1 -runs=10000 \
         >"$reports/fuzz/$name.log" 2>&1; then
      touch "$reports/fuzz/$name.ok"
    else
      tail -n 40 "$reports/fuzz/$name.log"
    fi
  done < <(fuzzers)
  echo "Fuzz targets took $(($(now) - started)) s."
}
