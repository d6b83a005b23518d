"""Whatever a tool does, its call ends, in time, with nothing of it left alive, and what it wrote is bounded."""

from __future__ import annotations

import time

import pytest

from inside_boxes import PATIENCE, Box

pytestmark = pytest.mark.sandbox

PROCESSES = """
    import os
    def tool():
        return sorted(int(name) for name in os.listdir('/proc') if name.isdigit())
"""


def _alone(box: Box) -> bool:
    """Whether a call finds only the supervisor and itself."""
    found = box.run(PROCESSES).value
    assert isinstance(found, list)
    return len(found) == 2 and found[0] == 1


def test_a_tool_that_ignores_every_signal_is_ended_at_its_deadline(box: Box) -> None:
    source = """
        import signal, time
        def tool():
            for number in range(1, signal.NSIG):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
            print('deaf')
            while True: time.sleep(1)
    """
    done = box.cut_off(source)
    assert (done.status, done.exit, done.out, done.answer) == ("timeout", None, b"deaf\n", {})
    assert _alone(box)


def test_a_tool_that_is_still_loading_is_ended_at_its_deadline(box: Box) -> None:
    done = box.cut_off("import time\nprint('loading')\ntime.sleep(600)\ndef tool(): pass")
    assert (done.status, done.out) == ("timeout", b"loading\n")
    assert _alone(box)


def test_a_daemon_grandchild_does_not_outlive_the_call(box: Box) -> None:
    source = """
        import os, signal, time
        def tool():
            ready, told = os.pipe()
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    signal.signal(signal.SIGHUP, signal.SIG_IGN)
                    os.write(told, b'x')
                    while True: time.sleep(1)
                os._exit(0)
            os.read(ready, 1)
            return len([name for name in os.listdir('/proc') if name.isdigit()])
    """
    living = box.run(source).value
    assert isinstance(living, int)
    assert living >= 3
    assert _alone(box)


def test_a_fork_bomb_under_a_limit_is_ended_with_its_last_process(box: Box) -> None:
    source = """
        import os, resource
        def tool():
            resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
            for _ in range(6):
                try: os.fork()
                except OSError: pass
            while True: os.getpid()
    """
    assert box.run(source, timeout=2).status == "timeout"
    assert _alone(box)


def test_a_grandchild_that_keeps_every_pipe_open_keeps_no_call_open(box: Box) -> None:
    source = """
        import os, time
        def tool():
            if os.fork() == 0:
                while True: time.sleep(1)
            os._exit(3)
    """
    done = box.run(source)
    assert (done.status, done.exit) == ("crashed", 3)
    assert _alone(box)


def test_threads_left_over_end_with_the_call(box: Box) -> None:
    source = """
        import threading, time
        def tool():
            threading.Thread(target=time.sleep, args=(600,)).start()
            return 'done'
    """
    assert box.run(source).value == "done"
    assert _alone(box)


@pytest.mark.parametrize(
    ("body", "exited"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("os.abort()", -6),
        ("os.kill(1, signal.SIGKILL); os.kill(1, signal.SIGINT); os.kill(1, signal.SIGTERM); os._exit(5)", 5),
        ("os.close(4); os._exit(0)", 0),
        ("os.close(4)", 71),
        ("os.closerange(0, 100)", 71),
        ("os.dup2(os.open('/dev/null', os.O_WRONLY), 4); os._exit(9)", 9),
        ("ctypes.string_at(0)", -11),
    ],
)
def test_a_process_that_ends_without_an_answer_is_told_with_how_it_ended(box: Box, body: str, exited: int) -> None:
    done = box.run(f"import ctypes, os, signal, sys\ndef tool():\n    {body}")
    assert (done.status, done.exit) == ("crashed", exited)
    assert _alone(box)


def test_recursion_without_end_is_an_error_or_a_crash(box: Box) -> None:
    source = """
        import sys
        def deep(number): return list(map(deep, [number + 1]))
        def tool(limit):
            sys.setrecursionlimit(limit)
            deep(1)
    """
    error = box.run(source, 1000).answer["error"]
    assert isinstance(error, dict)
    assert (error["module"], error["name"]) == ("builtins", "RecursionError")
    done = box.run(source, 10**9)
    assert (done.status, done.exit) == ("crashed", -11) or "error" in done.answer  # as deep as that Python's C stack
    assert _alone(box)


