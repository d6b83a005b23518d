# Sourced by each group: how it runs pytest and how it says what it did not do.
#
# A group is an executable file here, named in scripts/test. Exit: 0 passed, 3 could not run, 4 optional and not there,
# anything else failed. What `note` says stands in the closing table.

. "$(dirname "${BASH_SOURCE[0]}")/../_environment.sh"
group=$(basename "$0")
results=${RESULTS:-$root/.cache/results/alone}
mkdir -p "$results"
rm -f "$results/$group.note"

note() { printf '%s\n' "$*" >>"$results/$group.note"; }

could_not_run() { note "$*"; say "$group could not run: $*"; exit 3; }

not_there() { note "$*"; say "$group: $*"; exit 4; }

# run_pytest REPORT ARGUMENT...: pytest of the current $venv; its counts go into REPORT.
run_pytest() {
  local report=$1
  shift
  "$venv/bin/pytest" --junit-xml="$results/$group-$report.xml" "$@"
}
