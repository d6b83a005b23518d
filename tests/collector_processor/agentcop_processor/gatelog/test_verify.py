from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.gatelog import GateLog, Head
from agentcop_processor.gatelog.chain import line_hash
from agentcop_processor.gatelog.heads import Heads, read_heads
from agentcop_processor.gatelog.verify import verify
from chained import decision, lines_of, put_lines, rehashed, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.gatelog.verify import Report

WRITERS, DECISIONS = 2, 5
LINES = WRITERS * (DECISIONS + 1)
SPOKEN_FOR = LINES - WRITERS  # the last line of each chain is vouched for by no other


def witnesses(heads: list[Head]) -> Heads:
    seen = Heads()
    for head in heads:
        seen.add(head)
    return seen


def where(report: Report) -> list[str]:
    return [found.where for found in report.breaks]


def test_an_untouched_log_is_intact_and_its_tail_is_said_to_be_unwitnessed(agentcop_home: Path) -> None:
    heads = write_log(agentcop_home)
    report = verify(agentcop_home)
    assert report.intact
    assert [walk.lines for walk in report.chains] == [6, 6]
    assert [note.split(":")[0] for note in report.notes] == ["tail not witnessed"]
    assert verify(agentcop_home, witnesses(heads)).notes == ()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("written")
    write_log(home, writers=WRITERS, decisions=DECISIONS)
    return home


@given(data=st.data())
def test_any_change_of_one_line_but_a_chain_s_last_is_found(written: Path, data: st.DataObject) -> None:
    original = lines_of(written)
    index = data.draw(st.integers(0, SPOKEN_FOR - 1))
    at = data.draw(st.integers(0, len(original[index]) - 1))
    kind = data.draw(st.sampled_from(["byte", "insert", "delete", "cut", "drop", "twice"]))
    line = original[index]
    lines = list(original)
    match kind:
        case "byte":
            lines[index] = (
                line[:at] + bytes([data.draw(st.integers(0, 255).filter(lambda b: b != line[at]))]) + line[at + 1 :]
            )
        case "insert":
            at = max(at, 1)  # what stands before a whole line leaves it whole, as a torn line glued to it does
            lines[index] = line[:at] + data.draw(st.binary(min_size=1, max_size=5)) + line[at:]
        case "delete":
            lines[index] = line[:at] + line[at + 1 :]
        case "cut":
            lines[index] = line[:at]
        case "drop":
            del lines[index]
        case _:
            lines.insert(index, line)
    try:
        put_lines(written, lines)
        assert not verify(written).intact
    finally:
        put_lines(written, original)


@given(data=st.data())
def test_any_change_of_one_value_is_found_at_its_line(written: Path, data: st.DataObject) -> None:
    original = lines_of(written)
    index = data.draw(st.integers(WRITERS, SPOKEN_FOR - 1))
    record = orjson.loads(original[index])
    name = data.draw(st.sampled_from(sorted(record.keys() - {"w", "n"})))
    record[name] = "0" * 64
    try:
        put_lines(written, [*original[:index], orjson.dumps(record), *original[index + 1 :]])
        assert where(verify(written)) == [f"gate.log:{index + 1}"]
    finally:
        put_lines(written, original)


@given(
    swapped=st.tuples(st.integers(0, DECISIONS - 1), st.integers(0, DECISIONS - 1)).filter(lambda at: at[0] != at[1])
)
def test_any_swap_within_a_chain_is_found(written: Path, swapped: list[int]) -> None:
    original = lines_of(written)
    lines = list(original)
    one, other = (at * WRITERS for at in swapped)
    lines[one], lines[other] = lines[other], lines[one]
    try:
        put_lines(written, lines)
        report = verify(written)
        assert [found.writer for found in report.breaks] == [orjson.loads(original[0])["w"]]
        assert where(report) == [f"gate.log:{min(one, other) + 1}"]
    finally:
        put_lines(written, original)


def test_a_line_put_in_with_the_right_number_and_hash_is_found(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=1)
    lines = lines_of(agentcop_home)
    forged = lines[3].replace(b"web_search", b"nothing_odd")
    put_lines(agentcop_home, [*lines[:3], forged, *lines[3:]])
    (found,) = verify(agentcop_home).breaks
    assert (found.where, found.seq) == ("gate.log:5", 3)
    assert "gate.log:4" in found.why


