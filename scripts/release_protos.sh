#!/bin/sh
# Writes the descriptor set that `./test.sh` compares the contracts with: proto/released/dateline.binpb, which holds them
# as they were at the last release. Run it when a release is made, and commit the file with it.
set -eu
cd "$(dirname "$0")/../proto"
mkdir -p released
# shellcheck disable=SC2046  # A list of paths without spaces.
protoc -I . --include_imports --include_source_info --descriptor_set_out=released/dateline.binpb \
  $(find dateline -name '*.proto' | LC_ALL=C sort)
