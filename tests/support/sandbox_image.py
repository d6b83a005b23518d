"""Reads the archive that an image is loaded from."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What an engine would be given."""

    config: Mapping[str, Any]
    config_bytes: bytes
    layer: bytes
    members: Mapping[str, tarfile.TarInfo]
    """What is in the layer, in its order."""
    texts: Mapping[str, bytes]
    """The bytes of its small files, by path."""


def read_image(path: Path) -> Image:
    """All of an archive with one layer."""
    with tarfile.open(path) as outer:
        (manifest,) = json.loads(_bytes(outer, "manifest.json"))
        config = _bytes(outer, manifest["Config"])
        (name,) = manifest["Layers"]
        layer = _bytes(outer, name)
        opened = outer.extractfile(name)
        assert opened is not None
        with opened, tarfile.open(fileobj=opened) as inner:
            members = {each.name: each for each in inner.getmembers()}
            texts = {
                name: _bytes(inner, name) for name, each in members.items() if each.isfile() and each.size < 65_536
            }
    return Image(config=json.loads(config), config_bytes=config, layer=layer, members=members, texts=texts)


def _bytes(tar: tarfile.TarFile, name: str) -> bytes:
    opened = tar.extractfile(name)
    assert opened is not None
    with opened:
        return opened.read()
