# Sourced by each group: how it runs pytest and how it says what it did not do.
#
# A group is an executable file here, named in scripts/test. Exit: 0 passed, 3 could not run, 4 optional and not there,
# anything else failed. What `note` says stands in the closing table.

. "$(dirname "${BASH_SOURCE[0]}")/../_environment.sh"
group=$(basename "$0")
results=${RESULTS:-$root/.cache/results/alone}
mkdir -p "$results"
[ -n "${ONLY:-}" ] || rm -f "$results/$group.note"

note() { printf '%s\n' "$*" >>"$results/$group.note"; }

could_not_run() { note "$*"; say "$group could not run: $*"; exit 3; }

not_there() { note "$*"; say "$group: $*"; exit 4; }

# run_pytest REPORT ARGUMENT...: pytest of the current $venv; its counts go into REPORT.
run_pytest() {
  local report=$1
  shift
  # pytest says 3 and 4 of faults of its own.
  "$venv/bin/pytest" --junit-xml="$results/$group-$report.xml" "$@" || return 1
}

# run_spread REPORT ARGUMENT...: the same in a process for each core; the tests of a file stay together, in their order.
run_spread() {
  local folder status=0
  # A socket's path has at most 107 bytes, and each process's folder has a longer name by default.
  folder=$(mktemp -d -t t.XXXXXX)
  run_pytest "$1" -n logical --dist loadfile --basetemp="$folder" "${@:2}" || status=$?
  rm -rf --one-file-system "$folder"
  return "$status"
}

# The tests that need nothing but the extras test and detector: those of the groups unit and processes, and smoke.
ours='not example and not frameworks and not launchers and not detector and not jaeger and not browser and not hooks and not sandbox'

# two_at_a_time NAME... [-- ARGUMENT...]: this group once more for each NAME, with ONLY=NAME and the arguments. A part's
# output is printed whole when it ends. Returns the worst exit status: 1 over 3 over 0.
two_at_a_time() {
  local names=() folder worst=0 name number=0
  while [ "$#" -gt 0 ] && [ "$1" != -- ]; do names+=("$1"); shift; done
  [ "$#" = 0 ] || shift
  folder=$(mktemp -d)
  for name in "${names[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
    number=$((number + 1))
    (
      status=0
      ONLY=$name "$0" "$@" >"$folder/$number.log" 2>&1 </dev/null || status=$?
      printf '%s' "$status" >"$folder/$number.status"
      flock "$folder" cat "$folder/$number.log"
    ) &
  done
  wait
  for number in $(seq "$number"); do
    case $(cat "$folder/$number.status") in
      0) ;;
      3) [ "$worst" != 0 ] || worst=3 ;;
      *) worst=1 ;;
    esac
  done
  rm -rf "$folder"
  return "$worst"
}
