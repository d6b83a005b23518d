"""The arguments that were judged are not those that would run: they answer differently, change, or are filled in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from tests.fault_matrix.attempt import Call, Tool
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import SHADOW

from agentcop import Approve
from telemetry import global_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from tests.fault_matrix.attempt import Ran
    from tests.fault_matrix.scene import Scene

    from agentcop import ToolCall

_FINE = "data/ok"
_NESTED = {"allow": [{"tool": "open_file", "when": f'args.request.path == "{_FINE}"'}]}
_FLAT = {"default": "allow", "block": [{"tool": "read_default", "when": f'has(args.path) && args.path == "{SHADOW}"'}]}


class _Shifting(dict[str, Any]):
    """Says one thing to whoever looks first, another to everybody after."""

    looks = 0

    def _seen(self) -> str:
        self.looks += 1
        return _FINE if self.looks == 1 else SHADOW

    def __getitem__(self, key: str) -> str:
        return self._seen()

    def get(self, key: str, default: object = None) -> str:
        return self._seen()

    def items(self) -> Any:
        return {"path": self._seen()}.items()

    def values(self) -> Any:
        return {"path": self._seen()}.values()

    def copy(self) -> Any:
        return {"path": self._seen()}


class _ShiftingText(str):
    """A text whose own methods lie: it compares as the harmless one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == _FINE

    def __hash__(self) -> int:
        return hash(_FINE)


def _open_file(scene: Scene) -> list[Tool]:
    def body(request: Any) -> str:
        """Open a file."""
        _ = request["path"]
        return scene.bodies.note("open_file", path=str.__str__(request["path"]))

    return [Tool(name="open_file", body=body)]


def _read_default(scene: Scene) -> list[Tool]:
    def body(path: str = SHADOW) -> str:
        """Read a file."""
        return scene.bodies.note("read_default", path=path)

    return [Tool(name="read_default", body=body)]


def _elsewhere(ran: Ran) -> bool:
    return bool(ran.arguments["path"] != _FINE)


def _asked(make: Callable[[], Any]) -> Callable[[Scene], Sequence[Sequence[Call]]]:
    return lambda scene: [[Call(tool="open_file", arguments={"request": make()})]]


class _Changes(SpanProcessor):
    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._held["path"] = SHADOW


_HELD: dict[str, Any] = {}


def _held(scene: Scene) -> Sequence[Sequence[Call]]:
    return [[Call(tool="open_file", arguments={"request": _HELD})]]


@contextmanager
def _changed_after_the_verdict(scene: Scene) -> Iterator[None]:
    """The caller's own dict changes once the call was judged: when the tool's span has started."""
    _HELD["path"] = _FINE if scene.gated else SHADOW
    provider = TracerProvider()
    with global_provider(provider):
        scene.once_wrapped.append(lambda tools: provider.add_span_processor(_Changes(_HELD)))
        yield


def _edits(scene: Scene) -> Callable[..., Any]:
    """Says yes, and changes what it was shown: in the trial every part that it can reach."""

    def approver(call: ToolCall, deadline: float) -> Approve:
        for shown in (call.arguments.values, call.arguments.plain):
            try:
                shown["path"] = SHADOW  # type: ignore[index]  # it may well be read-only
            except TypeError:
                continue
        return Approve(by="ann")

    return approver


HOLE = hole(
    7,
    "arguments judged are not the arguments run",
    [
        Variant(
            name="a dict that answers differently",
            tools=_open_file,
            turns=_asked(lambda: _Shifting(path=_FINE)),
            gate=_NESTED,
            permitting=None,
            forbidden=_elsewhere,
            needs=("objects",),
        ),
        Variant(
            name="a text that compares as another",
            tools=_open_file,
            turns=_asked(lambda: {"path": _ShiftingText(SHADOW)}),
            gate=_NESTED,
            forbidden=_elsewhere,
            needs=("objects",),
        ),
        Variant(
            name="changed after the verdict",
            tools=_open_file,
            turns=_held,
            gate=_NESTED,
            permitting=None,
            fault=_changed_after_the_verdict,
            forbidden=_elsewhere,
            needs=("objects",),
        ),
        Variant(
            name="a default filled in later",
            tools=_read_default,
            turns=[[Call(tool="read_default")]],
            gate=_FLAT,
            needs=("defaults",),
        ),
        Variant(
            name="edited by the approver",
            tools=_read_default,
            turns=[[Call(tool="read_default", arguments={"path": _FINE})]],
            gate={"require_approval": ["read_default"]},
            approver=_edits,
            forbidden=_elsewhere,
            control=lambda ran: ran.arguments["path"] == _FINE,
        ),
    ],
)
