"""Makes modules and documents of bytes. Parses, and never imports or runs."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from agentcop_scanner.data.jsonc import read_json
from agentcop_scanner.data.node import DataError, Node
from agentcop_scanner.data.toml_tree import read_toml
from agentcop_scanner.data.yaml_tree import read_yaml
from agentcop_scanner.source.disk.kinds import data_language, document_kind
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
    code = code_of(document_text(raw))
    tree = tree_of(code.text)
    return Module(path=path, text=code.text, tree=tree, line_map=code.lines, col_map=code.columns)


def document_of(raw: bytes, path: str) -> Document:
    """The document that the bytes of a file are. Raises UnreadError."""
    text = document_text(raw)
    kind = document_kind(path)
    language = data_language(path)
    if language == "prose":
        return Document(path=path, kind=kind, text=text, root=_front_matter(text), prose=True)
    try:
        root = _READERS[language](text) if text.strip() else None
    except DataError as error:
        if kind == "other":  # templates and fragments bear these endings too; rules on text still see it
            return Document(path=path, kind=kind, text=text)
        raise UnreadError("unparsable", str(error)) from error
    return Document(path=path, kind=kind, text=text, root=root)


_READERS = {"json": read_json, "yaml": read_yaml, "toml": read_toml}


def _front_matter(text: str) -> Node | None:
    """The YAML between two lines of dashes at the top of a Markdown file; None without, or if it is no YAML."""
    before = len(text) - len(text.lstrip("\n"))
    end = text.find("\n---", before + 3)
    if not text.startswith("---\n", before) or end < 0:
        return None
    try:
        # Lines are kept, so that a place in the front matter is a place in the file.
        return read_yaml("\n" * (before + 1) + text[before + 4 : end])
    except DataError:
        return None


def parsed(raw: bytes, path: str, kind: FileKind, name: str = "") -> Module | Document:
    """What a file of a kind is. Raises UnreadError."""
    if kind == "python":
        return module_of(raw, path, name, is_package=path.endswith("__init__.py"))
    return notebook_of(raw, path) if kind == "notebook" else document_of(raw, path)
