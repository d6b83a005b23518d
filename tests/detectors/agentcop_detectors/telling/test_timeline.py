from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_spans import SECOND, START, a_run, a_step, ident
from agentcop_detectors.telling.shown import shown
from agentcop_detectors.telling.timeline import LINES, document, moment, seconds, timeline
from telling import found

SECRET = "AKIAIOSFODNN7CANARY1"


def test_a_short_run_has_a_line_a_step_and_marks_the_one_it_is_about() -> None:
    lines = timeline([a_step(0, kind="agent", name="billing"), a_step(1), a_step(2, verdict="allow")], ident(2))

    assert lines == (
        "  +0 ms  agent billing  1.0 s",
        "  +1.0 s  search  no verdict  1.0 s",
        "→ +2.0 s  search  allow  1.0 s",
    )


@given(st.integers(1, 400), st.integers(0, 400), st.sets(st.integers(0, 400)), st.integers(0, 9))
def test_every_step_is_in_a_line_or_counted(total: int, about: int, blocked: set[int], missing: int) -> None:
    steps = [a_step(number, verdict="block" if number in blocked else "allow") for number in range(total)]
    lines = timeline(steps, ident(about), missing)

    skipped = sum(int(line.split("+")[1].split()[0]) for line in lines if line.startswith("  … +"))
    assert sum(not line.startswith("  … +") for line in lines) + skipped == total + missing
    assert len(lines) <= LINES + 1
    assert all(len(line) <= 130 for line in lines)
    assert [line for line in lines if line.startswith("→")] == [] or about < total
    assert about >= total or any(line.startswith("→") for line in lines)


def test_clocks_that_went_wrong_show_as_such() -> None:
    assert seconds(-1) == "?"
    assert seconds(2**64) == "?"
    assert moment(2**70) == str(2**70)
    lines = timeline([a_step(1, start=START, end=START - SECOND)], b"")
    assert lines[0].endswith("?")


def test_a_run_of_megabytes_is_a_file_of_kilobytes_with_the_step_it_is_about() -> None:
    steps = [a_step(number, arguments="x" * 16_000, result="y" * 16_000) for number in range(3_000)]
    text = document(a_run(*steps), steps, found(span_id=ident(1_500)))

    read = json.loads(text)
    assert len(text) < 600_000
    assert read["run"]["steps"] == 3_000
    assert read["run"]["steps_left_out"] == 3_000 - len(read["steps"])
    assert ident(1_500).hex() in {step["span_id"] for step in read["steps"]}
    assert read["steps"][0]["arguments"].startswith("xxx")
    assert "… +" in read["steps"][0]["arguments"]


def test_no_secret_gets_out() -> None:
    everywhere = dict.fromkeys(("name", "arguments", "result", "words", "message", "reason", "rule", "call_id"), SECRET)
    step = a_step(1, verdict="block", **everywhere)
    run = a_run(step, session_id=SECRET, environment=SECRET)
    leaking = found(reason=SECRET, evidence=(SECRET,), agent_id=SECRET)

    assert "CANARY" not in document(run, [step], leaking)
    assert "CANARY" not in "".join(timeline([step], step.span_id))


def test_a_value_under_a_sensitive_name_goes_however_plain_it_is() -> None:
    assert "plain words" not in shown('{"user": "a", "password": "plain words"}', 200)


@pytest.mark.parametrize("text", ["x" * 5_000, "y" * 1_000_000, '{"a": "' + "z" * 1_000_000])
def test_what_is_cut_is_counted(text: str) -> None:
    cut = shown(text, 100)

    kept, _, count = cut.rpartition("… +")
    assert len(kept) == 100
    assert len(kept) + int(count.replace(",", "")) == len(text)
