"""The host as a probe finds it: servers that answer, a process, secrets, files; and what was done to them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import logging
import os
import secrets
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

PROBES: Final = "/agentcop/escape"
"""Where the folder with the package `probes` stands in a box."""
PROJECT: Final = "/agentcop/project"
SHARED: Final = "/agentcop/shared"

_SIOCGIFADDR: Final = 0x8915
_KEY: Final = 0x61670000
_VICTIM: Final = """\
import signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: open(sys.argv[1], "w").close())
time.sleep(3600)
"""
_UNLOADED: Final = "antigravity"
_PROFILED: Final = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname")


class Scene:
    """Laid out for a whole run; `given` names its things for a probe, `damage` says what was done to them since.

    A context manager. Used by one thread.
    """

    def __init__(self, engine_sockets: tuple[str, ...] = ()) -> None:
        """Nothing is laid out before it is entered."""
        self.secret = secrets.token_hex(16)
        self.visits: list[str] = []
        self.logged: list[str] = []
        self._engine_sockets = engine_sockets
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        stack = self._stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agentcop-escape-")))
        self.folder.chmod(0o755)
        shutil.copytree(Path(__file__).with_name("probes"), self.folder / "code/probes")
        for name in ("home", "project", "shared"):
            (self.folder / name).mkdir()
        (self.folder / "shared").chmod(0o777)
        self._restore()
        secret = self.folder / "secret"
        secret.write_text(self.secret, encoding="ascii")
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._open: list[socket.socket] = []
        stack.callback(self._close_sockets)
        self.listeners = [[address, self._listen(address)] for address in _addresses()]
        self.datagram_ports = [[address, self._listen(address, socket.SOCK_DGRAM)] for address in _addresses()]
        self.abstract = f"agentcop-escape-{secrets.token_hex(8)}"
        self._listen_unix("\0" + self.abstract)
        self._listen_unix(str(self.folder / "host.sock"))
        (self.folder / "host.sock").chmod(0o777)
        self._ending = threading.Event()
        server = threading.Thread(target=self._serve, name="escape-scene", daemon=True)
        server.start()
        stack.callback(server.join)
        stack.callback(self._ending.set)
        self._victim = stack.enter_context(_ending(self._victimize()))
        self._key = _KEY + secrets.randbelow(1 << 15) * 2
        stack.enter_context(_shared_memory(self._key, self.secret))
        stack.enter_context(_variable("AGENTCOP_ESCAPE_SECRET", self.secret))
        stack.enter_context(_logged(self.logged))
        self._kernel = _settings()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def given(self, token: str) -> Mapping[str, object]:
        """Everything that a probe may ask for, by the names of its parameters. Never the secret itself."""
        return {
            "abstract": self.abstract,
            "datagram_ports": self.datagram_ports,
            "engine_sockets": list(self._engine_sockets),
            "host_name": socket.gethostname(),
            "key": self._key,
            "listeners": self.listeners,
            "marker_file": str(self.folder / "marker"),
            "neighbours": _neighbours(),
            "own_key": self._key + 1,
            "project": PROJECT,
            "secret_file": str(self.folder / "secret"),
            "secret_inode": (self.folder / "secret").stat().st_ino,
            "shared": SHARED,
            "socket_path": str(self.folder / "host.sock"),
            "token": token,
            "trap_module": f"{__package__}.trap",
            "unloaded": _UNLOADED,
            "victim": self._victim.pid,
        }

    def damage(self, token: str) -> list[str]:
        """What the last trial did to the host; mended for the next one."""
        found = [f"reached {each}" for each in self.visits]
        self.visits.clear()
        if self._victim.poll() is not None:
            found.append("the host's process was killed")
        if (self.folder / "signalled").exists():
            found.append("a signal arrived at the host's process")
        found += [f"process {pid} still runs" for pid in processes_with(token)]
        found += [f"{name} was changed" for name, digest in self._digests().items() if digest != self._pristine[name]]
        if (self.folder / "marker").exists():
            found.append("a command ran on the host")
        if _UNLOADED in sys.modules:
            found.append(f"the host imported {_UNLOADED}")
        if _there(self._key + 1):
            found.append("shared memory was made in the host's namespace")
        if _settings() != self._kernel:
            found.append("a setting of the kernel was changed")
        found += [f"the log holds control characters: {line!r}" for line in self.logged if not _printable(line)]
        self.logged.clear()
        self._mend()
        return found

    def _mend(self) -> None:
        for name in ("signalled", "marker"):
            (self.folder / name).unlink(missing_ok=True)
        _remove(self._key + 1)
        self._restore()
        if self._victim.poll() is not None:
            self._victim = self._stack.enter_context(_ending(self._victimize()))

    def _restore(self) -> None:
        for name in ("project", "shared"):
            for path in (self.folder / name).iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            for number, file in enumerate(("settings.py", "main.py", "deep/other.py")):
                path = self.folder / name / file
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"NUMBER = {number}\n" * 10, encoding="ascii")
                path.chmod(0o644)
        self._pristine = self._digests()

    def _digests(self) -> dict[str, str]:
        from agentcop_processor.sandbox import inside

        folders = {
            "the project": self.folder / "project",
            "the shared folder": self.folder / "shared",
            "the suite's code": self.folder / "code",
            "the supervisor's code": Path(inside.__file__).parent,
        }
        return {name: _digest(folder) for name, folder in folders.items()}

    def _victimize(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _VICTIM, str(self.folder / "signalled"), self.secret]
        )

    def _listen(self, address: str, kind: int = socket.SOCK_STREAM) -> int:
        server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        server.bind((address, 0))
        port: int = server.getsockname()[1]
        self._serve_on(server, f"{address}:{port} by {'TCP' if kind == socket.SOCK_STREAM else 'UDP'}")
        return port

    def _listen_unix(self, address: str) -> None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(address)
        self._serve_on(server, f"the unix socket {address!r}")

    def _serve_on(self, server: socket.socket, name: str) -> None:
        server.setblocking(False)
        if server.type == socket.SOCK_STREAM:
            server.listen(16)
        self._open.append(server)
        self._selector.register(server, selectors.EVENT_READ, name)

    def _serve(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select(0.1):
                server = key.fileobj
                if not isinstance(server, socket.socket):
                    continue
                with contextlib.suppress(OSError):
                    if server.type == socket.SOCK_DGRAM:
                        server.recvfrom(4096)
                    else:
                        client, _ = server.accept()
                        with client:
                            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    self.visits.append(str(key.data))

    def _close_sockets(self) -> None:
        for each in self._open:
            each.close()


def processes_with(token: str) -> list[int]:
    """Processes of this machine whose command line has the token; looked for until there are none, for two seconds."""
    until = time.monotonic() + 2.0
    while True:
        found = [pid for pid in _pids() if token.encode() in _command(pid) and pid != os.getpid()]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.02)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _digest(folder: Path) -> str:
    """Names, kinds, times, modes and bytes of all that is in it, but what Python has compiled."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if "__pycache__" not in path.parts:
            stat = path.lstat()
            told = (str(path), stat.st_mode, stat.st_mtime_ns if path.is_file() else 0)
            digest.update(repr(told).encode())
            if path.is_file() and not path.is_symlink():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _printable(line: str) -> bool:
    return all(character.isprintable() for character in line)


