"""A policy from a file or from text: merged, checked and compiled, or refused as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentcop_core.errors import PolicyError
from agentcop_policies.assemble import assemble
from agentcop_policies.build import SILENT
from agentcop_policies.document.normal import normal
from agentcop_policies.reading.checks import check_document, check_tree
from agentcop_policies.reading.problems import Problems
from agentcop_policies.reading.rules import check_rules, sites
from agentcop_policies.reading.tree import Items, Scalar, Table, descend, planted, spell, walk, where
from agentcop_policies.secrets import unset
from agentcop_policies.unenforced import unenforced

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from agentcop_policies.models import PolicyDocument
    from agentcop_policies.policy import Policy
    from agentcop_policies.reading.tree import Mark
    from agentcop_policies.unenforced import Unenforced


def load_policy(
    path: os.PathLike[str] | str,
    *,
    name: str = "",
    environ: Mapping[str, str] | None = None,
    require_env: bool = False,
) -> Policy:
    """The policy in `path`. Raises PolicyError with every problem, each with `path` as given, line and column.

    `name` stands for the path in messages and verdicts, if given.

    Reads the file and those it extends; never the network. `environ`: report secrets that are not set there, as
    warnings, or as problems with `require_env`; left out, none are: the process that judges need not hold them.
    """
    from agentcop_policies.reading.extends import read_file
    from agentcop_policies.reading.yaml_text import decode

    file = Path(path)
    name = name or str(path)
    try:
        data = read_file(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PolicyError([f"{name}: cannot read the policy: {reason}{_looked_in(Path(name))}"]) from error
    problems = Problems()
    text = decode(data, name, problems)
    if text is None:
        raise PolicyError(problems.lines)
    resolved = file.resolve()
    return _load(text, name=name, folder=resolved.parent, files=(resolved,), secrets=_Secrets(environ, require_env))


def parse_policy(text: str, *, name: str, folder: Path) -> Policy:
    """The policy in `text`; `name` stands for the file in messages, `folder` is where relative paths start."""
    return _load(text, name=name, folder=folder.resolve(), files=(), secrets=_Secrets())


def check_gate(document: PolicyDocument, name: str, folder: Path) -> tuple[Problems, tuple[Unenforced, ...]]:
    """Check a gate that stands in no file: warnings, and what this build cannot give. Raises PolicyError."""
    tree = planted({"gate": normal(document)["gate"]}, name)
    if not isinstance(tree, Table):
        raise TypeError(tree)
    problems = Problems()
    check_tree(tree, problems)
    check_document(document, tree, problems)
    return problems, _checked(document, tree, problems, folder)


def _looked_in(file: Path) -> str:
    """From where a relative path starts: the folder in which a process was started is seldom on anybody's mind."""
    if file.is_absolute():
        return ""
    try:
        return f" (looked in {Path.cwd()})"
    except OSError:
        return " (the working directory is gone)"


class _Secrets(NamedTuple):
    """Whether, and how loudly, to say that a secret is not set."""

    environ: Mapping[str, str] | None = None
    required: bool = False


def _load(text: str, *, name: str, folder: Path, files: tuple[Path, ...], secrets: _Secrets) -> Policy:
    # Imported when a text is loaded: a policy written in Python needs neither PyYAML nor pydantic.
    from agentcop_policies.reading.extends import merge_chain
    from agentcop_policies.reading.shape import shaped
    from agentcop_policies.reading.yaml_text import parse

    problems = Problems()
    root = parse(text, name, problems)
    if root is None:
        raise PolicyError(problems.lines)
    merged = merge_chain(root, name=name, folder=folder, problems=problems)
    document = shaped(merged.root, problems, whole=merged.whole)
    check_tree(merged.root, problems)
    if secrets.environ is not None:
        _report_unset(merged.root, secrets.environ, problems.add if secrets.required else problems.warn)
    if document is None:
        check_rules(sites(merged.root), folder, problems)
        raise PolicyError(problems.lines)
    check_document(document, merged.root, problems)
    demands = _checked(document, merged.root, problems, folder)
    return assemble(
        document,
        source=name,
        folder=folder,
        files=files + merged.files,
        places=_places(merged.root),
        warnings=problems.warnings,
        demands=demands,
    )


def _checked(document: PolicyDocument, root: Table, problems: Problems, folder: Path) -> tuple[Unenforced, ...]:
    """Check the rules. Raises PolicyError with all that was found; then adds what a person should know."""
    check_rules(sites(root), folder, problems)
    problems.stop_if_any()
    _warn(document, root, problems)
    return unenforced(document)


def _places(root: Table) -> dict[str, str]:
    """Every key that a verdict may name, with `file:line:col`."""
    found = {"gate.default": str(where(root, ("gate", "default"), key=True))}
    single: tuple[tuple[str, ...], ...] = (
        ("gate", "taint"),
        ("gate", "results"),
        ("approvals", "required"),
        ("sandbox",),
    )
    for path in single:
        if descend(root, *path) is not None:
            found[spell(path)] = str(where(root, path, key=True))
    lists = [("gate", name) for name in ("allow", "require_approval", "block", "flows", "limits")]
    for path in (*lists, ("tests",)):
        items = descend(root, *path)
        if isinstance(items, Items):
            found |= {spell((*path, index)): str(item.mark) for index, item in enumerate(items.nodes)}
    return found


def _warn(document: PolicyDocument, root: Table, problems: Problems) -> None:
    gate = document.gate
    if gate.default == "block" and not (gate.allow or gate.require_approval or gate.block):
        would = "would be" if document.mode == "observe" else "is"
        problems.warn(where(root, ("gate",), key=True), f"gate lists no tool: every call {would} blocked")
    for key, text in SILENT.items():
        path = tuple(key.split("."))
        if descend(root, *path) is not None:
            problems.warn(where(root, path, key=True), f"{key}: {text}")
    for demand in unenforced(document):
        covered = "every call" if "*" in demand.tools else f"calls of {', '.join(demand.tools)}"
        if demand.only_asked:
            covered = "calls that need approval"
        word = "would" if document.mode == "observe" else "will"
        mark = where(root, _path(demand.rule), key=True)
        problems.warn(mark, f"{demand.rule}: {demand.what} is not in this build; {covered} {word} be refused")


def _path(rule: str) -> tuple[str | int, ...]:
    """`gate.flows[0]` as the steps from the root."""
    steps = rule.replace("[", ".").replace("]", "").split(".")
    return tuple(int(step) if step.isdigit() else step for step in steps)


def _report_unset(root: Table, environ: Mapping[str, str], report: Callable[[Mark, str], None]) -> None:
    for path, node in walk(root):
        if path[:1] == ("monitor",) and isinstance(node, Scalar) and isinstance(node.value, str):
            for name in unset(node.value, environ):
                report(node.mark, f"${{{name}}} is not set in this environment")
