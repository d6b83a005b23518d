"""A PostgreSQL of its own on a free loopback port, under a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from served import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "postgres"


class Cluster:
    """A server that runs; `fresh` gives the URL of an empty database."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._made = 0

    def url(self, database: str) -> str:
        """SQLAlchemy's, of one database."""
        return f"postgresql+pg8000://{_USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """A new database."""
        self._made += 1
        engine = create_engine(self.url(_USER), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE fresh_{self._made}"))
        engine.dispose()
        return self.url(f"fresh_{self._made}")


@contextmanager
def postgres() -> Iterator[Cluster]:
    """Started from the newest release that is installed, and stopped at the end."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="agentcop-postgres-"))
    # initdb refuses root; Debian's package makes a user for it.
    prefix = ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
    if prefix:
        user = pwd.getpwnam(_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, port = folder / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        # Its output goes to a file: the server would keep a pipe open.
        with (folder / "said").open("ab") as said:
            command = [*prefix, str(programs / program), *arguments]
            subprocess.run(command, check=True, stdout=said, stderr=said, timeout=120, cwd="/")

    try:
        run("initdb", "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "-t", "60", "start")
        try:
            yield Cluster(port)
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
