"""What is read from a value: its attributes and entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.flow.strings import is_path
from agentcop_scanner.engine.values.refs import ClassRef, FunctionRef, InstanceRef
from agentcop_scanner.engine.values.value import CONSTANT, Origin, Taint, Value, cleared, marked, unknown
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    import ast

    from agentcop_scanner.engine.flow.frame import Frame

_REQUESTS = words("Request WebSocket HttpRequest HTTPConnection")
_REQUEST_PARTS = words(
    "args json form files values query_params path_params headers cookies data body query_string match_info GET"
    " POST FILES query url content rel_url"
)
_UPLOADS = words("UploadFile FileStorage FileField UploadedFile")
_URL_PARTS = {
    "hostname": "url:host",
    "netloc": "url:host",
    "host": "url:host",
    "scheme": "url:scheme",
    "path": "url:path",
    "port": "url:port",
    "query": "url:path",
    "fragment": "url:path",
    "params": "url:path",
}
_MODEL_PARTS = words(
    "content text output_text choices message output completion generations tool_calls parsed arguments"
)
_REPLY_PARTS = words("text content body raw stream headers")
SELF = Origin("self", "self")
_PATH_NAME = cleared("path")
_OPERATOR = words("os.environ sys.argv os.environb sys.stdin")


def special(dotted: str, line: int | None) -> Value | None:
    """What a name of the standard library or a framework gives access to; None if it is nothing of note."""
    if dotted in _OPERATOR:
        return Value({Origin("operator", dotted, "", line or 0): Taint()}, is_a="operator")
    if dotted in {"flask.request", "quart.request", "bottle.request", "request"} and line is not None:
        return Value({Origin("request", "the request", "", line): Taint()}, is_a="flask.Request")
    return None


def read(frame: Frame, node: ast.Attribute, value: Value) -> Value:  # noqa: C901, PLR0911  # one way out for each kind of value
    """An attribute of a value."""
    name = node.attr
    if value.is_a.startswith("="):
        return _of_thing(frame, node, value)
    if name == "__class__":
        return CONSTANT
    known = _local(frame, node)
    if known is not None:
        return known
    if isinstance(value.ref, InstanceRef):
        return _of_instance(frame, value, name, node.lineno)
    kind = last(value.is_a)
    if value.is_a == "ip" and name.startswith("is_"):
        return _of_address(value, name)
    if value.is_a in {"temporary", "written"}:
        return marked(value, _PATH_NAME)
    if is_path(value):
        return _of_path(value, name)
    if value.is_a in {"urllib.parse.ParseResult", "urls"}:
        return Value(value.taints, is_a=_URL_PARTS.get(name, ""))
    if kind in _REQUESTS and name in _REQUEST_PARTS:
        return Value({Origin("request", f"request.{name}", "", node.lineno): Taint()})
    if kind in _UPLOADS:
        return _of_upload(name, node.lineno)
    if value.is_a == "tarfile.TarInfo" and name in {"name", "path", "linkname"}:
        return Value({Origin("upload", "a name in an archive", "", node.lineno): Taint()})
    return value.field(name)


def _local(frame: Frame, node: ast.Attribute) -> Value | None:
    """What this function itself has put there."""
    return frame.state.names.get(f"{getattr(node.value, 'id', '')}.{node.attr}")


def _of_thing(frame: Frame, node: ast.Attribute, value: Value) -> Value:
    """An attribute of a module, class or function: the thing by its longer name."""
    dotted = f"{value.is_a[1:]}.{node.attr}"
    found = special(dotted, node.lineno) or special(
        value.is_a[1:], None if value.is_a[1:] == "request" else node.lineno
    )
    if found is not None:
        return found if found.is_a == "operator" else read(frame, node, found)
    ref = value.ref
    if isinstance(ref, ClassRef):
        method = ref.unit.method(ref.qualname, node.attr)
        if method is not None:
            return Value(ref=FunctionRef(unit=ref.unit, scope=method), is_a=f"={dotted}")
        held = frame.world.attribute(ref.unit, ref.qualname, node.attr)
        if held is not None and (held.const is not None or held.is_constant):
            return held
    return Value(ref=frame.world.lookup(frame.unit, dotted), is_a=f"={dotted}")


def _of_instance(frame: Frame, value: Value, name: str, line: int) -> Value:
    ref = value.ref
    if not isinstance(ref, InstanceRef):
        return unknown()
    method = ref.unit.method(ref.qualname, name)
    if method is not None:
        decorators = ref.unit.module.decorators(method.node)
        if any(last(entry) in {"property", "cached_property"} for entry in decorators):
            summary = frame.world.summary(FunctionRef(unit=ref.unit, scope=method, bound=True), frame.level)
            found = summary.returned if summary else unknown()
            kept = {origin: taint for origin, taint in found.taints.items() if origin.kind != "param"}
            return Value(kept or unknown().taints, is_a=found.is_a, const=found.const, ref=found.ref)
        return Value(ref=FunctionRef(unit=ref.unit, scope=method, bound=True), is_a=f"={ref.qualname}.{name}")
    held = frame.world.attribute(ref.unit, ref.qualname, name)
    own = any(origin == SELF for origin in value.taints)
    if held is not None and own:
        return held
    fields = value.field(name)
    if held is None:
        return fields if fields.taints else unknown(line=line)
    # another object: its text came with it, its class says what it is
    return Value(fields.taints or held.taints, is_a=held.is_a, const=held.const, ref=held.ref)


def _of_address(value: Value, name: str) -> Value:
    """`is_private` and its like: where it is false the address is public, where `is_global` is true."""
    public = {origin: cleared("url") for origin in value.taints}
    return Value(is_a="bool", facts=(public, {}) if name == "is_global" else ({}, public))


def _of_path(value: Value, name: str) -> Value:
    if name in {"name", "stem"}:
        return marked(value, _PATH_NAME, "path:name")
    if name in {"suffix", "suffixes"}:
        return marked(value, _PATH_NAME, "path:suffix")
    if name == "parts":
        return Value(value.taints, is_a="path:part")
    if name in {"parent", "parents"}:
        return Value(value.taints, is_a="pathlib.Path" if name == "parent" else "path:parents", text=value.text)
    return Value(value.taints)


def _of_upload(name: str, line: int) -> Value:
    if name in {"filename", "name"}:
        return Value({Origin("upload", "the file name of an upload", "", line): Taint()})
    return Value({Origin("request", f"upload.{name}", "", line): Taint()}, is_a="file")


def entry(value: Value, name: str) -> Value:
    """An entry of a container by a constant key."""
    if value.fields is not None:
        found = value.fields.get(name)
        return found if found is not None else Value(value.taints)
    if value.is_a == "operator":
        return Value({Origin("operator", f"{next(iter(value.taints)).name}[{name!r}]"): Taint()})
    if name.lower() == "content-disposition":
        return Value({Origin("upload", "the file name that the other side gives"): Taint()})
    found = value.field(name)
    return Value(found.taints, is_a="url:host" if value.is_a == "url" and name == "host" else "")


def unpacked(value: Value, at: int) -> Value:
    """One of the values that a tuple which was not written out is unpacked to."""
    if value.is_a == "splitext":
        return Value(value.taints, is_a="path:suffix" if at else "")
    found = value.element()
    return Value(found.taints, is_a=found.is_a)
