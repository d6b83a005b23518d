"""`agentcop scan`: find weaknesses in agent code, give each file a trust score, fail the build under a threshold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentcop.cli._output import colours, escape, say
from agentcop.cli.scan.scanning import ScanRequest, fixes_of, scanned
from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats import EXTENSIONS, FORMATS, format_of, render
from agentcop_scanner.formats.words import plural
from agentcop_scanner.history.baseline import as_baseline
from agentcop_scanner.history.baseline_file import write_baseline
from agentcop_scanner.trust.demands import Demands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Severity
    from agentcop_scanner.formats import Format

_FILE = click.Path(path_type=Path, dir_okay=False)


def _severities(_: click.Context, param: click.Parameter, value: str) -> tuple[Severity, ...]:
    """A list as the policy has it, with commas, in any case: `CRITICAL,HIGH`; worst first."""
    named = {word.strip().upper() for word in value.split(",") if word.strip()}
    if unknown := named - set(SEVERITIES):
        words = f"{', '.join(sorted(unknown))}: write {', '.join(SEVERITIES)}, or several with commas"
        raise click.BadParameter(words, param=param)
    return tuple(severity for severity in SEVERITIES if severity in named)


@click.command(short_help="Find weaknesses in agent code.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--recursive/--no-recursive", default=True, help="Enter folders in folders; the default.")
@click.option("--min-score", type=click.IntRange(0, 100), help="Exit 1 if a file's trust score is below.")
@click.option("--fail-on", default="", callback=_severities, help="Exit 1 if an open finding is of these, or worse.")
@click.option("--policy", type=_FILE, help="A policy whose scan: section holds as well; the stricter does.")
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), help="Show these and worse only.")
@click.option("-f", "--format", "style", type=click.Choice(FORMATS), default="text", help="Of what is printed.")
@click.option("--output", "outputs", type=_FILE, multiple=True, help="Also write a report; its ending says which kind.")
@click.option("--baseline", type=_FILE, help="Findings in it do not fail; a score below it does.")
@click.option("--update-baseline", is_flag=True, help="Write what is found now to the baseline.")
@click.option("--diff", metavar="REF", help="What got worse since a git commit; A..B: between two.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without doubt, in place.")
@click.option("--dry-run", is_flag=True, help="With --fix: print the changes, write nothing.")
@click.option("--no-cache", is_flag=True, help="Scan every file again.")
@click.option("-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0: as many as are good.")
@click.option("-q", "--quiet", is_flag=True, help="No talk on stderr.")
def scan(  # noqa: PLR0913 -- the guide's flags and those of a build
    paths: tuple[Path, ...],
    *,
    recursive: bool,
    min_score: int | None,
    fail_on: tuple[Severity, ...],
    policy: Path | None,
    severity: Severity | None,
    style: Format,
    outputs: tuple[Path, ...],
    baseline: Path | None,
    update_baseline: bool,
    diff: str | None,
    fix: bool,
    dry_run: bool,
    no_cache: bool,
    jobs: int,
    quiet: bool,
) -> None:
    """Find weaknesses in agent code under PATHS and give each file a trust score from 0 to 100.

    Nothing is imported, run or sent anywhere. Exits 1 if a threshold is crossed (--min-score, --fail-on, a policy, a
    score below the baseline's), 2 if it could not be done: a path or file that cannot be read or parsed, nothing to
    scan, a policy that is wrong. Without thresholds it exits 0 whatever it finds.
    """
    _agree(baseline=baseline, update=update_baseline, diff=diff, fix=fix, dry_run=dry_run)
    styles = [(path, _style_of(path)) for path in outputs]
    demands = Demands(min_score=min_score, fail_on=fail_on).also(_demands_of(policy))
    request = ScanRequest(
        paths=paths,
        recursive=recursive,
        jobs=jobs,
        cached=not no_cache,
        baseline=baseline,
        may_lack_baseline=update_baseline,
        diff=diff,
        own_files=(*outputs, *((baseline,) if baseline else ())),
        quiet=quiet,
        demands=demands,
        severities=SEVERITIES if severity is None else SEVERITIES[: SEVERITIES.index(severity) + 1],
        colour=style == "text" and colours(sys.stdout),
    )
    if fix:
        _mend(request, dry_run=dry_run, quiet=quiet)
    with scanned(request) as (view, elsewhere):
        for path, output in styles:
            _write(path, render(view, output))
            _talk(f"wrote {path}", quiet=quiet)
        for piece in render(view, style):
            click.echo(piece, nl=False)
        if update_baseline and baseline is not None:
            now = as_baseline(view.report, label=f"baseline {baseline}", today=view.made.date(), elsewhere=elsewhere)
            write_baseline(now, baseline)
            _talk(
                f"wrote {baseline}: {plural(len(now.known), 'finding')}, {plural(len(now.scores), 'file')}", quiet=quiet
            )
        if style != "text":
            for line in view.outcome.crossed:
                _talk(f"FAILED: {line}", quiet=quiet)
        for line in view.outcome.unscored:
            say(f"agentcop: {escape(line)}")
        code = view.outcome.code
    sys.exit(code)


def _agree(*, baseline: Path | None, update: bool, diff: str | None, fix: bool, dry_run: bool) -> None:
    if update and baseline is None:
        raise click.UsageError("--update-baseline writes to the file of --baseline: name it")
    if diff is not None and baseline is not None:
        raise click.UsageError("--diff compares with a commit and --baseline with a file: give one of them")
    if dry_run and not fix:
        raise click.UsageError("--dry-run is for --fix")
    if fix and diff is not None and ".." in diff:
        raise click.UsageError("--fix mends the working tree, and --diff A..B does not look at it")


def _style_of(path: Path) -> Format:
    style = format_of(path.name)
    if style is None:
        raise click.UsageError(f"--output {path}: its name must end in one of {', '.join(EXTENSIONS)}")
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"--output {path}: there is no such folder")
    return style


def _demands_of(policy: Path | None) -> Demands:
    """What the scan section of a policy asks for; nothing if it has none, which is said."""
    if policy is None:
        return Demands()
    from agentcop_policies import load_policy

    section = load_policy(policy).document.scan
    if section is None:
        say(f"{policy} has no scan: section, so it asks nothing of this scan")
        return Demands()
    return Demands(min_score=section.min_score, fail_on=section.fail_on)


def _mend(request: ScanRequest, *, dry_run: bool, quiet: bool) -> None:
    """Mend what can be mended; a dry run prints what it would do, and ends the command."""
    changes = fixes_of(request)
    if dry_run:
        for change in changes:
            click.echo(change.diff, nl=False)
        say(f"{plural(len(changes), 'file')} would change: --fix alone writes it" if changes else "nothing to mend")
        sys.exit(1 if changes else 0)
    for change in changes:
        change.write()
        _talk(f"mended {change.path}: {', '.join(change.rules)}", quiet=quiet)


def _write(path: Path, pieces: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(pieces)


def _talk(text: str, *, quiet: bool) -> None:
    if not quiet:
        say(escape(text))
