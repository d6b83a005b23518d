# Sourced by the groups that need Node: its packages, as a lock file has them, in .cache/node-KEY.

# node_folder FOLDER: set $node_folder to a copy of FOLDER with its packages installed. Returns 1 if that failed.
node_folder() {
  local source=$1 key
  command -v npm >/dev/null || (need_package nodejs "there is no node" && need_package npm "there is no npm") || return 1
  key=$(cat "$source/package-lock.json" | sha256sum | cut -c1-12)
  node_folder=$root/.cache/node-$key
  mkdir -p "$node_folder"
  (
    ! command -v flock >/dev/null || flock 9
    [ ! -f "$node_folder/complete" ] || exit 0
    say "installing the packages of $source ($(node --version))"
    cp "$source"/package*.json "$node_folder/"
    cd "$node_folder" && npm ci --no-audit --no-fund --ignore-scripts >&2 && touch complete
  ) 9>"$root/.cache/node-$key.lock" || return 1
  cp "$source"/*.mjs "$node_folder/"
}