def test_a_process_that_ends_before_the_call_is_told_at_the_call(box: Box) -> None:
    done = box.run("import os\nprint('bye', flush=True)\nos._exit(4)\ndef tool(): pass")
    assert (done.status, done.exit, done.out) == ("crashed", 4, b"bye\n")


def test_300_mb_of_output_are_cut_and_counted(box: Box) -> None:
    source = """
        import os
        def tool(file):
            block = b'x' * 1_000_000
            for _ in range(300):
                left = memoryview(block)
                while left: left = left[os.write(file, left):]
            return 'told'
    """
    done = box.run(source, 1)
    assert done.value == "told"
    assert (len(done.out), done.out_cut, done.err, done.err_cut) == (65_536, 300_000_000 - 65_536, b"", 0)
    done = box.run(source, 2)
    assert (len(done.err), done.err_cut, done.out, done.out_cut) == (65_536, 300_000_000 - 65_536, b"", 0)


def test_output_without_end_does_not_put_off_the_deadline(box: Box) -> None:
    began = time.monotonic()
    done = box.cut_off("import os\ndef tool():\n    while True: os.write(1, b'y' * 65536); os.write(2, b'n' * 65536)")
    assert done.status == "timeout"
    assert done.out_cut > 0
    assert time.monotonic() - began < 3 * PATIENCE
    assert _alone(box)


def test_a_result_too_large_is_not_read() -> None:
    with Box(max_result=1000) as box:
        done = box.run("def tool(size): return 'x' * size", 500)
        assert done.value == "x" * 500
        done = box.run("def tool(size): return 'x' * size", 1001)
        assert (done.status, done.answer) == ("too_large", {})
        done = box.run("def tool(size): return 'x' * size", 20_000_000)
        assert (done.status, done.answer) == ("too_large", {})
        assert _alone(box)


@pytest.mark.parametrize(
    ("written", "status"),
    [
        (b"\xff\xff\xff\xff", "too_large"),
        (b"\x00", "crashed"),
        (b"\x00\x00\x00\x05{}", "crashed"),
        (b"", "crashed"),
    ],
)
def test_half_an_answer_is_none(box: Box, written: bytes, status: str) -> None:
    done = box.run(f"import os\ndef tool(): os.write(4, {written!r}); os._exit(1)")
    assert (done.status, done.answer) == (status, {})


def test_an_answer_that_comes_a_byte_at_a_time_arrives(box: Box) -> None:
    source = """
        import os, time
        def tool():
            for byte in b'\\0\\0\\0\\x0b{"value":1}':
                os.write(4, bytes([byte]))
                time.sleep(0.001)
            os._exit(0)
    """
    assert box.run(source).value == 1


def test_a_result_of_a_megabyte_and_arguments_of_ten_arrive() -> None:
    with Box(max_result=2 << 20) as box:
        done = box.run("def tool(text): return [len(text), text[:1_000_000]]", "é" * 5_000_000)
        assert done.value == [5_000_000, "é" * 1_000_000] if done.status == "ok" else False


def test_no_output_is_the_supervisors_answer(box: Box) -> None:
    forged = (
        "import os\n"
        "def tool():\n"
        '    text = b\'{"op":"done","status":"ok","exit":null,"ms":1,"stdout_cut":0,"stderr_cut":0,"frames":3}\'\n'
        "    frame = lambda data: len(data).to_bytes(4, 'big') + data\n"
        "    everything = frame(text) + frame(b'{\"value\":\"forged\"}') + frame(b'') + frame(b'')\n"
        "    for file in (0, 1, 2, *range(5, 64)):\n"
        "        try: os.write(file, everything)\n"
        "        except OSError: pass\n"
        "    return 'honest'\n"
    )
    done = box.run(forged)
    assert done.value == "honest"
    assert b"forged" in done.out
    assert box.run("def tool(): return 2").value == 2
