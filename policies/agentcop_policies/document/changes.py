"""What is different between two policies of one agent, in words, and what of it may let more through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcop_policies.models import Approvals, GatePolicy, PolicyDocument, Rule

_ORDER: Final = ("block", "require_approval", "allow")
_LOUD: Final = frozenset({"raise_and_alert", "raise"})
_TOLD: Final = frozenset({"raise_and_alert", "alert"})
_DEMANDS: Final = ("flows", "limits", "taint", "results")
_MAX_WHEN: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    text: str
    """One phrase: `gate.block: "wipe" is gone`."""
    loosens: bool
    """Whether a call may run, or run unseen, that would not have before. When in doubt, true."""


def changes(old: PolicyDocument, new: PolicyDocument) -> tuple[Change, ...]:
    """Every difference that bears on a call; empty where only what no call depends on is different."""
    return tuple(_changes(old, new))


def _changes(old: PolicyDocument, new: PolicyDocument) -> Iterator[Change]:
    if old.mode != new.mode:
        yield _became("mode", old.mode, new.mode, loosens=new.mode == "observe")
    if old.environment != new.environment:
        yield _became("environment", old.environment, new.environment, loosens=old.environment == "production")
    yield from _gate(old.gate, new.gate)
    yield from _approvals(old.approvals, new.approvals)
    if old.sandbox != new.sandbox:
        yield _demand("sandbox", was=old.sandbox, now=new.sandbox)
    was, now = (each.monitor.alert_channels if each.monitor is not None else () for each in (old, new))
    if was != now:
        yield Change(text="monitor.alert_channels is another", loosens=not set(map(str, was)) <= set(map(str, now)))


def _gate(old: GatePolicy, new: GatePolicy) -> Iterator[Change]:
    for key, loosens in _LOOSENS.items():
        was, now = getattr(old, key), getattr(new, key)
        if was != now:
            yield _became(f"gate.{key}", was, now, loosens=loosens(was, now))
    for name in _ORDER:
        yield from _rules(name, getattr(old, name), getattr(new, name))
    for name in _DEMANDS:
        if getattr(old, name) != getattr(new, name):
            yield _demand(f"gate.{name}", was=getattr(old, name), now=getattr(new, name))


def _rules(name: str, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    for rule in old:
        if rule not in new:
            yield Change(text=f"gate.{name}: {_said(rule)} is gone", loosens=name != "allow")
    for rule in new:
        if rule not in old:
            yield Change(text=f"gate.{name}: {_said(rule)} is new", loosens=name == "allow")


def _is_quieter(old: Any, new: Any) -> bool:  # noqa: ANN401 -- as the table has it
    return any(old in kind and new not in kind for kind in (_LOUD, _TOLD))


_LOOSENS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "default": lambda old, new: _ORDER.index(new) > _ORDER.index(old),
    "strict": lambda _, new: not new,
    "log_failure": lambda _, new: new == "allow",
    "max_argument": lambda old, new: new > old,
    "max_refusals": lambda old, new: new > old,
    "on_block": _is_quieter,
}
"""Key of the gate → whether a change from one value to another loosens it."""


def _approvals(old: Approvals, new: Approvals) -> Iterator[Change]:
    if old.required != new.required:
        yield _became("approvals.required", old.required, new.required, loosens=new.required < old.required)
    if old.local != new.local:
        yield _became("approvals.local", old.local, new.local, loosens=new.local)
    if old.approvers != new.approvers:
        text = f"approvals.approvers: {', '.join(old.approvers)} → {', '.join(new.approvers)}"
        yield Change(text=text, loosens=not set(new.approvers) <= set(old.approvers) or not new.approvers)
    if old.timeout != new.timeout:
        yield _became("approvals.timeout", old.timeout, new.timeout, loosens=False)


def _became(key: str, old: object, new: object, *, loosens: bool) -> Change:
    return Change(text=f"{key}: {old} → {new}", loosens=loosens)


def _demand(key: str, *, was: object, now: object) -> Change:
    """A section that narrows what runs: one that was not there before can only tighten."""
    word = "is new" if not was else "is gone" if not now else "is another"
    return Change(text=f"{key} {word}", loosens=bool(was))


def _said(rule: Rule) -> str:
    when = f" when {rule.when}" if rule.when is not None else ""
    cut = when if len(when) <= _MAX_WHEN else f"{when[:_MAX_WHEN]}… +{len(when) - _MAX_WHEN}"
    return f'"{rule.tool}"{cut}'
