#!/usr/bin/env bash
# Builds Dateline and runs every test and check. `./test.sh --help` explains.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
root=$PWD

all_stages=(setup checks format proto page release asan tsan fuzz headers tidy)
describe() {
  case $1 in
    setup) echo "install missing Debian packages, and npm packages by their lock files" ;;
    checks) echo "who includes what, and what no file may hold" ;;
    format) echo "clang-format finds nothing to change" ;;
    proto) echo "buf lint, buf breaking against the last release, the folder builds alone" ;;
    page) echo "the committed page is what its sources build" ;;
    release) echo "release build, and every test" ;;
    asan) echo "AddressSanitizer and UndefinedBehaviorSanitizer build, unit and integration tests" ;;
    tsan) echo "ThreadSanitizer build of what needs no gRPC, unit tests" ;;
    fuzz) echo "libFuzzer on each reader of foreign bytes, for ${FUZZ_SECONDS:-60} seconds (queries, filters, tokens: less)" ;;
    headers) echo "clang finds nothing in any header by itself" ;;
    tidy) echo "clang's warnings, -Wthread-safety among them, and clang-tidy's checks, on all own sources that changed since they passed" ;;
  esac
}

usage() {
  cat <<'END'
Usage: ./test.sh [--only STAGE,...] [--skip STAGE,...] [--no-install] [--list] [--help]

Installs what is missing, builds Dateline and runs every test and check, in stages. A stage that fails does not keep the
others from running; the summary at the end names what failed. Logs of builds are kept in build/logs.

  --only STAGE,...   run these stages only (without `setup`, nothing is installed)
  --skip STAGE,...   leave these out
  --no-install       as --skip setup
  --list             list the stages, and what each does
  --jobs N           compile and test with N processes (default: one for each processor)

Exit status: 0 if all is well, 1 if a stage failed, 2 if the command line can't be understood.
END
}

die() {
  echo "test.sh: $*" >&2
  exit 2
}

only=
skip=
jobs=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
    --only | --skip | --jobs)
      [ $# -ge 2 ] || die "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --only=*) only=${1#*=} ;;
    --skip=*) skip=${1#*=} ;;
    --jobs=*) jobs=${1#*=} ;;
    --no-install) skip=$skip,setup ;;
    --list)
      for stage in "${all_stages[@]}"; do printf '%-8s  %s\n' "$stage" "$(describe "$stage")"; done
      exit 0
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown argument '$1' (--help explains)" ;;
  esac
  shift
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs needs a number from 1 on, not '$jobs'"
for stage in ${only//,/ } ${skip//,/ }; do
  [[ " ${all_stages[*]} " == *" $stage "* ]] || die "there is no stage '$stage' (--list lists them)"
done

# Programs that keep caches or settings at home get one, even where there is none.
if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ]; then
  export HOME=$root/build/home
  mkdir -p "$HOME"
fi
export LC_ALL=C.UTF-8 CMAKE_BUILD_PARALLEL_LEVEL=$jobs CTEST_PARALLEL_LEVEL=$jobs npm_config_update_notifier=false
# A few copies of every object, for five configurations: more than ccache keeps by default would be wasted.
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}

logs=$root/build/logs
mkdir -p "$logs"

