"""A tool in a box of bubblewrap sees nothing of the host but the interpreter, and can neither reach nor change it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from agentcop_processor.sandbox.boxes.probe import misses
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.settings import Settings
from process_boxes import ENGINE, process_box

pytestmark = pytest.mark.sandbox

READ_ENVIRONMENTS = """
    import os
    def tool():
        found = [dict(os.environ)]
        for name in os.listdir("/proc"):
            try:
                found.append(open(f"/proc/{name}/environ", "rb").read())
            except OSError:
                continue
        return repr(found)
"""
TRY = """
    def tool(*doings):
        said = {}
        for doing in doings:
            try:
                exec(doing, {})
            except OSError as error:
                said[doing] = type(error).__name__
            else:
                said[doing] = "done"
        return said
"""


def test_the_box_is_what_the_probe_asks_for() -> None:
    settings = Settings(mode="process", network="none")
    with process_box(settings=settings) as running:
        assert misses(running.box.facts, ENGINE.expected(settings)) == ()


def test_no_variable_of_the_host_is_in_any_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS_KEY", "made-up-7f3a")
    with process_box() as running:
        assert Path("/proc", running.box.link.id, "environ").read_bytes() == b""
        environments = str(running.run(READ_ENVIRONMENTS))
    assert "made-up-7f3a" not in environments
    assert "PAYMENTS_KEY" not in environments


def test_what_a_root_starts_is_nobody_outside_of_the_box_too() -> None:
    with process_box() as running:
        status = Path(f"/proc/{running.box.link.id}/status").read_text(encoding="ascii").splitlines()
    users, groups = (next(line for line in status if line.startswith(name)).split()[1:] for name in ("Uid:", "Gid:"))
    own = (os.geteuid(), os.getegid())
    assert (set(users), set(groups)) == tuple({str(number if own[0] else 65534)} for number in own)


def test_files_of_the_host_are_not_there(tmp_path: Path) -> None:
    mine = tmp_path / "customers.csv"
    mine.write_text("secret")
    home = Path.home()
    paths = [str(mine), str(home), str(home / ".ssh"), "/etc/shadow", "/var", "/run", "/sys", "/home", "/opt", "/boot"]
    with process_box() as running:
        seen = running.run("import os\ndef tool(*paths): return [p for p in paths if os.path.exists(p)]", *paths)
        users = running.run("def tool(): return open('/etc/passwd').read().split()[-1]")
        listed = running.run("import os\ndef tool(path): return sorted(os.listdir(path))", "/root")
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix]
    assert seen == [path for path in paths if any(Path(prefix).is_relative_to(path) for prefix in prefixes)]
    assert str(users).startswith("nobody:")
    assert listed == [".pyenv"] or not Path(sys.base_prefix).is_relative_to("/root")


LIST = """
    import os
    def tool(folder):
        return os.listdir(folder) if os.path.isdir(folder) else []
"""


def test_an_application_that_an_image_keeps_in_usr_src_is_not_there() -> None:
    with process_box() as running:
        assert running.run(LIST, "/usr/src") == []
        assert running.run(TRY, "open('/usr/src/x', 'w')") != {"open('/usr/src/x', 'w')": "done"}


def test_the_kernel_and_the_root_cannot_be_written_to(tmp_path: Path) -> None:
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    doings = [
        "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')",
        "open('/proc/sysrq-trigger', 'w').write('h')",
        "open('/proc/sys/kernel/hostname', 'w').write('x')",
        "open('/x', 'w')",
        "open('/etc/passwd', 'a')",
        "open('/usr/x', 'w')",
        "open('/dev/x', 'w')",
        "open('/agentcop/inside/x', 'w')",
        "import os; os.mkdir('/etc/x')",
        "import os; os.chmod('/etc/passwd', 0o777)",
        "import os; os.setuid(0)",
        "import os; os.mknod('/tmp/kmem', 0o020666, 0x0102)",
        "import os; os.chroot('/tmp')",
        "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "import os; os.nice(-1)",
        "import os; os.kill(1, 9)",
        "import resource; resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))",
        "open('/proc/1/oom_score_adj', 'w').write('1000')",
        "open('/proc/1/comm', 'w').write('x')",
        "open('/proc/sys/kernel/ns_last_pid', 'w')",
    ]
    with process_box() as running:
        said = running.run(TRY, *doings)
    assert isinstance(said, dict)
    assert [doing for doing, what in said.items() if what == "done"] == []
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


def test_there_is_no_network_and_no_socket_of_the_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        abstract = f"\0agentcop-test-{tmp_path.name}-{server.getsockname()[1]}"
        named.bind(abstract)
        named.listen()
        reach = """
            import socket
            def tool(port, name):
                said = []
                for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("1.1.1.1", 53)),
                                        (socket.AF_INET6, ("2606:4700::1111", 53)), (socket.AF_UNIX, name)):
                    with socket.socket(family) as client:
                        client.settimeout(5)
                        try:
                            client.connect(address)
                        except OSError as error:
                            said.append(type(error).__name__)
                        else:
                            said.append("connected")
                return said, open("/proc/net/dev").read()
        """
        with process_box() as running:
            said = running.run(reach, server.getsockname()[1], abstract)
    assert isinstance(said, tuple)
    tried, devices = said
    assert "connected" not in tried
    assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] == ["lo"]


def test_a_mount_is_seen_and_changed_only_if_it_is_said_so(tmp_path: Path) -> None:
    for name in ("read", "write"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("before")
    (tmp_path / "single").write_text("one file")
    mounts = (
        Mount(source=str(tmp_path / "read"), target="/data/read"),
        Mount(source=str(tmp_path / "write"), target="/data/with space", writable=True),
        Mount(source=str(tmp_path / "single"), target="/data/single"),
    )
    (tmp_path / "write").chmod(0o777)
    (tmp_path / "write" / "file").chmod(0o666)
    doings = [
        "assert open('/data/read/file').read() == 'before'",
        "assert open('/data/single').read() == 'one file'",
        "open('/data/with space/file', 'w').write('after')",
        "open('/data/with space/new', 'w').write('new')",
        "open('/data/read/file', 'w')",
        "open('/data/read/new', 'w')",
        "open('/data/single', 'w')",
    ]
    with process_box(*mounts) as running:
        said = running.run(TRY, *doings)
    assert isinstance(said, dict)
    assert list(said.values()) == ["done", "done", "done", "done", "OSError", "OSError", "OSError"]
    assert (tmp_path / "write" / "file").read_text() == "after"
    assert (tmp_path / "write" / "new").read_text() == "new"
    assert (tmp_path / "read" / "file").read_text() == "before"


@pytest.mark.parametrize(
    "target", ["/", "/usr", "/tmp", "/etc", "/proc/x", "/dev", "/agentcop", "/agentcop/inside/x", "data", "/a/../usr"]
)
def test_nothing_is_mounted_over_what_is_the_box_itself(tmp_path: Path, target: str) -> None:
    with pytest.raises(EngineDown, match="nothing can be mounted at"):
        ENGINE.start(Settings(mode="process"), (Mount(source=str(tmp_path), target=target),))


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="no such file or folder"):
        ENGINE.start(Settings(mode="process"), (Mount(source=str(tmp_path / "gone"), target="/data"),))


def test_a_package_of_this_environment_can_be_imported() -> None:
    with process_box() as running:
        assert running.run("import yaml\ndef tool(): return yaml.safe_load('a: [1]')") == {"a": [1]}
