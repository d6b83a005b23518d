"""A tree, written as the archive that Docker and Podman load; equal trees give equal bytes and the same image id."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import VERSION
from agentcop_processor.sandbox.image.tree import File, Folder, Symlink, Text, mode_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from agentcop_processor.sandbox.image.tree import Entry, Tree

_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_NOBODY: Final = "65534:65534"
_CREATED: Final = "1970-01-01T00:00:00Z"
"""Fixed, as every time in it: the id tells what is in the image, not when it was made."""
_CHUNK: Final = 1_048_576
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image in a file, ready to be loaded."""

    path: Path
    id: str
    """`sha256:…`, what a policy's `sandbox.image_digest` pins."""
    size: int
    """Bytes of all files in it."""


def write_archive(tree: Tree, path: Path, *, python: str, kind: str) -> Built:
    """Write the archive to `path`, which must not be there. Blocks for seconds; raises OSError."""
    layer = path.with_name(f"{path.name}.layer")
    try:
        content, size = _write_layer(tree, layer)
        config = _config(content, python=python, kind=kind)
        digest = hashlib.sha256(config).hexdigest()
        manifest = [{"Config": f"{digest}.json", "RepoTags": None, "Layers": [f"{content}.tar"]}]
        with path.open("xb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, "manifest.json", json.dumps(manifest).encode())
            _add(tar, f"{digest}.json", config)
            with layer.open("rb") as source:
                _add(tar, f"{content}.tar", source)
        return Built(path=path, id=f"sha256:{digest}", size=size)
    finally:
        layer.unlink(missing_ok=True)


def is_whole(path: Path, image_id: str) -> bool:
    """Whether an archive that was kept is still, to the last byte, the image of this id. Raises OSError."""
    try:
        with tarfile.open(path) as tar:
            name = image_id.removeprefix("sha256:")
            config = tar.extractfile(f"{name}.json")
            if config is None or hashlib.sha256(text := config.read()).hexdigest() != name:
                return False
            (content,) = json.loads(text)["rootfs"]["diff_ids"]
            layer = tar.extractfile(f"{content.removeprefix('sha256:')}.tar")
            return layer is not None and f"sha256:{_sha256(layer)}" == content
    except (tarfile.TarError, KeyError, ValueError):
        return False


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _config(content: str, *, python: str, kind: str) -> bytes:
    labels = {
        "org.opencontainers.image.title": "agentcop/agent-sandbox",
        "org.opencontainers.image.version": VERSION,
        "agentcop.content": f"sha256:{content}",
        "agentcop.kind": kind,
        "agentcop.python": python,
    }
    machine = os.uname().machine
    config = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": _CREATED,
        "config": {
            "User": _NOBODY,
            "Env": [f"PATH={_PATH}", "LANG=C.UTF-8"],
            "Cmd": ["python3"],
            "WorkingDir": "/tmp",  # noqa: S108 -- in the box, where it is the tool's own
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{content}"]},
        "history": [{"created": _CREATED, "created_by": "agentcop sandbox build"}],
    }
    return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()


def _write_layer(tree: Tree, path: Path) -> tuple[str, int]:
    """Write the files as a tar, sorted, parents first; its SHA-256 and the bytes of all files."""
    entries: dict[str, Entry] = dict(tree.entries)
    for name in tree.entries:
        parent = name.rpartition("/")[0]
        while parent and parent not in entries:
            entries[parent] = Folder()
            parent = parent.rpartition("/")[0]
    size = 0
    with tarfile.open(path, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in sorted(entries.items()):
            size += _put(tar, name, entry)
    with path.open("rb") as written:
        return _sha256(written), size


def _put(tar: tarfile.TarFile, name: str, entry: Entry) -> int:
    info = tarfile.TarInfo(name)
    info.mode = mode_of(entry)
    match entry:
        case File(source=source):
            with source.open("rb") as file:
                info.size = os.fstat(file.fileno()).st_size
                tar.addfile(info, file)
        case Text(data=data):
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        case Symlink(target=target):
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
        case Folder():
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
    return info.size


def _add(tar: tarfile.TarFile, name: str, data: bytes | IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    if isinstance(data, bytes):
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    else:
        info.size = os.fstat(data.fileno()).st_size
        tar.addfile(info, data)
