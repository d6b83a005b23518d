# Sourced: a Docker and a Podman of our own, on Unix sockets in one folder, with nothing of the machine's own engines.
#
#   engines_start FOLDER   sets $docker_socket and $podman_socket; 1 where one does not answer, with its own last words
#   docker_start FOLDER, podman_start FOLDER   one of them, again after it ended as well
#   engines_stop FOLDER    ends both and all that they run, and unmounts what they mounted
#
# Needs $python. Root, cgroups of version 1 or 2, no network.

engine_packages() {
  local package missing=()
  for package in docker.io podman runc crun bubblewrap uidmap iptables; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ "${#missing[@]}" = 0 ] || (need_package "${missing[*]}" "real container engines are needed")
}

engines_start() {
  docker_start "$1" && podman_start "$1"
}

docker_start() {
  local folder=$1 driver
  docker_socket=$folder/docker.sock
  mkdir -p "$folder/docker"
  [ -f "$folder/cgroups" ] || engine_cgroups >"$folder/cgroups"
  # Where overlay does not work on this file system, plain copies do.
  for driver in $(cat "$folder/docker/driver" 2>/dev/null || echo overlay2 vfs); do
    rm -f "$folder/docker/pid"
    setsid dockerd --iptables=false --ip6tables=false --ip-masq=false --bridge=none --storage-driver="$driver" \
      --default-ulimit nofile=1024:1024 --default-ulimit nproc=4096:4096 \
      --data-root "$folder/docker/data" --exec-root "$folder/docker/exec" -p "$folder/docker/pid" \
      -H "unix://$docker_socket" >"$folder/docker.log" 2>&1 </dev/null &
    engine_answers "$docker_socket" "$!" && { echo "$driver" >"$folder/docker/driver"; return 0; }
    engine_ends "$folder/docker"
    rm -rf --one-file-system "$folder/docker/data"
  done
  tail -n 5 "$folder/docker.log" >&2
  return 1
}

podman_start() {
  local folder=$1 driver
  podman_socket=$folder/podman.sock
  mkdir -p "$folder/podman"
  [ -f "$folder/cgroups" ] || engine_cgroups >"$folder/cgroups"
  printf '%s\n' '[containers]' 'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]' \
    '[engine]' 'cgroup_manager = "cgroupfs"' 'runtime = "runc"' 'events_logger = "file"' >"$folder/podman/containers.conf"
  for driver in $(cat "$folder/podman/driver" 2>/dev/null || echo overlay vfs); do
    # Where it runs, its monitors leave a file for each box that took too much memory.
    CONTAINERS_CONF=$folder/podman/containers.conf setsid env -C "$folder/podman" podman --storage-driver "$driver" \
      --root "$folder/podman/root" --runroot "$folder/podman/run" --tmpdir "$folder/podman/tmp" \
      system service --time 0 "unix://$podman_socket" >"$folder/podman.log" 2>&1 </dev/null &
    echo $! >"$folder/podman/pid"
    engine_answers "$podman_socket" "$!" && { echo "$driver" >"$folder/podman/driver"; return 0; }
    engine_ends "$folder/podman"
    rm -rf --one-file-system "$folder/podman/root"
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
  local folder=$1 cgroup
  engine_ends "$folder/docker" "$folder/podman"
  rm -rf --one-file-system "$folder/docker" "$folder/podman"
  engine_cgroups | { grep -vxF -f "$folder/cgroups" || true; } | while read -r cgroup; do
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

# engine_ends FOLDER...: of an engine. What has the folder in its command line is its own: containerd, shims, conmon.
engine_ends() {
  local folder tries pids
  for folder in "$@"; do
    [ ! -f "$folder/pid" ] || kill "$(cat "$folder/pid")" 2>/dev/null || true
  done
  for folder in "$@"; do
    for tries in $(seq 100); do
      pids=$(engine_processes "$folder")
      [ -n "$pids" ] || break
      [ "$tries" -lt 60 ] || kill -KILL $pids 2>/dev/null || true
      sleep 0.1
    done
    awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
  done
}

engine_processes() { grep -lsF -f - /proc/[0-9]*/cmdline <<<"$1/" | cut -d / -f 3 || true; }

# The groups of processes that an engine makes for all its containers, and leaves.
engine_cgroups() {
  find /sys/fs/cgroup -maxdepth 2 -type d \( -name docker -o -name libpod_parent -o -name conmon \) 2>/dev/null || true
}
