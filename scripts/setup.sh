#!/bin/sh
# Installs what building, running and testing Dateline needs: Debian packages, by name. Does nothing, and asks for no
# rights, when all of it is there. For Debian 12 and 13, as root or with sudo.
#
#   scripts/setup.sh [--for run|test] [--list]
set -eu

usage() {
  cat <<'END'
Usage: scripts/setup.sh [--for run|test] [--list]

Installs the Debian packages that Dateline needs and that are missing.

  --for run    what building and running needs (the default); no Node
  --for test   that, and what ./test.sh needs: clang, Node, Chromium, Python and Go for gRPC, ...
  --list       print the names of the packages, one a line, and install nothing
END
}

fail() {
  echo "setup.sh: $*" >&2
  exit 1
}

purpose=run
list=
while [ $# -gt 0 ]; do
  case $1 in
    --for)
      [ $# -ge 2 ] || fail "--for needs run or test"
      purpose=$2
      shift
      ;;
    --for=*) purpose=${1#--for=} ;;
    --list) list=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "unknown argument '$1' (--help explains)" ;;
  esac
  shift
done
case $purpose in
  run | test) ;;
  *) fail "--for takes run or test, not '$purpose'" ;;
esac

packages="
  ca-certificates ccache cmake curl g++ git lld ninja-build pkgconf python3
  golang-github-gogo-googleapis-dev libabsl-dev libarchive-dev libboost-dev libc-ares-dev libcld2-dev libcli11-dev
  libcsv-dev libcurl4-openssl-dev libgmime-3.0-dev libgrpc++-dev libgumbo-dev libicu-dev liblinear-dev libprotobuf-dev libre2-dev
  libsqlite3-dev libssl-dev libxapian-dev libxml2-dev libzstd-dev nlohmann-json3-dev poppler-utils protobuf-compiler
  protobuf-compiler-grpc zlib1g-dev
"
if [ "$purpose" = test ]; then
  packages="$packages
    libbenchmark-dev libgmock-dev libgtest-dev
    clang clang-format clang-tidy libclang-rt-dev
    chromium
    golang-github-golang-protobuf-1-5-dev golang-go golang-google-grpc-dev protoc-gen-go protoc-gen-go-grpc
    procps python3-grpcio python3-protobuf python3-yaml systemd
  "
  # Any Node from 18 on will do, wherever it comes from; Debian's npm could not be installed beside another Node.
  node_major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  if [ -n "$list" ] || [ "${node_major:-0}" -lt 18 ] || ! command -v npm >/dev/null 2>&1; then
    packages="$packages nodejs npm"
  fi
fi
# shellcheck disable=SC2086  # A list of words.
packages=$(printf '%s\n' $packages | sort -u)

if [ -n "$list" ]; then
  printf '%s\n' "$packages"
  exit 0
fi

command -v dpkg-query >/dev/null 2>&1 || fail "this is no Debian: install what docs name by hand, then use --no-install"

# shellcheck disable=SC2086,SC2016  # A list of words; dpkg-query's own format.
installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $packages 2>/dev/null | sed -n 's/^ii[ ]*//p' | sort -u)
missing=$(printf '%s\n' "$packages" | grep -vxF "${installed:-none}" || true)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  # shellcheck disable=SC2086
  fail "packages are missing and only root may install them; run as root, or install sudo: apt-get install" $missing
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 "$@" >>"$log" 2>&1 </dev/null
}
explain() {
  sed -n -e 's/^E: /  /p' -e '/^sudo:/p' "$log" >&2
  fail "$1"
}

count=$(printf '%s\n' "$missing" | wc -l)
echo "Installing $count Debian packages ..." >&2
apt update || explain "the package lists can't be fetched (is there a network?)"
# shellcheck disable=SC2086
apt install --yes --no-install-recommends $missing || explain "these packages can't be installed: $(echo $missing)"
