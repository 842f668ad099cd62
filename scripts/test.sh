#!/usr/bin/env bash
# Installs what is missing and runs every check and test. The last line is the total; 1 when anything failed.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/lib.sh

broken() {
  stop_nats
  printf '0 passed, 1 failed\n'
  exit 1
}

need_node || broken
install_packages || broken
need_nats || broken
want_promtool
trap stop_nats EXIT
node --import tsx scripts/test.ts all "$@"
status=$?
# 0 and 1 come with a line of totals; anything else means that the runner itself was ended.
[ "$status" -le 1 ] || { printf 'the tests were ended with status %s\n' "$status"; broken; }
exit "$status"
