"""Files that are made to hang, crash or fool a scan are reported and counted, and cost no other file its scan."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.scan import scan
from agentcop_scanner.source.disk.reading import MAX_BYTES
from scan_trees import report_of, written

if TYPE_CHECKING:
    from pathlib import Path

BAD = "import os\n\ndef f(x):\n    os.system('ls ' + x)\n"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such files there")


def unscored(folder: Path) -> dict[str, str | None]:
    return {file.path.rpartition("/")[2]: file.unscored for file in report_of(folder).files}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"x = 1\0\n", "unparsable"),
        (b"# coding: utf-8\nx = '\xff\xfe'\n", "unreadable"),
        (b"# coding: no-such-encoding\nx = 1\n", "unparsable"),
        (b"# coding: hex\nx = 1\n", "unreadable"),
        (b"\xff\xfex\x00", "unparsable"),
        (b"def f(:\n", "unparsable"),
        (b"(" * 5000 + b"1" + b")" * 5000, "unparsable"),
        (b"-" * 100_000 + b"1", "unparsable"),
        (b"x" + b".a" * 100_000, "unparsable"),
        (b"1" + b"+1" * 100_000, "unparsable"),
        (b"if a:\n pass\n" + b"elif a:\n pass\n" * 20_000, "unparsable"),
        (b"lambda: " * 50_000 + b"1", "unparsable"),
        (b"x = '" + b"a" * (MAX_BYTES["python"] + 10) + b"'\n", "too_large"),
        (
            b"def f[T](x): pass\n" if sys.version_info < (3, 12) else b"try:\n pass\nexcept A, B:\n pass\n",
            "newer_python",
        ),
    ],
)
def test_what_cannot_be_scanned_is_said_and_the_rest_is_scanned(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "hostile.py").write_bytes(raw)
    written(tmp_path, {"other.py": BAD})

    report = report_of(tmp_path)

    hostile, other = report.files
    assert hostile.unscored == reason
    assert hostile.problem
    assert hostile.score is None
    assert [one.finding.rule for one in other.findings] == ["AC111"]


@pytest.mark.parametrize(
    "raw",
    [
        b"x = '" + b"a" * 3_000_000 + b"'\n",
        b"x = [" + b"1," * 500_000 + b"]\n",
        b"# " + b"a" * 4_000_000 + b"\n",
        b"x = 1;" * 200_000 + b"\n",
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        b"\xef\xbb\xbfx = 1\r\ny = 2\rz = 3\n",
        b"",
        b"\x0c\n\x0cx = 1\n",
    ],
)
def test_what_is_only_odd_is_scanned(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "odd.py").write_bytes(raw)

    assert unscored(tmp_path) == {"odd.py": None}


def test_lines_are_counted_as_python_counts_them(tmp_path: Path) -> None:
    text = "import os\r\n# \x0c a form feed and \u2028 another\r\n\r\ndef f(x):\r    os.system('ls ' + x)\r\n"
    (tmp_path / "odd.py").write_bytes(text.encode())

    (file,) = report_of(tmp_path).files

    assert [(one.finding.place.line, one.finding.place.col, one.finding.snippet) for one in file.findings] == [
        (5, 5, "os.system('ls ' + x)")
    ]


def test_columns_are_counted_in_characters(tmp_path: Path) -> None:
    written(tmp_path, {"odd.py": "import os\ndef f(x):\n    'é—𝄞'; os.system('ls ' + x)\n"})

    (file,) = report_of(tmp_path).files

    assert [one.finding.place.col for one in file.findings] == [12]


@POSIX
def test_pipes_devices_and_links_are_never_opened(tmp_path: Path) -> None:
    folder, outside = tmp_path / "agents", tmp_path / "outside"
    written(outside, {"secret.py": BAD, "inner/more.py": BAD})
    written(folder, {"good.py": BAD})
    os.mkfifo(folder / "pipe.py")
    (folder / "zero.py").symlink_to("/dev/zero")
    (folder / "out.py").symlink_to(outside / "secret.py")
    (folder / "out").symlink_to(outside / "inner")
    (folder / "same.py").symlink_to("good.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "up").symlink_to(folder)
    (folder / "nowhere.py").symlink_to("missing.py")

    report = report_of(folder)

    assert [file.path.rpartition("/")[2] for file in report.files] == ["good.py"]
    reasons = {path.rpartition("/")[2]: why for path, why in report.skipped}
    assert reasons == {
        "pipe.py": "not a regular file",
        "zero.py": "a link out of the tree",
        "out.py": "a link out of the tree",
        "out": "a link out of the tree",
        "same.py": "a link; scanned where it leads",
        "up": "a link; scanned where it leads",
        "loop.py": reasons["loop.py"],
        "nowhere.py": "a link that leads nowhere: No such file or directory",
    }
    assert reasons["loop.py"].startswith("a link that leads nowhere: ")


@POSIX
def test_a_pipe_that_is_named_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    (file,) = scan([tmp_path / "pipe.py"]).files

    assert (file.unscored, file.problem) == ("unreadable", "neither a file nor a folder")


@POSIX
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    written(tmp_path, {"closed.py": BAD})
    (tmp_path / "closed.py").chmod(0)

    assert unscored(tmp_path) == {"closed.py": "unreadable"}


def test_a_path_that_is_not_there_is_in_the_report(tmp_path: Path) -> None:
    report = scan([tmp_path / "missing"])

    assert [(file.unscored, file.problem) for file in report.files] == [("unreadable", "No such file or directory")]


def test_a_file_that_is_named_twice_is_scanned_once(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": BAD})

    report = scan([tmp_path, tmp_path / "a.py", tmp_path])

    assert len(report.files) == 1


def test_over_the_limit_files_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    written(tmp_path, {f"a{number}.py": "x = 1\n" for number in range(7)})

    report = report_of(tmp_path, max_files=5)

    assert len(report.files) == 5
    assert [why for _, why in report.skipped] == ["only the first 5 files were scanned"]


def test_folders_that_hold_no_source_are_named(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "a.py": "x = 1\n",
            ".git/hooks/b.py": BAD,
            "node_modules/c/d.py": BAD,
            "env/pyvenv.cfg": "home = /usr\n",
            "env/lib/e.py": BAD,
            ".cursor/mcp.json": "{}",
        },
    )

    report = report_of(tmp_path)

    assert sorted(file.path.removeprefix(f"{tmp_path}/") for file in report.files) == [".cursor/mcp.json", "a.py"]
    assert {path.rpartition("/")[2] for path, _ in report.skipped} == {".git", "node_modules", "env"}


def test_without_recursion_the_folders_left_alone_are_counted(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "x = 1\n", "b/c.py": BAD, "d/e.py": BAD})

    report = report_of(tmp_path, recursive=False)

    assert len(report.files) == 1
    assert report.notes == ("2 folders were not entered: the scan was not recursive",)


def test_a_deep_tree_of_folders_is_walked_without_recursion(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(150):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(BAD, encoding="utf-8")

    assert unscored(tmp_path) == {"a.py": None}
