#!/bin/bash
# Asks HOST PORT for PATH and succeeds if the answer is 200: a health probe that needs nothing but bash.
set -euo pipefail
exec 3<>"/dev/tcp/$1/$2"
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$3" "$1" >&3
read -r -t 4 _ code _ <&3
[[ "$code" == 200 ]]
