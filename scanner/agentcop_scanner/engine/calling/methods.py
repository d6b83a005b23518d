"""What methods of texts, containers and paths give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import sources
from agentcop_scanner.engine.calling.callsite import CallSite, spelled
from agentcop_scanner.engine.flow.attributes import entry
from agentcop_scanner.engine.flow.strings import filled, is_path, noticed
from agentcop_scanner.engine.flow.text import concatenated, joined_path
from agentcop_scanner.engine.values.value import (
    CONSTANT,
    NONE,
    Marks,
    Taints,
    Value,
    add,
    as_piece,
    cleared,
    combined,
    marked,
    merge,
    weakened,
)
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.engine.flow.frame import Frame

_SAME_PATH = words("resolve absolute expanduser with_suffix as_posix as_uri readlink")
_BELOW = words("joinpath with_name with_stem")
_LISTS = words("iterdir glob rglob walk")
_PATH_FACTS = words("exists is_file is_dir stat is_symlink mkdir touch unlink")
_KEEPS = words(
    "strip lstrip rstrip lower upper title capitalize casefold encode decode replace removeprefix removesuffix"
    " expandtabs zfill ljust rjust center swapcase splitlines translate copy tolist items values keys json group"
    " groups groupdict model_dump dict to_dict model_dump_json get_secret_value popitem pop"
)
_LOSES_CLASS = words("json group groups splitlines values items keys pop popitem")
_KEEPS_FIELDS = words("copy dict model_dump")
_GROWS = words("append add insert extend update appendleft extendleft put put_nowait setdefault write writelines")
_REPLACED: dict[str, Marks] = {
    "'": cleared("sql", "query"),
    '"': cleared("sql", "query"),
    "`": cleared("sql", "query"),
    "/": cleared("path"),
    "\\": weakened("path", "query"),
    "..": weakened("path"),
    "../": weakened("path"),
    " ": NONE,
}
"""What text can no longer do in which this was replaced by something else, say doubled."""
_MAX_ITEMS = 200


def known(frame: Frame, site: CallSite) -> Value | None:
    """The result of a method that is known by its name; None if it is not."""
    receiver = site.receiver or CONSTANT
    if is_path(receiver):
        found = _of_path(site, receiver)
        if found is not None:
            return found
    handler = _METHODS.get(site.method)
    found = handler(frame, site, receiver) if handler is not None else None
    return found if found is not None else sources.of_method(site, receiver)


def _of_path(site: CallSite, receiver: Value) -> Value | None:
    name = site.method
    if name in _BELOW:
        return joined_path(receiver, site.args)
    if name in _SAME_PATH:
        return Value(receiver.taints, is_a="pathlib.Path" if name != "as_posix" else "", text=receiver.text)
    if name in _LISTS:
        return Value(as_piece(receiver.taints), is_a="paths")
    if name in {"open", "read_text", "read_bytes"}:
        return sources.source(site, "content", "a file", "file" if name == "open" else "")
    return CONSTANT if name in _PATH_FACTS else None


def _kept(_frame: Frame, site: CallSite, receiver: Value) -> Value | None:
    if receiver.is_a.startswith("="):
        return None
    name = site.method
    taints: Taints = dict(receiver.taints)
    if name in {"replace", "translate"}:
        if site.args and isinstance(site.args[0].const, str):
            taints = marked(receiver, _REPLACED.get(site.args[0].const, NONE)).taints
        add(taints, combined(site.args).taints)
    if name in {"items", "values"} and receiver.fields:
        return Value(taints, is_a="each")
    fields = receiver.fields if name in _KEEPS_FIELDS else None
    return Value(taints, is_a="" if name in _LOSES_CLASS else receiver.is_a, text=receiver.text, fields=fields)


def _split(_frame: Frame, _site: CallSite, receiver: Value) -> Value:
    return Value(receiver.taints, is_a="url:host" if receiver.is_a == "url:host" else "tokens", text=receiver.text)


def _get(_frame: Frame, site: CallSite, receiver: Value) -> Value | None:
    """An entry by its key, or the default."""
    if not site.args or not isinstance(site.args[0].const, str) or sources.replies(site):
        return None
    if receiver.is_a == "table":
        return CONSTANT
    if receiver.is_a.startswith("="):
        return Value(sources.unknown_taints(site.node.lineno))
    key = site.args[0].const
    found = entry(receiver, key) if receiver.fields is None or key in receiver.fields else CONSTANT
    return merge((found, site.args[1])) if len(site.args) > 1 else found


def _format(frame: Frame, site: CallSite, receiver: Value) -> Value | None:
    if not receiver.text and not receiver.taints:
        return None
    given = tuple(site.everything())
    return noticed(frame, site.node, filled(receiver, given), given)


def _join(frame: Frame, site: CallSite, receiver: Value) -> Value:
    given = site.first()
    if given.items:
        pieces: list[Value] = []
        for item in given.items:
            pieces += [item, receiver] if receiver.text or receiver.taints else [item]
        return noticed(frame, site.node, concatenated(pieces), pieces)
    taints: Taints = dict(receiver.taints)
    add(taints, given.taints)
    return Value(taints, text=f"{given.text}{receiver.text}", is_a="sql" if given.is_a == "sql" else "")


def _grown(frame: Frame, site: CallSite, receiver: Value) -> Value:
    """A container, or a file, that something is put into."""
    target = spelled(site.node.func).rpartition(".")[0]
    names = frame.state.names
    if target not in names:
        return CONSTANT if receiver.taints else Value(sources.unknown_taints(site.node.lineno))
    given = frame.state.settled(combined(site.everything()))
    taints: Taints = dict(receiver.taints)
    add(taints, given.taints)
    items = _longer(frame, site, receiver)
    names[target] = Value(
        taints,
        is_a="written" if receiver.is_a == "temporary" else receiver.is_a,
        text=receiver.text or given.text,
        items=items,
        fields=_updated(site, receiver) if items is None else None,
        ref=receiver.ref,
    )
    return CONSTANT


def _longer(frame: Frame, site: CallSite, receiver: Value) -> tuple[Value, ...] | None:
    """The items of a list that was written out, after one or more were put at its end."""
    if receiver.items is None or site.method not in {"append", "extend"} or len(receiver.items) >= _MAX_ITEMS:
        return None
    first = frame.state.settled(site.first())
    if site.method == "append":
        return (*receiver.items, first)
    return (*receiver.items, *(first.items if first.items is not None else (Value(first.taints, is_a="*"),)))


def _updated(site: CallSite, receiver: Value) -> dict[str, Value] | None:
    if receiver.fields is None:
        return None
    more = {**site.keywords, **(site.first().fields or {})} if site.method == "update" else {}
    return {**receiver.fields, **more}


def _members(_frame: Frame, _site: CallSite, receiver: Value) -> Value:
    return Value(receiver.taints, is_a="tarfile.members")


_METHODS: dict[str, Callable[[Frame, CallSite, Value], Value | None]] = {
    **dict.fromkeys(_KEEPS, _kept),
    **dict.fromkeys(_GROWS, _grown),
    **dict.fromkeys(("split", "rsplit"), _split),
    **dict.fromkeys(("format", "format_map"), _format),
    "get": _get,
    "join": _join,
    "getmembers": _members,
}
