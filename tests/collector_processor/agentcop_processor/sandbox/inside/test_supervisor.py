"""The supervisor says what the box is, takes only what the protocol has, and is the end of the box when it ends."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time

import pytest

from inside_boxes import INSIDE, Box

pytestmark = pytest.mark.sandbox


def test_the_facts_are_those_of_the_box(box: Box) -> None:
    facts = box.facts
    landlock, memory, pids = facts.pop("landlock"), facts.pop("memory"), facts.pop("pids")
    assert isinstance(landlock, int)
    assert (memory, pids) == (None, None)  # this box has no cgroup of its own to see
    assert facts == {
        "pid": 1,
        "uid": 65534,
        "gid": 65534,
        "cap_eff": "0",
        "no_new_privs": 1,
        "seccomp": 0,
        "interfaces": ["lo"],
        "root_writable": False,
        "dumpable": 0,
        "python": platform.python_version(),
        "relay": False,
    }


def test_a_root_that_can_be_written_to_is_told() -> None:
    with Box(bwrap=("--tmpfs", "/var")) as box:
        assert box.facts["root_writable"] is True
        assert box.run("import os\ndef tool(): return os.listdir('/var')").value == []


def test_limits_of_a_cgroup_are_told_the_lowest_of_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("cgroup")
    for folder, name, text in [
        ("", "memory.max", "max"),
        ("a", "memory.max", "4096"),
        ("a/b", "memory.max", "8192"),
        ("memory", "memory.limit_in_bytes", "9223372036854771712"),
        ("a/b", "pids.max", "7"),
        ("pids", "pids.max", "5"),
    ]:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / name).write_text(text + "\n")
    own = root / "own"
    own.write_text("9:memory:/\n8:pids:/\n0::/a/b\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from inside import facts\n"
        "facts._CGROUP, text = sys.argv[2], facts.text\n"
        "facts.text = lambda path: text(path.replace('/proc/self/cgroup', sys.argv[2] + '/own'))\n"
        "told = facts.gather(relay=False); print(told['memory'], told['pids'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, INSIDE.parent, root], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["4096", "5"]


def test_a_box_is_used_many_times(box: Box) -> None:
    source = "count = 0\ndef tool():\n    global count\n    count += 1\n    return count"
    assert [box.run(source).value for _ in range(20)] == [1] * 20


def test_a_tool_that_waits_is_not_told_of_another_calls_arguments(box: Box) -> None:
    box.prepare("import sys\ndef tool(text): return [text, 'earlier' in str(sys.modules)]")
    assert box.call("one").value == ["one", False]
    box.prepare("def tool(*texts): return texts")
    assert box.call().value == ()


def test_what_a_tool_prints_while_it_waits_keeps_nobody_waiting(box: Box) -> None:
    box.prepare("import os\nfor _ in range(100): os.write(1, b'x' * 65536)\ndef tool(): return 1")
    time.sleep(0.2)
    done = box.call()
    assert (done.value, len(done.out), done.out_cut) == (1, 65_536, 99 * 65_536)


def test_the_end_of_input_is_the_end_of_the_box(box: Box) -> None:
    box.prepare("import time\nprint('x' * 100_000)\ntime.sleep(600)\ndef tool(): pass")
    assert box.hang_up() == 0


def test_the_end_of_input_during_a_call_is_the_end_of_the_box(box: Box) -> None:
    box.prepare("import time\ndef tool(): time.sleep(600)")
    box.say({"op": "call", "timeout": 600}, json.dumps({"args": [], "kwargs": {}}).encode())
    assert box.hang_up() == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x01{",
        b'\x00\x00\x00\x0d{"op":"call"}',
        b'\x00\x00\x00\x10{"op":"prepare"}',
        b'\x00\x00\x00\x0f{"frames":1e400}',
    ],
)
def test_what_the_protocol_does_not_have_is_the_end_of_the_box(box: Box, data: bytes) -> None:
    box.write(data)
    assert box.ended() == 1


@pytest.mark.parametrize("timeout", [0, -1, "1", None, True, 1e300])
def test_a_call_without_a_deadline_is_the_end_of_the_box(box: Box, timeout: object) -> None:
    box.prepare("def tool(): return 1")
    box.say({"op": "call", "timeout": timeout}, b"{}")
    assert box.ended() == 1


def test_limits_beyond_what_a_frame_holds_are_that() -> None:
    with Box(max_result=1 << 40, max_output=0) as box:
        done = box.run("def tool(size):\n    print('x')\n    return 'x' * size", 10_000_000)
        assert (done.value, done.out, done.out_cut) == ("x" * 10_000_000, b"", 2)
        assert box.run("def tool(size): return 'x' * size", 20_000_000).status == "too_large"


def test_two_tools_at_once_are_the_end_of_the_box(box: Box) -> None:
    box.prepare("def tool(): return 1")
    box.prepare("def tool(): return 1")
    assert box.ended() == 1


def test_it_refuses_to_be_anything_but_pid_1() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", "-B", INSIDE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pid 1" in done.stderr


def test_the_folder_starts_and_its_file_alone_starts_too() -> None:
    command = [sys.executable, "-I", "-S", "-B", str(INSIDE / "__main__.py")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
