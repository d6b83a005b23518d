"""What the result of each file depends on: itself, and all that it imports from the scan, directly or not."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from agentcop_scanner.engine.cycles import components

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_scanner.work.names import Names

_IMPORT = re.compile(rb"import\b[ \t]*(\([^)]{0,20000}\)|[^\n;#]{0,2000})")
_FROM = re.compile(rb"\bfrom[ \t]+([.\w]+)[ \t]+$")
_LONGEST_FROM = 300
_NAME = re.compile(rb"[\w.]+")


def imports(raw: bytes, package: str) -> frozenset[str]:
    """Dotted names that Python source may import; more than it does, if words in its texts look like it."""
    found: set[str] = set()
    text = raw.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    for match in _IMPORT.finditer(text):
        before = _FROM.search(text[max(0, match.start() - _LONGEST_FROM) : match.start()])
        base = (before[1] if before else b"").decode("utf-8", "replace")
        dots = len(base) - len(base.lstrip("."))
        if dots:
            parts = package.split(".")
            parts = parts[: len(parts) - dots + 1] if dots <= len(parts) else []
            base = ".".join([*parts, *filter(None, [base[dots:]])])
        if base:
            found.add(base)
        for name in _NAME.findall(match[1]):
            found.add(f"{base}.{name.decode('utf-8', 'replace')}" if base else name.decode("utf-8", "replace"))
    return frozenset(found)


def edges(imported: Mapping[str, frozenset[str]], names: Names) -> dict[str, list[str]]:
    """Per path, the paths of the files of the scan that it imports."""
    found: dict[str, list[str]] = {}
    for path, dotted in imported.items():
        targets: set[str] = set()
        for name in dotted:
            head = name
            while head:
                file = names.by_name.get(head)
                if file is not None and file.path != path:
                    targets.add(file.path)
                head = head.rpartition(".")[0]
        found[path] = sorted(targets)
    return found


def digests(shas: Mapping[str, str], graph: Mapping[str, list[str]]) -> dict[str, str]:
    """Per path, a hash over its content and that of all it leads to."""
    made: dict[str, str] = {}
    for group in components(shas, graph):
        digest = hashlib.sha256()
        members = set(group)
        for path in sorted(group):
            digest.update(f"{path}\0{shas[path]}\0".encode("utf-8", "surrogatepass"))
        for target in sorted({target for path in group for target in graph.get(path, ()) if target not in members}):
            digest.update(f"{target}\0{made.get(target, '')}\0".encode("utf-8", "surrogatepass"))
        for path in group:
            own = digest.copy()
            own.update(path.encode("utf-8", "surrogatepass"))
            made[path] = own.hexdigest()
    return made
