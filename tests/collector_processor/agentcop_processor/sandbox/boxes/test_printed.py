"""What a tool prints in its box is seen on the host, and is never taken for what the host itself says."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from agentcop_processor.sandbox.boxes.conversation import Reply
from agentcop_processor.sandbox.boxes.printed import tell_printed

KEY = "sk-" + "proj-" + "a1B2c3D4e5F6g7H8" * 3
PROGRAM = """
import logging, sys
from agentcop_processor.sandbox.boxes.conversation import Reply
from agentcop_processor.sandbox.boxes.printed import tell_printed
from agentcop_processor.sandbox.boxes.printed import tell_printed
{setup}
tell_printed("search", Reply(status="ok", exit=0, ms=1.0, result=b"", stdout=b"found 3\\n", stderr=b"slow\\n", cut=0))
"""


def replied(stdout: bytes = b"", stderr: bytes = b"", cut: int = 0) -> Reply:
    return Reply(status="ok", exit=0, ms=1.0, result=b"", stdout=stdout, stderr=stderr, cut=cut)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "agentcop.sandbox"]


def program(setup: str = "") -> subprocess.CompletedProcess[str]:
    text = PROGRAM.format(setup=setup)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("setup", ["", "logging.basicConfig(format='%(message)s')"])
def test_a_script_shows_what_its_tools_print_without_a_word_about_logging(setup: str) -> None:
    done = program(setup)
    assert done.stderr.splitlines() == ["[search] found 3", "[search] slow"]
    assert done.stdout == "", "it may be what another program reads"


@pytest.mark.parametrize("name", ["agentcop", "agentcop.sandbox"])
@pytest.mark.parametrize("setup", ["", "logging.basicConfig(); "])
def test_it_is_switched_off_by_a_level_as_any_log(name: str, setup: str) -> None:
    assert program(f"{setup}logging.getLogger({name!r}).setLevel(logging.WARNING)").stderr == ""


def test_a_program_without_a_standard_error_goes_on() -> None:
    assert program("sys.stderr = None").stderr == ""
    assert program("sys.stderr.close()").returncode == 0


def test_each_line_is_a_record_that_says_whose_it_is(caplog: pytest.LogCaptureFixture) -> None:
    tell_printed("search", replied(b"one\r\n\ttwo\n", b"three"))
    found = [(record.levelname, record.getMessage(), vars(record)["stream"]) for record in caplog.records]
    assert found == [
        ("INFO", "[search] one", "stdout"),
        ("INFO", "[search]         two", "stdout"),
        ("INFO", "[search] three", "stderr"),
    ]


def test_no_terminal_obeys_it_and_no_line_of_it_passes_for_another(caplog: pytest.LogCaptureFixture) -> None:
    tell_printed("search\x1b[2J", replied(b"\x1b]0;owned\x07\rERROR agentcop: gate off\n\xe2\x80\xaeab\x85x"))
    for line in said(caplog):
        assert line.isprintable()
        assert line.startswith("[search\\x1b[2J] ")
    assert len(said(caplog)) == 2


def test_secrets_in_it_are_hidden(caplog: pytest.LogCaptureFixture) -> None:
    tell_printed("search", replied(f"token {KEY}\n".encode()))
    assert KEY not in caplog.text
    assert "[redacted:" in caplog.text


def test_what_is_too_long_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    tell_printed("search", replied(b"x" * 5_000 + b"\n" * 3_000, cut=7))
    cut, long, *rest = said(caplog)
    assert "printed 7 bytes more than sandbox.max_stdout keeps" in cut
    assert long.endswith("… +3,000 chars")
    assert (len(rest), rest[-1]) == (1_000, "[search] … +2,000 lines")


def test_a_handler_that_fails_does_not_fail_the_call(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[str] = []

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tried.append(record.getMessage())
            raise RuntimeError

    broken = Broken()
    logging.getLogger("agentcop.sandbox").addHandler(broken)
    try:
        tell_printed("search", replied(b"x"))
    finally:
        logging.getLogger("agentcop.sandbox").removeHandler(broken)
    assert tried == ["[search] x"]
