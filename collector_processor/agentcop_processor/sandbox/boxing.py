"""How a judged call gets into its box: what is ordered, the wait for a box, the run, and every way it is refused."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Never

from agentcop_core.escape import shorten
from agentcop_core.locks import IMPORTING
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.judges import answering
from agentcop_processor.sandbox.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agentcop_core.errors import ToolBlocked
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.call.passage import Passage
    from agentcop_processor.judges import Seat
    from agentcop_processor.sandbox.boxes.answer import Given
    from agentcop_processor.sandbox.boxes.lease import Lease
    from agentcop_processor.sandbox.parcel import Parcel
    from agentcop_processor.sandbox.settings import Settings

    Ship = Callable[[], Parcel]
    """How the seam's tool is made in a box; raises `NotShippable`."""

_log = logging.getLogger("agentcop")
_SHOWN = 200  # characters of names
_CANNOT = "the policy wants this call in a sandbox"
_WAY_OUT = "`sandbox.tools` says which tools run in the box"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one call needs: a box, and the tool in it."""

    settings: Settings
    parcel: Parcel


def ordered(
    call: ToolCall, verdict: Verdict, bench: tuple[Seat, ...], ship: Ship | None
) -> tuple[Order | None, Verdict]:
    """The order of a call that would run or go to a person, and the verdict that holds.

    No order: no policy that enforces asks for a box; or none can be had for this tool, and the verdict is a block.
    """
    if verdict.stops and verdict.decision == "block":
        return None, verdict
    demanding = tuple(seat for seat in bench if seat.enforces and seat.policy.document.sandbox is not None)
    if not demanding:
        return None, verdict
    with IMPORTING:
        from agentcop_policies.secrets import SecretUnset
        from agentcop_processor.sandbox.demand import demanded
        from agentcop_processor.sandbox.parcel import NotShippable
        from agentcop_processor.sandbox.settings import Disagree
    try:
        settings = demanded((seat.policy for seat in demanding), call.tool)
        if settings is None:
            return None, verdict
        if ship is not None and not call.arguments.opaque:
            with IMPORTING:  # what every seam's `ship` imports
                import agentcop_processor.sandbox.shipping  # noqa: F401 -- loaded here so that no fork falls into it
            return Order(settings=settings, parcel=ship()), verdict
        why = "this way of calling a tool cannot travel"
        if ship is not None:
            live = shorten(", ".join(map(repr, call.arguments.opaque)), _SHOWN)
            why = f"a live object of this process is among its arguments ({live}): pass plain values"
        reason = f"{_CANNOT}: {why}; {_WAY_OUT}"
    except (NotShippable, Disagree, SecretUnset) as error:
        reason = f"{_CANNOT}: {error}"
    seat = answering(demanding)
    return None, own_verdict("sandbox", reason, seat=seat, call=call, decided_by=verdict.decided_by)


class Boxed:
    """The box of one call: to be had, had, gone. `run` by one thread at a time; `close` by any."""

    __slots__ = ("_closed", "_home", "_lease", "_lock", "engine", "order")

    def __init__(self, order: Order, home: Path) -> None:
        """`home`: the state folder whose runner is asked."""
        self.order = order
        self._home = home
        self.engine = ""
        """Which engine's box it is; "" until there is one."""
        self._lease: Lease | None = None
        self._closed = False
        self._lock = threading.Lock()

    def get(self, agent: str) -> str:
        """Have a box with the tool loaded; which engine's. Raises `lease.Refused`.

        Blocks up to ten seconds, and ten more where too many calls are in boxes; where an engine takes requests and
        answers none, half a minute.
        """
        with IMPORTING:
            from agentcop_processor.sandbox.boxes.runner import runner_for

        lease = runner_for(self._home).lease(self.order.settings, self.order.parcel, agent)
        with self._lock:
            self._lease, self.engine = lease, lease.engine
            closed = self._closed
        if closed:
            lease.close()
        return lease.engine

    def run(self, tool: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Given:
        """As `Lease.run`."""
        if self._lease is None:
            raise RuntimeError("no box was had")
        return self._lease.run(tool, args, kwargs)

    def recorded(self, *, over: bool) -> Recorded | None:
        """Where the call runs, and once it is `over` what it asked for on its way out; None: there is no box."""
        lease = self._lease
        if lease is None:
            return None
        heard = lease.heard() if over else None
        return Recorded(asked=self.order.settings.mode, engine=lease.engine, heard=heard)

    def close(self) -> None:
        """The call is over, or given up: what still runs of it is killed now, in a thread of its own.

        Never blocks, for the caller may be an event loop; never raises.
        """
        with self._lock:
            self._closed = True
            lease = self._lease
        if lease is None or lease.ended:
            return
        try:
            threading.Thread(target=lease.close, name="agentcop-box-ended", daemon=True).start()
        except RuntimeError:  # there is no room for a thread, or the interpreter ends
            lease.close()


class Boxing:
    """An admitted call whose box has still to be had: `wait` or `awaited`, once. Belongs to one thread or task."""

    def __init__(self, passage: Passage, boxed: Boxed) -> None:
        """`passage`: not entered yet; `boxed` is its box."""
        self._passage = passage
        self._boxed = boxed

    def wait(self) -> Passage:
        """Block this thread until there is a box. Raises SandboxRefused, or what interrupts the wait."""
        try:
            self._boxed.get(self._passage.call.agent_id)
            return self._had()
        except BaseException as error:
            self._not_had(error)

    async def awaited(self) -> Passage:
        """The same for callers in an event loop, which goes on meanwhile. Needs asyncio's loop."""
        with IMPORTING:
            from agentcop_processor.sandbox.threads import in_thread

        boxed, agent = self._boxed, self._passage.call.agent_id
        try:
            await in_thread(lambda: boxed.get(agent), name="box", given_up=boxed.close)
            return self._had()
        except BaseException as error:
            self._not_had(error)

    def _had(self) -> Passage:
        self._passage.mark_box(over=False)
        return self._passage

    def _not_had(self, error: BaseException) -> Never:
        if not isinstance(error, Exception):
            self._passage.given_up(error)
            raise error
        raise _refused(self._passage, error) from None


def run_boxed(passage: Passage, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Given:
    """Run the body of an entered call in its box. Blocks. Raises what the tool raised, SandboxError, SandboxRefused."""
    if passage.box is None:
        raise RuntimeError("this call has no box")
    with IMPORTING:
        from agentcop_processor.sandbox.boxes.lease import Refused
    try:
        return passage.box.run(passage.call.tool, args, kwargs)
    except Refused as why:
        raise _refused(passage, why) from None


async def run_boxed_async(passage: Passage, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Given:
    """The same for callers in an event loop. A caller that is cancelled has the box killed."""
    with IMPORTING:
        from agentcop_processor.sandbox.threads import in_thread

    if passage.box is None:
        raise RuntimeError("this call has no box")
    return await in_thread(lambda: run_boxed(passage, args, kwargs), name="boxed-call", given_up=passage.box.close)


def _refused(passage: Passage, why: Exception) -> ToolBlocked:
    with IMPORTING:
        from agentcop_processor.sandbox.boxes.lease import Refused

    if isinstance(why, Refused):
        reason = f"{_CANNOT}: {why}"
    else:
        _log.exception("agentcop: no box could be had for %s", passage.call.tool, exc_info=why)
        reason = f"the policy wants this call in a sandbox, and there is none ({type(why).__name__})"
    return passage.refused("sandbox", reason, outcome="sandbox_refused")
