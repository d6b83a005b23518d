"""A report as text, JSON, SARIF, HTML, JUnit, Markdown and GitHub annotations: one file a format, all of one shape."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcop_scanner.formats.view import View

Format = Literal["text", "json", "sarif", "html", "junit", "markdown", "github"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
EXTENSIONS: Final[dict[str, Format]] = {
    ".txt": "text",
    ".json": "json",
    ".sarif": "sarif",
    ".html": "html",
    ".htm": "html",
    ".xml": "junit",
    ".md": "markdown",
}
"""What a report file's name says about its format."""


def format_of(path: str) -> Format | None:
    """The format that a file's name asks for; None if it asks for none of ours."""
    return EXTENSIONS.get(PurePath(path).suffix.lower())


def render(view: View, style: Format) -> Iterator[str]:
    """The report in one format, in pieces that together are the whole text; deterministic, does not block."""
    rendered: Callable[[View], Iterator[str]] = import_module(f"{__name__}.as_{style}").render
    return rendered(view)
