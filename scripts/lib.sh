# Shared by start.sh and test.sh, which source it from the root of the repository. bash 3.2 (macOS) will do.

LOG="${TMPDIR:-/tmp}/bitacora-install.$$.log"
NATS_CONTAINER=''
# Debian puts nats-server where an ordinary user's PATH does not look; Homebrew on Apple silicon likewise.
PATH="$PATH:/usr/local/bin:/opt/homebrew/bin:/usr/sbin:/usr/local/sbin"

fail() {
  printf '%s\n' "$*" >&2
  return 1
}

# Runs a command quietly; its output is shown only when it fails.
quietly() {
  "$@" >"$LOG" 2>&1 && { rm -f "$LOG"; return 0; }
  printf 'failed: %s\n' "$*" >&2
  cat "$LOG" >&2
  rm -f "$LOG"
  return 1
}

# at_least 2.9 2.10.3 → true: compares dotted versions number by number.
at_least() {
  local want="$1." have="$2." w h
  while [ -n "$want" ]; do
    w="${want%%.*}"; want="${want#*.}"
    h="${have%%.*}"; have="${have#*.}"
    h="${h%%[!0-9]*}"
    [ "${h:-0}" -gt "$w" ] && return 0
    [ "${h:-0}" -lt "$w" ] && return 1
  done
  return 0
}

need_node() {
  command -v node >/dev/null 2>&1 ||
    fail 'Node is missing. Bitácora needs Node 20.19 or newer: https://nodejs.org/en/download' || return 1
  local version
  version="$(node -p process.versions.node)"
  at_least 20.19 "$version" ||
    fail "Bitácora needs Node 20.19 or newer; this is $version: https://nodejs.org/en/download" || return 1
  command -v npm >/dev/null 2>&1 || fail 'npm is missing; it comes with Node: https://nodejs.org/en/download'
}

tulind_works() {
  node -e "require('tulind')" >/dev/null 2>&1
}

install_packages() {
  local installed=node_modules/.package-lock.json
  if [ -f "$installed" ] && ! [ package-lock.json -nt "$installed" ]; then
    return 0
  fi
  # With the headers of the system at hand node-gyp needs no download; a path without them makes tulind's build
  # vanish without a word, because the package is optional.
  [ -f /usr/include/node/node.h ] && export npm_config_nodedir=/usr
  printf 'installing npm packages…\n' >&2
  quietly npm ci --no-audit --no-fund || return 1
  # npm leaves the time of a file that does not change; this one says when the installation was last found complete.
  touch "$installed"
  tulind_works || printf 'tulind could not be built here (it needs python3, make and a C++ compiler); it is optional: a few indicators are missing, nothing else\n' >&2
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
  else
    printf 'neither root nor sudo\n'
    return 1
  fi
}

nats_version() {
  nats-server -v 2>/dev/null | sed -n 's/.*v\{0,1\}\([0-9][0-9]*\.[0-9.]*\).*/\1/p' | head -n 1
}

has_nats() {
  command -v nats-server >/dev/null 2>&1 && at_least 2.9 "$(nats_version)"
}

apt_nats() {
  command -v apt-get >/dev/null 2>&1 || return 1
  printf 'installing nats-server with apt-get…\n' >&2
  quietly as_root apt-get update || printf 'apt-get update failed; trying with the lists that are there\n' >&2
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y nats-server && has_nats
}

brew_nats() {
  command -v brew >/dev/null 2>&1 || return 1
  printf 'installing nats-server with brew…\n' >&2
  quietly brew install nats-server && has_nats
}

# Starts a server in a container on a free port of the loopback and exports NATS_URL.
docker_nats() {
  command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 || return 1
  printf 'starting nats-server with Docker…\n' >&2
  quietly docker pull -q nats:2.12 || return 1
  local name="bitacora-nats-$$" port tries=0
  quietly docker run -d --rm --name "$name" -p 127.0.0.1::4222 nats:2.12 -js || return 1
  NATS_CONTAINER="$name"
  port="$(docker port "$name" 4222/tcp | sed -n 's/^127\.0\.0\.1:\([0-9]*\)$/\1/p' | head -n 1)"
  until [ -n "$port" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 50 ]; then
      stop_nats
      fail 'the container of nats-server does not answer'
      return 1
    fi
    sleep 0.2
  done
  export NATS_URL="nats://127.0.0.1:$port"
}

stop_nats() {
  [ -n "$NATS_CONTAINER" ] && docker rm -f "$NATS_CONTAINER" >/dev/null 2>&1
  NATS_CONTAINER=''
}

# NATS_URL; nats-server on PATH; a package manager; Docker; else an error that names them all.
need_nats() {
  [ -n "${NATS_URL:-}" ] && return 0
  has_nats && return 0
  apt_nats && return 0
  brew_nats && return 0
  docker_nats && return 0
  fail 'A NATS server is missing. One of these will do:
  - NATS_URL=nats://host:4222, naming a server of 2.9 or newer with JetStream
  - nats-server 2.9 or newer on PATH: https://github.com/nats-io/nats-server/releases
  - apt-get install nats-server (Debian, Ubuntu) or brew install nats-server (macOS)
  - Docker, running: the image nats:2.12 is then used'
}

# promtool checks metrics and alert rules. Only tests want it, and they say so and pass without: nothing fails here.
want_promtool() {
  command -v promtool >/dev/null 2>&1 && return 0
  command -v apt-get >/dev/null 2>&1 || return 0
  printf 'installing promtool with apt-get…\n' >&2
  # RUNLEVEL=1: its package does not start a server then.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends prometheus \
    >/dev/null 2>&1 || printf 'promtool is not there: a few tests are skipped\n' >&2
}
