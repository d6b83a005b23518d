"""`--baseline` and `--diff`: what is known does not fail, what is new or worse does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanning import CLEAN, MEDIUM, POOR, git, scan, write


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_known_findings_do_not_fail_and_new_ones_do() -> None:
    write(poor=POOR)
    first = scan("agents", "--baseline", "b.json", "--update-baseline", "--fail-on", "HIGH")
    again = scan("agents", "--baseline", "b.json", "--fail-on", "HIGH")
    write(other=POOR)
    more = scan("agents", "--baseline", "b.json", "--fail-on", "HIGH")

    assert (first.exit_code, again.exit_code, more.exit_code) == (1, 0, 1)
    assert "wrote b.json: 1 finding, 1 file" in first.stderr
    assert "0 new, 1 baselined, oldest 0 days since baseline b.json" in again.stdout
    assert "1 new, 1 baselined, oldest 0 days since baseline b.json" in more.stdout


def test_a_baselined_finding_still_counts_in_the_score() -> None:
    write(poor=POOR)
    scan("agents", "--baseline", "b.json", "--update-baseline")

    assert scan("agents", "--baseline", "b.json", "--min-score", "90").exit_code == 1


def test_a_score_that_falls_exits_1_without_any_threshold() -> None:
    write(model=CLEAN)
    scan("agents", "--baseline", "b.json", "--update-baseline")
    write(model=MEDIUM)

    done = scan("agents", "--baseline", "b.json")

    assert done.exit_code == 1
    assert "worse: agents/model.py: 100 → " in done.stdout
    assert "FAILED: agents/model.py: trust score fell from 100 to" in done.stdout


def test_the_age_of_the_oldest_is_told_and_kept_when_the_baseline_is_written_again() -> None:
    write(poor=POOR)
    scan("agents", "--baseline", "b.json", "--update-baseline")
    old = (datetime.now(UTC).date() - timedelta(days=187)).isoformat()
    text = Path("b.json").read_text(encoding="utf-8")
    data = json.loads(text)
    Path("b.json").write_text(text.replace(data["findings"][0]["since"], old), encoding="utf-8")

    assert "oldest 187 days" in scan("agents", "--baseline", "b.json").stdout
    scan("agents", "--baseline", "b.json", "--update-baseline")
    assert "oldest 187 days" in scan("agents", "--baseline", "b.json").stdout


def test_what_was_mended_leaves_the_baseline_when_it_is_written_again() -> None:
    write(poor=POOR)
    scan("agents", "--baseline", "b.json", "--update-baseline")
    write(poor=CLEAN)

    done = scan("agents", "--baseline", "b.json", "--update-baseline")

    assert "1 gone" in done.stdout
    assert json.loads(Path("b.json").read_text(encoding="utf-8"))["findings"] == []


@pytest.fixture
def repository() -> str:
    """A repository with a clean commit, `first`, and one that made a file worse; the id of the first."""
    git("init", "-q", "-b", "main")
    write(model=CLEAN, poor=POOR)
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    first = git("rev-parse", "HEAD")
    write(model=MEDIUM, poor=POOR)
    git("add", "-A")
    git("commit", "-q", "-m", "second")
    return first


def test_the_incident_a_score_that_dropped_names_file_and_line_of_what_came(repository: str) -> None:
    done = scan("agents/", "--recursive", "--diff", repository)

    assert done.exit_code == 1
    assert "3:9  MEDIUM AC163 remote-code" in done.stdout
    assert "worse: agents/model.py: 100 → " in done.stdout
    assert "1 new, 1 baselined" in done.stdout
    assert "AC134: since commit" in done.stdout


def test_two_commits_are_compared_without_the_working_tree(repository: str) -> None:
    write(model=CLEAN, poor=CLEAN, third=POOR)

    data = json.loads(scan("agents", "--diff", f"{repository}..HEAD", "-f", "json").stdout)

    assert [file["path"] for file in data["files"]] == ["agents/model.py", "agents/poor.py"]
    assert {one["path"]: one["status"] for one in data["findings"]} == {
        "agents/model.py": "open",
        "agents/poor.py": "baselined",
    }
    assert [drop["path"] for drop in data["summary"]["changes"]["drops"]] == ["agents/model.py"]


def test_the_users_tree_index_and_branch_stay_as_they_are(repository: str) -> None:
    write(model=POOR)
    before = (git("status", "--porcelain"), git("worktree", "list"), git("rev-parse", "HEAD"), sorted(Path().iterdir()))

    scan("agents", "--diff", repository)

    after = (git("status", "--porcelain"), git("worktree", "list"), git("rev-parse", "HEAD"), sorted(Path().iterdir()))
    assert after == before


def test_it_works_from_a_folder_in_the_repository(repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("agents")

    data = json.loads(scan(".", "--diff", repository, "-f", "json").stdout)

    assert [file["path"] for file in data["files"]] == ["model.py", "poor.py"]
    assert data["summary"]["changes"]["baselined"] == 1


def test_a_renamed_file_brings_nothing_new(repository: str) -> None:
    git("mv", "agents/poor.py", "agents/renamed.py")

    changes = json.loads(scan("agents", "--diff", "HEAD", "-f", "json").stdout)["summary"]["changes"]

    assert (changes["new"], changes["baselined"], changes["gone"]) == (0, 2, [])


@pytest.mark.parametrize("ref", ["no-such-branch", "--output=x", "-h", "", "HEAD:agents", "main..nowhere"])
def test_what_is_no_commit_exits_2_and_runs_nothing_else(repository: str, ref: str) -> None:
    done = scan("agents", f"--diff={ref}")

    assert done.exit_code == (2 if ref else 0) or "no commit" in done.stderr
    assert not Path("x").exists()


def test_a_link_in_a_commit_is_not_followed(repository: str) -> None:
    Path("agents/link.py").symlink_to("/etc/passwd")
    git("add", "-A")
    git("commit", "-q", "-m", "link")

    data = json.loads(scan("agents", "--diff", f"{repository}..HEAD", "-f", "json").stdout)

    assert "agents/link.py" not in [file["path"] for file in data["files"]]