passed=0
failed=0
skipped=0
count() {  # count PASSED FAILED SKIPPED
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# Runs a command whose output matters only if it fails: logged, and its end shown then.
quietly() {  # quietly NAME COMMAND...
  local log=$logs/$1.log
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    echo "--- failed: $*" >&2
    grep -E -A12 '(error|Error|ERROR|FAILED)' "$log" | head -150 >&2
    echo "--- the whole log: $log" >&2
    return 1
  fi
}

own_sources() {
  find bench classifier_service cli common extraction search_service tests web_gateway \
    \( -name node_modules -o -name build -o -name gen \) -prune -o \( -name '*.h' -o -name '*.cc' \) -print | LC_ALL=C sort
}

build() {  # build PRESET [TARGET...]
  local preset=$1
  shift
  quietly "$preset-configure" cmake --preset "$preset" || return 1
  quietly "$preset-build" cmake --build --preset "$preset" ${1:+--target} "$@"
}

# Runs the tests of a preset, and adds what became of them to the count.
run_tests() {  # run_tests PRESET CTEST_ARGUMENT...
  local preset=$1 report=$logs/$1-tests.xml status=0
  shift
  rm -f "$report"
  ctest --preset "$preset" --output-junit "$report" --no-tests=error "$@" </dev/null || status=1
  read -r p f s < <(/usr/bin/python3 - "$report" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
try:
    suite = tree.parse(sys.argv[1]).getroot()
    total, bad = int(suite.get("tests")), int(suite.get("failures"))
    left_out = int(suite.get("skipped")) + int(suite.get("disabled") or 0)
    print(total - bad - left_out, bad, left_out)
except (OSError, tree.ParseError):
    print(0, 1, 0)
PYTHON
  )
  count "$p" "$f" "$s"
  return $status
}

run_checked() {  # A check that stands for one test.
  if "$@"; then count 1 0 0; else
    count 0 1 0
    return 1
  fi
}

stage_setup() {
  scripts/setup.sh --for test || return 1
  local folder
  for folder in . web tests/web; do
    # npm leaves this file behind when it is done. Not `npm ci`: that refuses a lock file which doesn't name the builds of
    # a package for platforms that this project can't fetch. The versions are those of the lock file either way.
    if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
      quietly "npm-$(basename "$(realpath $folder)")" npm install --no-save --prefix "$folder" --ignore-scripts --no-audit --no-fund || return 1
      touch "$folder/node_modules/.package-lock.json"
    fi
  done
  # buf's builds are optional packages, one for each processor: npm is content when it could fetch none.
  if ! buf --version >/dev/null 2>&1; then
    rm -f node_modules/.package-lock.json
    echo "npm fetched no buf: is its registry within reach, and is this x86-64 or arm64 Linux? (npm install says more)"
    return 1
  fi
}

stage_checks() { run_checked /usr/bin/python3 tests/checks/rules_test.py 2>&1; }

# Other versions lay out a few lines differently: 14, Debian 12's, decides.
stage_format() {
  local version
  version=$(clang-format --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
  if [ "$version" != 14 ]; then
    echo "skipped: clang-format $version is here, and version 14 is the one that decides"
    count 0 0 1
    return
  fi
  run_checked xargs clang-format --dry-run -Werror < <(own_sources)
}

buf() {
  local program
  for program in node_modules/@bufbuild/buf-linux-*/bin/buf; do
    if [ -x "$program" ]; then
      "$root/$program" "$@"
      return
    fi
  done
  echo "buf is not installed: run ./test.sh --only setup" >&2
  return 1
}

protoc_alone() {
  (cd proto && find dateline -name '*.proto' -print0 | LC_ALL=C sort -z |
    xargs -0 protoc -I . --fatal_warnings --descriptor_set_out=/dev/null)
}

stage_proto() {
  local status=0
  run_checked buf lint proto || status=1
  run_checked buf breaking proto --against proto/released/dateline.binpb || status=1
  run_checked buf build proto -o /dev/null || status=1
  run_checked protoc_alone || status=1
  return $status
}

page_is_current() {
  local out=$root/build/page
  rm -rf "$out"
  quietly page npm run --prefix web build -- --outDir "$out" --emptyOutDir || return 1
  diff -r web/dist "$out" || {
    echo "web/dist is not what web/src builds: run 'npm run --prefix web build' and commit web/dist" >&2
    return 1
  }
}

stage_page() { run_checked page_is_current; }

stage_release() { build release && run_tests release; }

stage_asan() { build asan && run_tests asan -L '^(unit|integration)$'; }

stage_tsan() { build tsan && run_tests tsan; }

fuzz_one() {  # fuzz_one PROGRAM: from the seeds of its format; what breaks it is kept in build/fuzz/found
  local format=${1##*/fuzz_} seeds seconds=60
  seeds=tests/fuzz/seeds/$format
  case $format in
    html) seeds=samples/pages ;;
    page_text) seeds=samples/text ;;
    query | filter) seconds=30 ;;  # Short texts, many thousand a second.
    page_token) seconds=15 ;;
  esac
  mkdir -p build/fuzz/found "build/fuzz/corpus/$format"
  # As in the test preset: what Abseil's headers mark as unused, its library, built without the sanitizer, doesn't unmark.
  local -x ASAN_OPTIONS=allow_user_poisoning=0
  quietly "fuzz-$format" "$1" -max_total_time="${FUZZ_SECONDS:-$seconds}" -timeout=25 -rss_limit_mb=2500 -max_len=65536 \
    -artifact_prefix="build/fuzz/found/$format-" "build/fuzz/corpus/$format" "$seeds"
}
export -f fuzz_one quietly
export logs

fuzz_all() {  # As many at once as there are processors: each runs for its time.
  find build/fuzz/bin -name 'fuzz_*' ! -name fuzz_seeds_test -print0 | sort -z |
    xargs -0 -n 1 -P "$jobs" bash -c 'fuzz_one "$1"' fuzz
}

stage_fuzz() { build fuzz fuzzers && run_checked fuzz_all; }

# Both need the headers that a build generates, and how each file is compiled.
generated() { build release dateline_generated; }

stage_headers() { generated && run_checked scripts/tidy.py headers --jobs "$jobs"; }

stage_tidy() { generated && run_checked scripts/tidy.py tidy --jobs "$jobs"; }

chosen=()
for stage in "${all_stages[@]}"; do
  [[ -n $only && ",$only," != *",$stage,"* ]] && continue
  [[ ",$skip," == *",$stage,"* ]] && continue
  chosen+=("$stage")
done
[ ${#chosen[@]} -gt 0 ] || die "no stage is left to run"

minutes() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

summary=()
bad_stages=()
began=$SECONDS
for stage in "${chosen[@]}"; do
  printf '\n=== %s: %s\n' "$stage" "$(describe "$stage")"
  stage_began=$SECONDS
  failed_before=$failed
  result=ok
  if ! "stage_$stage"; then
    result=FAILED
    bad_stages+=("$stage")
    # A stage that broke before its tests could fail counts as one failure.
    [ "$failed" -gt "$failed_before" ] || count 0 1 0
  fi
  took=$(minutes $((SECONDS - stage_began)))
  printf '=== %s: %s (%s)\n' "$stage" "$result" "$took"
  summary+=("$(printf '%-8s  %-6s  %6s' "$stage" "$result" "$took")")
  if [ "$stage" = setup ] && [ "$result" = FAILED ]; then
    break  # Nothing else could work.
  fi
done

printf '\n=== summary (%s)\n' "$(minutes $((SECONDS - began)))"
printf '%s\n' "${summary[@]}"
[ ${#bad_stages[@]} -eq 0 ] || printf 'failed: %s\n' "${bad_stages[*]}"
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ ${#bad_stages[@]} -eq 0 ]