def _settings() -> list[str]:
    return [Path(path).read_text(encoding="utf-8") for path in _PROFILED]


def _addresses() -> list[str]:
    """Of this machine, loopback first; without link-local ones, which need an interface beside them."""
    found = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(client, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.append(socket.inet_ntoa(answer[20:24]))
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))
            if not address.startswith("fe80"):
                found.append(address)
    return list(dict.fromkeys(found))


def _neighbours() -> list[str]:
    """The first two addresses of each network that this machine has an address in."""
    networks = [address.rpartition(".")[0] for address in _addresses() if "." in address and address != "127.0.0.1"]
    return [f"{network}.{host}" for network in networks for host in (1, 254)]


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


class _Keeper(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@contextlib.contextmanager
def _logged(lines: list[str]) -> Iterator[None]:
    """All that the host logs, at the level at which a tool's outputs are logged too."""
    logger = logging.getLogger("agentcop")
    keeper, level, propagate = _Keeper(lines), logger.level, logger.propagate
    logger.addHandler(keeper)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(keeper)
        logger.setLevel(level)
        logger.propagate = propagate


_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmat.restype = ctypes.c_void_p


@contextlib.contextmanager
def _shared_memory(key: int, secret: str) -> Iterator[None]:
    """System V memory, and a file of POSIX shared memory, which hold the secret and anybody may read."""
    number = _libc.shmget(key, ctypes.c_size_t(64), 0o1666)
    place = _libc.shmat(number, None, 0)
    ctypes.memmove(place, secret.encode(), len(secret))
    posix = Path("/dev/shm") / f"agentcop-escape-{secret}"
    posix.write_text(secret, encoding="ascii")
    posix.chmod(0o666)
    try:
        yield
    finally:
        posix.unlink(missing_ok=True)
        _libc.shmdt(ctypes.c_void_p(place))
        _remove(key)


def _there(key: int) -> bool:
    return bool(_libc.shmget(key, ctypes.c_size_t(0), 0) >= 0)


def _remove(key: int) -> None:
    number = _libc.shmget(key, ctypes.c_size_t(0), 0)
    if number >= 0:
        _libc.shmctl(number, 0, None)


def kill_leftovers(token: str) -> None:
    """End, one by one, what a trial without a box has left running."""
    for pid in processes_with(token):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
