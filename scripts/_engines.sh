# Sourced: a Docker and a Podman of our own, on Unix sockets in one folder, with nothing of the machine's own engines.
#
#   engines_start FOLDER   sets $docker_socket and $podman_socket; 1 where one does not answer, with its own last words
#   engines_stop FOLDER    ends both and all that they run, and unmounts what they mounted

engine_packages() {
  local package missing=()
  for package in docker.io podman runc crun bubblewrap uidmap iptables; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ "${#missing[@]}" = 0 ] || (need_package "${missing[*]}" "real container engines are needed")
}

engines_start() {
  local folder=$1 driver
  mkdir -p "$folder/docker" "$folder/podman"
  docker_socket=$folder/docker.sock podman_socket=$folder/podman.sock
  # Where overlay does not work on this file system, plain copies do.
  for driver in overlay2 vfs; do
    setsid dockerd --iptables=false --ip6tables=false --ip-masq=false --bridge=none --storage-driver="$driver" \
      --default-ulimit nofile=1024:1024 --default-ulimit nproc=4096:4096 \
      --data-root "$folder/docker/data" --exec-root "$folder/docker/exec" -p "$folder/docker/pid" \
      -H "unix://$docker_socket" >"$folder/docker.log" 2>&1 </dev/null &
    engine_answers "$docker_socket" "$!" && break
    engines_stop "$folder"
    mkdir -p "$folder/docker"
  done
  engine_answers "$docker_socket" "$!" || { tail -n 5 "$folder/docker.log" >&2; return 1; }
  printf '%s\n' '[containers]' 'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]' \
    '[engine]' 'cgroup_manager = "cgroupfs"' 'runtime = "runc"' 'events_logger = "file"' >"$folder/podman/containers.conf"
  for driver in overlay vfs; do
    CONTAINERS_CONF=$folder/podman/containers.conf setsid podman --storage-driver "$driver" \
      --root "$folder/podman/root" --runroot "$folder/podman/run" --tmpdir "$folder/podman/tmp" \
      system service --time 0 "unix://$podman_socket" >"$folder/podman.log" 2>&1 </dev/null &
    echo $! >"$folder/podman/pid"
    engine_answers "$podman_socket" "$!" && return 0
  done
  tail -n 5 "$folder/podman.log" >&2
  return 1
}

# engine_answers SOCKET PID: wait until the engine of this process answers; 1 once the process has ended.
engine_answers() {
  local tries
  for tries in $(seq 300); do
    "$python" - "$1" 2>/dev/null <<'PYTHON' && return 0
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(2)
    client.connect(sys.argv[1])
    client.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
    sys.exit(b" 200 " not in client.recv(64))
PYTHON
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

engines_stop() {
  local folder=$1 file tries pids
  for file in "$folder/docker/pid" "$folder/podman/pid"; do
    [ ! -f "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
  done
  # Whatever has the folder in its command line is one of ours: containerd, shims, conmon.
  for tries in $(seq 100); do
    pids=$(engine_processes "$folder")
    [ -n "$pids" ] || break
    [ "$tries" -lt 60 ] || kill -KILL $pids 2>/dev/null || true
    sleep 0.1
  done
  awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
  rm -rf --one-file-system "$folder/docker" "$folder/podman"
}

engine_processes() { grep -lsF -f - /proc/[0-9]*/cmdline <<<"$1/" | cut -d / -f 3 || true; }
