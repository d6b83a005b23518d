"""The rules of a gate against one another: names that are none, rules that never match, conditions that fail.

Reads the tree, so that it speaks even where the shape is wrong elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from agentcop_core.names import canonical_name
from agentcop_policies.judging.matching import is_glob, matcher
from agentcop_policies.reading.problems import quoted
from agentcop_policies.reading.tree import Items, Mark, Scalar, Table, descend, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentcop_policies.reading.problems import Problems

LISTS: Final = ("block", "require_approval", "allow")
"""The lists of a gate, the strongest first."""

_NEVER_IN_A_NAME: Final = frozenset('(){}=<>;|"`$\\')
_DOES: Final = {"block": "blocks", "require_approval": "holds", "allow": "allows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One rule where it stands."""

    list: str
    index: int
    tool: str
    when: str | None
    mark: Mark
    when_mark: Mark | None = None

    @property
    def name(self) -> str:
        """`gate.block[1]`."""
        return f"gate.{self.list}[{self.index}]"


def sites(root: Table) -> tuple[Site, ...]:
    """Every rule of the tree that is well formed in itself, the strongest list first."""
    return tuple(site for name in LISTS for site in _in_list(root, name))


def _in_list(root: Table, name: str) -> Iterator[Site]:
    found = descend(root, "gate", name)
    for index, node in enumerate(found.nodes if isinstance(found, Items) else ()):
        tool = node.get("tool") if isinstance(node, Table) else node
        when = node.get("when") if isinstance(node, Table) else None
        if not isinstance(tool, Scalar) or not isinstance(tool.value, str) or not tool.value:
            continue
        if when is not None and not (isinstance(when, Scalar) and isinstance(when.value, str)):
            continue
        yield Site(
            list=name,
            index=index,
            tool=tool.value,
            when=None if when is None else str(when.value),
            mark=node.mark,
            when_mark=None if when is None else when.mark,
        )


def check_rules(found: Sequence[Site], folder: Path, problems: Problems) -> None:
    """Report every rule that cannot do what its author wrote it for."""
    globs = [(place, site) for place, site in enumerate(found) if is_glob(site.tool)]
    exact: dict[str, list[tuple[int, Site]]] = {}
    for place, site in enumerate(found):
        if not is_glob(site.tool):
            exact.setdefault(site.tool, []).append((place, site))
    for place, site in enumerate(found):
        check_pattern(site.tool, site.mark, problems)
        if site.when is not None and site.when_mark is not None:
            _check_condition(site.when, folder, site.when_mark, problems)
        # Only a glob, or the same name, can take a tool from a rule.
        near = sorted((*globs, *exact.get(site.tool, ())), key=itemgetter(0))
        _check_shadow(site, [other for other_place, other in near if other_place < place], problems)
        _check_idle_condition(site, [other for other_place, other in near if other_place > place], problems)


def check_pattern(pattern: str, mark: Mark, problems: Problems) -> None:
    """Report a name or glob that no tool can bear."""
    canonical = canonical_name(pattern)
    if bad := sorted(_NEVER_IN_A_NAME.intersection(pattern)):
        hint = ": a condition is written {tool: NAME, when: CONDITION}" if "(" in bad else ""
        problems.add(mark, f"{quoted(pattern)} is not a tool's name: no name holds {' '.join(bad)}{hint}")
    elif canonical != pattern:
        problems.add(mark, f"no tool is ever called {quoted(pattern)}: names are compared as {quoted(canonical)}")
    elif "[" in pattern and "]" not in pattern[pattern.index("[") + 2 :]:
        problems.add(mark, f"{quoted(pattern)} opens a [ that it does not close")
    elif "," in pattern:
        problems.warn(mark, f"{quoted(pattern)} is read as one tool's name, comma included")
    elif pattern.count(" ") > 1:
        problems.warn(mark, f"{quoted(pattern)} is read as one tool's name, spaces included")


def _check_condition(text: str, folder: Path, mark: Mark, problems: Problems) -> None:
    if not is_text(text):
        return  # said by the checks of the tree
    # CEL and the shell's grammar are loaded by the first policy that has a condition.
    from agentcop_policies.judging.conditions import ConditionError, compile_condition

    try:
        compile_condition(text, folder=folder)
    except ConditionError as error:
        problems.add(mark, f"when: {error}" if mark.line else str(error))


def covers(wide: str, narrow: str) -> bool:
    """Whether every tool that `narrow` means is one that `wide` means. Sound: where it is hard to say, False."""
    if wide == narrow or wide.strip("*") == "":
        return True
    if not is_glob(wide):
        return False
    if not is_glob(narrow):
        return matcher(wide)(narrow)
    stem = wide[:-1]
    return wide.endswith("*") and not is_glob(stem) and narrow.startswith(stem)


def _shadows(strong: Site, weak: Site) -> bool:
    """Whether `strong` decides whenever `weak` would: the same condition, word for word, fails on the same calls."""
    return (strong.when is None or strong.when == weak.when) and covers(strong.tool, weak.tool)


def _check_shadow(site: Site, before: Sequence[Site], problems: Problems) -> None:
    shadow = next((other for other in before if _shadows(other, site)), None)
    if shadow is None:
        return
    where = f"{shadow.name} ({shadow.mark})" if shadow.mark.line else shadow.name
    if shadow.mark.file != site.mark.file and shadow.mark.line:
        stricter = f"{_DOES[shadow.list]} it, and across files the stricter list wins"
        verdict = "decides first" if shadow.list == site.list else stricter
        problems.warn(site.mark, f"note: {site.name} {quoted(site.tool)} never matches: {where} {verdict}")
    elif shadow.list == site.list and shadow.tool == site.tool:
        problems.add(site.mark, f"{quoted(site.tool)} stands in {site.list} twice: {where} is the first")
    elif shadow.tool == site.tool and shadow.when is None and site.when is None:
        problems.add(site.mark, f"{quoted(site.tool)} stands in two lists: {where} {_DOES[shadow.list]} it already")
    else:
        problems.add(
            site.mark,
            f"{site.name} {quoted(site.tool)} can never match: {where} {_DOES[shadow.list]} {quoted(shadow.tool)} "
            "before it is asked",
        )


def _check_idle_condition(site: Site, after: Sequence[Site], problems: Problems) -> None:
    """A condition narrows nothing where a later rule of the same list takes the tool without one."""
    if site.when is None:
        return
    for other in after:
        if other.list == site.list and other.when is None and covers(other.tool, site.tool):
            problems.warn(
                site.mark,
                f"the condition of {site.name} narrows nothing: {other.name} ({other.mark}) {_DOES[other.list]} "
                f"{quoted(other.tool)} without one",
            )
            return
