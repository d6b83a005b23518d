"""What a tool takes of the machine is bounded, and it runs no system call and no file that it may not."""

from __future__ import annotations

import ctypes
import errno
import platform
from typing import TYPE_CHECKING, cast

import pytest

from agentcop_processor.sandbox.engine import Mount
from agentcop_processor.sandbox.engines.syscalls import ALLOWED, CHECKED, Machine
from agentcop_processor.sandbox.settings import Settings
from process_boxes import process_box

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sandbox

SETTINGS = Settings(mode="process", network="none", memory=1 << 27, pids=16, tmpfs=1 << 22)
AUDIT: dict[Machine, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FORBIDDEN = [
    *("add_key", "bpf", "finit_module", "fsopen", "io_uring_setup", "kexec_load", "keyctl", "memfd_create", "mount"),
    *("open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_vm_readv", "ptrace"),
    *("setns", "umount2", "unshare", "userfaultfd"),
]
_SIGNALS_SINCE = 6  # versions of landlock
_NEWEST_THERE = 456  # what an older libseccomp may not know
EXECUTE = """
    import os, subprocess
    def tool(*paths):
        said = {}
        for path in paths:
            try:
                said[path] = subprocess.run([path], stdout=subprocess.PIPE).stdout.decode()
            except OSError as error:
                said[path] = type(error).__name__
        return said
"""


def _number(name: str, machine: Machine) -> int:
    library = ctypes.CDLL("libseccomp.so.2")
    return int(library.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(AUDIT[machine]), name.encode()))


@pytest.mark.parametrize("machine", AUDIT)
def test_the_list_has_the_numbers_that_libseccomp_has(machine: Machine) -> None:
    for name, numbers in {**ALLOWED, **CHECKED}.items():
        known = _number(name, machine)
        if known >= 0 or numbers.get(machine, 0) <= _NEWEST_THERE:
            assert numbers.get(machine, known) == known, name
            assert (machine in numbers) is (known >= 0), name


def test_more_memory_than_allowed_is_an_error_of_the_tool() -> None:
    bomb = """
        def tool(size):
            try:
                return len(bytearray(size))
            except MemoryError:
                return "too much"
    """
    with process_box(settings=SETTINGS) as running:
        assert running.run(bomb, 1 << 26) == 1 << 26
        assert running.run(bomb, 1 << 27) == "too much"


def test_many_processes_that_hold_too_much_together_are_ended() -> None:
    many = """
        import os, time
        def tool(number, size):
            for _ in range(number):
                if os.fork() == 0:
                    held = bytearray(size)
                    time.sleep(600)
            time.sleep(1 if size == 1 else 600)
            return "held"
    """
    with process_box(settings=SETTINGS) as running:
        assert running.run(many, 12, 1) == "held", "what they share is not theirs twelve times"
        running.prepare(many)
        reply = running.reply(3, 1 << 26)
        assert (reply.status, reply.exit) == ("crashed", -9)
        assert running.run(many, 1, 1) == "held"


def test_memory_that_is_no_process_s_own_is_refused() -> None:
    asks = """
        import ctypes, errno
        def tool():
            libc = ctypes.CDLL(None, use_errno=True)
            return [(libc[name](0, *rest, 0o1600), errno.errorcode[ctypes.get_errno()])
                    for name, rest in (("shmget", (4096,)), ("msgget", ()), ("semget", (1,)))]
    """
    with process_box(settings=SETTINGS) as running:
        assert running.run(asks) == [(-1, "EPERM")] * 3


def test_a_fork_bomb_comes_to_an_end() -> None:
    bomb = """
        import os, time
        def tool():
            made = 0
            while made < 1000:
                try:
                    child = os.fork()
                except BlockingIOError:
                    return made
                if child == 0:
                    time.sleep(600)
                made += 1
            return made
    """
    with process_box(settings=SETTINGS) as running:
        made = running.run(bomb)
        assert isinstance(made, int)
        assert 0 < made < SETTINGS.pids
        alone = "import os\ndef tool(): return [int(each) for each in os.listdir('/proc') if each.isdigit()]"
        assert len(running.run(alone)) == 2, "nothing of it is left: pid 1, and who asks"  # type: ignore[arg-type]  # a list


def test_the_disk_that_a_tool_fills_is_its_own() -> None:
    fill = """
        def tool():
            written = 0
            try:
                for number in range(64):
                    with open(f"/tmp/{number}", "wb", buffering=0) as file:
                        written += file.write(b"x" * (1 << 20))
            except OSError as error:
                return written, error.errno
            return written, 0
    """
    with process_box(settings=SETTINGS) as running:
        written, number = cast("tuple[int, int]", running.run(fill))
        assert number == errno.ENOSPC
        assert written <= SETTINGS.tmpfs
        shm = running.run("import os\ndef tool(): return sorted(os.listdir('/dev'))")
    assert shm == ["fd", "full", "null", "random", "urandom", "zero"]


