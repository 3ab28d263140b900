# shellcheck shell=bash
# Formatting and static analysis.

command_fmt() {
  command_deps
  if [[ ${1:-} == --check ]]; then
    sources | xargs -r clang-format --dry-run --Werror
  else
    sources | xargs -r clang-format -i
  fi
}

# Whether everything in the protos is documented; names what is not.
check_api_docs() { "$PYTHON" tests/api_docs.py proto; }

# The .cc files that differ from the main branch, or all when there is no
# other branch to compare with.
changed_sources() {
  local base
  if base=$(git merge-base HEAD origin/main 2>/dev/null ||
            git merge-base HEAD main 2>/dev/null) &&
     [[ $base != $(git rev-parse HEAD) ]]; then
    { git diff --name-only --diff-filter=d "$base" -- '*.cc'
      git ls-files --others --exclude-standard -- '*.cc'; } | sort -u
  else
    sources | grep '\.cc$'
  fi
}

command_lint() {
  command_deps
  say "clang-format"
  sources | xargs -r clang-format --dry-run --Werror
  echo "formatted"
  say "Documentation of the protos"
  check_api_docs
  echo "documented"

  # Generated headers must exist before clang-tidy can read a source.
  build lint usher_proto usher_proto_grpc usher_tool_protocols
  local files
  if [[ ${1:-} == --all ]]; then
    files=$(sources | grep '\.cc$')
  else
    files=$(changed_sources)
  fi
  # Twins of the other platform are not in the compilation database.
  files=$(grep -v '_win\.cc$' <<<"$files" || true)
  [[ -n $files ]] || { echo "nothing to check"; return 0; }
  say "clang-tidy on $(wc -l <<<"$files") files"
  xargs -n 1 -P "$(jobs_wanted)" \
    clang-tidy --quiet -p build/lint <<<"$files" \
    2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
  echo "clang-tidy: clean"
}
