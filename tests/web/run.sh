#!/bin/sh
# Runs these tests against the binaries in the folder $1. Ends with 77, saying why, where Node or its packages are not
# to be had: ctest shows that as skipped. With CI set, packages that cannot be installed are a failure.
set -u
cd "$(dirname "$0")" || exit 1
skip() { echo "SKIPPED: $1"; exit 77; }
command -v node >/dev/null 2>&1 || skip "there is no node (apt-get install nodejs npm)"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $(node --version) is older than 18"
for dir in . ../../web; do
  [ -d "$dir/node_modules" ] && continue
  command -v npm >/dev/null 2>&1 || skip "there is no npm (apt-get install npm)"
  if ! (cd "$dir" && npm ci --no-fund --no-audit); then
    [ -n "${CI:-}" ] && exit 1
    skip "npm ci failed in $dir"
  fi
done
DATELINE_BIN=$1
export DATELINE_BIN
shift
exec node --test "$@"
