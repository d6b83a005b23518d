"""Whether a call is one of those in which text is dangerous, and which of its arguments are."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import commands
from agentcop_scanner.engine.calling.callsite import CallSite, name_words, spelled
from agentcop_scanner.engine.flow.text import looks_like_cypher, looks_like_sql
from agentcop_scanner.engine.values.refs import ClassRef
from agentcop_scanner.engine.values.value import marked, weakened
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.engine.flow.frame import Frame
    from agentcop_scanner.engine.unit import Unit
    from agentcop_scanner.engine.values.value import Value
    from agentcop_scanner.rule import Sink

_QUERY_NAMES = words("sql query queries stmt statement cypher select command ddl")
_URL_NAMES = words("url uri link href endpoint address website webpage page src location")
_PATH_NAMES = words("path file filename filepath dir directory folder fname dest destination output target")
_COMMAND_NAMES = words("command cmd commands shell script cmdline bash")
_MAYBE = words("to_thread run_in_executor run_sync run_in_threadpool") | {
    name.rpartition(".")[2] for name in commands.NAMES
}
_BELOW_A_PACKAGE = re.compile(r"[A-Za-z_][\w.]*\.\{\}")
"""A name of a module that begins with a package: what comes after it chooses among that package's own."""
_OF_TEXT = frozenset({".format", ".format_map"})
_NAMES = {"sql": _QUERY_NAMES, "url": _URL_NAMES, "path": _PATH_NAMES, "command": _COMMAND_NAMES}


def look(frame: Frame, site: CallSite) -> None:
    """Notes what arrives in a call that a rule names."""
    table = frame.world.tables.sinks
    seen: set[int] = set()
    for name in _names(site):
        for rule, sink in table.get(name, ()):
            if id(sink) in seen or not _applies(frame, site, sink, exact=not name.startswith(".")):
                continue
            seen.add(id(sink))
            for value, node in _dangerous(site, sink):
                if rule.danger == "code" and _emptied(site):
                    value = marked(value, weakened("code"))  # noqa: PLW2901  # the same text, less free
                if rule.danger == "import" and _BELOW_A_PACKAGE.match(value.text):
                    value = marked(value, weakened("import"))  # noqa: PLW2901  # the same name, of one package only
                if sink.looks and name.startswith(".") and not _looks(sink.looks, value, node):
                    continue
                frame.arrive(rule, site.node, site.shown, value)


def may_be(unit: Unit, call: ast.Call, table: dict[str, list[tuple[str, Sink]]]) -> bool:
    """Whether a call may be a sink, by its spelling alone: quick, and never no where a closer look would say yes."""
    func = call.func
    last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if last in _MAYBE:
        return True
    if last == "getattr":
        return _may_name_a_sink(unit, call)
    candidates = table.get(last)
    dotted = unit.module.dotted(call)
    if candidates is None:
        candidates = table.get(dotted.rpartition(".")[2])
    return candidates is not None and any(_may_be_this(unit, func, dotted, name, sink) for name, sink in candidates)


def _may_name_a_sink(unit: Unit, call: ast.Call) -> bool:
    """Whether `getattr` is asked for something of a module."""
    target = call.args[0] if call.args else None
    if isinstance(target, ast.Call):
        return True
    name = spelled(target) if target is not None else ""
    return name.partition(".")[0] in unit.module.imports or "mod" in name.lower()


def _may_be_this(unit: Unit, func: ast.expr, dotted: str, name: str, sink: Sink) -> bool:
    if name == dotted or name.startswith("*"):
        return True
    if not isinstance(func, ast.Attribute):
        return isinstance(func, ast.Name) and "." not in name
    if not name.startswith("."):
        # a method of a known class, which a module that imports nothing of it has no objects of
        owner = name.rpartition(".")[0].rpartition(".")[2]
        return owner[:1].isupper() and name.partition(".")[0] in unit.packages
    if name in _OF_TEXT:
        return not isinstance(func.value, ast.Constant)
    return not sink.receivers or "self" in sink.receivers or bool(name_words(spelled(func.value)) & sink.receivers)


def _names(site: CallSite) -> Iterator[str]:
    if site.dotted:
        yield site.dotted
        yield "*." + ".".join(site.dotted.split(".")[-2:])
        yield "*." + site.dotted.rpartition(".")[2]
    elif site.method:  # an object of a class that is not known: `repo.git.checkout` is what it is called
        yield "*." + ".".join(spelled(site.node.func).split(".")[-2:])
    if site.method:
        yield f".{site.method}"


def _applies(frame: Frame, site: CallSite, sink: Sink, *, exact: bool) -> bool:
    for name, wanted in sink.given:
        given = site.keywords.get(name)
        if given is None or (given.const is not None and given.const != wanted):
            return False
    for name, harmless in sink.unless:
        given = site.keywords.get(name)
        if given is not None and (_is_a(given, harmless) if isinstance(harmless, str) else given.const == harmless):
            return False
    if site.receiver is not None and name_words(site.receiver.is_a) & sink.spares:
        return False
    if exact or not sink.receivers:
        return True
    if site.receiver is not None and name_words(site.receiver.is_a) & sink.receivers:
        return True
    func = site.node.func
    text = spelled(func).rpartition(".")[0]
    return bool(name_words(text) & sink.receivers) or (
        frame.self_class != "" and text == "self" and "self" in sink.receivers
    )


def _is_a(value: Value, wanted: str) -> bool:
    """Whether a value is of a class, or is that class, or one of the tree that is made from it."""
    if value.is_a == wanted:
        return True
    ref = value.ref
    return isinstance(ref, ClassRef) and wanted.removeprefix("=") in ref.unit.module.bases(ref.qualname)


def _dangerous(site: CallSite, sink: Sink) -> Iterator[tuple[Value, ast.expr | None]]:
    for which in sink.args:
        if which == "*":
            for value in _no_values_of_options(site):
                yield value, None
        elif which == -1:
            if site.receiver is not None:
                yield site.receiver, None
        elif isinstance(which, int):
            if which < len(site.args):
                yield site.args[which], site.node.args[which] if which < len(site.node.args) else None
            elif site.rest is not None:
                yield site.rest, None
        elif which in site.keywords:
            yield site.keywords[which], site.keyword_node(which)


def _no_values_of_options(site: CallSite) -> Iterator[Value]:
    """All that a call is given but what follows an option: `"--since", date`."""
    for at, value in enumerate(site.args):
        if at == 0 or not commands.is_option(site.args[at - 1]):
            yield value
    yield from site.keywords.values()
    if site.rest is not None:
        yield site.rest


def _emptied(site: CallSite) -> bool:
    """Whether built-ins, or on the spot all globals, are taken away from what is run."""
    given = site.argument(1, "globals")
    if given is None or given.fields is None:
        return False
    node = site.node.args[1] if len(site.node.args) > 1 else site.keyword_node("globals")
    return "__builtins__" in given.fields or (not given.fields and isinstance(node, ast.Dict))


def _looks(what: str, value: Value, node: ast.expr | None) -> bool:
    if what == "sql" and (
        value.is_a in {"sql", "cypher"} or looks_like_sql(value.text) or looks_like_cypher(value.text)
    ):
        return True
    if (what == "url" and "://" in value.text) or (what == "command" and " " in value.text.strip()):
        return True
    spoken = name_words(spelled(node)) if node is not None else frozenset()
    origins = frozenset().union(*(name_words(origin.shown) for origin in value.taints if origin.kind == "param"))
    return bool((spoken | origins) & _NAMES[what])
