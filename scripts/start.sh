#!/usr/bin/env bash
# Installs what is missing, builds, and runs the engine: scripts/start.sh [options of `bitacora start`].
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/lib.sh

need_node || exit 1
install_packages || exit 1
need_nats || exit 4
quietly node --import tsx scripts/build.ts --if-stale || { stop_nats; exit 1; }
# A relative --dir or --data is meant from here. exec: signals and the exit code are the engine's own.
[ -z "$NATS_CONTAINER" ] && exec node scripts/bitacora.mjs start "$@"

# A container of ours has to be removed afterwards, so this shell stays and hands the signals on.
node scripts/bitacora.mjs start "$@" &
engine=$!
trap 'kill -TERM "$engine" 2>/dev/null' INT TERM
wait "$engine"
status=$?
# A trapped signal ends `wait` before the engine has ended.
while kill -0 "$engine" 2>/dev/null; do
  wait "$engine"
  status=$?
done
stop_nats
exit "$status"