def test_a_line_that_agentcop_does_not_write_is_found(agentcop_home: Path) -> None:
    write_log(agentcop_home)
    for foreign in (b"#", b"[]", b'{"kind":"decision"}', b'{"t":"x","w":"a","n":true}', b"x" * 3_000_000):
        lines = lines_of(agentcop_home)
        put_lines(agentcop_home, [*lines[:4], foreign, *lines[4:]])
        assert where(verify(agentcop_home)) == ["gate.log:5"]
        put_lines(agentcop_home, lines)


@pytest.mark.parametrize("index", range(LINES))
def test_rehashing_hides_an_edit_until_the_heads_are_shown(agentcop_home: Path, index: int) -> None:
    heads = write_log(agentcop_home)
    lines = lines_of(agentcop_home)
    lines[index] = lines[index].replace(b'"t":"2', b'"t":"1')
    put_lines(agentcop_home, rehashed(lines))
    assert verify(agentcop_home).intact
    report = verify(agentcop_home, witnesses(heads))
    assert where(report) == [f"gate.log:{index + 1}"]
    assert "witnessed" in report.breaks[0].why
    assert not verify(agentcop_home, witnesses(heads[-2:])).intact


@given(data=st.data())
def test_any_edit_with_every_hash_made_right_is_found_by_the_heads(written: Path, data: st.DataObject) -> None:
    original = lines_of(written)
    heads = Heads()
    for line in original:
        record = orjson.loads(line)
        heads.add(Head(record["w"], record["n"], line_hash(line)))
    index = data.draw(st.integers(0, len(original) - 1))
    tool = data.draw(st.from_regex(r"[a-z_]{1,10}", fullmatch=True).filter(lambda name: name != "web_search"))
    lines = list(original)
    lines[index] = re.sub(rb'"(pid|tool)":[^,]*', b'"tool":"%b"' % tool.encode(), lines[index])
    try:
        put_lines(written, rehashed(lines))
        assert not verify(written, heads).intact
    finally:
        put_lines(written, original)


@pytest.mark.parametrize("kept", range(1, LINES))
def test_truncation_is_hidden_until_the_heads_are_shown(agentcop_home: Path, kept: int) -> None:
    heads = write_log(agentcop_home)
    put_lines(agentcop_home, lines_of(agentcop_home)[:kept])
    assert verify(agentcop_home).intact
    assert not verify(agentcop_home, witnesses(heads)).intact
    assert not verify(agentcop_home, witnesses(heads[-2:])).intact


def test_a_chain_that_is_gone_is_missing_once_the_heads_are_shown(agentcop_home: Path) -> None:
    heads = write_log(agentcop_home)
    gone = heads[0].writer.encode()
    put_lines(agentcop_home, [line for line in lines_of(agentcop_home) if gone not in line])
    assert verify(agentcop_home).intact
    (found,) = verify(agentcop_home, witnesses(heads)).breaks
    assert (found.writer, found.seq) == (heads[0].writer, 5)
    assert "missing" in found.why


def test_lines_after_the_last_head_are_said_to_be_unwitnessed(agentcop_home: Path) -> None:
    heads = write_log(agentcop_home)
    report = verify(agentcop_home, witnesses(heads[:-1]))
    assert report.intact
    assert [note for note in report.notes if "tail not witnessed in 1 of 2 chains" in note]


def test_heads_that_contradict_each_other_are_broken(agentcop_home: Path) -> None:
    heads = write_log(agentcop_home)
    assert not verify(agentcop_home, witnesses([*heads, heads[3]._replace(hash="0" * 64)])).intact


def rotated(home: Path, files: int) -> list[Head]:
    log = GateLog(home, max_bytes=1024, files=files)
    return [log.append(decision(call)) for call in range(40)]


def test_a_missing_middle_file_is_broken(agentcop_home: Path) -> None:
    rotated(agentcop_home, 10)
    (agentcop_home / "gate.log.3").unlink()
    report = verify(agentcop_home)
    assert where(report)[0] == "gate.log.3"
    assert report.breaks[1].where == "gate.log.2:1"


def test_a_missing_newest_file_is_broken(agentcop_home: Path) -> None:
    rotated(agentcop_home, 10)
    (agentcop_home / "gate.log").unlink()
    assert where(verify(agentcop_home)) == ["gate.log"]


def test_a_beginning_removed_by_rotation_is_a_note_and_by_somebody_is_broken(
    agentcop_home: Path,
) -> None:
    heads = rotated(agentcop_home, 10)
    for index in range(9, 4, -1):
        (agentcop_home / f"gate.log.{index}").unlink(missing_ok=True)
    assert where(verify(agentcop_home, witnesses(heads))) == ["gate.log.4:1"]
    by_rotation = verify(agentcop_home, witnesses(heads), files=5)
    assert by_rotation.intact
    assert any("before the kept files" in note for note in by_rotation.notes)