def test_what_a_tool_can_write_it_cannot_execute(tmp_path: Path) -> None:
    for name in ("read", "write"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
        (tmp_path / name / "program").write_text("#!/bin/sh\necho ran")
        (tmp_path / name / "program").chmod(0o755)
    copy = """
        import os, shutil
        def tool():
            shutil.copy("/usr/bin/id", "/tmp/id")
            os.chmod("/tmp/id", 0o755)
            os.mkdir("/tmp/deeper")
            os.rename("/tmp/id", "/tmp/deeper/id")
            try:
                os.execv("/tmp/deeper/id", ["id"])
            except PermissionError:
                return "refused"
    """
    mounts = (
        Mount(source=str(tmp_path / "read"), target="/data/read"),
        Mount(source=str(tmp_path / "write"), target="/data/write", writable=True),
    )
    with process_box(*mounts, settings=SETTINGS) as running:
        assert running.run(copy) == "refused"
        assert running.run(EXECUTE, "/data/read/program", "/data/write/program") == {
            "/data/read/program": "ran\n",
            "/data/write/program": "PermissionError",
        }


def test_a_tool_signals_no_process_that_is_not_its_own_where_landlock_knows_how() -> None:
    signal = """
        import os, subprocess
        def tool():
            child = subprocess.Popen(["sleep", "60"])
            os.kill(child.pid, 0)
            try: os.kill(1, 0)
            except PermissionError: return "refused"
            return "sent"
    """
    with process_box(settings=SETTINGS) as running:
        knows = running.box.facts["landlock"] >= _SIGNALS_SINCE  # type: ignore[operator]  # a number, as the probe asks
        assert running.run(signal) == ("refused" if knows else "sent")


def test_forbidden_system_calls_are_refused_in_a_real_box() -> None:
    machine = cast("Machine", platform.machine())
    forbidden = {name: _number(name, machine) for name in FORBIDDEN}
    ask = """
        import ctypes, errno, socket
        def tool(forbidden, calls):
            libc = ctypes.CDLL(None, use_errno=True)
            def said(number, *arguments):
                ctypes.set_errno(0)
                result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, arguments))
                return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
            answers = {name: said(number, 0, 0, 0, 0, 0) for name, number in forbidden.items()}
            for family in range(1, 46):
                try:
                    socket.socket(family, socket.SOCK_DGRAM).close()
                    answers[family] = "done"
                except PermissionError:
                    continue
                except OSError as error:
                    answers[family] = errno.errorcode[error.errno]
            answers["supervisor"] = [said(calls[name], *given) for name, given in (
                ("prlimit64", (1, 7, 0, 0)), ("setpriority", (0, 1, 19)), ("setpriority", (2, 0, 19)),
                ("ioprio_set", (1, 1, 0)), ("sched_setscheduler", (1, 5, 0)), ("sched_setaffinity", (1, 0, 0)))]
            answers["itself"] = [said(calls["prlimit64"], 0, 7, 0, 0), said(calls["setpriority"], 0, 0, 19)]
            answers["terminal"] = [said(calls["ioctl"], 0, high | 0x5412, 0) for high in (0, 1 << 32)]
            answers["namespace"] = said(calls["clone"], 0x10000000 | 17, 0, 0, 0, 0)
            answers["newer"] = [said(435, 0, 0), said(4000)]
            return answers
    """
    calls = {name: numbers[machine] for name, numbers in CHECKED.items()}
    with process_box(settings=SETTINGS) as running:
        said = running.run(ask, forbidden, calls)
    assert isinstance(said, dict)
    assert {name: said[name] for name in FORBIDDEN} == dict.fromkeys(FORBIDDEN, "EPERM")
    assert {name: what for name, what in said.items() if isinstance(name, int)} == {1: "done", 2: "done", 10: "done"}
    assert said["supervisor"] == ["EPERM"] * 6
    assert said["itself"] == ["done", "done"]
    assert said["terminal"] == ["EPERM", "EPERM"]
    assert said["namespace"] == "EPERM"
    assert said["newer"] == ["ENOSYS", "ENOSYS"]


def test_usual_programs_run_under_the_list() -> None:
    usual = """
        import asyncio, concurrent.futures, hashlib, multiprocessing, sqlite3, subprocess, tempfile, threading, zoneinfo
        def double(number): return 2 * number
        async def awaited():
            process = await asyncio.create_subprocess_exec("sh", "-c", "echo hi | tr h H", stdout=subprocess.PIPE)
            return (await process.communicate())[0].decode()
        def tool():
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                threads = list(pool.map(double, range(3)))
            with sqlite3.connect("/tmp/file.db") as base:
                rows = base.execute("select 1 + 1").fetchall()
            with tempfile.NamedTemporaryFile() as file:
                file.write(b"x")
            receive, send = multiprocessing.Pipe()
            process = multiprocessing.get_context("fork").Process(target=send.send, args=("forked",))
            process.start()
            process.join()
            return threads, rows, asyncio.run(awaited()), receive.recv(), hashlib.sha256(b"").hexdigest()[:4]
    """
    with process_box(settings=SETTINGS) as running:
        assert running.run(usual) == ([0, 2, 4], [(2,)], "Hi\n", "forked", "e3b0")
