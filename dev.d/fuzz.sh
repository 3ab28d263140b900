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

# seeds_of NAME: the folders with inputs that are in the tree.
seeds_of() {
  echo "tests/fuzz/seeds/$1"
  [[ ! -d tests/fuzz/corpus/$1 ]] || echo "tests/fuzz/corpus/$1"
}

# run_fuzzer NAME SECONDS CORPUS [OPTION…]: fuzzes, beginning with the seeds and
# the inputs in the folder CORPUS, to which new ones are added. An input that
# breaks something stays in build/fuzz/found.
run_fuzzer() {
  local name=$1 seconds=$2 corpus=$3 seeds
  mkdir -p "$corpus" build/fuzz/found
  mapfile -t seeds < <(seeds_of "$name")
  # No input takes a second; 20 are for a machine that does something else.
  "build/fuzz/fuzz/usher_fuzz_$name" -max_total_time="$seconds" \
    -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$name-" "${@:4}" \
    "$corpus" "${seeds[@]}" </dev/null
}

# fuzz_all SECONDS NAME…: each target for so long, as many at once as there are
# processors; logs go to build/fuzz/logs.
fuzz_all() {
  local seconds=$1 name running=0
  shift
  say "Fuzzing $# targets for $seconds s each, $(nproc) at a time"
  # Those behind & would outlive an interrupt, and so would their children.
  trap 'for job in $(jobs -p); do pkill -P "$job"; kill "$job"; done; exit 130' \
    INT TERM
  for name; do
    if ((running == $(nproc))); then
      wait -n || true
      ((running -= 1))
    fi
    ((running += 1))
    { run_fuzzer "$name" "$seconds" "$(fuzz_corpus)/$name" \
        >"build/fuzz/logs/$name.log" 2>&1 &&
        touch "build/fuzz/logs/$name.ok"; } &
  done
  wait
  trap - INT TERM
}

# fuzz_table SECONDS NAME…: what the logs say, for people and for
# docs/testing.md.
fuzz_table() {
  local seconds=$1 name log executions coverage inputs findings
  shift
  say "$(date -u +%Y-%m-%d), $seconds s each"
  printf '| %-12s | %12s | %8s | %6s | %8s |\n' \
    Target Executions Coverage Inputs Findings \
    --- ---: ---: ---: ---:
  for name; do
    log=build/fuzz/logs/$name.log
    executions=$(awk '/^stat::number_of_executed_units:/ {print $2}' "$log")
    coverage=$(grep -ao ' cov: [0-9]*' "$log" | tail -n 1 | tr -dc 0-9) || true
    inputs=$(find "$(fuzz_corpus)/$name" -type f | wc -l)
    findings=$(find build/fuzz/found -name "$name-*" -newer build/fuzz/logs/begun | wc -l)
    printf '| %-12s | %12s | %8s | %6s | %8s |\n' "$name" "${executions:-?}" \
      "${coverage:-?}" "$inputs" "$findings"
  done
}

# keep_inputs NAME: brings tests/fuzz/corpus/NAME up to date: the fewest of the
# inputs found that reach all that is reached, without the largest ones if these
# are too many for the tree.
keep_inputs() {
  local name=$1 kept=tests/fuzz/corpus/$1 fresh=build/fuzz/kept/$1 size file seeds
  local -r max_inputs=200 max_bytes=1000000
  local count=0 total=0
  mapfile -t seeds < <(seeds_of "$name")
  mkdir -p "$(fuzz_corpus)/$name"
  rm -rf "$fresh"
  mkdir -p "$fresh"
  # Edges alone: how often each is passed multiplies the inputs.
  "build/fuzz/fuzz/usher_fuzz_$name" -set_cover_merge=1 -use_counters=0 \
    -max_len=4096 -timeout=20 -rss_limit_mb=2048 \
    "$fresh" "$(fuzz_corpus)/$name" "${seeds[@]}" \
    </dev/null >"build/fuzz/logs/$name.merge.log" 2>&1 ||
    die "fuzz: cannot merge; see build/fuzz/logs/$name.merge.log"
  rm -rf "$kept"
  mkdir -p "$kept"
  while read -r size file; do
    ((count < max_inputs && total + size <= max_bytes)) || break
    ((count += 1, total += size))
    cp "$file" "$kept/"
  done < <(find "$fresh" -type f -printf '%s %p\n' | sort -n)
  echo "$kept: $count inputs, $total bytes"
}

command_fuzz() {
  local seconds=600 keep=false name names=()
  while (($#)); do
    case $1 in
      --seconds) [[ ${2:-} =~ ^[0-9]+$ ]] || die "fuzz: --seconds N"
                 seconds=$2; shift ;;
      --keep) keep=true ;;
      -*) die "fuzz: no option '$1'" ;;
      *) names+=("$1") ;;
    esac
    shift
  done
  command_deps
  build_fuzzers
  ((${#names[@]})) || mapfile -t names < <(fuzzers)
  for name in "${names[@]}"; do
    [[ -x build/fuzz/fuzz/usher_fuzz_$name ]] ||
      die "fuzz: no target '$name'; there are $(fuzzers | tr '\n' ' ')"
  done
  mkdir -p build/fuzz/logs build/fuzz/found
  local failed=()
  # No time at all: only what is to be kept is brought up to date.
  if ((seconds)); then
    touch build/fuzz/logs/begun
    for name in "${names[@]}"; do rm -f "build/fuzz/logs/$name".{ok,log}; done
    fuzz_all "$seconds" "${names[@]}"
    fuzz_table "$seconds" "${names[@]}"
    for name in "${names[@]}"; do
      [[ -e build/fuzz/logs/$name.ok ]] || failed+=("$name")
    done
  fi
  if $keep; then
    say "Keeping inputs"
    for name in "${names[@]}"; do keep_inputs "$name"; done
  fi
  ((${#failed[@]} == 0)) || die "fuzz: findings in ${failed[*]}; the inputs are in build/fuzz/found, what was said of them in build/fuzz/logs"
  ((seconds == 0)) || echo "No findings in ${#names[@]} targets."
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
