"""The rules, one file each, by family. To add a rule, add `rules/FAMILY/SLUG.py` with `RULE` in it; nothing else.

The slug in the file's name has underscores where the rule's has dashes.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from agentcop_scanner.rule import Rule

FAMILIES = (
    "execution",
    "shell",
    "files",
    "network",
    "query",
    "prompt",
    "loading",
    "secrets",
    "access",
    "oversight",
    "poisoning",
    "settings",
    "hygiene",
)
"""AC10x, 11x, 12x, 13x, 14x, 15x, 16x, 17x, 18x, 19x, 20x, 21x, 30x."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id. Raises ValueError if two share an id, or a slug is not its file's name."""
    found: dict[str, Rule] = {}
    for family in FAMILIES:
        package = importlib.import_module(f"{__name__}.{family}")
        for entry in pkgutil.iter_modules(package.__path__):
            if entry.name.startswith("_"):
                continue
            rule = cast("Rule", importlib.import_module(f"{package.__name__}.{entry.name}").RULE)
            if rule.id in found:
                raise ValueError(f"{rule.id} is both {found[rule.id].slug} and {rule.slug}")
            if rule.slug.replace("-", "_") != entry.name:
                raise ValueError(f"{rule.id}: the slug {rule.slug} is not the name of its file, {entry.name}")
            found[rule.id] = rule
    return tuple(found[key] for key in sorted(found))


def rule(key: str) -> Rule | None:
    """The rule of this id or slug, in any case; None if there is none."""
    wanted = key.strip().lower()
    return next((entry for entry in all_rules() if wanted in {entry.id.lower(), entry.slug}), None)


def _sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            for name, raw in _sources(entry):
                yield f"{entry.name}/{name}", raw
        elif entry.name.endswith(".py"):
            yield entry.name, entry.read_bytes()


@cache
def version() -> str:
    """What the scanner would find depends on this: a hash over its own source, engine and rules."""
    digest = hashlib.sha256()
    for name, raw in _sources(resources.files("agentcop_scanner")):
        digest.update(f"{name}\0{len(raw)}\0".encode())
        digest.update(raw)
    return digest.hexdigest()[:32]
