# shellcheck shell=bash
# What the demo and `./dev shell` share: a private folder, a web server and a
# service in it, and nothing left of them afterwards.

readonly DEMO_DIR=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

WORK=$(mktemp -d "${TMPDIR:-/tmp}/usher-demo.XXXXXX")
chmod 755 "$WORK"
cd "$WORK"
STARTED_PIDS=()

say() { printf '\n\e[1m%s\e[0m\n' "$*"; }
plain_say() { printf '\n%s\n' "$*"; }
if [[ ! -t 1 || -n ${NO_COLOR:-} ]]; then
  say() { plain_say "$@"; }
fi

# Ends what was started and removes the folder; further actions are put before
# it with at_exit.
EXIT_ACTIONS=()
at_exit() { EXIT_ACTIONS=("$*" "${EXIT_ACTIONS[@]}"); }

clean_up() {
  local status=$? action pid
  trap '' INT TERM
  for action in "${EXIT_ACTIONS[@]}"; do
    eval "$action" || true
  done
  for pid in "${STARTED_PIDS[@]}"; do
    kill "$pid" 2>/dev/null || continue
    # Not children of this shell: their end shows when the pid is gone.
    tail --pid="$pid" -f /dev/null
  done
  cd /
  rm -rf "$WORK"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start_service LOG COMMAND…: in the background, ready on return.
start_service() {
  local pid
  pid=$(/usr/bin/python3 "$DEMO_DIR/start.py" "$@")
  STARTED_PIDS+=("$pid")
}

# start_nginx FOLDER: serves it on a free loopback port; sets URL.
start_nginx() {
  local folder=$1 port
  for _ in {1..20}; do
    port=$((20000 + RANDOM % 20000))
    cat >nginx.conf <<CONF
$([[ $EUID == 0 ]] && echo "user root;")
worker_processes 1;
pid $WORK/nginx.pid;
error_log $WORK/nginx.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $WORK/nginx-body;
  proxy_temp_path $WORK/nginx-proxy;
  fastcgi_temp_path $WORK/nginx-fastcgi;
  uwsgi_temp_path $WORK/nginx-uwsgi;
  scgi_temp_path $WORK/nginx-scgi;
  server { listen 127.0.0.1:$port; root $folder; }
}
CONF
    # It goes to the background once it listens, and fails on a taken port.
    if /usr/sbin/nginx -e "$WORK/nginx.log" -p "$WORK" \
        -c "$WORK/nginx.conf" 2>/dev/null; then
      STARTED_PIDS+=("$(<nginx.pid)")
      URL=http://127.0.0.1:$port
      return 0
    fi
  done
  cat nginx.log >&2
  return 1
}
