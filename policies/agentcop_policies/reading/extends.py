"""A policy laid over the one it extends: mappings merge, lists add, and this file's single values hold.

The list items of the file itself come first, so that `gate.block[1]` is the second item that its reader sees; those of
the file it extends follow. `tests` are each file's own and are not merged.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_policies import packs
from agentcop_policies.reading.problems import did_you_mean, quoted
from agentcop_policies.reading.tree import Entry, Items, Mark, Node, Scalar, Table
from agentcop_policies.reading.yaml_text import MAX_BYTES, MAX_NODES, decode, parse

if TYPE_CHECKING:
    from agentcop_policies.reading.problems import Problems

MAX_CHAIN: Final = 8
_OWN: Final = frozenset({"extends", "tests"})
_PACK: Final = "pack:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One tree out of a chain of files."""

    root: Table
    files: tuple[Path, ...]
    """Every file that was read, resolved; packs are none."""
    whole: bool
    """Whether everything that is extended could be read; what is missing in `root` may else stand there."""


def read_file(path: Path) -> bytes:
    """The bytes of a regular file, one more than the limit at most. Raises OSError."""
    # A FIFO must not hold the load up: opened without blocking, it is then seen for what it is.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            message = "not a regular file"
            raise OSError(message)
        return file.read(MAX_BYTES + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where one layer comes from."""

    shown: str
    """As messages name it."""
    identity: str
    """The resolved path, or `pack:NAME`."""
    folder: Path
    """Where its own `extends` starts."""

    @property
    def is_pack(self) -> bool:
        return self.identity.startswith(_PACK)


def merge_chain(root: Table, *, name: str, folder: Path, problems: Problems) -> Merged:
    """`root` over whatever it extends, and so on down; what cannot be followed is a problem at its `extends`."""
    identity = name if name.startswith(_PACK) else str((folder / Path(name).name).resolve())
    chain = [_Source(shown=name, identity=identity, folder=folder)]
    layers = [root]
    whole = False
    while (wanted := layers[-1].get("extends")) is not None:
        if not isinstance(wanted, Scalar) or not isinstance(wanted.value, str) or not wanted.value:
            break  # its shape is wrong, which is said elsewhere
        mark, target = wanted.mark, wanted.value
        if len(layers) > MAX_CHAIN:
            problems.add(mark, f"extends goes more than {MAX_CHAIN} files deep")
            break
        source = _source(target, chain[-1], mark, problems)
        if source is None:
            break
        if source.identity in {earlier.identity for earlier in chain}:
            problems.add(mark, f"extends goes in a circle: {quoted(target)} is on the way here already")
            break
        data = _read(target, source, mark, problems)
        text = None if data is None else decode(data, source.shown, problems)
        base = None if text is None else parse(text, source.shown, problems)
        if base is None:
            break
        chain.append(source)
        layers.append(base)
    else:
        whole = True
    merged = layers[-1]
    for layer in reversed(layers[:-1]):
        merged = _over(layer, Table(entries=_inherited(merged), mark=merged.mark, size=merged.size))
    if merged.size > MAX_NODES:
        problems.add(merged.mark, f"more than {MAX_NODES} values once everything it extends is written out")
    files = tuple(Path(source.identity) for source in chain[1:] if not source.is_pack)
    return Merged(root=merged, files=files, whole=whole)


def _source(target: str, by: _Source, mark: Mark, problems: Problems) -> _Source | None:
    """What `extends: target` in `by` names."""
    if target.startswith(_PACK):
        return _Source(shown=target, identity=target, folder=by.folder)
    if "://" in target:
        problems.add(mark, "extends names a file or pack:NAME; a policy is never fetched from an address")
        return None
    if "\0" in target or not _can_be_a_name(target):
        problems.add(mark, f"cannot read {quoted(target)}: no file can have this name")
        return None
    path = (by.folder / target).resolve()
    # As its reader finds it, starting from the name that the user gave.
    shown = target if by.is_pack else str(Path(by.shown).parent / target)
    return _Source(shown=shown, identity=str(path), folder=path.parent)


def _can_be_a_name(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _read(target: str, source: _Source, mark: Mark, problems: Problems) -> bytes | None:
    if source.is_pack:
        pack = target.removeprefix(_PACK)
        try:
            return packs.text(pack)
        except KeyError:
            hint = did_you_mean(pack, packs.names()) or f"; there are: {', '.join(packs.names())}"
            problems.add(mark, f"no pack {quoted(pack)}{hint}")
            return None
    try:
        return read_file(Path(source.identity))
    except OSError as error:
        problems.add(mark, f"cannot read {quoted(target)}: {error.strerror or error}")
        return None


def _inherited(base: Table) -> dict[str, Entry]:
    return {key: entry for key, entry in base.entries.items() if key not in _OWN}


def _over(upper: Table, lower: Table) -> Table:
    entries = dict(upper.entries)
    for key, entry in lower.entries.items():
        mine = entries.get(key)
        entries[key] = entry if mine is None else Entry(key=mine.key, node=_both(mine.node, entry.node))
    return Table(entries=entries, mark=upper.mark, size=upper.size + lower.size)


def _both(upper: Node, lower: Node) -> Node:
    if isinstance(upper, Table) and isinstance(lower, Table):
        return _over(upper, lower)
    if isinstance(upper, Items) and isinstance(lower, Items):
        return Items(nodes=upper.nodes + lower.nodes, mark=upper.mark, size=upper.size + lower.size)
    return upper
