#!/usr/bin/env bash
# Builds Dateline, starts it on this machine, and shows what it does. `./run.sh --help` explains.
set -euo pipefail

usage() {
  cat <<'END'
Usage: ./run.sh [OPTION...] [PAGE_OR_FOLDER...]

Installs what is missing, builds Dateline, starts the classifier, the search service and the web gateway on loopback,
ingests the articles in samples/ (or the pages, feeds, JSON Lines files and folders that are named), prints the tags of
one page with the reasons for them, one search with its hits, and the address of the search page. It stays up until
Ctrl-C, which stops everything.

  --data_dir DIR         where articles, index and logs are kept (default: data/run beside this script)
  --classifier_port N    default 50051; 0 takes any free port
  --search_port N        default 50052
  --gateway_port N       default 8080
  --no-install           don't look for missing Debian packages
  --once                 do all of it, then stop instead of staying up
  --help                 this text

Exit status: 0 after Ctrl-C or --once; 1 if a step failed; 2 if the command line can't be understood; 130 if Ctrl-C came
before everything was up.
END
}

called_from=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$root/build/release/bin
targets=(classifier_service search_service web_gateway dateline classifier_train)

data_dir=$root/data/run
classifier_port=50051
search_port=50052
gateway_port=8080
install=1
once=
inputs=()

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

misused() {
  echo "run.sh: $* (--help explains)" >&2
  exit 2
}

absolute() {
  case $1 in
    /* | http://* | https://*) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$called_from/$1" ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
    --data_dir=* | --data-dir=* | --classifier_port=* | --classifier-port=* | --search_port=* | --search-port=* | \
      --gateway_port=* | --gateway-port=*)
      option=${1%%=*}
      value=${1#*=}
      shift
      set -- "$option" "$value" "$@"
      continue
      ;;
    --data_dir | --data-dir | --classifier_port | --classifier-port | --search_port | --search-port | \
      --gateway_port | --gateway-port)
      [ $# -ge 2 ] || misused "$1 needs a value"
      name=${1#--}
      name=${name//-/_}
      if [ "$name" = data_dir ]; then
        [ -n "$2" ] || misused "--data_dir needs a folder"
        data_dir=$(absolute "$2")
      elif [[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$((10#$2))" -le 65535 ]; then
        printf -v "$name" %d "$((10#$2))"
      else
        misused "$1 takes a port from 0 to 65535, not '$2'"
      fi
      shift
      ;;
    --no-install | --no_install) install= ;;
    --once) once=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      while [ $# -gt 0 ]; do
        inputs+=("$(absolute "$1")")
        shift
      done
      break
      ;;
    -*) misused "unknown option '$1'" ;;
    *) inputs+=("$(absolute "$1")") ;;
  esac
  shift
done
ports=$(printf '%s\n' "$classifier_port" "$search_port" "$gateway_port" | { grep -vx 0 || true; } | sort)
[ "$ports" = "$(printf '%s' "$ports" | uniq)" ] || misused "each server needs a port of its own"
for input in ${inputs[@]+"${inputs[@]}"}; do
  case $input in
    http://* | https://*) ;;
    *) [ -e "$input" ] || fail "$input: there is no such file or folder" ;;
  esac
done
cd "$root"

# ---- what has to be stopped at the end, whatever happens ----

build_pid=
gateway_pid=
search_pid=
classifier_pid=

# Waits for a process that is told to end: 30 seconds, then no longer.
stop() {  # stop NAME PID
  local name=$1 pid=$2 tick
  [ -n "$pid" ] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  for ((tick = 0; tick < 300; tick++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$pid" 2>/dev/null; then
    echo "run.sh: $name does not stop and is killed; nothing that was acknowledged is lost" >&2
    kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null || true
}

stop_all() {
  trap '' INT TERM  # Once is enough.
  if [ -n "$build_pid" ]; then kill -TERM -- "-$build_pid" 2>/dev/null || true; fi
  # Callers before those they call.
  stop web_gateway "$gateway_pid"
  stop search_service "$search_pid"
  stop classifier_service "$classifier_pid"
  build_pid='' gateway_pid='' search_pid='' classifier_pid=''
}

# Until everything is up, an interruption is one; from then on it is how one ends it.
exit_on_signal=130
on_signal() {
  [ "$exit_on_signal" = 0 ] && echo
  exit "$exit_on_signal"
}
trap stop_all EXIT
trap on_signal INT TERM HUP

terminal=
[ ! -t 2 ] || terminal=1

step() {
  printf '%-11s %s\n' "$1" "$2"
}

# ---- install ----

if [ -n "$install" ]; then
  scripts/setup.sh --for run || fail "what is missing could not be installed"
fi

# ---- ports: said before the long part ----

port_is_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

for role in classifier search gateway; do
  name=${role}_port
  port=${!name}
  if [ "$port" != 0 ] && port_is_taken "$port"; then
    fail "port $port is in use; --$name N takes another one for the $role"
  fi
done
if [ "$classifier_port" != 0 ] && [ "$classifier_port" = "$search_port" ] ||
  [ "$search_port" != 0 ] && [ "$search_port" = "$gateway_port" ] ||
  [ "$gateway_port" != 0 ] && [ "$gateway_port" = "$classifier_port" ]; then
  misused "the three ports must differ"
fi

# ---- build ----

mkdir -p build/logs "$data_dir/logs" || fail "no folder can be made at $data_dir"
build_log=$root/build/logs/run-build.log

# How far the build is, from the last "[12/345]" in its log.
build_progress() {
  tail -c 4096 "$build_log" 2>/dev/null | tr '\r' '\n' | sed -n 's/^\[\([0-9]*\/[0-9]*\)\].*/\1/p' | tail -n 1
}

