"""The tool's process has its own pipes and nothing else of the supervisor's, and is an ordinary Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inside_boxes import Box

pytestmark = pytest.mark.sandbox


def test_it_has_an_empty_input_its_own_pipes_and_nothing_else(box: Box) -> None:
    source = """
        import os, sys
        def tool():
            with os.scandir('/proc/self/fd') as entries:
                found = {entry.name: os.readlink(entry.path).split(':')[0] for entry in entries}
            found = sorted(item for item in found.items() if not item[1].startswith('/proc'))
            return [found, sys.stdin.read(), os.read(0, 1)]
    """
    assert box.run(source).value == [
        [("0", "/dev/null"), ("1", "pipe"), ("2", "pipe"), ("4", "pipe")],
        "",
        b"",
    ]


@pytest.mark.parametrize(
    "path", ["fd", "fdinfo", "mem", "environ", "maps", "root", "cwd", "exe", "auxv", "stack", "syscall"]
)
def test_it_cannot_look_into_the_supervisor(box: Box, path: str) -> None:
    source = """
        import os
        def tool(path):
            if os.path.islink(path) or path.endswith(('root', 'cwd', 'exe')): return os.readlink(path)
            if os.path.isdir(path): return [os.open(f'{path}/{name}', os.O_RDWR) for name in os.listdir(path)]
            with open(path, 'rb', buffering=0) as file:
                if path.endswith('mem'): file.seek(0x400000)
                return file.read(16)
    """
    error = box.run(source, f"/proc/1/{path}").answer["error"]
    assert isinstance(error, dict)
    assert error["name"] == "PermissionError"


def test_it_cannot_get_the_supervisors_files_by_any_call(box: Box) -> None:
    source = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        def tool():
            tried = {}
            tried['ptrace'] = libc.ptrace(16, 1, 0, 0)  # PTRACE_ATTACH
            buffer = ctypes.create_string_buffer(16)
            vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 16)
            far = (ctypes.c_size_t * 2)(0x400000, 16)
            tried['process_vm_readv'] = libc.process_vm_readv(1, vector, 1, far, 1, 0)
            file = os.pidfd_open(1)
            tried['pidfd_getfd'] = libc.syscall(438, file, 0, 0)
            return tried
    """
    assert box.run(source).value == {"ptrace": -1, "process_vm_readv": -1, "pidfd_getfd": -1}


def test_neither_the_request_nor_the_result_pipe_goes_to_a_program_it_starts(box: Box) -> None:
    source = """
        import subprocess
        def tool():
            done = subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False)
            return done.stdout.split()
    """
    assert box.run(source).value == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


def test_its_signals_are_an_ordinary_pythons(box: Box) -> None:
    source = """
        import os, signal, sys
        def tool():
            usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            others = [int(n) for n in range(1, 32) if signal.getsignal(n) is signal.SIG_IGN]
            try: os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt: raised = True
            return [usual, len(blocked), others, raised, os.getsid(0) == os.getpid()]
    """
    assert box.run(source).value == [True, 0, [13, 25], True, True]  # SIGPIPE and SIGXFSZ, as Python always has them


def test_its_environment_is_what_the_parcel_says_and_little_else(box: Box) -> None:
    box.prepare("import os\ndef tool(): return dict(os.environ)", env={"TOKEN": "t", "HOME": "/tmp/h"})
    environment = box.call().value
    assert isinstance(environment, dict)
    assert environment.pop("PWD", "/tmp") == "/tmp"
    assert environment == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp/h",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "TOKEN": "t",
    }


def test_the_next_call_has_nothing_of_its_environment(box: Box) -> None:
    box.prepare("def tool(): pass", env={"TOKEN": "t"})
    assert box.call().value is None
    assert box.run("import os\ndef tool(): return os.environ.get('TOKEN')").value is None


def test_what_it_prints_is_there_when_it_is_killed_and_cannot_be_unprintable(box: Box) -> None:
    source = """
        import sys, time
        def tool():
            print('one \\ud800 é')
            print('two', file=sys.stderr)
            time.sleep(600)
    """
    done = box.cut_off(source)
    assert (done.status, done.out, done.err) == ("timeout", "one \\ud800 é\n".encode(), b"two\n")


@pytest.mark.parametrize(
    "body", ["sys.stdout = None", "sys.stdout.close()", "sys.stdout = sys.stderr = object()", "del sys.stdout"]
)
def test_what_it_does_to_its_streams_is_no_fault_of_its_result(box: Box, body: str) -> None:
    done = box.run(f"import sys\ndef tool():\n    print('said')\n    {body}\n    return 1")
    assert (done.value, done.out) == (1, b"said\n")


def test_it_has_what_a_script_has(box: Box) -> None:
    source = """
        import os, sys
        def tool():
            import exit_, site
    """
    assert "No module named 'exit_'" in str(box.run(source).answer["error"])
    source = """
        import os, sys
        def tool():
            exit, quit, copyright
            return [sys.argv, os.getcwd(), [p for p in sys.path if p.startswith('/agentcop')], 'inside' in sys.modules]
    """
    assert box.run(source).value == [[""], "/tmp", [], False]


def test_a_module_of_ours_does_not_stand_in_for_one_of_the_tools(box: Box) -> None:
    names = [
        "frames",
        "values",
        "tool",
        "child",
        "supervisor",
        "facts",
        "wipe",
        "forked",
        "inside",
        "egress",
        "library",
    ]
    source = """
        import importlib
        def tool(names):
            found = []
            for name in names:
                try: importlib.import_module(name)
                except ModuleNotFoundError: continue
                found.append(name)
            return found
    """
    assert box.run(source, names).value == []


def test_memory_that_runs_out_ends_the_tool_first(box: Box) -> None:
    source = "def tool():\n    with open('/proc/self/oom_score_adj') as file: return int(file.read())"
    assert box.run(source).value == 1000
