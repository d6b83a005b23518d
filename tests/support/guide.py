"""The listings of the user's guide, read from where it stands beside the project; nothing of it is copied here.

In the guide a listing is not fenced: a line that says only `python`, `yaml` or `bash` stands before it, and prose
follows it. Without the guide a test that asks is skipped, and fails where `CI=true`.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

Language = Literal["python", "yaml", "bash"]

GUIDE = Path(__file__).resolve().parents[3] / "shared/spec/runtime-protection.md"


def listings(language: Language) -> list[str]:
    """All listings of `language`, in the guide's order; may be called while tests are collected."""
    return listings_of(guide_text(), language)


def guide_text() -> str:
    """The guide; skips the test or module that asks when it is not there, fails it where `CI=true`."""
    if GUIDE.is_file():
        return GUIDE.read_text(encoding="utf-8")
    reason = f"the user's guide is not at ../{GUIDE.relative_to(GUIDE.parents[2])}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def listings_of(text: str, language: Language) -> list[str]:
    """The listings in `text`: of what follows each heading line, the longest run of paragraphs that is `language`."""
    bodies = re.split(r"(?m)^(python|yaml|bash)\n", text)
    return [
        _code(body, language) for heading, body in zip(bodies[1::2], bodies[2::2], strict=True) if heading == language
    ]


def _code(body: str, language: Language) -> str:
    paragraphs = body.split("\n\n")
    for end in range(len(paragraphs), 0, -1):
        candidate = "\n\n".join(paragraphs[:end])
        if _READS[language](candidate):
            return candidate.rstrip("\n") + "\n"
    message = f"no {language} at the start of {body[:80]!r}"
    raise ValueError(message)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _is_yaml_mapping(text: str) -> bool:
    try:
        return isinstance(yaml.safe_load(text), dict)
    except yaml.YAMLError:
        return False


def _is_bash(text: str) -> bool:
    # bash parses prose too; a command or comment never starts with a capital or an indent, the guide's headings do.
    return all(re.match(r"# |[a-z]", line) for line in text.splitlines() if line)


_READS: dict[Language, Callable[[str], bool]] = {"python": _is_python, "yaml": _is_yaml_mapping, "bash": _is_bash}
