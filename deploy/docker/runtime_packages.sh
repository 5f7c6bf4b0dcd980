#!/bin/bash
# Writes for each program in BIN_DIR the Debian packages of the libraries it is linked with, one a line, to
# OUT_DIR/PROGRAM. An image then installs these and no others, under whatever names this release of Debian gives them.
set -euo pipefail
bin_dir=$1
out_dir=$2
mkdir -p "$out_dir"
for program in "$bin_dir"/*; do
  libraries=$(ldd "$program" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
  for library in $libraries; do
    # With a merged /usr the loader may name a file by another path than the package does.
    for path in "$library" "/usr$library" "${library#/usr}" "$(readlink -f "$library")"; do
      if owner=$(dpkg-query --search "$path" 2>/dev/null); then
        echo "${owner%%:*}"
        continue 2
      fi
    done
    echo "runtime_packages.sh: $program: no package owns $library" >&2
    exit 1
  done | sort --unique > "$out_dir/$(basename "$program")"
done
