"""A stand-in for a box: a fresh interpreter that has of the host's files only what a parcel mounts."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from agentcop_processor.sandbox import inside
from agentcop_processor.sandbox.inside.wire.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_processor.sandbox.parcel import Parcel

_SANDBOX = Path(inside.__file__).parents[1]
_CHILD = """
import json, sys
told = json.load(sys.stdin)
sys.path.insert(0, told["sandbox"])
from inside import tool
del sys.path[0]
answer = tool.make(told["parcel"]).call(told["arguments"], 1 << 20)
print(json.dumps(answer))
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
    folder.mkdir(exist_ok=True)
    box = opened(parcel, folder)
    told = {
        "sandbox": str(_SANDBOX),
        "parcel": {
            "module": parcel.module,
            "name": parcel.name,
            "source": parcel.source,
            "init": None if parcel.init is None else encode(dict(parcel.init)),
            "method": parcel.method,
            "path": [str(box / path.lstrip("/")) for path in parcel.path],
        },
        "arguments": {"args": encode(list(args)), "kwargs": encode(kwargs)},
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
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer.keys() >= {"value"}, answer
    return decode(answer["value"])


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