build_failed() {
  local reason
  reason=$(grep -m 1 -E '(error:|CMake Error|FAILED:|fatal error)' "$build_log" || true)
  fail "$1 failed${reason:+: $reason} (the whole log: $build_log)"
}

build() {
  # A tree that was configured for the tests is left so: it holds the same programs.
  if [ ! -f build/release/build.ninja ]; then
    cmake --preset release -DDATELINE_BUILD_TESTS=OFF -DDATELINE_BUILD_BENCHMARKS=OFF >"$build_log" 2>&1 </dev/null ||
      build_failed "configuring the build"
  fi
  # In a process group of its own, so that it can be stopped with all it has started.
  setsid cmake --build build/release --target "${targets[@]}" >"$build_log" 2>&1 </dev/null &
  build_pid=$!
  local shown='' now started=$SECONDS
  while kill -0 "$build_pid" 2>/dev/null; do
    if [ -n "$terminal" ]; then
      now=$(build_progress)
      [ -z "$now" ] || printf '\r%-11s %s   ' building "$now" >&2
    elif [ -z "$shown" ] && [ $((SECONDS - started)) -ge 5 ]; then
      step building "this takes some minutes the first time; log: $build_log"
      shown=1
    fi
    sleep 0.2
  done
  [ -z "$terminal" ] || printf '\r\033[K' >&2
  wait "$build_pid" || { build_pid='' && build_failed "the build"; }
  build_pid=''
  step built "$bin ($((SECONDS - started)) s)"
}

build

# ---- start ----

# Starts one server in a session of its own (Ctrl-C on the terminal is for this script, which stops them in order) and
# waits for its `ready` line, which names the port.
start() {  # start NAME ARGUMENT... ; sets started_pid and started_port
  local name=$1 log=$data_dir/logs/$1.log tick last
  shift
  : >"$log"  # There before the first look at it.
  setsid "$bin/$name" "$@" >"$log" 2>&1 </dev/null &
  started_pid=$!
  started_port=
  for ((tick = 0; tick < 600; tick++)); do
    started_port=$(sed -n 's/.* ready.*[ "]port[="]*:*\([0-9][0-9]*\).*/\1/p' "$log" | head -n 1)
    [ -z "$started_port" ] || return 0
    if ! kill -0 "$started_pid" 2>/dev/null; then
      last=$(tail -n 1 "$log" | cut -c 1-300)
      last=${last#"$name: "}
      fail "$name did not start: ${last:-it said nothing} (log: $log)"
    fi
    sleep 0.1
  done
  fail "$name is not ready after a minute (log: $log)"
}

start classifier_service --listen "127.0.0.1:$classifier_port"
classifier_pid=$started_pid
classifier=127.0.0.1:$started_port
start search_service --listen "127.0.0.1:$search_port" --data_dir "$data_dir/search" --classifier "$classifier"
search_pid=$started_pid
search=127.0.0.1:$started_port
start web_gateway --listen "127.0.0.1:$gateway_port" --search "$search" --classifier "$classifier"
gateway_pid=$started_pid
gateway=127.0.0.1:$started_port
step started "classifier $classifier, search $search, gateway $gateway; logs in $data_dir/logs"

dateline() {
  "$bin/dateline" --search "$search" --classifier "$classifier" "$@"
}

# Runs one step of the demonstration. What it prints on failure is one line.
demonstrate() {  # demonstrate WHAT COMMAND...
  local what=$1 status=0
  shift
  dateline "$@" || status=$?
  case $status in
    0 | 3) ;;
    130 | 143) exit 130 ;;
    *) fail "$what failed (logs: $data_dir/logs)" ;;
  esac
}

# ---- show ----

if [ ${#inputs[@]} = 0 ]; then
  step ingesting "samples/"
  demonstrate "ingesting the samples" ingest samples/pages samples/text samples/feeds samples/columns.jsonl \
    --results rejected --wait labelled --report "$data_dir/logs/ingest.json"
  page=samples/pages/georgia-tbilisi.html
  query=(election)
else
  step ingesting "${inputs[*]}"
  demonstrate "ingesting" ingest "${inputs[@]}" --results rejected --wait labelled --report "$data_dir/logs/ingest.json"
  page=${inputs[0]}
  if [ -d "$page" ]; then
    # The first page in the order in which they were read.
    page=$(find "$page" -type f -not -path '*/.*' \
      \( -iname '*.html' -o -iname '*.htm' -o -iname '*.xhtml' -o -iname '*.txt' \) | LC_ALL=C sort | head -n 1)
  fi
  query=()
fi

if [ -n "$page" ]; then
  echo
  step tags "dateline classify ${page#"$root"/}"
  echo
  demonstrate "tagging $page" --quiet classify "$page"
fi
echo
step search "dateline search ${query[*]-} --facets country,issue --page_size 3"
echo
demonstrate "searching" search ${query[@]+"${query[@]}"} --facets country,issue --page_size 3

echo
step page "http://$gateway/"
[ -z "$once" ] || exit 0

exit_on_signal=0  # From here on Ctrl-C is what the user was told to end it with.
step running "until Ctrl-C, which stops everything; data in $data_dir"
ended=0
wait -n "$classifier_pid" "$search_pid" "$gateway_pid" || ended=$?
for role in classifier search gateway; do
  name=${role}_pid
  if ! kill -0 "${!name}" 2>/dev/null; then
    case $role in classifier | search) server=${role}_service ;; *) server=web_gateway ;; esac
    last=$(tail -n 1 "$data_dir/logs/$server.log" | cut -c 1-300)
    fail "$server ended by itself with status $ended: $last (log: $data_dir/logs/$server.log)"
  fi
done
