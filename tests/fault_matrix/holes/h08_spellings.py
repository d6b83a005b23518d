"""The same place, host or program, written otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.scene import Scene

_QUIET = {"on_block": "return_message", "max_refusals": 1_000}
_WITHIN = 'path.within(args.path, "./data")'
_COMMANDS = (
    "ls ; rm -rf /", "ls && rm x", "ls || rm x", "ls | sh", "ls & rm x", "ls\nrm -rf /", "ls $(rm x)", "ls `rm x`",
    "cat <(rm x)", "bash -c 'rm x'", "sh -c rm", "env rm x", "env -i rm x", "command rm x", "nohup rm x", "xargs rm",
    "eval rm x", "exec rm x", "r\\m x", "'r'm x", "$SHELL -c rm", "LS=rm; $LS x", "/tmp/evil/ls", "./ls",
    "ls; . ./evil", "{ rm x; }", "(rm x)", "if true; then rm x; fi", "ls() { rm x; }; ls",
)  # fmt: skip
"""Each runs something else than `ls` and `cat`."""
_ADDRESSES = (
    "https://ours.test@evil.test/", "https://ours.test:pw@evil.test/", "https://evil.test/?x=https://ours.test",
    "https://evil.test/ours.test", "https://ours.test.evil.test/", "https://evil.test#@ours.test",
    "https://evil.test\\@ours.test/", "https:\\\\evil.test", "//evil.test/", "https://evilours.test/",
    "https://sub.ours.test/", "https://\u043eurs.test/", "https://ours\u2024test.evil.test", "file:///etc/shadow",
    "javascript:alert(1)", "https://127.0.0.1/", "http://[::1]/", "https://ours.test%00.evil.test/",
    "https://ours.test%2eevil.test/", " https://evil.test", "ours.test.evil.test",
)  # fmt: skip
"""None of them is a page of ours.test."""


def _paths(scene: Scene) -> Sequence[Sequence[Call]]:
    """Each leads out of `data`, from wherever a tool may stand."""
    data = scene.folder / "data"
    (data / "link").symlink_to("/etc")
    (data / "deep").mkdir()
    (data / "deep" / "up").symlink_to("../..")
    spelt = [
        "/etc/shadow", "/tmp/../etc/shadow", "//etc/shadow", "/./etc/shadow", "data/../../etc/shadow",
        "data/../notes.txt", "./data/../../x", f"{data}/../notes.txt", f"{data}/../data2/x", f"{data}2/x",
        f"{data}/link/shadow", "data/link/shadow", f"{data}/deep/up/notes.txt", "../data/../notes.txt",
        "/proc/self/root/etc/shadow", f"{data}/missing/../../notes.txt", "data/deep/../../../etc/shadow",
    ]  # fmt: skip
    return [[Call(tool="read_file", arguments={"path": each}) for each in spelt]]


def _by_position(scene: Scene) -> Sequence[Sequence[Call]]:
    return [[Call(tool="read_file", arguments={"path": "/tmp/../etc/shadow"}, positional=True)]]


def _other_keys(scene: Scene) -> list[Tool]:
    """The same tool for a policy, which knows of `path`; what it writes to has another name, or stands deeper."""

    def by_target(target: str) -> str:
        """Save."""
        return scene.bodies.note("save_target", target=target)

    def by_dest(dest: str) -> str:
        """Save."""
        return scene.bodies.note("save_dest", dest=dest)

    def nested(options: dict[str, Any]) -> str:
        """Save."""
        return scene.bodies.note("save_options", options=options)

    return [
        Tool(name="save_target", body=by_target),
        Tool(name="save_dest", body=by_dest),
        Tool(name="save_options", body=nested),
    ]


def _anything_goes(scene: Scene) -> list[Tool]:
    def body(**kwargs: Any) -> str:
        """Save."""
        return scene.bodies.note("save_options", options=kwargs)

    return [Tool(name="save_options", body=body)]


_ELSEWHERE = [
    [Call(tool="save_target", arguments={"target": "/etc/shadow"})],
    [Call(tool="save_dest", arguments={"dest": "/etc/shadow"})],
    [Call(tool="save_options", arguments={"options": {"path": "/etc/shadow"}})],
]
_DEEP = [[Call(tool="save_options", arguments={"kwargs": {"path": "/etc/shadow"}})]]


def _shell(scene: Scene) -> list[Tool]:
    def body(command: str) -> str:
        """Run a command."""
        return scene.bodies.note("shell", command=command)

    return [Tool(name="shell", body=body)]


def _fetch(scene: Scene) -> list[Tool]:
    def body(url: str) -> str:
        """Fetch a page."""
        return scene.bodies.note("fetch", url=url)

    return [Tool(name="fetch", body=body)]


def _each(tool: str, argument: str, values: Sequence[str]) -> list[list[Call]]:
    """All asked for at once: a model call for each would cost the most of the time."""
    return [[Call(tool=tool, arguments={argument: value}) for value in values]]


HOLE = hole(
    8,
    "other spellings of paths, addresses and commands",
    [
        Variant(
            name="paths",
            tools=read_file,
            turns=_paths,
            gate={"allow": [{"tool": "read_file", "when": _WITHIN}], **_QUIET},
            at_least=17,
        ),
        Variant(
            name="a path by position",
            tools=read_file,
            turns=_by_position,
            gate={"allow": [{"tool": "read_file", "when": _WITHIN}], **_QUIET},
            needs=("positional",),
        ),
        Variant(
            name="under other names, allowed where it is fine",
            tools=_other_keys,
            turns=_ELSEWHERE,
            gate={"allow": [{"tool": "save_*", "when": _WITHIN}], **_QUIET},
            at_least=3,
        ),
        Variant(
            name="under other names, blocked where it is not",
            tools=_other_keys,
            turns=_ELSEWHERE,
            gate={"default": "allow", "block": [{"tool": "save_*", "when": f"!{_WITHIN}"}], **_QUIET},
            at_least=3,
        ),
        Variant(
            name="below **kwargs",
            tools=_anything_goes,
            turns=_DEEP,
            gate={"default": "allow", "block": [{"tool": "save_*", "when": f"!{_WITHIN}"}], **_QUIET},
        ),
        Variant(
            name="commands",
            tools=_shell,
            turns=_each("shell", "command", _COMMANDS),
            gate={"allow": [{"tool": "shell", "when": 'shell.only(args.command, ["ls", "cat"])'}], **_QUIET},
            at_least=len(_COMMANDS),
        ),
        Variant(
            name="addresses",
            tools=_fetch,
            turns=_each("fetch", "url", _ADDRESSES),
            gate={"allow": [{"tool": "fetch", "when": 'url.host_in(args.url, ["ours.test"])'}], **_QUIET},
            at_least=len(_ADDRESSES),
        ),
    ],
)
