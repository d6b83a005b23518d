# Sourced by the scripts beside it: a Python that can make virtual environments, and the environments themselves.
#
# Environments stand in .cache/venvs/NAME-KEY, where KEY is the hash of all that goes in, and are reused while that is
# unchanged; .cache/NAME links to the current one. Talk goes to stderr.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

# need_package PACKAGES WHY: install system packages, a blank between two, where we may, else print the one line that does and exit 2.
need_package() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release; then
    say "$2: installing the system package $1 (apt-get)"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1; } >/dev/null && return
    say "apt-get could not install $1"
    exit 2
  fi
  say "$2. Install it, then run this again:"
  say "  sudo apt-get update && sudo apt-get install -y $1"
  exit 2
}

# Exits 2 with the reason unless $python is new enough and can make virtual environments.
need_python() {
  command -v "$python" >/dev/null || need_package python3 "there is no $python"
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "$("$python" --version) is too old: 3.11 or newer is needed (PYTHON=/path/to/python3.11 chooses another)"
    exit 2
  fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null || need_package python3-venv "$python cannot make virtual environments"
}

# environment_key PIP-ARGUMENT...: all that decides what is in an environment. An argument that is a file counts by its text.
environment_key() {
  "$python" - "$root" "$@" <<'PYTHON'
import hashlib, pathlib, sys
digest = hashlib.sha256(repr([sys.version, sys.executable, sys.argv[1:]]).encode())
for argument in ["pyproject.toml", *sys.argv[2:]]:
    path = pathlib.Path(argument)
    digest.update(path.read_bytes() if path.is_file() else b"")
print(digest.hexdigest()[:12])
PYTHON
}

# make_venv NAME PIP-ARGUMENT...: set $venv to an environment with these installed.
# Returns 1 if pip could not, with pip's own last lines. $python is the interpreter it is made with.
make_venv() {
  local name=$1 key
  shift
  need_python
  key=$(environment_key "$@")
  venv=$root/.cache/venvs/$name-$key
  mkdir -p "$root/.cache/venvs"
  (
    # Two scripts started at once make it once.
    ! command -v flock >/dev/null || flock 9
    [ ! -f "$venv/complete" ] || exit 0
    say "making .cache/$name ($("$python" --version)): pip install $*"
    rm -rf "$root/.cache/venvs/$name"-[0-9a-f]*
    "$python" -m venv "$venv" &&
      "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@" >&2 &&
      touch "$venv/complete"
  ) 9>"$root/.cache/venvs/$name.lock" || { say "could not make .cache/$name"; return 1; }
  ln -sfn "venvs/$name-$key" "$root/.cache/$name"
}

# The environment for work on the project itself.
dev_venv() { make_venv dev -e '.[dev]'; }

# The environment of examples/agentdojo: the demo and its test share it.
agentdojo_venv() { make_venv agentdojo -e '.[test]' -r examples/agentdojo/requirements.txt; }

# framework_venv NAME: an environment with one agent framework, for its adapter's tests and for the fault matrix.
framework_venv() {
  local packages
  case $1 in
    langchain1)
      packages=('langchain>=1.4,<2' 'langgraph>=1.2,<2' 'langchain-openai>=1.7,<2' 'langchain-classic>=1,<2'
        'langchain-community>=0.4,<0.5' 'ddgs>=9'
        'openinference-instrumentation-langchain>=0.1' 'opentelemetry-instrumentation-langchain>=0.40') ;;
    langchain03) packages=('langchain>=0.3,<0.4' 'langchain-community>=0.3,<0.4' 'langchain-openai>=0.3,<0.4' 'ddgs>=9') ;;
    langchain_boxed) # its search asks nobody
      packages=('langchain>=0.3,<0.4' 'langchain-community>=0.3,<0.4' 'langchain-openai>=0.3,<0.4' ./tests/sandbox/search) ;;
    openai_agents) packages=('openai-agents>=0.24,<0.25') ;;
    openai_agents08) packages=('openai-agents==0.8.*' 'openai<2.18') ;;
    mcp2) packages=('mcp>=2.3,<3' 'fastmcp>=4.1,<5' 'openai-agents>=0.24,<0.25' 'trio') ;;
    mcp1)
      packages=('mcp>=1.30,<2' 'langchain-mcp-adapters>=0.3,<0.4' 'langchain>=1.4,<2' 'langgraph>=1.2,<2'
        'langchain-openai>=1.7,<2') ;;
    mcp123) packages=('mcp==1.23.*' 'openai-agents==0.8.*' 'openai<2.18') ;;
    *) say "there is no framework environment $1"; return 1 ;;
  esac
  make_venv "$1" -e '.[test,sandbox]' "${packages[@]}"
}
