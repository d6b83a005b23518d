"""A call finds no file of an earlier one, whatever that did to be remembered; nothing else is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inside_boxes import Box

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sandbox

LEFT = """
    import os
    def tool():
        return [os.listdir('/tmp'), os.listdir('/dev/shm'), oct(os.stat('/tmp').st_mode), os.listxattr('/tmp')]
"""


@pytest.mark.parametrize(
    "body",
    [
        "open('/tmp/a', 'w').write('x'); open('/dev/shm/a', 'w').write('x')",
        "os.symlink('/usr', '/tmp/link'); os.symlink('/nowhere', '/tmp/none'); os.mkfifo('/tmp/pipe')",
        "os.makedirs('/tmp/a/b/c'); open('/tmp/a/b/c/d', 'w'); os.chmod('/tmp/a/b', 0); os.chmod('/tmp/a', 0)",
        "os.chmod('/tmp', 0)",
        "os.chmod('/tmp', 0o777)",
        "open('/tmp/a', 'w'); os.chmod('/tmp', 0o500)",
        "os.setxattr('/tmp', 'user.note', b'hello')",
        "socket.socket(socket.AF_UNIX).bind('/tmp/s')",
        "[open(f'/tmp/{n}', 'w').close() for n in range(5000)]",
        "[open('/tmp/\\n' + chr(0x20ac) * n, 'w').close() for n in range(1, 80)]; open(b'/tmp/\\xff', 'w')",
        "deep()",
        "fill()",
    ],
)
def test_the_next_call_finds_nothing(box: Box, body: str) -> None:
    before = box.run(LEFT).value
    source = f"""
        import os, socket
        def deep():
            for _ in range(3000):
                os.mkdir('d' * 100)
                os.chdir('d' * 100)
            open('file', 'w').close()
        def fill():
            try:
                with open('/tmp/full', 'wb') as file:
                    for _ in range(64): file.write(b'x' * (1 << 20))
            except OSError: pass
        def tool():
            {body}
            return 'left'
    """
    done = box.run(source)
    assert done.value == "left"
    assert box.run(LEFT).value == before
    assert before == [[], [], before[2], []]  # type: ignore[index]  # a list, as LEFT says


def test_a_full_folder_is_emptied() -> None:
    with Box(bwrap=("--size", str(1 << 20), "--tmpfs", "/tmp")) as box:
        source = """
            import os
            def tool():
                size = 0
                try:
                    for number in range(10_000):
                        with open(f'/tmp/{number}', 'wb', buffering=0) as file: size += file.write(b'x' * 4096)
                except OSError: pass
                for number in range(100):
                    try: os.makedirs(f'/tmp/d/{number}')
                    except OSError: pass
                return size
        """
        assert box.run(source).value == 1 << 20
        assert box.run(LEFT).value[0] == []  # type: ignore[index]  # a list, as LEFT says


def test_a_folder_that_nobody_can_write_to_is_no_reason_to_give_up_a_box(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with Box(bwrap=("--ro-bind", str(tmp_path), "/var/tmp")) as box:
        done = box.run("def tool(): return 1")
        assert done.value == 1
        assert box.run("import os\ndef tool(): return os.listdir('/var/tmp')").value == ["kept"]


def test_what_is_mounted_below_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    with Box(bwrap=("--bind", str(tmp_path), "/tmp/mounted")) as box:
        done = box.run("def tool(): open('/tmp/mounted/new', 'w').write('x'); open('/tmp/other', 'w')")
        assert done.status == "ok"
        assert box.run("import os\ndef tool(): return os.listdir('/tmp')").value == ["mounted"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "new"]
    assert (tmp_path / "kept" / "file").read_text() == "mine"


def test_folders_above_a_mount_are_emptied_but_for_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with Box(bwrap=("--bind", str(tmp_path), "/tmp/a/b/mounted")) as box:
        done = box.run(
            """
            import os
            def tool():
                for place in ("/tmp/a/x", "/tmp/a/b/x", "/tmp/a/b/mounted/kept", "/tmp/y"):
                    open(place, "w").close()
                os.chmod("/tmp/a", 0o500)
            """
        )
        assert done.status == "ok"
        left = box.run("import os\ndef tool(): return [os.listdir(p) for p in ('/tmp', '/tmp/a', '/tmp/a/b')]").value
        assert left == [["a"], ["b"], ["mounted"]]
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_box_whose_mount_a_tool_has_moved_is_not_used_again(tmp_path: Path) -> None:
    with Box(bwrap=("--bind", str(tmp_path), "/tmp/a/mounted")) as box:
        done = box.run("import os\ndef tool(): os.rename('/tmp/a', '/tmp/b')")
        assert (done.status, box.cleaned()) == ("ok", False)
        assert box.ended() == 1


@pytest.mark.parametrize(
    "body",
    [
        "libc.shmget(1234, 4096, 0o1666)",
        "libc.msgget(1234, 0o1666)",
        "libc.semget(1234, 1, 0o1666)",
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (100, 100))",
        "resource.prlimit(1, resource.RLIMIT_CPU, (60, 60))",
        "os.setpriority(os.PRIO_PROCESS, 1, 19)",
    ],
)
def test_a_call_that_left_traces_elsewhere_is_the_boxs_last(box: Box, body: str) -> None:
    done = box.run(f"import ctypes, os, resource\nlibc = ctypes.CDLL(None)\ndef tool():\n    {body}\n    return 'left'")
    assert (done.value, box.cleaned()) == ("left", False)
    assert box.ended() == 1


def test_no_queue_can_be_left(box: Box) -> None:
    source = """
        import ctypes, os
        def tool():
            libc = ctypes.CDLL(None, use_errno=True)
            libc.mq_open(b'/queue', os.O_CREAT | os.O_RDWR, 0o666, 0)
            return os.strerror(ctypes.get_errno())
    """
    assert box.run(source).value == "Too many open files"


def test_a_box_that_cannot_be_emptied_in_time_ends(box: Box) -> None:
    source = """
        import os
        def tool():
            made = 0
            os.mkdir('/tmp/d')
            for number in range(400_000):
                os.mkdir(f'/tmp/d/{number}')
            return 'left'
    """
    assert box.run(source).value == "left"
    if not box.cleaned():  # else this machine removes 400 000 folders in a second
        assert box.ended() == 1
    else:
        assert box.run(LEFT).value[0] == []  # type: ignore[index]  # a list, as LEFT says
