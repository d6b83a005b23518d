r"""`shell.only(command, programs)`: whether a command line runs nothing but the listed programs, as bash reads it.

- A program is exact text: `ls` does not allow `/tmp/ls` or `\ls`; list `/usr/bin/ls` or `./build.sh` as such. A list
  of strings is an argument vector: no shell reads it.
- Every part is judged: both sides of `;`, `&&`, `||`, `|` and `&`, subshells, `$(…)`, backquotes and `<(…)`, in
  arguments too, and what launchers (`env`, `xargs`, `bash -c` …) start.
- Allowed besides commands: plain variables as arguments, reading from a file, here-strings, `2>&1`, `> /dev/null`.
- Everything else has no answer, among it: assignments (`PATH=. ls`), writing to files, here-documents, functions,
  loops, tests, arithmetic, comments, quoted or computed program names, line continuations, what does not parse.

A listed program is trusted with all it can do: `git -c alias.x=!sh x`, `tar --checkpoint-action`, `awk 'system()'` are
`git`, `tar` and `awk`. Never blocks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentcop_policies.when.bash import MAX_COMMAND, parse
from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.launchers import SHELL_STATE, Argument, launched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

_MAX_NESTED = 4
_PROGRAM = re.compile(r"[A-Za-z0-9_./+-]+")
_UNREAD = "the command has a backslash in a place that is not judged"
_SHAPES = {
    "command_substitution": (
        re.compile(rb"\$.*|`[^\\]*", re.DOTALL),
        "the command holds escapes inside backquotes",
    ),
    "compound_statement": (
        re.compile(rb"\{\s.*", re.DOTALL),
        "the command holds braces that bash takes for a program's name",
    ),
    "expansion": (
        re.compile(rb"\$\{[A-Za-z_][A-Za-z0-9_]*\}"),
        "the command holds a `${…}` that does more than read a variable",
    ),
    "word": (re.compile(rb"(?:[^\s\\]|\\.)+"), _UNREAD),
}
"""Parts that are judged only if their text has this shape."""
_TRANSPARENT = frozenset(
    {
        "program",
        "list",
        "pipeline",
        "negated_command",
        "subshell",
        "string",
        "concatenation",
        "command_name",
        "process_substitution",
        "redirected_statement",
        "herestring_redirect",
    }
)
_ON_ONE_LINE = frozenset({"command", "redirected_statement", "concatenation", "command_name", "file_redirect"})
_INERT = frozenset(
    {
        "number",
        "raw_string",
        "string_content",
        "simple_expansion",
        "variable_name",
        "special_variable_name",
        "file_descriptor",
    }
)


def programs_problem(programs: Sequence[str]) -> str:
    """What is wrong with the programs written in a policy; "" when nothing is."""
    for program in programs:
        if _PROGRAM.fullmatch(program) is None:
            return f'shell.only: "{program}" is not a program\'s name; write it without options or quotes'
        if program in SHELL_STATE:
            return f'shell.only: "{program}" runs or redefines whatever its arguments say; it cannot be listed'
    return ""


def only(command: str | list[str], programs: list[str]) -> bool:
    """Whether `command` runs only `programs`. Raises CannotJudgeError when its text does not settle that."""
    started = list(_vector(command) if isinstance(command, list) else _line(command, 0))
    if not started:
        raise CannotJudgeError("the command runs nothing")
    relative = any("/" in program and not program.startswith("/") for program in started)
    if relative and not {"cd", "pushd", "popd"}.isdisjoint(started):
        raise CannotJudgeError("the command changes folder and runs a program by a relative path")
    return all(program in programs for program in started)


def _vector(words: Sequence[object]) -> Iterator[str]:
    texts = [word for word in words if isinstance(word, str) and "\0" not in word]
    if len(texts) < len(words):
        raise CannotJudgeError("the command is a list of other things than text")
    if sum(map(len, texts)) > MAX_COMMAND:
        raise CannotJudgeError("the command is longer than 16,384 characters")
    return _started([Argument(text=word, plain=_PROGRAM.fullmatch(word) is not None) for word in texts], 0)


def _line(text: str, depth: int) -> Iterator[str]:
    """The programs that a line of shell runs, in order of appearance."""
    if depth > _MAX_NESTED:
        raise CannotJudgeError("the command nests shells too deeply")
    if len(text) > MAX_COMMAND:
        raise CannotJudgeError("the command is longer than 16,384 characters")
    if not all(character.isprintable() or character in "\n\t" for character in text):
        raise CannotJudgeError("the command holds a control or invisible character")
    if "\\\n" in text:
        raise CannotJudgeError("the command holds a line continuation")
    source = text.encode()
    root = parse(source)
    if root.has_error:
        raise CannotJudgeError("the command does not parse")
    if (source[: root.start_byte] + source[root.end_byte :]).strip():
        raise CannotJudgeError(_UNREAD)
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.type == "command":
            yield from _started(_words(node), depth)
        else:
            _check(node)
        _check_gaps(node)
        nodes.extend(reversed(node.children))


def _check_gaps(node: Node) -> None:
    """Raise CannotJudgeError if the grammar passed over text: it drops some backslashes, and newlines after them."""
    blank = b" \t" if node.type in _ON_ONE_LINE else b" \t\n"
    text, start, at = node.text or b"", node.start_byte, node.start_byte
    for child in node.children:
        if text[at - start : child.start_byte - start].strip(blank):
            raise CannotJudgeError(_UNREAD)
        at = child.end_byte
    if node.children and text[at - start :].strip(blank):
        raise CannotJudgeError(_UNREAD)


def _check(node: Node) -> None:
    """Raise CannotJudgeError for a part of a command line that could run something unseen, or is not known."""
    kind = node.type
    if kind == "file_redirect":
        _check_redirect(node)
    elif kind in _SHAPES:
        shape, problem = _SHAPES[kind]
        if shape.fullmatch(node.text or b"") is None:
            raise CannotJudgeError(problem)
    elif node.is_named and kind not in _TRANSPARENT and kind not in _INERT:
        raise CannotJudgeError(f"the command has a part that is not judged: {kind.replace('_', ' ')}")


def _words(command: Node) -> list[Argument]:
    """The command's words, its name first. Redirections inside a command are not words."""
    words = []
    for child in command.children:
        if not child.is_named:
            raise CannotJudgeError("the command has a sign in a place that is not judged")
        if child.type in ("file_redirect", "herestring_redirect"):
            continue
        if child.type == "variable_assignment":
            raise CannotJudgeError("the command sets a variable for a program")
        raw = _raw(child)
        plain = _PROGRAM.fullmatch(raw) is not None
        words.append(Argument(text=raw if plain else _literal(child, raw), plain=plain))
    return words


