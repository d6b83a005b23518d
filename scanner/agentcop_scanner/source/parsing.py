"""Makes modules and documents of bytes. Parses, and never imports or runs."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from agentcop_scanner.source.data import Data, NotDataError, read_json, read_toml, read_yaml
from agentcop_scanner.source.disk.kinds import document_kind
from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.disk.reading import document_text, python_text
from agentcop_scanner.source.document import Document
from agentcop_scanner.source.module import Module
from agentcop_scanner.source.notebook import code_of

if TYPE_CHECKING:
    from agentcop_scanner.source.disk.kinds import FileKind

_NEWER = (
    re.compile(r"^\s*type\s+\w+(\[.*\])?\s*="),
    re.compile(r"^\s*(async\s+)?(def|class)\s+\w+\s*\["),
    re.compile(r"""\b[tT][rR]?["']"""),
    re.compile(r"^\s*except\*?\s+[\w.]+\s*,"),
)
"""What Python learnt after the oldest version we run on: type statements, type parameters, t-strings, `except A, B`.
Looked for on the line that did not parse. F-strings with any expression are known by the message."""


def tree_of(text: str) -> ast.Module:
    """The tree of Python source. Raises UnreadError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        newer = error.msg.startswith("f-string") or any(pattern.search(line) for pattern in _NEWER)
        raise UnreadError(
            "newer_python" if newer else "unparsable",
            f"line {error.lineno}: {'needs a newer Python' if newer else error.msg}",
        ) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadError("unparsable", "nested too deeply") from error
    except ValueError as error:
        raise UnreadError("unparsable", str(error)[:200]) from error


def module_of(raw: bytes, path: str, name: str = "", *, is_package: bool = False) -> Module:
    """The module that the bytes of a Python file are. Raises UnreadError."""
    text = python_text(raw)
    return Module(path=path, text=text, tree=tree_of(text), name=name, is_package=is_package)


def notebook_of(raw: bytes, path: str) -> Module:
    """The code cells of a notebook as one module, with the lines of the file. Raises UnreadError."""
    text, line_map = code_of(document_text(raw))
    return Module(path=path, text=text, tree=tree_of(text), line_map=line_map)


def document_of(raw: bytes, path: str) -> Document:
    """The document that the bytes of a file are. Raises UnreadError."""
    text = document_text(raw)
    kind = document_kind(path)
    data = _data(path.lower(), kind, text)
    return Document(path=path, kind=kind, text=text, data=data.value, key_lines=data.lines)


def _data(lower: str, kind: str, text: str) -> Data:
    try:
        if lower.endswith((".json", ".jsonc", ".json5", ".code-workspace", ".mcp")):
            return read_json(text) if text.strip() else Data()
        if lower.endswith((".yaml", ".yml")):
            return read_yaml(text)
        if lower.endswith(".toml"):
            return read_toml(text)
    except NotDataError as error:
        if kind == "other":  # templates and fragments bear these endings too; rules on text still see it
            return Data()
        raise UnreadError("unparsable", str(error)) from error
    return Data()


def parsed(raw: bytes, path: str, kind: FileKind, name: str = "") -> Module | Document:
    """What a file of a kind is. Raises UnreadError."""
    if kind == "python":
        return module_of(raw, path, name, is_package=path.endswith("__init__.py"))
    return notebook_of(raw, path) if kind == "notebook" else document_of(raw, path)
