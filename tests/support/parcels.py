"""A stand-in for a box: a fresh interpreter that has of the host's files only what a parcel mounts."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_processor.sandbox.parcel import Parcel

_CHILD = """
import asyncio, functools, inspect, json, sys, types
told = json.load(sys.stdin)
sys.path[:0] = told["path"]
if told["source"]:
    module = types.ModuleType(told["module"])
    sys.modules[told["module"]] = module
    exec(compile(told["source"], "<parcel>", "exec"), vars(module))
else:
    __import__(told["module"])
    module = sys.modules[told["module"]]
made = functools.reduce(getattr, told["name"].split("."), module)
if told["init"] is not None:
    made = getattr(made(**told["init"]), told["method"])
result = made(*told["args"], **told["kwargs"])
if inspect.isawaitable(result):
    async def wait():
        return await result
    result = asyncio.run(wait())
print(json.dumps(result))
"""


def opened(parcel: Parcel, folder: Path) -> Path:
    """`folder` with the parcel's mounts in it, as links."""
    for mount in parcel.mounts:
        assert not mount.writable
        target = folder / mount.target.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(mount.source)
    return folder


def run_parcel(parcel: Parcel, folder: Path, *args: object, **kwargs: object) -> Any:
    """What the tool gives for these arguments, in a fresh interpreter that is started in the empty `folder`."""
    box = opened(parcel, folder)
    told = {
        "module": parcel.module,
        "name": parcel.name,
        "source": parcel.source,
        "init": None if parcel.init is None else dict(parcel.init),
        "method": parcel.method,
        "path": [str(box / path.lstrip("/")) for path in parcel.path],
        "args": args,
        "kwargs": kwargs,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", _CHILD],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class Project:
    """A folder of modules that this process can import."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str = "") -> Path:
        """A file of it, with its folders."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8")
        return target

    def load(self, module: str) -> Any:
        """The module as it is imported now."""
        invalidate_caches()
        return import_module(module)


@contextmanager
def importable(root: Path) -> Iterator[Project]:
    """`root` on the path, and forgotten again with all that was imported since."""
    before = set(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield Project(root)
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(str(root)):
                del sys.modules[name]