def _literal(node: Node, raw: str) -> str | None:
    """The text that the program receives, or None if that depends on more than the text written."""
    if node.type == "raw_string":
        return raw[1:-1]
    if node.type == "string":
        inner = raw[1:-1]
        return None if re.search(r"[$`!]", inner) else re.sub(r'\\(["\\])', r"\1", inner)
    if raw == "{}":
        return raw
    if node.type in ("word", "number") and not re.search(r"[$`*?\[\]{}~!\"']", raw):
        return re.sub(r"\\(.)", r"\1", raw)
    return None


def _started(words: list[Argument], depth: int) -> Iterator[str]:
    """The programs that one simple command starts: its own, and those that it launches in turn."""
    while words:
        name = words[0]
        if not name.plain or name.text is None:
            raise CannotJudgeError("the command's program is quoted, escaped or computed")
        if name.text in SHELL_STATE:
            raise CannotJudgeError(f"the command uses `{name.text}`, which runs or redefines what its arguments say")
        if name.text == "printf" and any(word.text is None or word.text.startswith("-") for word in words[1:2]):
            raise CannotJudgeError("the command uses printf with an option, which can set a variable")
        step = launched(words)
        if not step.transparent:
            yield name.text
        for text in step.lines:
            yield from _line(text, depth + 1)
        for further in step.commands[1:]:
            yield from _started(further, depth + 1)
        words = step.commands[0] if step.commands else []


def _check_redirect(node: Node) -> None:
    operator = next((child.type for child in node.children if not child.is_named), "")
    target = node.child_by_field_name("destination")
    raw = _raw(target) if target is not None else ""
    if operator in (">&", "<&") and re.fullmatch(r"[0-9]|-", raw):
        return
    if raw == "/dev/null" and operator in (">", ">>", "&>", "&>>", "<"):
        return
    if operator == "<" and target is not None:
        literal = _literal(target, raw)
        if literal is not None and "/dev/" not in literal:
            return
    raise CannotJudgeError("the command redirects to or from something that is not a plain file to read")


def _raw(node: Node) -> str:
    return (node.text or b"").decode()
