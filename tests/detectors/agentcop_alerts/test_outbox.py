from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from agentcop_alerts import outbox as outbox_module
from agentcop_alerts.item import decode
from agentcop_alerts.outbox import Outbox
from alerts import NOW, item


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "home" / "alerts")


def test_what_is_put_is_there_for_the_next_process(outbox: Outbox) -> None:
    outbox.put(item())

    assert Outbox(outbox.folder).items("pending") == [item()]


def test_nobody_else_can_read_it(outbox: Outbox) -> None:
    outbox.put(item())
    outbox.put(item(repeat=True))
    outbox.settle("failed", item(settled=NOW))
    outbox.lose(1)

    modes = {path.is_dir(): set[int]() for path in outbox.folder.rglob("*")}
    for path in outbox.folder.rglob("*"):
        modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {True: {0o700}, False: {0o600}}


def test_a_claim_that_is_sent_leaves_pending_for_sent(outbox: Outbox) -> None:
    outbox.put(item())
    ((path, waiting),) = outbox.waiting()

    with outbox.claim(path, waiting) as claim:
        assert claim is not None
        claim.sent(NOW + 1)

    assert outbox.items("pending") == []
    assert outbox.items("sent") == [replace(item(), attempts=1, settled=NOW + 1)]


def test_only_one_can_claim_and_a_claim_that_is_given_up_is_free_again(outbox: Outbox) -> None:
    outbox.put(item())
    ((path, waiting),) = outbox.waiting()

    with outbox.claim(path, waiting) as claim, outbox.claim(path, waiting) as other:
        assert claim is not None
        assert other is None
    with outbox.claim(path, waiting) as claim:
        assert claim is not None


def test_the_claim_of_a_process_that_died_is_free(outbox: Outbox) -> None:
    outbox.put(item())
    ((path, waiting),) = outbox.waiting()
    program = (
        "import os, sys; from agentcop_core.filelock import try_lock\n"
        "assert try_lock(os.open(sys.argv[1], os.O_RDWR)); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with outbox.claim(path, waiting) as claim:
            assert claim is None
        other.kill()
        other.wait()

    with outbox.claim(path, waiting) as claim:
        assert claim is not None


def test_an_item_that_is_gone_cannot_be_claimed(outbox: Outbox) -> None:
    outbox.put(item())
    ((path, waiting),) = outbox.waiting()
    path.unlink()

    with outbox.claim(path, waiting) as claim:
        assert claim is None


def test_repeats_of_one_thing_wait_as_one_message(outbox: Outbox) -> None:
    for number in range(300):
        outbox.put(item(id=f"i{number}", repeat=True, count=2, since=NOW - number, not_before=NOW + 300 - number))
    outbox.put(item(id="other", repeat=True, channel="elsewhere"))

    one = next(each for each in outbox.items("pending") if each.channel == "k")
    assert (one.count, one.since, one.not_before) == (600, NOW - 299, NOW + 1)
    assert len(outbox.items("pending")) == 2


def test_a_repeat_that_is_being_sent_takes_no_further_counts(outbox: Outbox) -> None:
    outbox.put(item(id="a", repeat=True, count=3))
    ((path, waiting),) = outbox.waiting()

    with outbox.claim(path, waiting) as claim:
        assert claim is not None
        outbox.put(item(id="b", repeat=True, count=4))
        claim.sent(NOW)

    assert [each.count for each in outbox.items("sent")] == [3]
    assert [each.count for each in outbox.items("pending")] == [4]


def test_too_many_that_wait_are_counted_as_lost(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_PENDING", 3)
    taken = [outbox.put(item(id=f"i{number}")) for number in range(5)]

    assert taken == [True, True, True, False, False]
    assert Outbox(outbox.folder).lost == 2


def test_the_record_of_what_was_sent_is_bounded(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_SETTLED", 5)
    for number in range(9):
        outbox.settle("sent", item(id=f"i{number}", settled=NOW + number))

    assert [each.id for each in outbox.items("sent")] == ["i4", "i5", "i6", "i7", "i8"]


BROKEN = ("created", "count", "thread", "alert")


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", '{"v": 1}', '{"v": 2}', '{"v":1,"id":1,"alert":[]}', "\xff"),
        *(orjson.dumps({**orjson.loads(item().encode()), name: True}).decode() for name in BROKEN),
    ],
)
def test_a_file_that_is_none_of_ours_is_left_alone_and_harms_nothing(outbox: Outbox, text: str) -> None:
    outbox.put(item())
    stray = outbox.folder / "pending" / "stray.json"
    stray.write_text(text, encoding="latin-1")

    assert [each.id for each in outbox.items("pending")] == [item().id]
    assert stray.exists()


def test_an_item_of_a_later_version_is_read_without_what_it_added() -> None:
    later = item().encode().replace(b'{"v":1,', b'{"v":1,"urgency":9,').replace(b'"kind":', b'"colour":"red","kind":')

    assert decode(later) == item()


def test_a_child_that_was_forked_during_a_claim_does_not_keep_it(outbox: Outbox) -> None:
    outbox.put(item())
    ((path, waiting),) = outbox.waiting()
    with outbox.claim(path, waiting) as claim:
        assert claim is not None
        entries = list(Path("/proc/self/fd").iterdir())
        opened = [int(entry.name) for entry in entries if entry.resolve() == path.resolve()]
        child = [os.dup(descriptor) for descriptor in opened]  # a fork shares open files in the same way

    with outbox.claim(path, waiting) as claim:
        assert claim is not None
    assert len(child) == 1
    os.close(child[0])


def test_a_settled_message_is_acknowledged_once_and_loses_its_file(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.settle("failed", item(id="1-1-a", settled=NOW, run="{}", refs=("7-ab",), timeline=("line",)))

    first = outbox.acknowledge("1-1-a", "kim", NOW + 1)
    again = outbox.acknowledge("1-1-a", "lee", NOW + 2)
    assert first is not None
    assert again == first
    (kept,) = outbox.items("failed")
    assert (kept.acknowledged_by, kept.run, kept.refs, kept.timeline) == ("kim", "", ("7-ab",), ("line",))
    assert outbox.acknowledge("a", "kim", NOW) is None


def test_roll_ups_that_meet_in_the_spool_stand_for_the_rows_of_both(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(item(id="a", repeat=True, refs=("1-a",)))
    outbox.put(item(id="b", repeat=True, refs=("2-b",)))

    assert [each.refs for each in outbox.items("pending")] == [("1-a", "2-b")]
