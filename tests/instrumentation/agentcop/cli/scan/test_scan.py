"""`agentcop scan`: stdout is the report, stderr is talk, the exit code says whether the demands hold."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from guide import listings
from on_a_terminal import on_a_terminal
from scanning import BROKEN, CLEAN, MEDIUM, POOR, scan, write

POLICY = "agent_id: a\nscan: {{{scan}}}\ngate: {{allow: [a]}}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def commands() -> list[list[str]]:
    lines = [line for line in listings("bash")[0].splitlines() if line.startswith("agentcop scan")]
    return [shlex.split(line)[2:] for line in lines]


def test_the_guides_first_command_fails_where_a_file_is_below_the_score() -> None:
    write(sub__poor=POOR, clean=CLEAN)
    (first, _) = commands()

    done = scan(*first)

    assert first == ["agents/", "--recursive", "--min-score", "75"]
    assert done.exit_code == 1
    assert "FAILED: agents/sub/poor.py: trust score 69 is below 75" in done.stdout
    assert "5:12  HIGH AC134 tls-off" in done.stdout


def test_the_guides_second_command_writes_the_page_of_what_the_first_one_judged() -> None:
    write(sub__poor=POOR, clean=CLEAN)
    (_, second) = commands()

    done = scan(*second)

    assert second == ["agents/", "--output", "report.html"]
    assert done.exit_code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "agents/sub/poor.py" in page
    assert "wrote report.html" in done.stderr
    assert "agents/sub/poor.py" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--min-score", "60"), 0),
        (("--min-score", "100"), 1),
        (("--fail-on", "CRITICAL"), 0),
        (("--fail-on", "critical,high"), 1),
        (("--fail-on", "HIGH"), 1),
        (("--fail-on", "LOW"), 1),
        (("--severity", "CRITICAL", "--fail-on", "HIGH"), 1),
    ],
)
def test_a_threshold_decides_the_exit_and_what_is_shown_does_not(arguments: tuple[str, ...], code: int) -> None:
    write(poor=POOR)

    assert scan("agents", *arguments).exit_code == code


def test_one_clean_tree_scores_a_hundred() -> None:
    write(clean=CLEAN)

    done = scan("agents", "--min-score", "100")

    assert (done.exit_code, done.stderr) == (0, "")
    assert "trust score 100 (agents/clean.py)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("absent",), "absent"),
        (("empty",), "nothing to scan in empty"),
        (("agents/broken.py",), "not scored: line 1"),
        (("agents", "--min-score", "0"), "not scored: line 1"),
        (("agents", "--policy", "absent.yaml"), "absent.yaml"),
        (("agents", "--policy", "bad.yaml"), "bad.yaml:1"),
        (("agents", "--fail-on", "SEVERE"), "SEVERE"),
        (("agents", "--min-score", "101"), "101"),
        (("agents", "--output", "report.pdf"), ".html"),
        (("agents", "--output", "absent/report.html"), "no such folder"),
        (("agents", "--baseline", "absent.json"), "--update-baseline"),
        (("agents", "--update-baseline"), "--baseline"),
        (("agents", "--dry-run"), "--fix"),
        (("agents", "--diff", "HEAD"), "git"),
        ((), "PATHS"),
    ],
)
def test_what_cannot_be_done_exits_2_and_says_why(arguments: tuple[str, ...], said: str) -> None:
    write(broken=BROKEN, clean=CLEAN)
    Path("empty").mkdir()
    Path("bad.yaml").write_text("agent_id: 7\n", encoding="utf-8")

    done = scan(*arguments)

    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_does_not_parse_is_counted_and_never_a_hundred() -> None:
    write(broken=BROKEN, clean=CLEAN)

    data = json.loads(scan("agents", "-f", "json").stdout)

    broken = next(file for file in data["files"] if file["path"] == "agents/broken.py")
    assert (broken["score"], broken["unscored"]) == (None, "unparsable")
    assert (data["summary"]["unscored"], data["summary"]["score"], data["summary"]["exit_code"]) == (1, 100, 2)


@pytest.mark.parametrize(
    ("section", "arguments", "code"),
    [
        ("min_score: 90", (), 1),
        ("min_score: 90", ("--min-score", "10"), 1),
        ("min_score: 10", ("--min-score", "90"), 1),
        ("min_score: 10", (), 0),
        ("fail_on: [CRITICAL]", ("--fail-on", "HIGH"), 1),
        ("fail_on: [HIGH]", ("--fail-on", "CRITICAL"), 1),
        ("fail_on: []", (), 0),
    ],
)
def test_of_policy_and_flag_the_stricter_holds(section: str, arguments: tuple[str, ...], code: int) -> None:
    write(poor=POOR)
    Path("p.yaml").write_text(POLICY.format(scan=section), encoding="utf-8")

    assert scan("agents", "--policy", "p.yaml", *arguments).exit_code == code


def test_the_guides_policy_fails_what_has_a_high_finding() -> None:
    write(poor=POOR)
    Path("production-agent.yaml").write_text(listings("yaml")[0], encoding="utf-8")

    done = scan("agents/", "--policy", "production-agent.yaml")

    assert done.exit_code == 1
    assert "is below 80" in done.stdout
    assert "1 HIGH finding, and none may remain" in done.stdout


def test_a_policy_without_a_scan_section_says_that_it_asks_nothing() -> None:
    write(poor=POOR)
    Path("p.yaml").write_text("agent_id: a\ngate: {allow: [a]}\n", encoding="utf-8")

    done = scan("agents", "--policy", "p.yaml")

    assert (done.exit_code, "has no scan: section" in done.stderr) == (0, True)


def test_a_scan_that_is_not_recursive_says_how_many_folders_it_left_alone() -> None:
    write(clean=CLEAN, one__poor=POOR, two__poor=POOR)

    done = scan("agents", "--no-recursive", "--min-score", "75")

    assert done.exit_code == 0
    assert "2 folders were not entered" in done.stdout


def test_json_is_all_there_is_on_stdout_and_has_no_colour() -> None:
    write(poor=POOR)

    done = scan("agents", "--format", "json", "--fail-on", "HIGH")

    data = json.loads(done.stdout)
    assert (done.exit_code, data["summary"]["crossed"]) == (1, ["1 HIGH finding, and none may remain"])
    assert "FAILED: 1 HIGH finding" in done.stderr
    (one,) = data["findings"]
    assert (one["rule"], one["path"], one["line"], one["end_line"]) == ("AC134", "agents/poor.py", 5, 5)


def test_several_reports_are_written_at_once_each_by_its_ending() -> None:
    write(poor=POOR)

    done = scan("agents", *(f"--output=r{end}" for end in (".json", ".sarif", ".html", ".xml", ".md", ".txt")), "-q")

    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["findings"]
    assert json.loads(Path("r.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert Path("r.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert Path("r.md").read_text(encoding="utf-8").startswith("## agentcop scan")
    assert "AC134" in Path("r.txt").read_text(encoding="utf-8")


def test_a_report_in_the_scanned_folder_is_no_part_of_the_next_scan() -> None:
    write(poor=POOR)

    first = json.loads(scan(".", "-f", "json", "--output", "report.json").stdout)
    second = json.loads(scan(".", "-f", "json", "--output", "report.json").stdout)

    assert [file["path"] for file in first["files"]] == [file["path"] for file in second["files"]]


def test_what_is_suppressed_with_a_reason_does_not_fail_and_is_still_told() -> None:
    write(poor=POOR.replace("timeout=5).text", "timeout=5).text  # agentcop: ignore[AC134] our own test server"))

    done = scan("agents", "--fail-on", "HIGH", "-f", "json")

    data = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [(one["status"], one["reason"]) for one in data["findings"]] == [("suppressed", "our own test server")]
    assert data["summary"]["score"] < 100


def test_an_unused_suppression_is_reported() -> None:
    write(clean=CLEAN + "x = 1  # agentcop: ignore[AC134] not needed\n")

    assert "agents/clean.py:6 unused ignore[AC134]" in scan("agents").stdout


def test_no_secret_is_in_any_report() -> None:
    secret = "sk-proj-" + "Ab3" * 16
    write(poor=POOR + f'\nAPI_KEY = "{secret}"\nrequests.get("https://u:{secret}@x", verify=False)\n')

    for style in ("text", "json", "sarif", "html", "junit", "markdown", "github"):
        assert secret not in scan("agents", "-f", style).stdout


def test_progress_is_shown_on_a_terminal_and_nowhere_else() -> None:
    write(**{f"agent_{number}": CLEAN for number in range(3)})
    program = (
        "import os\n"
        "os.dup2(os.open('/dev/tty', os.O_WRONLY), 2)\n"
        "from agentcop.cli import main\n"
        "main(['scan', 'agents', '-f', 'json'])\n"
    )

    with on_a_terminal(program) as running:
        running.wait_for("scanning 1 of 3 files")
        assert json.loads(running.printed())["summary"]["files"] == 3
    assert "scanning" not in scan("agents").stderr


def test_medium_findings_are_shown_where_severity_says_so() -> None:
    write(poor=POOR, model=MEDIUM)

    shown = json.loads(scan("agents", "-f", "json", "--severity", "medium").stdout)
    fewer = json.loads(scan("agents", "-f", "json", "--severity", "high").stdout)

    assert {one["severity"] for one in shown["findings"]} == {"HIGH", "MEDIUM"}
    assert {one["severity"] for one in fewer["findings"]} == {"HIGH"}
    assert fewer["summary"]["findings"] == shown["summary"]["findings"]
