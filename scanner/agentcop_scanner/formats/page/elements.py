"""HTML as a tree: text and attributes are escaped as they are written out, so that nothing scanned becomes markup."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # only written here, never parsed

from agentcop_core.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Node = ET.Element
Child = Node | str | None


def h(tag: str, *children: Child | Iterable[Child], **attributes: str | int | None) -> Node:
    """An element. Text has its invisible and bidirectional characters spelled out; None is left out.

    An underscore in an attribute's name is a dash, one at its end is none: `class_`, `data_rule`.
    """
    element = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name.rstrip("_").replace("_", "-"), visible(str(value)))
    for child in children:
        if child is None or isinstance(child, str | ET.Element):
            _add(element, child)
        else:
            for one in child:
                _add(element, one)
    return element


def table(heads: Sequence[str], rows: Iterable[Sequence[Child | Sequence[Child]]], *, numbers: Sequence[int]) -> Node:
    """A table that scrolls on its own where it is too wide; columns in `numbers` are set as figures."""

    def cell(tag: str, column: int, content: Child | Sequence[Child]) -> Node:
        return h(tag, content, class_="num" if column in numbers else None)

    return h(
        "div",
        h(
            "table",
            h("thead", h("tr", (cell("th", column, head) for column, head in enumerate(heads)))),
            h("tbody", (h("tr", (cell("td", column, part) for column, part in enumerate(row))) for row in rows)),
        ),
        class_="wide",
    )


def html(element: Node) -> str:
    """An element as text; `script` and `style` as they are, so only ours may be in them."""
    return ET.tostring(element, encoding="unicode", method="html")


def visible(text: str) -> str:
    """`text`, its lines kept, with what nobody would see written as its code."""
    return "\n".join(escape(line) for line in text.split("\n"))


def _add(parent: Node, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, ET.Element):
        parent.append(child)
        return
    words = visible(child)
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + words
    else:
        parent.text = (parent.text or "") + words