def test_a_witnessed_chain_younger_than_the_kept_files_cannot_have_been_rotated_away(agentcop_home: Path) -> None:
    rotated(agentcop_home, 3)
    old, young = Head("00000001abcdefabcdef", 7, "0" * 64), Head("fffffff0abcdefabcdef", 7, "0" * 64)
    report = verify(agentcop_home, witnesses([old]), files=3)
    assert report.intact
    assert any("may have removed" in note for note in report.notes)
    assert not verify(agentcop_home, witnesses([young]), files=3).intact


def test_a_parent_cut_below_the_fork_is_found_without_heads(agentcop_home: Path) -> None:
    log = GateLog(agentcop_home)
    parent = log.append(decision(1))
    start = b'{"t":"2026-01-01T00:00:00.000000Z","kind":"start","from":"%b","why":"fork","w":"child","n":0}'
    lines = [*lines_of(agentcop_home), start % str(parent).encode()]
    put_lines(agentcop_home, lines)
    assert verify(agentcop_home).intact
    put_lines(agentcop_home, [lines[0], lines[2]])
    assert where(verify(agentcop_home)) == ["gate.log:1"]
    put_lines(agentcop_home, [lines[0], lines[1].replace(b"web_search", b"web_sparch"), lines[2]])
    assert where(verify(agentcop_home)) == ["gate.log:2"]
    put_lines(agentcop_home, lines[2:])
    assert [found.writer for found in verify(agentcop_home).breaks] == [parent.writer]


def test_a_torn_line_with_another_s_glued_to_it_breaks_neither_chain(agentcop_home: Path) -> None:
    write_log(agentcop_home)
    lines = lines_of(agentcop_home)
    for cut in range(1, len(lines[2])):
        torn = re.sub(rb'"w":"[0-9a-f]{20}"', b'"w":"00000000000000000000"', lines[2])[:cut]
        put_lines(agentcop_home, [*lines[:5], torn + lines[5], *lines[6:]])
        report = verify(agentcop_home)
        assert report.breaks == ()
        assert any("torn" in note for note in report.notes)
    put_lines(agentcop_home, lines)


def test_too_many_writers_are_said_and_not_held_in_memory(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=5)
    report = verify(agentcop_home, max_writers=3)
    assert (len(report.chains), report.unchecked) == (3, 12)
    assert any("more than 3 writers" in note for note in report.notes)


def test_heads_are_read_from_lines_from_spans_and_from_a_folder_of_them(agentcop_home: Path, tmp_path: Path) -> None:
    heads = write_log(agentcop_home)
    (tmp_path / "plain.txt").write_text("".join(f"{head}\n" for head in heads[:6]) + "# no head\n")
    spans = [
        {"attributes": [{"key": "agentcop.gate.log.head", "value": {"stringValue": str(head)}}]} for head in heads[6:]
    ]
    lies = {"key": "gen_ai.tool.call.arguments", "value": {"stringValue": f"agentcop.gate.log.head {heads[0]}"}}
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [*spans, {"attributes": [lies]}]}]}]}
    (tmp_path / "spans.jsonl").write_bytes(orjson.dumps(request) + b'\n{"torn agentcop.gate.log.head')
    found = read_heads(tmp_path)
    assert found.seen == len(heads)
    assert verify(agentcop_home, found).notes == ()
    assert read_heads(tmp_path / "plain.txt").seen == 6


def test_more_heads_than_are_kept_still_find_truncation(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentcop_processor.gatelog.heads._MAX_HEADS", 4)
    heads = write_log(agentcop_home)
    assert verify(agentcop_home, witnesses(heads)).intact
    put_lines(agentcop_home, lines_of(agentcop_home)[:-1])
    assert not verify(agentcop_home, witnesses(heads)).intact


def test_the_hash_is_taken_over_bytes_not_over_meaning(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=1)
    lines = lines_of(agentcop_home)
    same = orjson.dumps(orjson.loads(lines[2]), option=orjson.OPT_SORT_KEYS)
    assert line_hash(same) != line_hash(lines[2])
    put_lines(agentcop_home, [*lines[:2], same, *lines[3:]])
    assert where(verify(agentcop_home)) == ["gate.log:3"]
